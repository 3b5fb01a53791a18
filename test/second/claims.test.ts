import { StandardMerkleTree } from '@openzeppelin/merkle-tree';
import {
  bookRevision,
  type Claim,
  claimsOf,
  claimsRoot,
  countWithoutPayee,
  NO_CLAIMS,
} from '../../src/audit/second/claims';
import type { Hashes } from '../../src/audit/second/digests';
import { seededRandom } from '../generate/random';
import { loadHashes } from './hashes';

let hashes: Hashes;
beforeAll(async () => {
  hashes = await loadHashes();
});

const A = `0x${'a'.repeat(40)}`;
const B = `0x${'b'.repeat(40)}`;
const C = `0x${'0'.repeat(39)}1`;

function openZeppelinRoot(claims: readonly Claim[]): string {
  const values = claims.map(({ payee, cumulative }) => [payee, cumulative.toString()]);
  return StandardMerkleTree.of(values, ['address', 'uint256']).root;
}

describe('the root of a claims tree', () => {
  test.each([1, 2, 3, 4, 5, 6, 7, 8, 9, 31, 32, 33, 100])('of %i payees is the one of OpenZeppelin', (count) => {
    const random = seededRandom(count);
    const claims = Array.from({ length: count }, (_, index) => ({
      payee: `0x${(index + 1)
        .toString(16)
        .padStart(4, '0')
        .padEnd(40, random.pick(['0', 'f', '7']))}`,
      cumulative: BigInt(random.integer(1, 1_000_000)) ** BigInt(random.integer(1, 12)),
    }));
    expect(claimsRoot(claims, hashes.keccak256)).toBe(openZeppelinRoot(claims));
  });

  test('the largest uint256 fits, one more does not', () => {
    const largest = [{ payee: A, cumulative: 2n ** 256n - 1n }];
    expect(claimsRoot(largest, hashes.keccak256)).toBe(openZeppelinRoot(largest));
    expect(() => claimsRoot([{ payee: A, cumulative: 2n ** 256n }], hashes.keccak256)).toThrow(RangeError);
  });

  test('without claims is 0x and 64 zeros', () => {
    expect(claimsRoot([], hashes.keccak256)).toBe(`0x${'0'.repeat(64)}`);
  });
});

describe('what payees may have claimed in all', () => {
  test('providers that share a payee are one claim, payees with nothing none, ordered by payee', () => {
    const ledger = bookRevision(NO_CLAIMS, [
      { provider: 'p', payee: B, amount: 3n },
      { provider: 'q', payee: C, amount: 0n },
      { provider: 'r', payee: B, amount: 5n },
      { provider: 's', payee: '', amount: 7n },
      { provider: 't', payee: A, amount: 11n },
    ]);
    expect(claimsOf(ledger)).toEqual([
      { payee: A, cumulative: 11n },
      { payee: B, cumulative: 8n },
    ]);
  });

  test('it never falls: a later amount first fills what an adjustment took', () => {
    const cumulatives = [10n, -6n, 4n, 3n].reduce<{ ledger: typeof NO_CLAIMS; seen: bigint[] }>(
      ({ ledger, seen }, amount) => {
        const next = bookRevision(ledger, [{ provider: 'p', payee: A, amount }]);
        return { ledger: next, seen: [...seen, claimsOf(next)[0]?.cumulative ?? 0n] };
      },
      { ledger: NO_CLAIMS, seen: [] },
    );
    // Entitlements 10, 4, 8, 11.
    expect(cumulatives.seen).toEqual([10n, 10n, 10n, 11n]);
  });

  test('within one revision only the outcome counts, in whatever order its bookings come', () => {
    const bookings = [
      { provider: 'p', payee: A, amount: 9n },
      { provider: 'q', payee: A, amount: -4n },
    ];
    expect(claimsOf(bookRevision(NO_CLAIMS, bookings))).toEqual([{ payee: A, cumulative: 5n }]);
  });

  test('a payee below zero has nothing and comes up from there', () => {
    const below = bookRevision(NO_CLAIMS, [{ provider: 'p', payee: A, amount: -4n }]);
    expect(claimsOf(below)).toEqual([]);
    expect(claimsOf(bookRevision(below, [{ provider: 'p', payee: A, amount: 7n }]))).toEqual([
      { payee: A, cumulative: 3n },
    ]);
  });

  test('providers without a payee are counted, each once', () => {
    const bookings = ['p', 'p', 'q'].map((provider) => ({ provider, payee: '', amount: 1n }));
    expect(countWithoutPayee([...bookings, { provider: 'r', payee: A, amount: 1n }])).toBe(2);
  });
});
