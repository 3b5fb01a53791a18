import { auditBundle, verifyBundleBytes } from '../../src/commands/audit-bundle';
import { auditEpochs } from '../../src/commands/audit-epochs';
import { corrected, rows, withdrawn } from '../disputes/disputing';
import { freshDatabase, type TestDatabase } from '../harness/databases';
import { activitiesOn } from '../harness/in-process';
import { plainTools, settledNetwork } from './worlds';

let database: TestDatabase;
beforeAll(async () => {
  database = await freshDatabase();
});
afterAll(() => database.close());

test('pinned and full revisions are audited, and bundled with the revision that they follow', async () => {
  const network = await settledNetwork(database, { held: [] });
  const activities = await activitiesOn(database.worker);
  await corrected(database, activities, network, 2, rows('capacity', '2,p3,gpu,10,10'));
  await corrected(database, activities, network, 3, rows('demand', '3,gpu,60'), { derive: 'full' });
  await corrected(database, activities, network, 2, withdrawn('capacity', '2,p4,gpu', '2,p4,disk'));
  const context = { pool: database.open('settle_auditor') };
  const tools = await plainTools();
  const outcomes = await auditEpochs(context, network, { first: 0, last: 5 }, tools);
  expect(outcomes.filter(({ outcome }) => outcome === 'failed')).toEqual([]);
  expect(new Set(outcomes.filter(({ epoch }) => epoch === 2).map(({ revision }) => revision))).toEqual(
    // null: its disputes, of which every decision is looked at.
    new Set([1, 2, 3, null]),
  );
  for (const epoch of [2, 3, 4]) {
    const { outcomes: checks } = await verifyBundleBytes(
      await auditBundle(context, network, epoch),
      tools.hashes,
      null,
    );
    expect(checks.filter(({ outcome }) => outcome === 'failed')).toEqual([]);
  }
});
