/**
 * The second implementation of the settlement specification, ruleset 1: written from its text alone, over exact
 * fractions, so that the project's numbers can be compared with figures that share no code with them.
 */
import { claimsContent, contentDigest, FIRST_PREVIOUS_HEAD, headAfter } from './chain';
import { type Booking, bookRevision, type ClaimsLedger, claimsOf, NO_CLAIMS } from './claims';
import type { Hashes } from './digests';
import { type EpochSettlement, revisionContent, settleEpoch } from './epoch';
import { type ExportedEpoch, exportEpochs, type PublishedEpoch } from './exports';
import { type BundleFiles, readBundle, rowsByEpoch } from './inputs';
import { type Policy, readPolicy } from './policy';
import type { EpochRecord } from './records';

export interface BundleToSettle {
  /** CSV texts of the seven tables (spec §3). */
  readonly files: BundleFiles;
  /** The policy document as parsed from its YAML (spec §2). */
  readonly policy: unknown;
  readonly network: string;
  /** Only these epochs; else all from the lowest to the highest in the tables. */
  readonly epochs?: { readonly first: number; readonly last: number } | undefined;
}

export interface SettledBundle {
  /** CSV texts of spec §11. */
  readonly prices: string;
  readonly payouts: string;
  readonly epochs: string;
  /** Each epoch in order, published or failed. */
  readonly outcomes: readonly ExportedEpoch[];
}

/** The state of a network's chain between two epochs. */
interface Chain {
  readonly head: string;
  readonly ledger: ClaimsLedger;
}

function bookingsOf({ rows, allotment }: EpochSettlement): Booking[] {
  const payees = new Map(rows.providers.map((row) => [row[0], row[3] as string]));
  return allotment.payouts.map(({ provider, amount }) => ({ provider, payee: payees.get(provider) ?? '', amount }));
}

/** Appends a settlement's revision and claims entries to the chain. */
function publish(
  settlement: EpochSettlement,
  network: string,
  policy: Policy,
  chain: Chain,
  hashes: Hashes,
): { published: PublishedEpoch; chain: Chain } {
  const content = revisionContent(settlement, network, policy, hashes.sha256);
  const head = headAfter(content, chain.head, hashes.sha256);
  const ledger = bookRevision(chain.ledger, bookingsOf(settlement));
  const claims = claimsOf(ledger);
  const following = claimsContent(content, claims, hashes.keccak256);
  const claimsHead = headAfter(following, head, hashes.sha256);
  const published: PublishedEpoch = {
    state: 'published',
    epoch: settlement.epoch,
    settlement,
    content,
    contentDigest: contentDigest(content, hashes.sha256),
    previousHead: chain.head,
    head,
    claims,
    claimsContent: following,
    claimsHead,
  };
  return { published, chain: { head: claimsHead, ledger } };
}

/**
 * Settles a bundle as a network of its own: every epoch in order, none waiting for inputs, every hold released at
 * once (spec §3, §8, §11). A failed epoch is neither published nor history.
 * Throws an Error `file:line: reason` for a bundle with a refused row, and for one without any epoch.
 */
export function settleBundle(bundle: BundleToSettle, hashes: Hashes): SettledBundle {
  const policy = readPolicy(bundle.policy);
  const { tables, span } = readBundle(bundle.files, new Set(policy.markets.map(({ market }) => market)));
  const epochs = bundle.epochs ?? span;
  if (epochs === undefined) throw new Error('the bundle has no row of an epoch');
  const rowsOf = rowsByEpoch(tables);
  const outcomes: ExportedEpoch[] = [];
  const history: EpochRecord[] = [];
  let chain: Chain = { head: FIRST_PREVIOUS_HEAD, ledger: NO_CLAIMS };
  for (let epoch = epochs.first; epoch <= epochs.last; epoch += 1) {
    const outcome = settleEpoch(epoch, rowsOf(epoch), policy, history);
    if (outcome.state === 'failed') {
      outcomes.push(outcome);
      continue;
    }
    const { published, chain: next } = publish(outcome, bundle.network, policy, chain, hashes);
    chain = next;
    history.push(outcome.record);
    outcomes.push(published);
  }
  return { ...exportEpochs(outcomes), outcomes };
}
