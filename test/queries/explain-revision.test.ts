import { explanationAddsUp } from '../../src/explain/adds-up';
import { explainProviderPayout } from '../../src/queries/explain-payout';
import { corrected, rows } from '../disputes/disputing';
import { freshDatabase, type TestDatabase } from '../harness/databases';
import { activitiesOn, settleEpochInProcess } from '../harness/in-process';
import { makeNetwork } from '../harness/networks';

let database: TestDatabase;

beforeAll(async () => {
  database = await freshDatabase();
});
afterAll(() => database?.close());

test('a revision that a dispute made is explained from the corrected rows', async () => {
  const activities = await activitiesOn(database.worker);
  const network = await makeNetwork({ pool: database.superuser, actor: 'olivia' }, { epochs: 1 });
  await settleEpochInProcess(activities, { network, epoch: 0 });
  const before = await explainProviderPayout(database.viewer, network, 0, 'p0');
  await corrected(database, activities, network, 0, rows('capacity', '0,p0,gpu,10,9'));
  const after = await explainProviderPayout(database.viewer, network, 0, 'p0');
  const served = ({ lines }: typeof before) => lines.find(({ market }) => market === 'gpu')?.served;
  expect([before.revision, served(before), after.revision, served(after)]).toEqual([1, '4', 2, '9']);
  expect(BigInt(after.amount.baseUnits)).toBeGreaterThan(BigInt(before.amount.baseUnits));
  expect(explanationAddsUp(after)).toBe(true);
});
