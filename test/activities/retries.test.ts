import type { Activities } from '../../activities';
import type { EpochRef } from '../../activities/contracts';
import { freshDatabase, type TestDatabase } from '../harness/databases';
import { activitiesOn, rewardAll, settleEpochInProcess } from '../harness/in-process';
import { makeNetwork, type NetworkKnobs } from '../harness/networks';
import { allRows } from '../harness/rows';

let database: TestDatabase;
beforeEach(async () => {
  database = await freshDatabase();
});
afterEach(() => database.close());

/** Two rounds of three chunks. */
const KNOBS: NetworkKnobs = { epochs: 2, providers: 5, pool: '10' };

type Step = (activities: Activities, ref: EpochRef) => Promise<unknown>;

async function keyOf(activities: Activities, ref: EpochRef) {
  return (await activities.derive(ref, 'request')).key;
}

async function checkedDigest(activities: Activities, ref: EpochRef) {
  return (await activities.check(await keyOf(activities, ref), null, 'request')).contentDigest;
}

/** The road, step after step; each starts from what those before it wrote. */
const STEPS: readonly (readonly [string, Step])[] = [
  ['nextDue', (a, ref) => a.nextDue({ network: ref.network, upTo: null, stopWhenSilent: true })],
  ['gather', (a, ref) => a.gather(ref, 'request')],
  ['seal', (a, ref) => a.seal(ref)],
  ['derive', (a, ref) => a.derive(ref, 'request')],
  ['reward', async (a, ref) => rewardAll(a, await a.derive(ref, 'request'), await a.seal(ref))],
  [
    'check',
    async (a, ref) => {
      const derived = await a.derive(ref, 'request');
      const cappedSum = derived.checked ? null : await rewardAll(a, derived, await a.seal(ref));
      return a.check(derived.key, cappedSum, 'request');
    },
  ],
  [
    'publish',
    async (a, ref) => {
      const { already, ...answer } = (await a.publish(
        await keyOf(a, ref),
        await checkedDigest(a, ref),
        'request',
      )) as Record<string, unknown>;
      return answer;
    },
  ],
  ['prove', async (a, ref) => a.prove(await keyOf(a, ref), 'request')],
];

async function takeUpTo(activities: Activities, ref: EpochRef, name: string): Promise<Step> {
  const at = STEPS.findIndex(([step]) => step === name);
  for (const [, step] of STEPS.slice(0, at)) await step(activities, ref);
  return STEPS[at]![1];
}

test.each(STEPS.map(([name]) => name))('%s called again gives the same answer and writes no row', async (name) => {
  const network = await makeNetwork({ pool: database.operator, actor: 'olivia' }, KNOBS);
  const activities = await activitiesOn(database.worker, { chunkProviders: 2 });
  await settleEpochInProcess(activities, { network, epoch: 0 });
  const ref = { network, epoch: 1 };
  const step = await takeUpTo(activities, ref, name);
  const answer = await step(activities, ref);
  const rows = await allRows(database);
  expect(await step(activities, ref)).toEqual(answer);
  expect(await allRows(database)).toEqual(rows);
  // Another run of the same epoch, on another machine: the same again.
  const elsewhere = await activitiesOn(database.worker, { chunkProviders: 2, runId: 'another' });
  expect(await step(elsewhere, ref)).toEqual(answer);
  expect(await allRows(database)).toEqual(rows);
});

test('closeAsFailed called again, by the same run or another, closes the epoch once', async () => {
  const network = await makeNetwork({ pool: database.operator, actor: 'olivia' }, { missing: { 0: 'token' } });
  const close = async (runId: string) => {
    const activities = await activitiesOn(database.worker, { runId });
    return activities.closeAsFailed(
      { network, epoch: 0 },
      'incomplete-inputs',
      { missing: ['token-price'] },
      'request',
    );
  };
  expect(await close('one')).toEqual({ kind: 'failed', epoch: 0, failure: 'incomplete-inputs' });
  const rows = await allRows(database);
  await close('one');
  await close('two');
  expect(await allRows(database)).toEqual(rows);
});

test('every step of a published epoch, taken again from the start, changes nothing', async () => {
  const network = await makeNetwork({ pool: database.operator, actor: 'olivia' }, KNOBS);
  const activities = await activitiesOn(database.worker, { chunkProviders: 2 });
  const ref = { network, epoch: 0 };
  const closed = await settleEpochInProcess(activities, ref);
  const rows = await allRows(database);
  expect(await activities.gather(ref, 'request')).toEqual({
    kind: 'closed',
    answer: expect.objectContaining({
      kind: 'published',
      contentDigest: (closed as { contentDigest: string }).contentDigest,
    }),
  });
  for (const [name, step] of STEPS.filter(([name]) => name !== 'reward')) {
    await step(activities, ref);
    expect([name, await allRows(database)]).toEqual([name, rows]);
  }
});
