import { StandardMerkleTree } from '@openzeppelin/merkle-tree';
import fc from 'fast-check';
import { nodeHashes } from '../../src/hashing/node-hashes';
import { buildClaimsTree, claimsTreeInSteps, EMPTY_ROOT, rootOfProof, verifyClaim } from '../../src/proofs/claims-tree';
import type { Keccak256 } from '../../src/proofs/hashes';
import { sortHashesDescending } from '../../src/proofs/leaf-order';
import { PayeeTable } from '../../src/proofs/payee-table';

let keccak256: Keccak256;
beforeAll(async () => {
  ({ keccak256 } = await nodeHashes());
});

type Claim = [payee: string, amount: string];
const ENCODING: ['address', 'uint256'] = ['address', 'uint256'];

const address = (value: bigint) => `0x${value.toString(16).padStart(40, '0')}`;

const claim = fc.tuple(fc.bigInt({ min: 1n, max: 2n ** 160n - 1n }), fc.bigInt({ min: 1n, max: 2n ** 256n - 1n }));
const claimsOfSize = (count: number) =>
  fc
    .uniqueArray(claim, { minLength: count, maxLength: count, selector: ([payee]) => payee })
    .map((pairs) => pairs.sort(([a], [b]) => (a < b ? -1 : 1)))
    .map((pairs) => pairs.map(([payee, amount]): Claim => [address(payee), amount.toString()]));

/** `count` claims spread over the address space, ascending. */
function manyClaims(count: number): Claim[] {
  const step = (2n ** 160n - 1n) / BigInt(count);
  return Array.from({ length: count }, (_, i): Claim => [address(step * BigInt(i + 1)), `${i + 1}${'0'.repeat(18)}`]);
}

test('keccak-256 is that of Ethereum', () => {
  const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');
  expect(hex(keccak256(new Uint8Array()))).toBe('c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470');
  expect(hex(keccak256(Buffer.from('abc')))).toBe('4e03657aea45a94fc7d47ba826c8d667c0d1e6e33a64a036ec44f58fa12d6c45');
});

describe('against the published library', () => {
  test.each(Array.from({ length: 40 }, (_, i) => i + 1))('a tree of %i has its root, dump and proofs', (count) => {
    fc.assert(
      fc.property(claimsOfSize(count), (claims) => {
        const ours = buildClaimsTree(claims, keccak256);
        const theirs = StandardMerkleTree.of(claims, ENCODING);
        expect(ours.root).toBe(theirs.root);
        expect(ours.dump()).toEqual(theirs.dump());
        const [payee, amount] = claims[count >> 1]!;
        expect(ours.leafIndex(payee)).toBe(theirs.dump().values[count >> 1]!.treeIndex);
        expect(ours.proof(payee)).toEqual(theirs.getProof(count >> 1));
        expect(verifyClaim(theirs.root, payee, amount, theirs.getProof(count >> 1), keccak256)).toBe(true);
        expect(StandardMerkleTree.verify(ours.root, ENCODING, [payee, amount], ours.proof(payee))).toBe(true);
      }),
      { numRuns: 2, endOnFailure: true },
    );
  });

  test('a tree of 1,000 loads there, and every proof verifies here', () => {
    const claims = manyClaims(1000);
    const ours = buildClaimsTree(claims, keccak256);
    const loaded = StandardMerkleTree.load(ours.dump() as never);
    expect(loaded.root).toBe(ours.root);
    expect(StandardMerkleTree.of(claims, ENCODING).root).toBe(ours.root);
    for (const [index, [payee, amount]] of claims.entries()) {
      const proof = ours.proof(payee);
      if (!verifyClaim(ours.root, payee, amount, proof, keccak256)) throw new Error(`no proof of ${payee}`);
      if (index % 50 === 0) expect(proof).toEqual(loaded.getProof(index));
    }
  });
});

