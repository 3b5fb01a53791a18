import type { Activities } from '../../activities';
import { freshDatabase, type TestDatabase } from '../harness/databases';
import { activitiesOn, settleAllInProcess } from '../harness/in-process';
import { makeNetwork } from '../harness/networks';
import { contentOf, corrected, payoutsOf, rows, withdrawn } from './disputing';

let database: TestDatabase;
let activities: Activities;
let network: string;

beforeAll(async () => {
  database = await freshDatabase();
  activities = await activitiesOn(database.worker);
});
afterAll(() => database.close());
beforeEach(async () => {
  network = await makeNetwork({ pool: database.superuser, actor: 'olivia' });
  await settleAllInProcess(activities, network);
});

test('a pinned revision keeps prices and head of the one before, and pays by the corrected rows', async () => {
  const before = await payoutsOf(database, network, 1, 1);
  await corrected(database, activities, network, 1, rows('capacity', '1,p0,gpu,10,10'));
  const [first, second] = [await contentOf(database, network, 1, 1), await contentOf(database, network, 1, 2)];
  for (const key of [
    'policyHash',
    'pricesDigest',
    'activeProviders',
    'growthPhase',
    'tokenPrice',
    'tokenVolume',
    'macro',
    'pool',
  ]) {
    expect(second[key]).toEqual(first[key]);
  }
  expect(second.snapshotDigest).not.toBe(first.snapshotDigest);
  const after = await payoutsOf(database, network, 1, 2);
  // p0 served 5 of 10 gpu-hours (and 5 standby at a tenth) before, and 10 now; the others keep theirs.
  expect(after.slice(1)).toEqual(before.slice(1));
  expect(BigInt(after[0]!.amount)).toBeGreaterThan(BigInt(before[0]!.amount));
  expect(await payoutsOf(database, network, 1, 1)).toEqual(before);
});

test('a withdrawn provider has no payout any more', async () => {
  await corrected(database, activities, network, 1, withdrawn('capacity', '1,p1,gpu', '1,p1,disk'));
  expect((await payoutsOf(database, network, 1, 2)).map(({ provider }) => provider)).toEqual(['p0', 'p2']);
});
