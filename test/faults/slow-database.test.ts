import { optionalTsToMs } from '@temporalio/common/lib/time';
import type { Pool } from 'pg';
import { loopAnswer, startLoop } from '../../src/commands/run-epochs';
import { openPool } from '../../src/store/pool';
import { pauseAt } from '../harness/gates';
import { activitiesOn, publishAndProve, walkToCheck } from '../harness/in-process';
import { settledState } from '../harness/settled-state';
import { count, freshWorld, publishedEpochs, type World } from '../harness/worlds';
import { type LinkFaults, openLink, portOf } from './link';

let world: World;
beforeAll(async () => {
  world = await freshWorld();
});
afterAll(() => world.close());

const workerPool = (url: string, max = 4): Pool =>
  openPool({ url, role: 'settle_worker', applicationName: 'test slow worker', onIdleError: () => undefined, max });

/** Settles a network by a worker whose database is at the end of a bad wire. */
async function settledThrough(faults: LinkFaults, epochs: number): Promise<string> {
  const network = await world.makeNetwork({ epochs, providers: 5, pool: '10' });
  const link = await openLink(portOf(world.database.url), faults);
  const pool = workerPool(link.through(world.database.url));
  try {
    const answer = await world.orchestrator.withWorker({ pool, chunkProviders: 2 }, async () =>
      loopAnswer(await startLoop(world.context, { network, range: null, askedBy: 'olivia' })),
    );
    expect(answer).toEqual({ reason: 'finished', closed: epochs, epoch: null });
  } finally {
    await link.close();
    await pool.end();
  }
  return network;
}

/** Amounts of the same network where nothing is slow. */
async function undisturbed(epochs: number): Promise<readonly string[]> {
  const network = await world.makeNetwork({ epochs, providers: 5, pool: '10' });
  await world.withWorker({ chunkProviders: 2 }, () => world.settle(network));
  return amounts(network);
}

const amounts = async (network: string) =>
  (await settledState(world.database, network)).payouts.map(({ provider, amount }) => `${provider} ${amount}`);

test('F10: a database whose answers come half a second late settles the same, without one attempt more', async () => {
  const network = await settledThrough({ answersLateMs: 500 }, 1);
  expect(await amounts(network)).toEqual(await undisturbed(1));
  const { events } = await world.context.temporal.workflow.getHandle(`settle/${network}/0`).fetchHistory();
  const attempts = events?.flatMap(({ activityTaskStartedEventAttributes: started }) => started?.attempt ?? []);
  expect(new Set(attempts)).toEqual(new Set([1]));
});

test('F10: a wire of 8 KB a second that is reset over and over settles the same', async () => {
  const cutAfterBytes = [2_000, 3_000, 500, 6_000, 1_500, 9_000, 4_000];
  const network = await settledThrough({ bytesASecond: 8_192, cutAfterBytes }, 1);
  expect(await amounts(network)).toEqual(await undisturbed(1));
});

test('F11: a lock that somebody else holds is tried for ever more rarely, and the epoch goes on once it is free', async () => {
  const network = await world.makeNetwork({ epochs: 2 });
  const pool = workerPool(world.database.url, 3);
  pool.on('connect', (client) => void client.query(`set lock_timeout = '200ms'`).catch(() => undefined));
  const gate = pauseAt('gather:done');
  const holder = await world.database.superuser.connect();
  try {
    await world.orchestrator.withWorker({ pool, reached: gate.reached }, async () => {
      const loop = await startLoop(world.context, { network, range: null, askedBy: 'olivia' });
      await gate.arrived;
      await holder.query('begin');
      await holder.query('select from settle.network where network = $1 for update', [network]);
      gate.release();
      const waits = await waitsWithin(6_000, network);
      expect(await count(world.database, 'chain_entry', network)).toBe(0);
      const attempt = await attemptUnderWay(network);
      // 100 to 200 ms, doubled each time, and 200 ms of waiting for the lock: a dozen in six seconds would be a storm.
      expect(attempt).toBeGreaterThan(2);
      expect(attempt).toBeLessThan(9);
      // Temporal waits as the worker said: between a half and the whole of the backoff, and not the whole of it each time.
      const ofBackoff = [...waits].map(([failed, wait_ms]) => wait_ms / (200 * 2 ** (failed - 1)));
      expect(ofBackoff.length).toBeGreaterThan(2);
      expect(Math.min(...ofBackoff)).toBeGreaterThan(0.49);
      expect(Math.max(...ofBackoff)).toBeLessThan(1.1);
      expect(Math.min(...ofBackoff)).toBeLessThan(0.97);
      await holder.query('rollback');
      expect(await loopAnswer(loop)).toEqual({ reason: 'finished', closed: 2, epoch: null });
    });
  } finally {
    gate.release();
    holder.release(true);
    await pool.end();
  }
  expect((await publishedEpochs(world.database, network)).map(({ epoch }) => epoch)).toEqual([0, 1]);
});

