import type { Scratch } from '../../activities/dependencies';
import { scratchFile } from '../../src/worker/scratch';
import { freshDatabase, type TestDatabase } from '../harness/databases';
import { pauseAt } from '../harness/gates';
import { activitiesOn, rewardAll, settleAllInProcess } from '../harness/in-process';
import { makeNetwork, type NetworkKnobs } from '../harness/networks';
import { settledState } from '../harness/settled-state';
import { until } from '../harness/worlds';

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

/** The scratch of a worker whose chunks another one summed. */
const NOTHING_KEPT: Scratch = { keep: async () => undefined, take: async () => null };

/** The scratch of one of two workers. */
function everyOther(scratch: Scratch): Scratch {
  let kept = 0;
  return {
    async keep(name, bytes) {
      kept += 1;
      if (kept % 2 === 1) await scratch.keep(name, bytes);
    },
    take: (name) => scratch.take(name),
  };
}

describe.each([
  ['a pool that binds', { pool: '10' }],
  ['a pool that does not bind', {}],
  ['a cap that binds', { providerShare: '0.001' }],
] as readonly (readonly [string, NetworkKnobs])[])('with %s', (_what, knobs) => {
  const settled = (chunkProviders: number, scratch: Scratch = scratchFile()) =>
    onDatabase(async (database) => {
      await makeNetwork(operatorOf(database), { ...knobs, providers: 7 }, 'swarm');
      await settleAllInProcess(await activitiesOn(database.worker, { chunkProviders, scratch }), 'swarm');
      return settledState(database, 'swarm');
    });

  test('F44: chunks of one, two, three and all providers give the same bytes', async () => {
    const whole = await settled(20_000);
    expect(whole.chain).toHaveLength(6);
    for (const chunkProviders of [1, 2, 3, 7]) expect(await settled(chunkProviders)).toEqual(whole);
  });

  test('the same, whether this worker summed all of its chunks, some of them or none', async () => {
    const all = await settled(2);
    expect(await settled(2, NOTHING_KEPT)).toEqual(all);
    expect(await settled(2, everyOther(scratchFile()))).toEqual(all);
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

/** Whether a session of this database waits for a lock. */
const somebodyWaits = async ({ superuser }: TestDatabase) =>
  (
    await superuser.query(
      `select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
    )
  ).rowCount !== 0;

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
      const second = activities.reward(key, 0, null);
      // Where the first one holds the chunk's lock, the second waits for it; else it need not wait.
      if (point === 'reward:computed') await second;
      else await until('the retry waits for the first attempt', () => somebodyWaits(database));
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

test('the second round writes what the first one read with the sealed digest, and reads nothing', () =>
  onDatabase(async (database) => {
    const { activities, key, derived: found, sealed, network } = await derived(database);
    const cappedSum = await rewardAll(activities, found, sealed);
    const written = await payouts(database);
    for (let chunk = 0; chunk < sealed.chunks; chunk += 1) await activities.sumChunk(key, chunk);
    await database.tamper('update settle.capacity set served = 0 where network = $1', [network]);
    for (let chunk = 0; chunk < sealed.chunks; chunk += 1) await activities.reward(key, chunk, cappedSum);
    expect(await payouts(database)).toEqual(written);
    // What was kept is taken once: an attempt after that reads again, and notices.
    await expect(activities.reward(key, 0, cappedSum)).rejects.toMatchObject({ type: 'GuardFailed' });
  }));

test('F44: two runs that seal and derive at once agree', () =>
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
