import { buildClaimsTree } from '../proofs/claims-tree';
import type { ClaimsContent } from '../proofs/contents';
import type { Hashes } from '../proofs/hashes';
import { publishedEntry } from './check-digests';
import { requireSame, requireSameLines } from './difference';
import { type ClaimState, type Dossier, rowOf } from './dossier';
import { contentOf } from './records';

/** Entitlement and highest entitlement ever of a payee, base units. */
export interface ClaimAccount {
  readonly entitlement: bigint;
  readonly cumulative: bigint;
}
export type ClaimAccounts = ReadonlyMap<string, ClaimAccount>;

/**
 * `claims`: the amounts (revision 1) or adjustments (later ones) booked to the payees, on top of what they were entitled
 * to before, give the published root, count and total; and what they had before gives the root published before.
 */
export function checkClaims(dossier: Dossier, hashes: Hashes): string {
  const { entries } = dossier;
  const { index } = publishedEntry(dossier);
  const before = accountsOf(dossier.claims.before);
  const previous = entries[index - 1];
  if (previous !== undefined) requireTree(previous, before, hashes);
  const after = bookedAccounts(dossier, before);
  if (dossier.claims.stored !== null) requireStored(dossier, dossier.claims.stored, after);
  const claims = entries[index + 1];
  if (claims === undefined) throw new Error(`the chain has no claims entry of ${rowOf(dossier)}`);
  requireTree(claims, after, hashes);
  return `${after.size} payees under root ${(contentOf(claims).content as unknown as ClaimsContent).root}`;
}

export function accountsOf(states: readonly ClaimState[]): Map<string, ClaimAccount> {
  return new Map(
    states.map(([payee, entitlement, cumulative]) => [
      payee,
      { entitlement: BigInt(entitlement), cumulative: BigInt(cumulative) },
    ]),
  );
}

/** Accounts after the revision of a dossier: all of it is booked before the new highest entitlement is looked at. */
export function bookedAccounts(dossier: Dossier, before: ClaimAccounts): Map<string, ClaimAccount> {
  const added = new Map<string, bigint>();
  const payees = payeesOf(dossier);
  const book = (line: string, sign: bigint) => {
    const cells = line.split(',');
    const payee = payees.get(cells[0]!) ?? '';
    if (payee !== '') added.set(payee, (added.get(payee) ?? 0n) + sign * BigInt(cells[4]!));
  };
  for (const line of dossier.payouts) book(line, 1n);
  for (const line of dossier.base?.payouts ?? []) book(line, -1n);
  const after = new Map(before);
  for (const [payee, amount] of added) {
    const { entitlement, cumulative } = before.get(payee) ?? { entitlement: 0n, cumulative: 0n };
    const now = entitlement + amount;
    const highest = now > cumulative ? now : cumulative;
    if (highest > 0n || now < 0n) after.set(payee, { entitlement: now, cumulative: highest });
    else after.delete(payee);
  }
  return after;
}

/** Payees in force: of the sealed providers by their rows, of the others as the registry was. */
function payeesOf({ rows, claims }: Dossier): Map<string, string> {
  const payees = new Map(Object.entries(claims.otherPayees));
  for (const line of rows.providers) {
    const [provider, , , payee] = line.split(',') as [string, string, string, string];
    payees.set(provider, payee);
  }
  return payees;
}

function requireTree(
  link: { readonly position: number; readonly entry: string },
  accounts: ClaimAccounts,
  hashes: Hashes,
): void {
  const content = contentOf(link).content as unknown as ClaimsContent;
  const tree = buildClaimsTree(claimable(accounts), hashes.keccak256);
  const place = { table: 'chain_entry', row: String(link.position) };
  requireSame(place, 'payees', content.payees, tree.payees);
  requireSame(place, 'total', content.total, tree.total.toString());
  requireSame(place, 'root', content.root, tree.root);
}

/** Payees with something to claim, by address: the leaves of the tree. */
export function claimable(accounts: ClaimAccounts): [payee: string, cumulative: bigint][] {
  return [...accounts]
    .filter(([, { cumulative }]) => cumulative > 0n)
    .map(([payee, { cumulative }]): [string, bigint] => [payee, cumulative])
    .sort(([a], [b]) => (a < b ? -1 : 1));
}

function requireStored(dossier: Dossier, stored: readonly ClaimState[], after: ClaimAccounts): void {
  const { entry } = publishedEntry(dossier);
  const table = {
    table: 'claim',
    columns: ['payee', 'entitlement', 'cumulative'],
    keyLength: 1,
    prefix: `${entry.position + 1}/`,
  };
  const derived = [...after].map(([payee, a]) => `${payee},${a.entitlement},${a.cumulative}`).sort();
  requireSameLines(table, stored.map((state) => state.join(',')).sort(), derived);
}
