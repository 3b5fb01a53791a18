import { accountsOf, type ClaimAccounts, claimable } from '../audit/check-claims';
import { contentOf } from '../audit/records';
import { buildClaimsTree, type ClaimsTree } from '../proofs/claims-tree';
import type { ClaimsContent } from '../proofs/contents';
import type { Hashes } from '../proofs/hashes';
import { claimsEntries, type StoredEntry } from '../store/chain';
import { derivedClaims, keptClaims } from '../store/dossiers';
import { unchangingView } from '../store/pool';
import type { CommandContext } from './context';
import { CommandError } from './errors';

/** The claims after a published revision, and the entry that says their root. */
export interface PublishedClaims {
  readonly tree: ClaimsTree;
  readonly entry: StoredEntry;
  readonly content: ClaimsContent;
}

/**
 * The claims tree after the newest revision of an epoch. Rows that were dropped since are derived again from payouts
 * and registry; either way the tree has the root that was published, or this throws.
 *
 * @throws CommandError `NothingPublished`, `ClaimsMismatch`
 */
export async function publishedClaims(
  context: Pick<CommandContext, 'pool'>,
  network: string,
  epoch: number,
  hashes: Hashes,
): Promise<PublishedClaims> {
  return unchangingView(context.pool, async (client) => {
    const entry = (await claimsEntries(client, network, epoch, epoch)).at(-1);
    if (entry === undefined) {
      throw new CommandError('NothingPublished', `epoch ${epoch} of ${network} has no claims: it is not published`);
    }
    const kept = await keptClaims(client, network, entry.position);
    const rows = kept ?? (await derivedClaims(client, network, entry.position));
    const accounts: ClaimAccounts = accountsOf(
      rows.map(({ payee, entitlement, cumulative }) => [payee, entitlement, cumulative] as const),
    );
    const tree = buildClaimsTree(claimable(accounts), hashes.keccak256);
    const content = contentOf(entry).content as unknown as ClaimsContent;
    if (tree.root === content.root) return { tree, entry, content };
    throw new CommandError(
      'ClaimsMismatch',
      `the claims after epoch ${epoch} give the root ${tree.root}, published is ${content.root}: run \`settle audit ${epoch}\``,
    );
  });
}