describe('a tree', () => {
  test('of no payees has a root of zeros', () => {
    const tree = buildClaimsTree([], keccak256);
    expect(tree.root).toBe(`0x${'0'.repeat(64)}`);
    expect(EMPTY_ROOT).toBe(tree.root);
    expect([tree.payees, tree.total]).toEqual([0, 0n]);
    expect(tree.dump()).toEqual({ format: 'standard-v1', leafEncoding: ENCODING, tree: [], values: [] });
  });

  test('of one payee is its leaf, which needs no proof', () => {
    const tree = buildClaimsTree([[address(1n), '5']], keccak256);
    expect(tree.proof(address(1n))).toEqual([]);
    expect(verifyClaim(tree.root, address(1n), 5n, [], keccak256)).toBe(true);
    expect(verifyClaim(tree.root, address(1n), 6n, [], keccak256)).toBe(false);
    expect(verifyClaim(EMPTY_ROOT, address(1n), 5n, [], keccak256)).toBe(false);
  });

  test('knows its payees, their amounts and the total, in either case of hex', () => {
    const payee = '0xabcdef0123456789abcdef0123456789abcdef01';
    const tree = buildClaimsTree(
      [
        [address(9n), 1n],
        [payee.toUpperCase().replace('0X', '0x'), (1n << 256n) - 1n],
      ],
      keccak256,
    );
    expect(tree.amount(payee)).toBe((1n << 256n) - 1n);
    expect(tree.amount(payee.toUpperCase().replace('0X', '0x'))).toBe((1n << 256n) - 1n);
    expect(tree.amount(address(8n))).toBe(0n);
    expect(tree.total).toBe(1n << 256n);
    expect(tree.dump().values.map(({ value }) => value[0])).toEqual([address(9n), payee]);
  });

  test('has payees beyond one page of its table', () => {
    const claims = manyClaims(10_000);
    const tree = buildClaimsTree(claims, keccak256);
    for (const index of [0, 4095, 4096, 8191, 8192, 9999]) {
      const [payee, amount] = claims[index]!;
      expect(tree.amount(payee)).toBe(BigInt(amount));
      expect(verifyClaim(tree.root, payee, amount, tree.proof(payee), keccak256)).toBe(true);
    }
  });

  test('has no proof for a stranger', () => {
    const tree = buildClaimsTree(manyClaims(5), keccak256);
    for (const payee of [address(1n), '0x', 'nonsense']) {
      expect(() => tree.proof(payee)).toThrow(expect.objectContaining({ id: 'payee-not-in-tree' }));
      expect(() => tree.leafIndex(payee)).toThrow(`${JSON.stringify(payee)} has no claim in this tree.`);
    }
    expect(() => tree.leafIndex('nonsense')).toThrow(expect.objectContaining({ name: 'ProofError' }));
  });

  test.each([
    [
      'the same payee twice',
      [
        [address(1n), '1'],
        [address(1n), '2'],
      ],
      'payee-order',
      /is there twice/,
    ],
    [
      'a payee twice in another case',
      [
        ['0xab'.padEnd(42, '1'), '1'],
        ['0xAB'.padEnd(42, '1'), '1'],
      ],
      'payee-order',
      /twice/,
    ],
    [
      'payees out of order',
      [
        [address(2n), '1'],
        [address(1n), '1'],
      ],
      'payee-order',
      /does not come after/,
    ],
    ['the zero address', [[address(0n), '1']], 'payee-not-valid', /is no payee[\s\S]*where: claims\n/],
    ['the zero address and much to claim', [[address(0n), 1n << 255n]], 'payee-not-valid', /is no payee/],
    ['an address too short', [['0x12', '1']], 'payee-not-valid', /is no payee/],
    ['an address that is none', [[`0x${'g'.repeat(40)}`, '1']], 'payee-not-valid', /is no payee/],
    ['nothing to claim', [[address(1n), '0']], 'amount-not-valid', /no amount/],
    ['less than nothing', [[address(1n), -1n]], 'amount-not-valid', /no amount/],
    ['a fraction', [[address(1n), '1.5']], 'amount-not-valid', /no amount/],
    ['2^256', [[address(1n), 1n << 256n]], 'amount-not-valid', /no amount/],
  ] as const)('is not built with %s', (_name, claims, id, message) => {
    expect(() => buildClaimsTree(claims as never, keccak256)).toThrow(
      expect.objectContaining({ id, message: expect.stringMatching(message) }),
    );
  });
});

