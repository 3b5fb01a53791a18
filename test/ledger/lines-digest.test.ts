import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { nodeHashes } from '../../src/hashing/node-hashes';
import { linesDigest } from '../../src/ledger/lines-digest';
import type { Hashes } from '../../src/proofs/hashes';

let hashes: Hashes;
beforeAll(async () => {
  hashes = await nodeHashes();
});

const A = `0x${'a'.repeat(40)}`;
const B = `0x${'b'.repeat(40)}`;
const line = (provider: string, payee = A, amount = '5') => ({ provider, payee, amount });

const some = fc.uniqueArray(
  fc.record({
    provider: fc.stringMatching(/^[A-Za-z0-9._:-]{1,8}$/),
    payee: fc.constantFrom(A, B),
    amount: fc.bigInt({ min: 1n, max: 10n ** 40n }).map(String),
  }),
  { selector: ({ provider }) => provider, maxLength: 12 },
);

test('is SHA-256 over provider,payee,amount lines by provider, bytes before letters', () => {
  const text = `P9,${B},70\np1,${A},5\np10,${A},6\n`;
  const lines = [line('p10', A, '6'), line('P9', B, '70'), line('p1')];
  expect(linesDigest(hashes, lines)).toBe(createHash('sha256').update(text).digest('hex'));
});

test('does not depend on the order of the lines, and does not change what it is given', () => {
  fc.assert(
    fc.property(some, (lines) => {
      const given = [...lines];
      expect(linesDigest(hashes, lines.toReversed())).toBe(linesDigest(hashes, lines));
      expect(lines).toEqual(given);
    }),
  );
});

test('what was confirmed or given up of a line is no part of it', () => {
  const after = { ...line('p1'), confirmed: '3', failed: true };
  expect(linesDigest(hashes, [after])).toBe(linesDigest(hashes, [line('p1')]));
});

test.each([
  ['another payee', [line('p1', B), line('p2')]],
  ['another amount', [line('p1', A, '6'), line('p2')]],
  ['another provider', [line('p1'), line('p3')]],
  ['amounts exchanged between payees', [line('p1', A, '50'), line('p2', A, '5')]],
  ['a line more', [line('p1'), line('p2'), line('p3')]],
  ['a line less', [line('p1')]],
])('%s is another digest', (_, lines) => {
  expect(linesDigest(hashes, lines)).not.toBe(linesDigest(hashes, [line('p1'), line('p2')]));
});

test('a provider with two lines, or a cell that could hide a separator, has no digest', () => {
  expect(() => linesDigest(hashes, [line('p1'), line('p1', B)])).toThrow('does not come after');
  expect(() => linesDigest(hashes, [line('p1', `${A},5\np2,${B}`)])).toThrow('cannot stand in a canonical line');
});
