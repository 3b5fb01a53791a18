/**
 * Claims: what payees may have claimed in all, and the root of its Merkle tree in the OpenZeppelin `standard-v1`
 * format over `["address","uint256"]` (spec §9).
 */
import type { HashFunction } from './digests';
import { byBytes } from './order';

/** An amount or adjustment of a published revision, in base units, booked to the payee in force at it. */
export interface Booking {
  readonly provider: string;
  /** Lower-case address, empty where the provider has none. */
  readonly payee: string;
  readonly amount: bigint;
}

export interface Claim {
  readonly payee: string;
  /** The highest entitlement that the payee ever had, in base units. */
  readonly cumulative: bigint;
}

interface Account {
  readonly entitlement: bigint;
  readonly cumulative: bigint;
}

/** Accounts by payee. */
export type ClaimsLedger = ReadonlyMap<string, Account>;

export const NO_CLAIMS: ClaimsLedger = new Map();

/** The ledger after a revision: all of its bookings count before the new highest entitlement is looked at. */
export function bookRevision(ledger: ClaimsLedger, bookings: readonly Booking[]): ClaimsLedger {
  const entitlements = new Map([...ledger].map(([payee, { entitlement }]) => [payee, entitlement]));
  for (const { payee, amount } of bookings) {
    if (payee !== '') entitlements.set(payee, (entitlements.get(payee) ?? 0n) + amount);
  }
  return new Map(
    [...entitlements].map(([payee, entitlement]) => {
      const before = ledger.get(payee)?.cumulative ?? 0n;
      return [payee, { entitlement, cumulative: entitlement > before ? entitlement : before }];
    }),
  );
}

/** How many providers of a revision have no payee. */
export function countWithoutPayee(bookings: readonly Booking[]): number {
  return new Set(bookings.filter(({ payee }) => payee === '').map(({ provider }) => provider)).size;
}

/** The claims of a ledger, ordered by payee; payees with nothing are left out. */
export function claimsOf(ledger: ClaimsLedger): Claim[] {
  return [...ledger]
    .filter(([, { cumulative }]) => cumulative > 0n)
    .map(([payee, { cumulative }]) => ({ payee, cumulative }))
    .sort((a, b) => byBytes(a.payee, b.payee));
}

function bytesOf(hex: string): Uint8Array {
  return Uint8Array.from({ length: hex.length / 2 }, (_, index) =>
    // biome-ignore lint/plugin/exact-money: two hex digits, at most 255
    Number.parseInt(hex.slice(2 * index, 2 * index + 2), 16),
  );
}

/** keccak256(keccak256(abi.encode(payee, cumulative))), hex without a prefix. */
function leafHash({ payee, cumulative }: Claim, keccak256: HashFunction): string {
  if (cumulative < 0n || cumulative >= 2n ** 256n) throw new RangeError(`${cumulative} is no uint256`);
  const encoded = payee.slice(2).padStart(64, '0') + cumulative.toString(16).padStart(64, '0');
  return keccak256(bytesOf(keccak256(bytesOf(encoded))));
}

function nodeHash(a: string, b: string, keccak256: HashFunction): string {
  return keccak256(bytesOf(a < b ? a + b : b + a));
}

/** The 0x-prefixed root of a claims tree; 0x and 64 zeros where there are no claims. */
export function claimsRoot(claims: readonly Claim[], keccak256: HashFunction): string {
  const leaves = claims.map((claim) => leafHash(claim, keccak256)).sort(byBytes);
  if (leaves.length === 0) return `0x${'0'.repeat(64)}`;
  // A complete binary tree in an array, the root first; the sorted leaves fill it from its end.
  const tree: string[] = new Array<string>(2 * leaves.length - 1).fill('');
  for (const [index, leaf] of leaves.entries()) tree[tree.length - 1 - index] = leaf;
  for (let node = leaves.length - 2; node >= 0; node -= 1) {
    tree[node] = nodeHash(tree[2 * node + 1] as string, tree[2 * node + 2] as string, keccak256);
  }
  return `0x${tree[0]}`;
}
