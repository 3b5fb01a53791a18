import type { WorkflowContext } from '../../src/commands/context';
import { decideHold } from '../../src/commands/decide-hold';
import { computeDispute, decideOnDispute, disputeWorkflowId, openDispute } from '../../src/commands/run-dispute';
import { epochWorkflowId } from '../../src/commands/run-epochs';
import { wakeRun } from '../../src/commands/wake-run';
import { openHolds } from '../../src/store/holds';
import {
  type DisputeEpochInput,
  decideDispute,
  disputeStatus,
  type SettleEpochInput,
  TASK_QUEUE,
} from '../../workflows/messages';
import { pauseAt } from '../harness/gates';
import { activitiesOn } from '../harness/in-process';
import { networkName } from '../harness/networks';
import { freshWorld, publishedEpochs, until, type World } from '../harness/worlds';
import { approved, approver, computed, opened, published, rows, withCorrections } from './disputing';

let world: World;
let anton: WorkflowContext;

beforeAll(async () => {
  world = await freshWorld();
  anton = { ...world.context, actor: 'anton', pool: approver(world.database) };
});
afterAll(() => world.close());

interface Key {
  readonly network: string;
  readonly epoch: number;
  readonly dispute: number;
}

const line = rows('capacity', '1,p0,gpu,10,9');

const open = (network: string, files = line) =>
  withCorrections(files, (corrections) =>
    openDispute(world.context, {
      network,
      epoch: 1,
      corrections,
      derive: 'pinned',
      revision: null,
      reason: 'a recording error',
      late: false,
      requestId: null,
    }),
  );

const approve = ({ network, epoch, dispute }: Key) => {
  const reason = 'looked at it';
  return decideOnDispute(anton, { network, epoch, dispute, outcome: 'approved', reason, contentDigest: null });
};

const run = (key: Key) => world.context.temporal.workflow.getHandle(disputeWorkflowId(key));
const runOfEpoch = (network: string, epoch: number) =>
  world.context.temporal.workflow.getHandle(epochWorkflowId(network, epoch));
const inReview = (key: Key) =>
  until('it is under review', async () => (await run(key).query(disputeStatus)).phase === 'review');
const revisions = async (network: string) =>
  (await publishedEpochs(world.database, network)).map(({ epoch, revision }) => [epoch, revision]);

/** Starts the run of a dispute with few looks, so that a test lives to see it continue as new. */
const startRun = (key: Key, looksARun: number, runsBefore = 0) =>
  world.context.temporal.workflow.start<(input: DisputeEpochInput) => Promise<unknown>>('disputeEpoch', {
    workflowId: disputeWorkflowId(key),
    taskQueue: TASK_QUEUE,
    args: [{ ...key, requestId: 'test', looksARun, runsBefore }],
  });

async function settledNetwork(): Promise<string> {
  const network = await world.makeNetwork();
  await world.withWorker({}, () => world.settle(network));
  return network;
}

test.each([
  ['check:done', 'before it waits'],
  ['publish-dispute:before-commit', 'after it saw the decision by itself'],
])('a run that refuses the decision at %s, %s, is left alive and publishes', async (point) => {
  const network = await settledNetwork();
  const gate = pauseAt(point);
  await world.withWorker({ reached: gate.reached }, async () => {
    const { key } = await open(network);
    if (point !== 'check:done') {
      await inReview(key);
      // The row alone, as somebody leaves it whose process dies before the update.
      await approved(world.database, key);
    }
    await gate.arrived;
    const { runId } = await run(key).describe();
    const decided = point === 'check:done' ? approve(key) : wakeAgain(key);
    await until('the run was asked', async () => (await signals(key)) > 0);
    gate.release();
    await decided;
    await until('revision 2 is published', async () => (await revisions(network)).length === 4);
    expect(await run(key).describe()).toMatchObject({ runId });
  });
  expect(await revisions(network)).toContainEqual([1, 2]);
});

/** What the approval's command does after its row. */
async function wakeAgain(key: Key): Promise<void> {
  const decision = { contentDigest: 'f'.repeat(64), outcome: 'approved' as const };
  expect(await wakeRun(world.context.temporal, disputeWorkflowId(key), decideDispute, decision)).toBe('woken');
}

async function signals(key: Key): Promise<number> {
  const { events } = await run(key).fetchHistory();
  return events?.filter((event) => event.workflowExecutionSignaledEventAttributes).length ?? 0;
}

