import { freshDatabase, type TestDatabase } from '../harness/databases';
import { activitiesOn, settleEpochInProcess, walkToCheck } from '../harness/in-process';
import { bundleTexts, makeNetworkOf } from '../harness/networks';
import { policyDocument } from '../harness/policy';

let database: TestDatabase;
beforeAll(async () => {
  database = await freshDatabase();
});
afterAll(() => database.close());

/** A network of two epochs whose two token sources say those prices in the second. */
async function disagreeing(x: string, y: string): Promise<string> {
  const texts = bundleTexts({ epochs: 2 });
  const token = texts.token.replace(/^(1,x,[^,]*),[^,]*/m, `$1,${x}`).replace(/^(1,y,[^,]*),[^,]*/m, `$1,${y}`);
  const calendar = { first: 0, last: 1, holds: 'wait' } as const;
  const context = { pool: database.operator, actor: 'olivia' };
  return makeNetworkOf(context, { ...texts, token }, JSON.stringify(policyDocument()), calendar);
}

async function breakersOf(network: string) {
  const activities = await activitiesOn(database.worker);
  await settleEpochInProcess(activities, { network, epoch: 0 });
  return (await walkToCheck(activities, { network, epoch: 1 })).checked;
}

test('F40: sources within a tenth of their median agree; nothing is held', async () => {
  expect(await breakersOf(await disagreeing('0.48', '0.52'))).toMatchObject({ breakers: [], hold: null });
});

test('F40: sources that disagree put the epoch on hold, with how many agree and how many have to', async () => {
  const checked = await breakersOf(await disagreeing('0.4', '0.6'));
  expect(checked.breakers).toMatchObject([{ id: 'tokenMove', figure: '0', limit: '2' }]);
  expect(checked.hold).not.toBeNull();
});
