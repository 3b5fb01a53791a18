import { createHash } from 'node:crypto';
import { nodeHashes } from '../../src/hashing/node-hashes';
import { inputTable } from '../../src/inputs/tables';
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

  test.each([undefined, '', 'A'.repeat(64), '1'.repeat(63), '1'.repeat(65), ['1'.repeat(64)]])(
    'is not made with %j for a table',
    (macro) => {
      expect(() => snapshotDigest(hashes, { ...digests, macro: macro as unknown as string })).toThrow(
        expect.objectContaining({ id: 'table-digest-missing', where: 'macro' }),
      );
    },
  );
});

test('the digest of a content is that of its canonical JSON in UTF-8', () => {
  expect(contentDigest(hashes, { b: 1, a: 'ö' })).toBe(sha256('{"a":"ö","b":1}'));
});
