import { epochWorkflowId, loopId } from '../../src/commands/run-epochs';
import { type RangeRequest, startRange } from '../../src/commands/run-range';
import { settleAgain } from '../../src/commands/settle-again';
import { pauseAt } from '../harness/gates';
import { count, failedEpochs, freshWorld, publishedEpochs, until, type World } from '../harness/worlds';

let world: World;
beforeAll(async () => {
  world = await freshWorld();
});
afterAll(() => world.close());

const wanted = (network: string, knobs: Partial<RangeRequest> = {}): RangeRequest => ({
  network,
  range: { first: 0, last: 1 },
  reason: 'the sources are mended',
  requestId: `${network}-1`,
  ...knobs,
});

/** What the audit log has on runs of a network, oldest first. */
async function logged(network: string) {
  const found = await world.database.superuser.query(
    `select action, subject, outcome, reason, request_id as "requestId", detail ->> 'id' as id
     from settle.audit_log where network = $1 and action like 'epoch-%' order by entry`,
    [network],
  );
  return found.rows;
}

const run = async (request: RangeRequest) => (await startRange(world.context, request)).answer();

test('F26: the same request again gives the first answer: nothing runs, and one act is on record with its reason', async () => {
  const network = await world.makeNetwork({ epochs: 3, missing: { 0: 'capacity' } });
  const request = wanted(network);
  const { runId } = await world.withWorker({}, async () => {
    const first = await startRange(world.context, request);
    expect(first.firstOpen).toBe(0);
    expect(await first.answer()).toEqual({ reason: 'finished', closed: 2, epoch: null });
    return world.context.temporal.workflow.getHandle(loopId(network)).describe();
  });
  // No worker is up: it asks nobody.
  const again = await startRange(world.context, request);
  expect(again.firstOpen).toBe(0);
  expect(await again.answer()).toEqual({ reason: 'finished', closed: 2, epoch: null });
  expect((await world.context.temporal.workflow.getHandle(loopId(network)).describe()).runId).toBe(runId);
  expect(await failedEpochs(world.database, network)).toHaveLength(1);
  expect(await logged(network)).toEqual([
    {
      action: 'epoch-run',
      subject: 'epochs 0..1',
      outcome: 'done',
      reason: 'the sources are mended',
      requestId: `${network}-1`,
      id: null,
    },
  ]);
  await expect(run(wanted(network, { range: { first: 0, last: 2 } }))).rejects.toMatchObject({ id: 'RequestConflict' });
  await expect(startRange(world.as('oskar'), request)).rejects.toMatchObject({ id: 'RequestConflict' });
  // Of a range that was closed when it was asked for, nothing was closed by it, whoever asks how often.
  const late = wanted(network, { range: { first: 0, last: 0 }, requestId: `${network}-late` });
  const closed = async () => (await run(late)).closed;
  expect(await world.withWorker({}, async () => [await closed(), await closed()])).toEqual([0, 0]);
  // Another request for the same range says what was closed before it.
  expect(
    (await world.withWorker({}, () => startRange(world.context, wanted(network, { requestId: null })))).firstOpen,
  ).toBe(2);
});

test('F26: the same request while its run is under way waits for that run; another one is refused, on record', async () => {
  const network = await world.makeNetwork({ epochs: 2 });
  const gate = pauseAt('seal:frozen');
  await world.withWorker({ reached: gate.reached }, async () => {
    const first = run(wanted(network));
    await gate.arrived;
    const again = run(wanted(network));
    await expect(run(wanted(network, { requestId: 'other' }))).rejects.toMatchObject({ id: 'AlreadyRunning' });
    gate.release();
    expect(await Promise.all([first, again])).toEqual(
      [1, 2].map(() => ({ reason: 'finished', closed: 2, epoch: null })),
    );
  });
  expect(await count(world.database, 'computation', network)).toBe(2);
  expect(await logged(network)).toMatchObject([
    { outcome: 'done', requestId: `${network}-1` },
    { outcome: 'refused', id: 'AlreadyRunning', requestId: 'other' },
  ]);
});

test('F26, F27: the same request goes on where its run ended before its range was closed', async () => {
  const network = await world.makeNetwork({ epochs: 2 });
  const { answer } = await startRange(world.context, wanted(network));
  const ended = answer().catch((error: Error) => error);
  await world.context.temporal.workflow.getHandle(loopId(network)).terminate('a test');
  expect(await ended).toMatchObject({ id: 'RunStopped' });
  await world.withWorker({}, () => run(wanted(network)));
  expect(await publishedEpochs(world.database, network)).toHaveLength(2);
  expect(await logged(network)).toHaveLength(1);
});

test('a range that cannot be run is refused, on record with the id that was given', async () => {
  const network = await world.makeNetwork({ epochs: 4 });
  const refused = async (first: number, last: number) =>
    expect(run(wanted(network, { range: { first, last } }))).rejects.toMatchObject({ name: 'EpochOutsideCalendar' });
  await refused(0, 9);
  await refused(2, 1);
  await expect(run(wanted(network, { range: { first: 2, last: 3 } }))).rejects.toMatchObject({ id: 'EpochNotDue' });
  const row = { action: 'epoch-run', outcome: 'refused', requestId: `${network}-1` };
  expect(await logged(network)).toMatchObject([
    { ...row, subject: 'epochs 0..9', id: 'EpochOutsideCalendar' },
    { ...row, subject: 'epochs 2..1', id: 'EpochOutsideCalendar' },
    { ...row, subject: 'epochs 2..3', id: 'EpochNotDue' },
  ]);
  // What was refused took no id.
  expect(await count(world.database, 'request', network)).toBe(0);
});

test('settling again what somebody settles again is refused, on record', async () => {
  const network = await world.makeNetwork({ epochs: 2, missing: { 0: 'capacity' } });
  await world.withWorker({}, () => run(wanted(network)));
  const again = { network, epoch: 0, reason: 'rows came', requestId: null };
  // Without a worker the first stays under way.
  const first = settleAgain(world.context, again).catch((error: Error) => error);
  const handle = world.context.temporal.workflow.getHandle(epochWorkflowId(network, 0));
  await until('it runs', async () => (await handle.describe()).status.name === 'RUNNING');
  await expect(settleAgain(world.context, { ...again, requestId: 'second' })).rejects.toMatchObject({
    id: 'AlreadyRunning',
  });
  await handle.terminate('a test');
  await first;
  expect((await logged(network)).at(-1)).toMatchObject({
    action: 'epoch-again',
    outcome: 'refused',
    id: 'AlreadyRunning',
    requestId: 'second',
  });
});