test('a dispute that another one ended hears of it by itself, when nobody tells its run', async () => {
  const network = await settledNetwork();
  const activities = await activitiesOn(world.database.worker);
  await world.withWorker({}, async () => {
    const { key } = await open(network);
    await inReview(key);
    const other = await opened(world.database, network, 1, rows('capacity', '1,p1,gpu,11,9'));
    const made = await computed(activities, other.key);
    await approved(world.database, other.key);
    await published(activities, other.key, made);
    expect(await run(key).result()).toEqual({ kind: 'stale' });
    expect(await signals(key)).toBe(0);
  });
});

test('F27: a run that ends between the publication and telling is followed by one that tells, and makes the claims', async () => {
  const network = await settledNetwork();
  const gate = pauseAt('publish-dispute:committed');
  await world.withWorker({ reached: gate.reached }, async () => {
    const first = await open(network);
    await inReview(first.key);
    const second = await open(network, rows('capacity', '1,p1,gpu,11,9'));
    const decided = approve(second.key);
    await gate.arrived;
    await run(second.key).terminate('the test wants it so');
    gate.release();
    await expect(decided).rejects.toMatchObject({ id: 'RunStopped' });
    // As `settle dispute preview` does, which the error names.
    expect(await computeDispute(anton, second.key)).toMatchObject({ state: 'published' });
    expect(await run(second.key).result()).toMatchObject({ kind: 'published', revision: 2 });
    expect(await run(first.key).result()).toEqual({ kind: 'stale' });
  });
  const claims = await world.database.viewer.query(
    `select revision from chain_entry where network = $1 and epoch = 1 and kind = 'claims' order by revision`,
    [network],
  );
  expect(claims.rows).toEqual([{ revision: 1 }, { revision: 2 }]);
});

test('a dispute that nobody decides continues as new after its looks, and its last run still takes the decision', async () => {
  const network = await settledNetwork();
  const { key } = await opened(world.database, network, 1, line);
  await world.withWorker({}, async () => {
    const first = await startRun(key, 2);
    await until('another run waits', async () => {
      const { runId } = await run(key).describe();
      return runId !== first.firstExecutionRunId;
    });
    await inReview(key);
    expect(await approve(key)).toMatchObject({ state: 'published', revision: 2 });
    const { events } = await world.context.temporal.workflow
      .getHandle(disputeWorkflowId(key), first.firstExecutionRunId)
      .fetchHistory();
    expect(events?.at(-1)?.workflowExecutionContinuedAsNewEventAttributes).toBeTruthy();
    expect(events?.length).toBeLessThan(100);
  });
});

test('a dispute ends as open after its runs, and the decision starts another', async () => {
  const network = await settledNetwork();
  const { key } = await opened(world.database, network, 1, line);
  await world.withWorker({}, async () => {
    await startRun(key, 0, 6);
    expect(await run(key).result()).toEqual({ kind: 'open' });
    expect(await approve(key)).toMatchObject({ state: 'published', revision: 2 });
  });
});

test('an epoch on hold continues as new after its looks: one approval publishes exactly the held digest', async () => {
  const network = await world.makeNetwork({ epochs: 2, held: [1] }, networkName());
  await world.withWorker({}, async () => {
    await world.settle(network);
    await runOfEpoch(network, 1).terminate('to be started with fewer looks');
    const input = { network, epoch: 1, requestId: 'test', answerTo: null, looksARun: 2 };
    const first = await world.context.temporal.workflow.start<(input: SettleEpochInput) => Promise<unknown>>(
      'settleEpoch',
      { workflowId: epochWorkflowId(network, 1), taskQueue: TASK_QUEUE, args: [input] },
    );
    await until('another run waits', async () => {
      const { runId } = await runOfEpoch(network, 1).describe();
      return runId !== first.firstExecutionRunId;
    });
    const [hold] = await openHolds(world.database.viewer, network);
    await decideHold(anton, { network, epoch: 1, outcome: 'approved', reason: 'ok', contentDigest: null });
    const [, last] = await publishedEpochs(world.database, network);
    expect(last).toMatchObject({ epoch: 1, contentDigest: hold!.contentDigest });
  });
});

test('an approval whose update was lost is found by the look of the held run itself', async () => {
  const network = await world.makeNetwork({ epochs: 2, held: [1] }, networkName());
  await world.withWorker({}, async () => {
    await world.settle(network);
    const [hold] = await openHolds(world.database.viewer, network);
    await approver(world.database).query(
      `insert into hold_decision (network, epoch, revision, computation, decision, content_digest, actor, reason)
       values ($1, 1, $2, $3, 'approved', $4, session_user, 'the process died after this row')`,
      [network, hold!.revision, hold!.computation, hold!.contentDigest],
    );
    expect(await runOfEpoch(network, 1).result()).toMatchObject({
      kind: 'published',
      contentDigest: hold!.contentDigest,
    });
  });
});
