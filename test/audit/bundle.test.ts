import { gunzipSync } from 'node:zlib';
import { verifyBundle } from '../../src/audit/verify';
import { auditBundle, verifyBundleBytes } from '../../src/commands/audit-bundle';
import type { Hashes } from '../../src/proofs/hashes';
import { freshDatabase, type TestDatabase } from '../harness/databases';
import { plainTools, settledNetwork } from './worlds';

let database: TestDatabase;
let hashes: Hashes;
let network: string;
beforeAll(async () => {
  database = await freshDatabase();
  ({ hashes } = await plainTools());
  network = await settledNetwork(database);
});
afterAll(() => database.close());

const bundleOf = (of: string, epoch: number) => auditBundle({ pool: database.open('settle_auditor') }, of, epoch);

test('a bundle is consistent in itself, and anchored only by a head that was kept elsewhere', async () => {
  const bytes = await bundleOf(network, 5);
  const alone = await verifyBundleBytes(bytes, hashes, null);
  expect(alone.outcomes.filter(({ outcome }) => outcome === 'failed')).toEqual([]);
  expect(alone).toMatchObject({ holds: true, anchored: false });
  expect(alone.verdict).toContain('consistent in itself, not anchored');
  const anchored = await verifyBundleBytes(bytes, hashes, alone.head);
  expect(anchored).toMatchObject({ holds: true, anchored: true });
  const other = await verifyBundleBytes(bytes, hashes, 'f'.repeat(64));
  expect(other).toMatchObject({ holds: false, anchored: false });
});

test('a changed payout is named by table, row and column', async () => {
  const bundle = JSON.parse(gunzipSync(await bundleOf(network, 3)).toString('utf8'));
  const cells = bundle.revisions[0].payouts[3].split(',');
  cells[4] = String(BigInt(cells[4]) + 1n);
  bundle.revisions[0].payouts[3] = cells.join(',');
  const { outcomes, holds } = verifyBundle(bundle, hashes, null);
  expect(holds).toBe(false);
  const failed = outcomes.filter(({ outcome }) => outcome === 'failed');
  expect(failed.map(({ check }) => check)).toEqual(
    expect.arrayContaining(['recompute', 'second', 'digests', 'claims']),
  );
  expect(failed.find(({ check }) => check === 'second')?.difference).toMatchObject({
    table: 'payout',
    row: '3/1/p3',
    column: 'amount',
  });
});

test('the bundle of an epoch with 1,500 providers is small and quickly verified', async () => {
  const large = await settledNetwork(database, { epochs: 3, providers: 1500, held: [] });
  const bytes = await bundleOf(large, 2);
  await verifyBundleBytes(bytes, hashes, null);
  const started = process.hrtime.bigint();
  const { holds } = await verifyBundleBytes(bytes, hashes, null);
  const seconds = Number(process.hrtime.bigint() - started) / 1e9;
  process.stderr.write(`bundle of 1,500 providers: ${bytes.length} bytes, verified in ${seconds.toFixed(2)} s\n`);
  expect(holds).toBe(true);
  expect(bytes.length).toBeLessThan(1_000_000);
  expect(seconds).toBeLessThan(2);
});
