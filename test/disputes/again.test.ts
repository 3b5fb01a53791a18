import type { Activities } from '../../activities';
import { importBundle } from '../../src/commands/import-bundle';
import { recordAgain } from '../../src/commands/settle-again';
import { entriesFrom } from '../../src/store/chain';
import { builtOnSuperseded } from '../../src/store/superseded';
import { freshDatabase, type TestDatabase } from '../harness/databases';
import {
  activitiesOn,
  publishAndProve,
  settleAllInProcess,
  settleEpochInProcess,
  walkToCheck,
} from '../harness/in-process';
import { bundleTexts, makeNetwork, withBundleFolder } from '../harness/networks';
import { failedEpochs, publishedEpochs } from '../harness/worlds';

let database: TestDatabase;
let activities: Activities;
let network: string;

beforeAll(async () => {
  database = await freshDatabase();
  activities = await activitiesOn(database.worker);
});
afterAll(() => database.close());
/** Epoch 1 of four had no token price and failed; the others are published. */
beforeEach(async () => {
  const context = { pool: database.superuser, actor: 'olivia' };
  network = await makeNetwork(context, { epochs: 4, missing: { 1: 'token' } });
  await settleAllInProcess(activities, network);
});

const again = (requestId: string | null = null, epoch = 1) =>
  recordAgain({ pool: database.operator, actor: 'olivia' }, { network, epoch, reason: 'the prices came', requestId });

const addTokenPrices = (epochs = 4) =>
  withBundleFolder(bundleTexts({ epochs }), (folder) =>
    importBundle({ pool: database.operator, actor: 'olivia' }, folder, {
      network,
      dryRun: false,
      outsideCalendar: 'refuse',
    }),
  );

async function settleAgain(requestId: string) {
  const ref = { network, epoch: 1 };
  const found = await activities.gather(ref, requestId);
  if (found.kind !== 'ready') return found;
  const { derived, checked } = await walkToCheck(activities, ref, requestId);
  return publishAndProve(activities, derived.key, checked.contentDigest, requestId);
}

test('a failed epoch is settled again on what is published below it, and its head follows the last one', async () => {
  const before = await entriesFrom(database.viewer, network, 1);
  await addTokenPrices();
  await settleAgain(await again());
  const after = await entriesFrom(database.viewer, network, 1);
  expect(after.slice(0, before.length)).toEqual(before);
  expect(after.slice(before.length).map(({ kind, epoch, revision }) => [kind, epoch, revision])).toEqual([
    ['revision', 1, 1],
    ['claims', 1, 1],
  ]);
  expect(after[before.length]!.previousHead).toBe(before.at(-1)!.head);
  const found = await database.viewer.query<{ history: [number, number, string][] }>(
    'select history from computation where network = $1 and epoch = 1',
    [network],
  );
  expect(found.rows[0]!.history.map(([epoch]) => epoch)).toEqual([0]);
});

test('later epochs keep what they were settled on, and are marked as built without it', async () => {
  const before = (await publishedEpochs(database, network)).filter(({ epoch }) => epoch > 1);
  await addTokenPrices();
  await settleAgain(await again());
  expect((await publishedEpochs(database, network)).filter(({ epoch }) => epoch > 1)).toEqual(before);
  expect(await builtOnSuperseded(database.viewer, network, 0, 3)).toEqual([
    { epoch: 2, of: 1, read: null, newest: 1 },
    { epoch: 3, of: 1, read: null, newest: 1 },
  ]);
});

test('the rows that failed it once fail it again, by the same name; the request is used up then', async () => {
  const request = await again();
  const other = await activitiesOn(database.worker, { runId: '11111111-1111-4111-8111-111111111111' });
  expect(await other.gather({ network, epoch: 1 }, request)).toMatchObject({ kind: 'incomplete' });
  await other.closeAsFailed({ network, epoch: 1 }, 'incomplete-inputs', {}, request);
  expect(await failedEpochs(database, network)).toEqual([
    { epoch: 1, failure: 'incomplete-inputs' },
    { epoch: 1, failure: 'incomplete-inputs' },
  ]);
  await addTokenPrices();
  expect(await other.gather({ network, epoch: 1 }, request)).toMatchObject({
    kind: 'closed',
    answer: { kind: 'failed' },
  });
  expect(await activities.gather({ network, epoch: 1 }, await again())).toMatchObject({ kind: 'ready' });
});

test('F26: only a failed epoch is settled again; the same request is one request', async () => {
  await expect(again(null, 2)).rejects.toMatchObject({
    name: 'EpochNotFailed',
    message: expect.stringMatching(/dispute open 2/),
  });
  expect(await again('again-1')).toBe('again-1');
  expect(await again('again-1')).toBe('again-1');
  await expect(again('again-1', 2)).rejects.toMatchObject({ name: 'EpochNotFailed' });
  await addTokenPrices();
  await settleAgain('again-1');
  expect(await again('again-1')).toBe('again-1');
  await expect(again()).rejects.toThrow(/is published, revision 1/);
});

test('an epoch that is being computed above it reads it', async () => {
  const context = { pool: database.superuser, actor: 'olivia' };
  network = await makeNetwork(context, { epochs: 3, missing: { 1: 'token' } });
  for (const epoch of [0, 1]) {
    await settleEpochInProcess(activities, { network, epoch });
  }
  const above = await walkToCheck(activities, { network, epoch: 2 });
  await addTokenPrices(3);
  await settleAgain(await again());
  expect(await activities.publish(above.derived.key, above.checked.contentDigest, 'test')).toEqual({
    kind: 'superseded',
  });
});
