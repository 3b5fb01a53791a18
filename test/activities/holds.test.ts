import { holdsOf } from '../../src/store/holds';
import { freshDatabase, type TestDatabase } from '../harness/databases';
import { activitiesOn, settleEpochInProcess, walkToCheck } from '../harness/in-process';
import { makeNetwork } from '../harness/networks';
import { until } from '../harness/worlds';

let database: TestDatabase;
beforeAll(async () => {
  database = await freshDatabase();
});
afterAll(() => database.close());

test('a hold expires by its row, once, and stays expired', async () => {
  const network = await makeNetwork({ pool: database.superuser, actor: 'olivia' }, { held: [1], holdSeconds: 2 });
  const activities = await activitiesOn(database.worker);
  await settleEpochInProcess(activities, { network, epoch: 0 });
  const { derived } = await walkToCheck(activities, { network, epoch: 1 });
  expect(await activities.readHold(derived.key)).toBe('open');
  const hold = async () => (await holdsOf(database.viewer, network, 1))[0]!;
  await until('the hold is overdue', async () => (await hold()).overdue, 20);
  expect(await activities.readHold(derived.key)).toBe('expired');
  expect(await activities.readHold(derived.key)).toBe('expired');
  expect(await hold()).toMatchObject({ decision: 'expired', decidedBy: 'system' });
});
