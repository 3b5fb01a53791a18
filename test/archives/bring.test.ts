import { execFileSync } from 'node:child_process';
import type { Pool } from 'pg';
import { attachArchive, bringArchives } from '../../src/commands/attach-archive';
import { auditBundle, verifyBundleBytes } from '../../src/commands/audit-bundle';
import { auditEpochs } from '../../src/commands/audit-epochs';
import { checkLedger } from '../../src/commands/check-ledger';
import { publishedClaims } from '../../src/commands/claims';
import { exportEpochs } from '../../src/commands/export-epochs';
import { nodeHashes } from '../../src/hashing/node-hashes';
import { explainProviderPayout } from '../../src/queries/explain-payout';
import { allPayouts, providerPayouts } from '../../src/queries/payouts';
import { providerStatement } from '../../src/queries/provider-statement';
import { diffRevisions } from '../../src/queries/revision-changes';
import { openPool } from '../../src/store/pool';
import { plainTools } from '../audit/worlds';
import { contentOf, corrected, rows } from '../disputes/disputing';
import { freshDatabase, type TestDatabase } from '../harness/databases';
import { activitiesOn } from '../harness/in-process';
import { archived, FIRST, networkAcross, settleEpochs, withFolder } from './archived-networks';

const NETWORK = 'brought';
const LAST = FIRST + 5;
let database: TestDatabase;

beforeAll(async () => {
  database = await freshDatabase();
  await networkAcross(database, {}, NETWORK);
  await settleEpochs(database, NETWORK, FIRST, FIRST + 2);
  const activities = await activitiesOn(database.worker);
  await corrected(database, activities, NETWORK, FIRST + 1, rows('capacity', `${FIRST + 1},p1,gpu,11,2`));
  await settleEpochs(database, NETWORK, FIRST + 3, FIRST + 3);
});
afterAll(() => database.close());

const scope = { network: NETWORK, first: FIRST, last: LAST, allPayouts: true };

/** A pool of one connection that has the rows of the archives below a folder. */
async function withBrought<T>(
  folder: string,
  role: 'settle_viewer' | 'settle_auditor',
  work: (pool: Pool) => Promise<T>,
) {
  const pool = openPool({
    url: database.url,
    role,
    applicationName: 'test brought',
    onIdleError: () => undefined,
    max: 1,
    idleTimeoutMs: 0,
  });
  try {
    await bringArchives(pool, [folder], scope);
    return await work(pool);
  } finally {
    await pool.end();
  }
}

/** Everything that is read of an old epoch, each as JSON. */
async function readings(pool: Pool, out: string): Promise<Record<string, unknown>> {
  const context = { pool, actor: 'vera' };
  const hashes = await nodeHashes();
  const range = { first: FIRST, last: FIRST + 1 };
  const exported = await exportEpochs(context, NETWORK, range, out, { format: 'csv', force: true });
  return {
    explain: await explainProviderPayout(pool, NETWORK, FIRST, 'p1'),
    corrected: await explainProviderPayout(pool, NETWORK, FIRST + 1, 'p1'),
    payouts: (await allPayouts(pool, NETWORK, FIRST + 1)).payouts,
    provider: (await providerPayouts(pool, NETWORK, 'p1', { first: 0, last: LAST }, 50)).payouts,
    statement: await providerStatement(pool, NETWORK, 'p1', { first: FIRST, last: null }),
    diff: (await diffRevisions(pool, NETWORK, FIRST + 1, 1, 2)).changes,
    exported: exported.map(({ name, rows: count }) => [name, count]),
    claims: (await publishedClaims(context, NETWORK, FIRST, hashes)).tree.root,
  };
}

const asText = (value: unknown): unknown =>
  JSON.parse(JSON.stringify(value, (_, one) => (typeof one === 'bigint' ? one.toString() : one)));

