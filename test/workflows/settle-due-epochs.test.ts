import { loopAnswer, loopId, startLoop } from '../../src/commands/run-epochs';
import { type LoopAnswer, type SettleDueEpochsInput, TASK_QUEUE } from '../../workflows/messages';
import { pauseAt } from '../harness/gates';
import { count, failedEpochs, freshWorld, publishedEpochs, until, type World } from '../harness/worlds';

let world: World;
beforeAll(async () => {
  world = await freshWorld();
});
afterAll(() => world.close());

const epochs = async (network: string) => (await publishedEpochs(world.database, network)).map(({ epoch }) => epoch);
const run = (network: string, epoch: number) =>
  world.orchestrator.client.workflow.getHandle(`settle/${network}/${epoch}`);

test('the epochs of a network are published in order, once, and nothing is left for a second loop', async () => {
  const network = await world.makeNetwork({ epochs: 3, missing: { 1: 'token' } });
  await world.withWorker({}, async () => {
    expect(await world.settle(network)).toEqual({ reason: 'finished', closed: 3, epoch: null });
    expect(await world.settle(network)).toEqual({ reason: 'finished', closed: 0, epoch: null });
  });
  expect(await epochs(network)).toEqual([0, 2]);
  expect(await failedEpochs(world.database, network)).toEqual([{ epoch: 1, failure: 'incomplete-inputs' }]);
});

test('a range ends where it was asked to, and may not leave a gap or leave the calendar', async () => {
  const network = await world.makeNetwork({ epochs: 4 });
  const start = (first: number, last: number) =>
    startLoop(world.context, { network, range: { first, last }, askedBy: 'olivia' });
  await world.withWorker({}, async () => {
    expect(await loopAnswer(await start(0, 1))).toEqual({ reason: 'finished', closed: 2, epoch: null });
    await expect(start(3, 3)).rejects.toMatchObject({ id: 'EpochNotDue' });
    await expect(start(2, 4)).rejects.toMatchObject({ id: 'EpochOutsideCalendar' });
    // What is closed already is skipped.
    expect(await loopAnswer(await start(0, 2))).toEqual({ reason: 'finished', closed: 1, epoch: null });
  });
  expect(await epochs(network)).toEqual([0, 1, 2]);
});

test('F20, F24: a second start is told who runs it and since when, and settles nothing twice', async () => {
  const network = await world.makeNetwork({ epochs: 2 });
  const gate = pauseAt('seal:frozen');
  await world.withWorker({ reached: gate.reached }, async () => {
    const loop = await startLoop(world.context, { network, range: null, askedBy: 'olivia' });
    await gate.arrived;
    const refused = await startLoop(world.as('paul'), { network, range: null, askedBy: 'paul' }).then(
      () => null,
      (error: Error) => error,
    );
    const { runId } = await loop.describe();
    expect(refused).toMatchObject({ id: 'AlreadyRunning' });
    expect(refused?.message).toMatch(
      new RegExp(`^due/${network} is running already: run ${runId}, asked for by olivia, since 20\\d\\d-`),
    );
    gate.release();
    expect(await loopAnswer(loop)).toEqual({ reason: 'finished', closed: 2, epoch: null });
  });
  expect(await epochs(network)).toEqual([0, 1]);
});

test('it continues as new between two epochs, and counts on', async () => {
  const network = await world.makeNetwork({ epochs: 5 });
  const input: SettleDueEpochsInput = { network, requestId: 'r', upTo: null, stopWhenSilent: true, epochsARun: 2 };
  await world.withWorker({}, async () => {
    const loop = await world.orchestrator.client.workflow.start<(input: SettleDueEpochsInput) => Promise<LoopAnswer>>(
      'settleDueEpochs',
      { workflowId: loopId(network), taskQueue: TASK_QUEUE, args: [input] },
    );
    expect(await loop.result()).toEqual({ reason: 'finished', closed: 5, epoch: null });
    const last = await world.orchestrator.client.workflow.getHandle(loopId(network)).describe();
    expect(last.runId).not.toBe(loop.firstExecutionRunId);
    // One epoch is left for the third run.
    expect(last.historyLength).toBeLessThan(40);
  });
  expect(await epochs(network)).toEqual([0, 1, 2, 3, 4]);
});

