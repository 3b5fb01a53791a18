import { freshDatabase, type TestDatabase } from '../harness/databases';
import { pauseAt } from '../harness/gates';
import { activitiesOn, rewardAll, settleAllInProcess } from '../harness/in-process';
import { makeNetwork, type NetworkKnobs } from '../harness/networks';
import { settledState } from '../harness/settled-state';

const operatorOf = (database: TestDatabase) => ({ pool: database.operator, actor: 'olivia' });

/** Runs `work` on a database of its own, so that networks of one name can be compared. */
async function onDatabase<T>(work: (database: TestDatabase) => Promise<T>): Promise<T> {
  const database = await freshDatabase();
  try {
    return await work(database);
  } finally {
    await database.close();
  }
}

describe.each([
  ['a pool that binds', { pool: '10' }],
  ['a pool that does not bind', {}],
  ['a cap that binds', { providerShare: '0.001' }],
] as readonly (readonly [string, NetworkKnobs])[])('with %s', (_what, knobs) => {
  const settled = (chunkProviders: number) =>
    onDatabase(async (database) => {
      await makeNetwork(operatorOf(database), { ...knobs, providers: 7 }, 'swarm');
      await settleAllInProcess(await activitiesOn(database.worker, { chunkProviders }), 'swarm');
      return settledState(database, 'swarm');
    });

  test('chunks of one, two, three and all providers give the same bytes', async () => {
    const whole = await settled(20_000);
    expect(whole.chain).toHaveLength(6);
    for (const chunkProviders of [1, 2, 3, 7]) expect(await settled(chunkProviders)).toEqual(whole);
  });
});

/** An epoch of three chunks and a pool that binds, sealed and derived. */
async function derived(database: TestDatabase) {
  const network = await makeNetwork(operatorOf(database), { providers: 5, pool: '10' });
  const activities = await activitiesOn(database.worker, { chunkProviders: 2 });
  const sealed = await activities.seal({ network, epoch: 0 });
  const found = await activities.derive({ network, epoch: 0 }, 'request');
  return { network, activities, sealed, derived: found, key: found.key };
}

const payouts = async (database: TestDatabase) =>
  (await database.superuser.query('select t::text from settle.payout t order by provider')).rows;

test.each(['reward:computed', 'reward:copied'])(
  'a first attempt that is slow at %s and its retry leave the rows once',
  (point) =>
    onDatabase(async (database) => {
      const { activities, key } = await derived(database);
      const slow = pauseAt(point);
      const first = (await activitiesOn(database.worker, { chunkProviders: 2, reached: slow.reached })).reward(
        key,
        0,
        null,
      );
      await slow.arrived;
      // Where the first one holds the chunk's lock, the second waits for it.
      const second = activities.reward(key, 0, null);
      if (point === 'reward:computed') await second;
      slow.release();
      expect(await first).toEqual(await second);
      expect(await payouts(database)).toHaveLength(2);
    }),
);

test('an attempt of the first round that wakes up after the second does not undo it', () =>
  onDatabase(async (database) => {
    const { activities, key, derived: found, sealed } = await derived(database);
    const slow = pauseAt('reward:computed');
    const first = (await activitiesOn(database.worker, { chunkProviders: 2, reached: slow.reached })).reward(
      key,
      1,
      null,
    );
    await slow.arrived;
    const cappedSum = await rewardAll(activities, found, sealed);
    const scaled = await payouts(database);
    slow.release();
    await first;
    expect(await payouts(database)).toEqual(scaled);
    await activities.check(key, cappedSum, 'request');
  }));

test('an attempt that wakes up after the checks cannot touch what was checked', () =>
  onDatabase(async (database) => {
    const { activities, key, derived: found, sealed } = await derived(database);
    const slow = pauseAt('reward:copied');
    const cappedSum = await rewardAll(activities, found, sealed);
    const late = (await activitiesOn(database.worker, { chunkProviders: 2, reached: slow.reached })).reward(
      key,
      1,
      cappedSum,
    );
    await slow.arrived;
    const before = await payouts(database);
    await activities.check(key, cappedSum, 'request');
    slow.release();
    await late.catch(() => undefined);
    expect(await payouts(database)).toEqual(before);
    await expect(activities.reward(key, 1, cappedSum)).rejects.toThrow(/append-only/);
    expect(await payouts(database)).toEqual(before);
  }));

test('two runs that seal and derive at once agree', () =>
  onDatabase(async (database) => {
    const network = await makeNetwork(operatorOf(database));
    const ref = { network, epoch: 0 };
    const runs = await Promise.all(
      ['one', 'two', 'three'].map((runId) => activitiesOn(database.worker, { runId, chunkProviders: 2 })),
    );
    const seals = await Promise.all(runs.map((activities) => activities.seal(ref)));
    const derivations = await Promise.all(runs.map((activities) => activities.derive(ref, 'request')));
    expect(new Set(seals.map((sealed) => JSON.stringify(sealed))).size).toBe(1);
    expect(new Set(derivations.map((found) => JSON.stringify(found))).size).toBe(1);
  }));