test('what is read of archived epochs says what to bring, and is the same with it', () =>
  withFolder(async (out) => {
    const before = asText(await readings(database.viewer, out));
    const later = await providerStatement(database.viewer, NETWORK, 'p1', { first: 256, last: null });
    const { manifestHash } = await archived(database, out);

    const context = { pool: database.open('settle_auditor', 2), actor: 'vera' };
    const hashes = await nodeHashes();
    const tools = await plainTools();
    const asked: readonly (() => Promise<unknown>)[] = [
      () => explainProviderPayout(context.pool, NETWORK, FIRST, 'p1'),
      () => allPayouts(context.pool, NETWORK, FIRST),
      () => providerPayouts(context.pool, NETWORK, 'p1', { first: 0, last: LAST }, 50),
      () => providerStatement(context.pool, NETWORK, 'p1', { first: FIRST, last: null }),
      () => diffRevisions(context.pool, NETWORK, FIRST + 1, 1, 2),
      () => exportEpochs(context, NETWORK, null, out, { format: 'csv', force: true }),
      () => publishedClaims(context, NETWORK, FIRST, hashes),
      () => auditEpochs(context, NETWORK, { first: FIRST, last: LAST }, tools),
      () => auditBundle(context, NETWORK, FIRST),
    ];
    for (const ask of asked) {
      const told = { id: 'EpochArchived', message: expect.stringContaining(`${manifestHash}`) };
      await expect(ask()).rejects.toMatchObject(told);
    }
    // The opening balance goes by what was kept.
    const without = await providerStatement(context.pool, NETWORK, 'p1', { first: 256, last: null });
    expect(asText(without)).toEqual(asText(later));

    expect(asText(await withBrought(out, 'settle_viewer', (pool) => readings(pool, out)))).toEqual(before);
    await withBrought(out, 'settle_auditor', async (pool) => {
      const outcomes = await auditEpochs({ pool }, NETWORK, { first: FIRST, last: LAST }, tools);
      expect(outcomes.filter(({ outcome }) => outcome === 'failed')).toEqual([]);
      expect(outcomes.filter(({ check, epoch }) => check === 'recompute' && epoch === FIRST)).toHaveLength(1);
      const bundle = await auditBundle({ pool }, NETWORK, FIRST + 1);
      expect(await verifyBundleBytes(bundle, hashes, null)).toMatchObject({ holds: true });
    });
    await attachArchive(
      { pool: database.operator, actor: 'olivia' },
      { folder: `${out}/epochs-0-255`, reason: 'the next test', requestId: null },
    );
  }));

test('whoever has the folder finds the published digests with common tools', () =>
  withFolder(async (out) => {
    await archived(database, out);
    const digest = (file: string, program: string) =>
      execFileSync('sh', ['-c', `gunzip -c ${out}/epochs-0-255/${file} | awk -F, '${program}' | sha256sum`])
        .toString()
        .slice(0, 64);
    const payouts = digest(
      'payout.csv.gz',
      `BEGIN { OFS = "," } $1 == "${NETWORK}" && $2 == ${FIRST + 1} && $3 == 2 { print $5, $6, $7, $8, $9, $10 }`,
    );
    const { payoutsDigest } = await contentOf(database, NETWORK, FIRST + 1, 2);
    expect(payouts).toBe(payoutsDigest);
    const capacity = digest('capacity.csv.gz', `BEGIN { OFS = "," } $2 == ${FIRST} { print $2, $3, $4, $5, $6 }`);
    const snapshot = await database.viewer.query('select table_digests from snapshot where epoch = $1', [FIRST]);
    expect(capacity).toBe(snapshot.rows[0]!.table_digests.capacity);
    await attachArchive(
      { pool: database.operator, actor: 'olivia' },
      { folder: `${out}/epochs-0-255`, reason: 'the next test', requestId: null },
    );
  }));

test('the ledger is checked by what was kept, and says so; with the archive by every row', () =>
  withFolder(async (out) => {
    const context = { pool: database.viewer, actor: 'vera' };
    await archived(database, out);
    const kept = await checkLedger(context, NETWORK);
    expect(kept.filter(({ holds }) => !holds)).toEqual([]);
    expect(kept.find(({ name }) => name === 'entitlement-fold')!.detail).toContain('bring epochs-0-255 with --archive');
    expect(kept.map(({ name }) => name)).toContain('archived-totals');

    const whole = await withBrought(out, 'settle_viewer', (pool) => checkLedger({ pool }, NETWORK));
    expect(whole.filter(({ holds }) => !holds)).toEqual([]);
    expect(whole.find(({ name }) => name === 'entitlement-fold')!.detail).not.toContain('--archive');

    // Shifted from one provider to another: the sum stays, the digest does not; the archive shows it, too.
    const shift = (by: number) =>
      database.tamper(
        `update settle.archived_entitlement set entitlement = entitlement + case provider when 'p1' then $1::integer else -$1::integer end
         where provider in ('p1', 'p2')`,
        [by],
      );
    await shift(1);
    const failing = (await checkLedger(context, NETWORK)).filter(({ holds }) => !holds).map(({ name }) => name);
    expect(failing).toEqual(['entitlement-fold', 'archived-totals']);
    await shift(-1);

    await database.tamper(
      `update settle.entitlement_fold set entitlement = entitlement + case provider when 'p1' then 1 else -1 end
       where provider in ('p1', 'p2')`,
    );
    const folds = await withBrought(out, 'settle_viewer', (pool) => checkLedger({ pool }, NETWORK));
    expect(folds.filter(({ holds }) => !holds).map(({ detail }) => detail)).toEqual([
      expect.stringContaining('provider p1'),
    ]);
  }));