/** Number of the attempt that the open activity of epoch 0 is at. */
async function attemptUnderWay(network: string): Promise<number> {
  const { raw } = await world.context.temporal.workflow.getHandle(`settle/${network}/0`).describe();
  return Math.max(...(raw.pendingActivities ?? []).map(({ attempt }) => attempt ?? 0));
}

/** Looks for so long at the open activity of epoch 0: how long Temporal waits after each failed attempt, in milliseconds. */
async function waitsWithin(patience_ms: number, network: string): Promise<ReadonlyMap<number, number>> {
  const waits = new Map<number, number>();
  for (const end_ms = Date.now() + patience_ms; Date.now() < end_ms; ) {
    const { raw } = await world.context.temporal.workflow.getHandle(`settle/${network}/0`).describe();
    for (const { attempt, currentRetryInterval } of raw.pendingActivities ?? []) {
      const wait_ms = optionalTsToMs(currentRetryInterval);
      if (wait_ms !== undefined) waits.set((attempt ?? 1) - 1, wait_ms);
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return waits;
}

const failureOf = (work: Promise<unknown>): Promise<Error> =>
  work.then(
    () => new Error('it was done'),
    (error: Error) => error,
  );

test.each([
  ['a serialization failure', '40001'],
  ['a deadlock', '40P01'],
  ['a lock that is not to be had', '55P03'],
  ['no room for another connection', '53300'],
])(
  'F11: %s in the middle of a publication leaves nothing, may be retried, and the retry publishes once',
  async (_what, code) => {
    const network = await world.makeNetwork({ epochs: 1 });
    const calm = await activitiesOn(world.database.worker);
    const { derived, checked } = await walkToCheck(calm, { network, epoch: 0 });
    // PostgreSQL raises it itself, in the publishing transaction.
    await world.database.superuser.query(
      `create or replace function settle.raise_once() returns trigger language plpgsql as
       $$ begin raise exception 'of the test' using errcode = '${code}'; end $$`,
    );
    await world.database.superuser.query(
      `create trigger of_the_test before insert on settle.chain_entry for each row execute function settle.raise_once()`,
    );
    const refused = await failureOf(calm.publish(derived.key, checked.contentDigest, 'request'));
    await world.database.superuser.query('drop trigger of_the_test on settle.chain_entry');
    expect(refused).toMatchObject({
      message: 'of the test',
      nonRetryable: false,
      nextRetryDelay: expect.any(Number),
    });
    expect(await count(world.database, 'chain_entry', network)).toBe(0);
    await publishAndProve(calm, derived.key, checked.contentDigest);
    expect(await publishedEpochs(world.database, network)).toHaveLength(1);
  },
);

test('F11: two publishers that wait for each other in another order end with one deadlock and both publications', async () => {
  const [one, two] = [await world.makeNetwork({ epochs: 1 }), await world.makeNetwork({ epochs: 1 })];
  const activities = await activitiesOn(world.database.worker);
  const walked = await Promise.all([one, two].map((network) => walkToCheck(activities, { network, epoch: 0 })));
  const crossed = await Promise.allSettled([crossing(one, two), crossing(two, one)]);
  const broken = crossed.flatMap((end) => (end.status === 'rejected' ? [end.reason as { code?: string }] : []));
  expect(broken.map(({ code }) => code)).toEqual(['40P01']);
  for (const { derived, checked } of walked) await publishAndProve(activities, derived.key, checked.contentDigest);
  expect(await publishedEpochs(world.database, one)).toHaveLength(1);
  expect(await publishedEpochs(world.database, two)).toHaveLength(1);
});

/** Takes the locks of two networks one after the other, as two hands that cross. */
async function crossing(first: string, second: string): Promise<void> {
  const client = await world.database.worker.connect();
  try {
    await client.query('begin');
    await client.query('select from network where network = $1 for update', [first]);
    await new Promise((resolve) => setTimeout(resolve, 300));
    await client.query('select from network where network = $1 for update', [second]);
  } finally {
    await client.query('rollback');
    client.release();
  }
}

test('F11: a pool whose connections are all taken is waited for', async () => {
  const network = await world.makeNetwork({ epochs: 1 });
  const pool = workerPool(world.database.url, 1);
  const taken = await pool.connect();
  try {
    const activities = await activitiesOn(pool);
    const waiting = activities.seal({ network, epoch: 0 });
    await new Promise((resolve) => setTimeout(resolve, 500));
    taken.release();
    expect(await waiting).toMatchObject({ providers: 3 });
  } finally {
    await pool.end();
  }
});