test('F22: the end of the loop does not stop its epoch, and the next loop waits for it instead of taking it over', async () => {
  const network = await world.makeNetwork({ epochs: 2 });
  const gate = pauseAt('publish:before-commit');
  await world.withWorker({ reached: gate.reached }, async () => {
    const loop = await startLoop(world.context, { network, range: null, askedBy: 'olivia' });
    await gate.arrived;
    await loop.terminate('the test wants it so');
    expect((await run(network, 0).describe()).status.name).toBe('RUNNING');
    const next = world.settle(network);
    gate.release();
    expect(await next).toMatchObject({ reason: 'finished', epoch: null });
    expect(await run(network, 0).result()).toMatchObject({ kind: 'published' });
  });
  expect(await epochs(network)).toEqual([0, 1]);
});

test('cancelling the loop leaves the epoch that is under way to end', async () => {
  const network = await world.makeNetwork({ epochs: 2 });
  const gate = pauseAt('derive:before-commit');
  await world.withWorker({ reached: gate.reached }, async () => {
    const loop = await startLoop(world.context, { network, range: null, askedBy: 'olivia' });
    await gate.arrived;
    await loop.cancel();
    await expect(loopAnswer(loop)).rejects.toMatchObject({ id: 'RunStopped' });
    gate.release();
    expect(await run(network, 0).result()).toMatchObject({ kind: 'published', epoch: 0 });
  });
  expect(await epochs(network)).toEqual([0]);
});

test.each([
  ['terminated', 'publish:before-commit'],
  ['cancelled', 'reward:copied'],
])(
  'F27: an epoch whose run is %s in the middle stays open with 0 rows published; the next loop settles it',
  async (how, at) => {
    const network = await world.makeNetwork({ epochs: 2 });
    const gate = pauseAt(at);
    await world.withWorker({ reached: gate.reached }, async () => {
      const loop = await startLoop(world.context, { network, range: null, askedBy: 'olivia' });
      await gate.arrived;
      if (how === 'terminated') await run(network, 0).terminate('the test wants it so');
      else await run(network, 0).cancel();
      await expect(loopAnswer(loop)).rejects.toMatchObject({ id: 'RunStopped' });
      expect(await count(world.database, 'chain_entry', network)).toBe(0);
      expect(await failedEpochs(world.database, network)).toEqual([]);
      // What was under way when the run ended may still end by itself: the next run finds it, or does it.
      gate.release();
      expect(await world.settle(network)).toMatchObject({ reason: 'finished' });
    });
    expect(await epochs(network)).toEqual([0, 1]);
    expect(await failedEpochs(world.database, network)).toEqual([]);
  },
);

test('F27: a run that ends between the publication and its claims leaves an epoch that is still due', async () => {
  const network = await world.makeNetwork({ epochs: 1 });
  const gate = pauseAt('publish:committed');
  await world.withWorker({ reached: gate.reached }, async () => {
    const loop = await startLoop(world.context, { network, range: null, askedBy: 'olivia' });
    await gate.arrived;
    await run(network, 0).terminate('the test wants it so');
    await expect(loopAnswer(loop)).rejects.toMatchObject({ id: 'RunStopped' });
    gate.release();
    expect(await world.settle(network)).toEqual({ reason: 'finished', closed: 1, epoch: null });
    expect(await world.settle(network)).toEqual({ reason: 'finished', closed: 0, epoch: null });
  });
  // A revision and its claims.
  expect(await count(world.database, 'chain_entry', network)).toBe(2);
});

test('F5: a worker that is shut down in the middle of a range hands over to the next one', async () => {
  const network = await world.makeNetwork({ epochs: 6 });
  const loop = await world.withWorker({}, async () => {
    const started = await startLoop(world.context, { network, range: null, askedBy: 'olivia' });
    await until('two epochs are published', async () => (await epochs(network)).length >= 2);
    return started;
  });
  expect((await epochs(network)).length).toBeLessThan(6);
  await world.withWorker({}, () => loopAnswer(loop));
  expect(await epochs(network)).toEqual([0, 1, 2, 3, 4, 5]);
});

test('an epoch of one chunk costs at most 8 activities one after the other, and a history of constant size', async () => {
  const sizes: Record<string, number> = {};
  for (const providers of [3, 60]) {
    const network = await world.makeNetwork({ epochs: 1, providers });
    await world.withWorker({}, () => world.settle(network));
    const { events } = await run(network, 0).fetchHistory();
    const activities = events?.filter((event) => event.activityTaskScheduledEventAttributes) ?? [];
    expect(activities.length).toBeLessThanOrEqual(8);
    sizes[providers] = events?.length ?? 0;
    process.stdout.write(`history of an epoch of ${providers} providers: ${sizes[providers]} events\n`);
  }
  expect(sizes[60]).toBe(sizes[3]);
  expect(sizes[3]).toBeLessThan(80);
});
