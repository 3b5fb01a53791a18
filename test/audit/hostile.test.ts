import { gunzipSync, gzipSync } from 'node:zlib';
import { unpackBundle } from '../../src/audit/bundle';
import { auditBundle, verifyBundleBytes } from '../../src/commands/audit-bundle';
import type { Hashes } from '../../src/proofs/hashes';
import { freshDatabase, type TestDatabase } from '../harness/databases';
import { plainTools, settledNetwork } from './worlds';

let database: TestDatabase;
let hashes: Hashes;
let bytes: Uint8Array;
beforeAll(async () => {
  database = await freshDatabase();
  ({ hashes } = await plainTools());
  const network = await settledNetwork(database, { epochs: 3, held: [] });
  bytes = await auditBundle({ pool: database.open('settle_auditor') }, network, 2);
});
afterAll(() => database.close());

const verified = (file: Uint8Array) => verifyBundleBytes(file, hashes, null);
type Parts = Record<string, unknown>;

const changed = (change: (bundle: Parts) => void): Uint8Array => {
  const bundle = JSON.parse(gunzipSync(bytes).toString('utf8')) as Parts;
  change(bundle);
  return gzipSync(JSON.stringify(bundle));
};

/** Puts another value at a place; undefined takes it away. */
function put(bundle: Parts, path: readonly (string | number)[], value: unknown): void {
  const owner = path.slice(0, -1).reduce<Parts>((at, key) => at[key] as Parts, bundle);
  if (value === undefined) delete owner[path.at(-1)!];
  else owner[path.at(-1)!] = value;
}

const refused = (file: Uint8Array, words: RegExp) =>
  expect(verified(file)).rejects.toMatchObject({ name: 'BundleUnreadable', message: expect.stringMatching(words) });

test('files that are no bundle, or cut short, are refused by name', async () => {
  await refused(bytes.subarray(0, bytes.length - 100), /unexpected end of file/);
  await refused(new Uint8Array(), /no audit bundle/);
  await refused(Buffer.from('{}'), /incorrect header/);
  await refused(gzipSync('{"a":'), /JSON/);
  for (const value of [null, 7, 'text', [], {}]) await refused(gzipSync(JSON.stringify(value)), /its format is not/);
});

test('a file that unpacks to a thousand times its size fills no memory', async () => {
  const bomb = gzipSync(Buffer.alloc(200_000_000, 0x20), { level: 9 });
  const before = process.memoryUsage().rss;
  await refused(bomb, /unpack to more than/);
  expect(process.memoryUsage().rss - before).toBeLessThan(150_000_000);
});

test('another version is named', async () => {
  const file = changed((bundle) => put(bundle, ['format'], 'settle-audit-bundle-2'));
  await refused(file, /another version, settle-audit-bundle-2: this version reads settle-audit-bundle-1/);
});

test.each<[string, string, unknown, RegExp]>([
  ['no revisions', 'revisions', [], /^a part .*: revisions: /],
  ['revisions that are no list', 'revisions', { length: 1e9 }, /: revisions: /],
  ['no entries', 'entries', [], /: entries: /],
  ['an entry that is no JSON', 'entries 0 entry', '{', /entry [0-9]+ of the chain is no JSON/],
  ['an epoch beyond all', 'revisions 0 epoch', 1e308, /: revisions\.0\.epoch: /],
  ['a revision that is no number', 'revisions 0 revision', '1', /: revisions\.0\.revision: /],
  ['rows without a table', 'revisions 0 rows token', undefined, /: revisions\.0\.rows\.token: /],
  ['a line that is no text', 'revisions 0 payouts 0', {}, /: revisions\.0\.payouts\.0: /],
  ['a line of a megabyte', 'revisions 0 payouts 0', '9'.repeat(1e6), /\.payouts\.0: /],
  ['a price with an exponent', 'prices 1/1 0', 'gpu,1e999999999', /: prices\.1\/1\.0: /],
  [
    'a token price with an exponent',
    'revisions 0 header derivation network tokenPrice',
    '1e999999999',
    /derivation\.network\.tokenPrice: /,
  ],
  ['history that is not there', 'revisions 0 reads 0', '__proto__', /no chain entry of __proto__/],
  ['prices that are not there', 'prices 1/1', undefined, /no prices of 1\/1/],
])('%s: refused by the path of the part', async (_, path, value, words) => {
  await refused(
    changed((bundle) => put(bundle, path.split(' '), value)),
    words,
  );
});

test('a pool that decayed for ages is not computed', async () => {
  const file = changed((bundle) => {
    put(bundle, ['revisions', '0', 'epoch'], 2_000_000_000);
    put(bundle, ['revisions', '0', 'policy', 'canonical'], '{"pool":{"decayEpochs":"1"}}');
  });
  await refused(file, /decayed more often/);
});

test('keys of a prototype change nothing outside of the file', async () => {
  const text = gunzipSync(bytes).toString('utf8');
  const polluted = text.replace(
    '{"format"',
    '{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}},"format"',
  );
  const { holds } = await verified(gzipSync(polluted.replaceAll('"rows":{', '"__proto__":{"polluted":1},"rows":{')));
  expect(holds).toBe(true);
  expect(({} as { polluted?: number }).polluted).toBeUndefined();
});

test('whatever single part of a bundle is made something else, an answer or a named refusal comes', async () => {
  const bundle = JSON.parse(gunzipSync(bytes).toString('utf8'));
  const others = [null, -1, 1e308, '', 'x', [], {}, '9'.repeat(5000), true];
  const paths: (string | number)[][] = [];
  const walk = (value: unknown, path: (string | number)[]): void => {
    if (path.length > 0) paths.push(path);
    if (typeof value !== 'object' || value === null) return;
    // Of a list, its first part stands for all.
    const keys = Array.isArray(value) ? (value.length > 0 ? [0] : []) : Object.keys(value).slice(0, 40);
    for (const key of keys) walk((value as Record<string | number, unknown>)[key], [...path, key]);
  };
  walk(bundle, []);
  expect(paths.length).toBeGreaterThan(100);
  let unnamed = 0;
  for (const [index, path] of paths.entries()) {
    const made = structuredClone(bundle);
    put(made, path, others[index % others.length]);
    try {
      unpackBundle(made);
    } catch (error) {
      if ((error as Error).name !== 'BundleUnreadable') unnamed += 1;
    }
    const answer = await verified(gzipSync(JSON.stringify(made), { level: 1 })).catch((error: Error) => error.name);
    if (typeof answer === 'string' && answer !== 'BundleUnreadable') throw new Error(`${path.join('.')}: ${answer}`);
  }
  expect(unnamed).toBe(0);
}, 300_000);
