import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { nodeHashes } from '../../src/hashing/node-hashes';
import { inputTable } from '../../src/inputs/tables';
import { canonicalLine, compareDecimals, compareRows, requireCanonicalLines } from '../../src/proofs/canonical-lines';
import { contentDigest, digestOfRows, snapshotDigest, tableDigest } from '../../src/proofs/digests';
import type { Hashes } from '../../src/proofs/hashes';

let hashes: Hashes;
beforeAll(async () => {
  hashes = await nodeHashes();
});

const sha256 = (text: string) => createHash('sha256').update(text, 'utf8').digest('hex');
const NOTHING = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';

describe('the digest of a table', () => {
  test('is the SHA-256 of its canonical lines', () => {
    const rows = [
      ['5', 'p1', '0.99', '', '0.001', '4.5'],
      ['5', 'p2', '', '120.5', '', ''],
    ];
    expect(digestOfRows(hashes, inputTable('performance').key, rows)).toBe(
      sha256('5,p1,0.99,,0.001,4.5\n5,p2,,120.5,,\n'),
    );
  });

  test('is the SHA-256 of nothing for an empty table', () => {
    expect(digestOfRows(hashes, inputTable('macro').key, [])).toBe(NOTHING);
    expect(sha256('')).toBe(NOTHING);
  });

  test('is the same however many rows there are between two pieces', () => {
    const digest = tableDigest(hashes, inputTable('demand').key);
    let lines = '';
    for (let epoch = 0; epoch < 20_000; epoch++) {
      digest.add([String(epoch), 'gpu.v100', `${epoch}.5`]);
      lines += `${epoch},gpu.v100,${epoch}.5\n`;
    }
    expect(lines.length).toBeGreaterThan(3 * 65_536);
    expect(digest.rows).toBe(20_000);
    expect(digest.digestHex()).toBe(sha256(lines));
  });

  test.each([
    [
      'epochs by value',
      'macro',
      [
        ['9', '1'],
        ['10', '1'],
      ],
    ],
    [
      'identifiers by bytes',
      'providers',
      [
        ['B', '0', 'active', ''],
        ['_', '0', 'active', ''],
        ['a', '0', 'active', ''],
      ],
    ],
    [
      'a prefix first',
      'demand',
      [
        ['5', 'gpu', '1'],
        ['5', 'gpu.a', '1'],
      ],
    ],
    [
      'quotes by price within a source',
      'quotes',
      [
        ['5', 'm', 's', '2.3'],
        ['5', 'm', 's', '10'],
      ],
    ],
    [
      'instants by time',
      'token',
      [
        ['5', 's', '2020-05-01T09:00:00Z', '1', '1'],
        ['5', 's', '2020-05-01T10:00:00Z', '1', '1'],
      ],
    ],
  ] as const)('takes rows in the order of the specification: %s', (_name, table, rows) => {
    const { key } = inputTable(table);
    expect(digestOfRows(hashes, key, rows)).toBe(sha256(rows.map((row) => `${row.join(',')}\n`).join('')));
    expect(() => digestOfRows(hashes, key, [...rows].reverse())).toThrow(expect.objectContaining({ id: 'row-order' }));
  });

  test('refuses the same key twice', () => {
    const digest = tableDigest(hashes, inputTable('capacity').key);
    digest.add(['5', 'p1', 'gpu', '1', '1']);
    expect(() => digest.add(['5', 'p1', 'gpu', '2', '1'])).toThrow(
      expect.objectContaining({ id: 'row-order', where: 'row 2 of the digest' }),
    );
  });

  test.each(['a,b', 'a\nb', 'a"b', 'a b', 'é', 'a\u0000'])('refuses the cell %j, which could forge a line', (cell) => {
    const digest = tableDigest(hashes, inputTable('demand').key);
    expect(() => digest.add(['5', cell, '1'])).toThrow(expect.objectContaining({ id: 'unsafe-cell' }));
  });
});

