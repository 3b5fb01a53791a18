import { decideHold } from '../../src/commands/decide-hold';
import { loopAnswer, startLoop } from '../../src/commands/run-epochs';
import { openHolds } from '../../src/store/holds';
import { freshDatabase } from '../harness/databases';
import { pauseAt } from '../harness/gates';
import { activitiesOn, settleAllInProcess } from '../harness/in-process';
import { makeNetwork, type NetworkKnobs, networkName } from '../harness/networks';
import { type SettledState, settledState } from '../harness/settled-state';
import { count, publishedEpochs, type World } from '../harness/worlds';
import { OwnStack } from './own-stack';

let stack: OwnStack;
let world: World;
beforeAll(async () => {
  stack = await OwnStack.open();
  world = await stack.world('swarm');
});
afterAll(async () => {
  await world?.close();
  await stack?.close();
});

const KNOBS: NetworkKnobs = { epochs: 3, providers: 5, pool: '10' };

/** What a network of that name becomes where nothing disturbs it. */
async function undisturbed(network: string): Promise<SettledState> {
  const database = await freshDatabase();
  try {
    await makeNetwork({ pool: database.operator, actor: 'olivia' }, KNOBS, network);
    await settleAllInProcess(await activitiesOn(database.worker), network);
    return await settledState(database, network);
  } finally {
    await database.close();
  }
}

const moments = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** Settles a network; while its first epoch stands at the point, `fault` does its worst and mends it again. */
async function settledThrough(network: string, point: string, fault: (release: () => void) => Promise<void>) {
  await world.makeNetwork(KNOBS, network);
  const gate = pauseAt(point);
  return world.withWorker({ chunkProviders: 2, reached: gate.reached }, async () => {
    const loop = await startLoop(world.context, { network, range: null, askedBy: 'olivia' });
    await gate.arrived;
    await fault(gate.release);
    return loopAnswer(loop);
  });
}

test.each(['reward:copied', 'publish:before-commit', 'publish:committed'])(
  'F7: PostgreSQL is killed -9 at %s and comes back: the same run ends with the same digests, once',
  async (point) => {
    const network = networkName();
    const answer = await settledThrough(network, point, async (release) => {
      await stack.killPostgres();
      release();
      await moments(500);
      await stack.startPostgres();
    });
    expect(answer).toEqual({ reason: 'finished', closed: 3, epoch: null });
    expect(await settledState(world.database, network)).toEqual(await undisturbed(network));
  },
);

test.each(['derive:before-commit', 'publish:committed'])(
  'F13: Temporal is killed -9 at %s and comes back: the same run ends with the same digests, once',
  async (point) => {
    const network = networkName();
    const answer = await settledThrough(network, point, async (release) => {
      await stack.killTemporal();
      release();
      await moments(500);
      await stack.startTemporal();
    });
    expect(answer).toEqual({ reason: 'finished', closed: 3, epoch: null });
    expect(await settledState(world.database, network)).toEqual(await undisturbed(network));
  },
);

test('F15: Temporal loses all it knew while an epoch is on hold: approving publishes exactly the held digest', async () => {
  const network = await world.makeNetwork({ epochs: 3, held: [1] });
  await world.withWorker({}, () => world.settle(network));
  const [hold] = await openHolds(world.database.viewer, network);
  await stack.killTemporal();
  stack.wipeTemporal();
  await stack.startTemporal();
  const decision = { network, epoch: 1, outcome: 'approved', reason: 'looked at', contentDigest: null } as const;
  await world.withWorker({}, () => decideHold(world.as('paul'), decision));
  const published = await publishedEpochs(world.database, network);
  expect(published.map(({ epoch }) => epoch)).toEqual([0, 1, 2]);
  expect(published[1]?.contentDigest).toBe(hold?.contentDigest);
  expect(await count(world.database, 'computation', network)).toBe(3);
});

test('F15: Temporal loses all it knew in the middle of an epoch: the next loop goes on from the rows', async () => {
  const network = networkName();
  await world.makeNetwork(KNOBS, network);
  const gate = pauseAt('check:computed');
  await world.withWorker({ chunkProviders: 2, reached: gate.reached }, async () => {
    await startLoop(world.context, { network, range: null, askedBy: 'olivia' });
    await gate.arrived;
    await stack.killTemporal();
    stack.wipeTemporal();
    gate.release();
    await stack.startTemporal();
  });
  await world.withWorker({ chunkProviders: 2 }, () => world.settle(network));
  expect(await settledState(world.database, network)).toEqual(await undisturbed(network));
});
