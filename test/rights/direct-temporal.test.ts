import type { WorkflowHandle } from '@temporalio/client';
import { causeWords, epochWorkflowId, loopId } from '../../src/commands/run-epochs';
import { openHolds } from '../../src/store/holds';
import { answered, decide, lookAgain, TASK_QUEUE } from '../../workflows/messages';
import { opened, rows } from '../disputes/disputing';
import { allRows } from '../harness/rows';
import { settledState } from '../harness/settled-state';
import { count, failedEpochs, freshWorld, publishedEpochs, type World } from '../harness/worlds';

let world: World;
beforeAll(async () => {
  world = await freshWorld();
});
afterAll(() => world.close());

/** What somebody can do who reaches Temporal and nothing else: start anything with any input. */
const start = (workflowType: string, workflowId: string, input: unknown): Promise<WorkflowHandle> =>
  world.context.temporal.workflow.start(workflowType, { workflowId, taskQueue: TASK_QUEUE, args: [input] });

/** Ends, or has not ended after some seconds and is terminated: a run that cannot go on is Temporal's to repeat. */
async function end(starting: Promise<WorkflowHandle>): Promise<unknown> {
  const run = await starting;
  const late = new Promise((resolve) => setTimeout(() => resolve('does not end'), 8_000).unref());
  const answer = await Promise.race([run.result().catch((error: Error) => error), late]);
  if (answer === 'does not end') await run.terminate('of the test');
  return answer;
}

const epochs = async (network: string) => (await publishedEpochs(world.database, network)).map(({ epoch }) => epoch);

test('S3: runs started with false inputs publish nothing that the calendar and the rows do not give', async () => {
  const network = await world.makeNetwork({ epochs: 3 });
  await world.withWorker({}, () => world.settle(network));
  const before = await settledState(world.database, network);
  const strange: readonly (readonly [string, string, unknown])[] = [
    // An epoch after the end of the calendar, one that is published, one of nowhere, and what is no epoch at all.
    ['settleEpoch', 'x1', { network, epoch: 99, requestId: 'x', answerTo: null }],
    ['settleEpoch', 'x2', { network, epoch: 1, requestId: 'x', answerTo: null }],
    ['settleEpoch', 'x3', { network: 'nowhere', epoch: 0, requestId: 'x', answerTo: null }],
    ['settleEpoch', 'x4', { network, epoch: -1, requestId: 'x', answerTo: null }],
    ['settleEpoch', 'x5', { network, epoch: '1; drop table chain_entry', requestId: 'x', answerTo: null }],
    ['settleDueEpochs', 'x6', { network, requestId: 'x', upTo: 10_000, stopWhenSilent: false, closedBefore: -5 }],
    ['disputeEpoch', 'x7', { network, epoch: 1, dispute: 1, requestId: 'x' }],
    ['disputeEpoch', 'x8', { network, epoch: 1, dispute: "1' or '1'='1", requestId: 'x' }],
  ];
  await world.withWorker({}, () =>
    Promise.all(strange.map(([type, id, input]) => end(start(type, `${id}/${network}`, input)))),
  );
  expect(await settledState(world.database, network)).toEqual(before);
});

test('S3: an epoch is not settled before its time, nor past one that is open, by whoever starts its run', async () => {
  const genesis = new Date(Date.now() - 5_400_000).toISOString().replace(/\.\d+Z/, 'Z');
  const network = await world.makeNetwork({ epochs: 3, genesis, held: [0] });
  await world.withWorker({}, async () => {
    // Epoch 0 is over, 1 is under way, 2 lies ahead; each run is started beside the loop, under a name of its own.
    const ends = await Promise.all(
      [1, 2].map((epoch) =>
        end(start('settleEpoch', `y${epoch}/${network}`, { network, epoch, requestId: 'x', answerTo: null })),
      ),
    );
    for (const ended of ends) expect(causeWords(ended as Error)).toMatch(/^EpochNotDue: epoch [12] of .* epoch 0 is$/);
  });
  expect(await count(world.database, 'seal', network)).toBe(0);
  expect(await failedEpochs(world.database, network)).toEqual([]);
  expect(await epochs(network)).toEqual([]);
});

test('S3: a forged decision, a forged answer and a flood of signals leave a hold as it is', async () => {
  const network = await world.makeNetwork({ epochs: 3, held: [1] });
  await world.withWorker({}, async () => {
    await world.settle(network);
    const [hold] = await openHolds(world.database.viewer, network);
    const run = world.context.temporal.workflow.getHandle(epochWorkflowId(network, 1));
    const before = await allRows(world.database);
    // The right digest, and no decision behind it.
    await run.executeUpdate(decide, { args: [{ contentDigest: hold!.contentDigest, outcome: 'approved' }] });
    for (let n = 0; n < 50; n += 1) await run.signal(lookAgain);
    await expect(
      run.executeUpdate(decide, { args: [{ contentDigest: 'f'.repeat(64), outcome: 'approved' }] }),
    ).rejects.toThrow();
    expect((await run.describe()).status.name).toBe('RUNNING');
    expect(await allRows(world.database)).toEqual(before);
    // A loop that is told lies about its epoch believes the rows at its next look.
    const loop = await start('settleDueEpochs', loopId(network), {
      network,
      requestId: 'x',
      upTo: null,
      stopWhenSilent: true,
    });
    const lie = { kind: 'published', epoch: 1, revision: 1, contentDigest: 'f'.repeat(64), head: 'f'.repeat(64) };
    await loop.signal(answered, lie as never).catch(() => undefined);
    expect(await loop.result()).toMatchObject({ reason: 'held', epoch: 1 });
    expect(await epochs(network)).toEqual([0]);
    expect(await failedEpochs(world.database, network)).toEqual([]);
    await run.terminate('done');
  });
});

test('S3: a dispute that nobody approved is published by no run', async () => {
  const network = await world.makeNetwork({ epochs: 2 });
  await world.withWorker({}, async () => {
    await world.settle(network);
    const { key } = await opened(world.database, network, 1, rows('capacity', '1,p0,gpu,10,9'));
    const run = await start('disputeEpoch', `z/${network}`, { ...key, requestId: 'x', looksARun: 1, runsBefore: 6 });
    expect(await run.result()).toEqual({ kind: 'open' });
    expect(await epochs(network)).toEqual([0, 1]);
  });
});