describe('canonical lines', () => {
  const cell = fc.stringMatching(/^[A-Za-z0-9._:-]{0,8}$/);
  const anyCell = fc.oneof(cell, fc.string({ unit: 'binary', maxLength: 4 }), fc.constantFrom(',', '\n', 'a,b', ''));

  test('split at commas into the cells they were made of, or are not made', () => {
    fc.assert(
      fc.property(fc.array(anyCell, { minLength: 1, maxLength: 5 }), (values) => {
        const safe = values.every((value) => /^[A-Za-z0-9._:-]*$/.test(value));
        if (!safe) {
          expect(() => canonicalLine(values)).toThrow(expect.objectContaining({ id: 'unsafe-cell' }));
          return;
        }
        const line = canonicalLine(values);
        expect(line.endsWith('\n')).toBe(true);
        expect(line.slice(0, -1).split(',')).toEqual(values);
      }),
    );
  });

  test('as bytes they are refused where any of them would have been, or has another number of cells', () => {
    const rows = fc.array(fc.array(fc.oneof({ weight: 20, arbitrary: cell }, anyCell), { minLength: 2, maxLength: 3 }));
    fc.assert(
      fc.property(rows, fc.constantFrom('\n', ''), (values, end) => {
        const text = values.map((row) => row.join(',')).join('\n') + (values.length === 0 ? '' : end);
        const sound = values.every((row) => row.length === 3 && row.every((one) => /^[A-Za-z0-9._:-]*$/.test(one)));
        const check = () => requireCanonicalLines(new TextEncoder().encode(text), 3);
        if (values.length === 0 || (sound && end !== '')) check();
        else expect(check).toThrow(expect.objectContaining({ id: 'unsafe-cell' }));
      }),
    );
  });

  test('numbers compare as exact arithmetic compares them', () => {
    const micro = fc.bigInt({ min: -(10n ** 24n), max: 10n ** 24n });
    const text = (value: bigint) => {
      const digits = (value < 0n ? -value : value).toString().padStart(7, '0');
      const number = `${digits.slice(0, -6)}.${digits.slice(-6)}`.replace(/\.?0+$/, '');
      return value < 0n ? `-${number}` : number;
    };
    const near = fc.tuple(micro, fc.integer({ min: -2, max: 2 })).map(([a, step]) => [a, a + BigInt(step)] as const);
    fc.assert(
      fc.property(fc.oneof(fc.tuple(micro, micro), near), ([a, b]) => {
        expect(Math.sign(compareDecimals(text(a), text(b)))).toBe(a < b ? -1 : a > b ? 1 : 0);
      }),
    );
  });

  test('rows compare column by column', () => {
    const { key } = inputTable('capacity');
    const row = (epoch: string, provider: string, market: string) => [epoch, provider, market, '1', '1'];
    expect(compareRows(row('9', 'z', 'z'), row('10', 'a', 'a'), key)).toBeLessThan(0);
    expect(compareRows(row('9', 'a', 'z'), row('9', 'b', 'a'), key)).toBeLessThan(0);
    expect(compareRows(row('9', 'a', 'b'), row('9', 'a', 'a'), key)).toBeGreaterThan(0);
    expect(compareRows(row('9', 'a', 'b'), row('9', 'a', 'b'), key)).toBe(0);
  });
});

describe('the snapshot digest', () => {
  const digests = {
    macro: '7'.repeat(64),
    token: '6'.repeat(64),
    quotes: '5'.repeat(64),
    demand: '4'.repeat(64),
    performance: '3'.repeat(64),
    capacity: '2'.repeat(64),
    providers: '1'.repeat(64),
  };

  test('is over the seven tables in the order of the specification, whatever order they are given in', () => {
    const lines = [
      `providers:${'1'.repeat(64)}`,
      `capacity:${'2'.repeat(64)}`,
      `performance:${'3'.repeat(64)}`,
      `demand:${'4'.repeat(64)}`,
      `quotes:${'5'.repeat(64)}`,
      `token:${'6'.repeat(64)}`,
      `macro:${'7'.repeat(64)}`,
    ];
    expect(snapshotDigest(hashes, digests)).toBe(sha256(`${lines.join('\n')}\n`));
  });

  test.each([undefined, '', 'A'.repeat(64), '1'.repeat(63)])('is not made with %j for a table', (macro) => {
    expect(() => snapshotDigest(hashes, { ...digests, macro: macro as string })).toThrow(
      expect.objectContaining({ id: 'table-digest-missing', where: 'macro' }),
    );
  });
});

test('the digest of a content is that of its canonical JSON in UTF-8', () => {
  expect(contentDigest(hashes, { b: 1, a: 'ö' })).toBe(sha256('{"a":"ö","b":1}'));
});