describe('a proof', () => {
  const claims = manyClaims(37);

  test('does not verify with any of its parts changed', () => {
    const tree = buildClaimsTree(claims, keccak256);
    const [payee, amount] = claims[20]!;
    const proof = tree.proof(payee);
    const verify = (p: string, a: string, siblings: readonly string[], root = tree.root) =>
      verifyClaim(root, p, a, siblings, keccak256);
    expect(verify(payee, amount, proof)).toBe(true);
    expect(verify(payee, amount, proof, tree.root.toUpperCase().replace('0X', '0x'))).toBe(true);
    expect(verify(claims[21]![0], amount, proof)).toBe(false);
    expect(verify(payee, `${amount}0`, proof)).toBe(false);
    expect(verify(payee, amount, proof.slice(1))).toBe(false);
    expect(verify(payee, amount, [...proof, proof[0]!])).toBe(false);
    expect(verify(payee, amount, proof.toReversed())).toBe(false);
    expect(verify(payee, amount, proof, EMPTY_ROOT)).toBe(false);
    for (let i = 0; i < proof.length; i++) {
      const last = proof[i]!.endsWith('0') ? '1' : '0';
      expect(verify(payee, amount, proof.with(i, proof[i]!.slice(0, -1) + last))).toBe(false);
    }
  });

  test.each(['', '0x', `0x${'g'.repeat(64)}`, 'a'.repeat(66), `0x${'a'.repeat(66)}`])(
    '%j is no part of one',
    (sibling) => {
      expect(() => rootOfProof(new Uint8Array(32), [sibling], keccak256)).toThrow(
        expect.objectContaining({ id: 'proof-not-valid', where: 'step 1 of the proof' }),
      );
    },
  );
});

test('hashes are sorted by all of their bytes, however many share the first ones', () => {
  const hash = fc
    .tuple(fc.constantFrom(0, 1, 255), fc.uint8Array({ minLength: 4, maxLength: 4 }))
    .map(([first, tail]) => new Uint8Array([...new Array(28).fill(first), ...tail]));
  fc.assert(
    fc.property(fc.array(hash, { maxLength: 150, size: 'max' }), (list) => {
      const expected = Buffer.concat(list.toSorted(Buffer.compare).reverse());
      const sorted = new Uint8Array(Buffer.concat(list));
      sortHashesDescending(sorted);
      expect(Buffer.compare(sorted, expected)).toBe(0);
    }),
  );
});

test('a table of payees has no payee beyond its end', () => {
  const table = new PayeeTable();
  table.add(address(1n), 1n);
  expect(() => table.address(4096)).toThrow(RangeError);
  expect([table.indexOf(address(1n)), table.indexOf(address(2n))]).toEqual([0, -1]);
});

test.each([0, 1, 2, 16_385, 40_000])('a tree of %i payees made in steps is the one made at once', async (count) => {
  const payees = new PayeeTable();
  for (const [payee, amount] of manyClaims(Math.max(1, count)).slice(0, count)) payees.add(payee, amount);
  let pauses = 0;
  const tree = await claimsTreeInSteps(payees, keccak256, async () => {
    pauses += 1;
  });
  expect(tree.root).toBe(buildClaimsTree(manyClaims(Math.max(1, count)).slice(0, count), keccak256).root);
  expect(pauses).toBeGreaterThanOrEqual(Math.floor(count / 16_384));
});
