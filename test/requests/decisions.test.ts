import { decideHold, type HoldDecision } from '../../src/commands/decide-hold';
import { failEpochs } from '../../src/commands/fail-epochs';
import { recordDisputeDecision } from '../../src/commands/run-dispute';
import { settleAgain } from '../../src/commands/settle-again';
import { openHolds } from '../../src/store/holds';
import { computed, opened, rows } from '../disputes/disputing';
import { activitiesOn, settleAllInProcess } from '../harness/in-process';
import { count, failedEpochs, freshWorld, publishedEpochs, type World } from '../harness/worlds';

let world: World;
beforeAll(async () => {
  world = await freshWorld();
});
afterAll(() => world.close());

/** Who may decide; the login of the tests is a member of every role. */
const as = (actor: string) => ({ ...world.as(actor), pool: world.database.viewer });

/** What the audit log has on some acts of a network, oldest first. */
async function logged(network: string, action: string) {
  const found = await world.database.superuser.query(
    `select actor, outcome, request_id as "requestId", detail ->> 'id' as id
     from settle.audit_log where network = $1 and action = $2 order by entry`,
    [network, action],
  );
  return found.rows;
}

describe('F26: the same decision of a hold again', () => {
  const decided = (network: string, knobs: Partial<HoldDecision> = {}, actor = 'paul') => {
    const decision = { network, epoch: 1, outcome: 'approved', reason: 'it did double', contentDigest: null } as const;
    return decideHold(as(actor), { ...decision, requestId: `${network}-1`, ...knobs });
  };

  test.each(['approved', 'rejected'] as const)('%s: it is the first answer, and one act on record', async (outcome) => {
    const network = await world.makeNetwork({ held: [1] });
    await world.withWorker({}, async () => {
      await world.settle(network);
      const first = await decided(network, { outcome });
      expect((await decided(network, { outcome })).contentDigest).toBe(first.contentDigest);
      await expect(decided(network, { outcome, reason: 'another' })).rejects.toMatchObject({ id: 'RequestConflict' });
      // Whoever asks for it anew is told that it is decided, under the id that was given.
      await expect(decided(network, { outcome, requestId: 'anew' })).rejects.toMatchObject({ id: 'HoldClosed' });
    });
    expect(await publishedEpochs(world.database, network)).toHaveLength(outcome === 'approved' ? 3 : 2);
    expect(await count(world.database, 'hold_decision', network)).toBe(1);
    expect(await logged(network, `hold-${outcome}`)).toEqual([
      { actor: 'paul', outcome: 'done', requestId: `${network}-1`, id: null },
      { actor: 'paul', outcome: 'refused', requestId: `${network}-1`, id: 'RequestConflict' },
      { actor: 'paul', outcome: 'refused', requestId: 'anew', id: 'HoldClosed' },
    ]);
  });

  test('leaves a hold that followed to its own decision', async () => {
    const network = await world.makeNetwork({ held: [1] });
    await world.withWorker({}, async () => {
      await world.settle(network);
      const first = await decided(network, { outcome: 'rejected' });
      const again = { network, epoch: 1, reason: 'the source was mended', requestId: null };
      expect(await settleAgain(world.context, again)).toMatchObject({ kind: 'held' });
      expect((await decided(network, { outcome: 'rejected' })).computation).toBe(first.computation);
      expect((await openHolds(world.database.viewer, network)).map(({ epoch }) => epoch)).toEqual([1]);
      await decided(network, { outcome: 'rejected', requestId: `${network}-2` });
    });
    expect(await count(world.database, 'hold_decision', network)).toBe(2);
  });

  test("by somebody else is refused: the first answer is not that person's", async () => {
    const network = await world.makeNetwork({ held: [1] });
    await world.withWorker({}, async () => {
      await world.settle(network);
      await decided(network);
      await expect(decided(network, {}, 'petra')).rejects.toMatchObject({
        id: 'RequestConflict',
        message: expect.stringContaining('was used before by paul'),
      });
    });
    expect((await logged(network, 'hold-approved')).map(({ actor, outcome }) => [actor, outcome])).toEqual([
      ['paul', 'done'],
      ['petra', 'refused'],
    ]);
  });

  test('what was refused took no id: the same may be asked by somebody who may', async () => {
    const network = await world.makeNetwork({ held: [1] });
    await world.withWorker({}, async () => {
      await world.settle(network);
      await expect(decided(network, {}, 'olivia')).rejects.toMatchObject({ id: 'SelfApproval' });
      await decided(network);
    });
    expect(await logged(network, 'hold-approved')).toMatchObject([
      { actor: 'olivia', id: 'SelfApproval', requestId: `${network}-1` },
      { actor: 'paul', outcome: 'done', requestId: `${network}-1` },
    ]);
  });
});

test.each(['approved', 'rejected'] as const)(
  'F26: the same decision of a dispute again, %s: its first answer',
  async (outcome) => {
    const activities = await activitiesOn(world.database.worker);
    const network = await world.makeNetwork();
    await settleAllInProcess(activities, network);
    const { key } = await opened(world.database, network, 1, rows('capacity', '1,p0,gpu,10,9'));
    const { checked } = await computed(activities, key);
    const decision = { ...key, outcome, reason: 'compared', contentDigest: null, requestId: `${network}-1` };
    expect(await recordDisputeDecision(as('paul'), decision)).toBe(checked.contentDigest);
    expect(await recordDisputeDecision(as('paul'), decision)).toBe(checked.contentDigest);
    const other = { ...decision, contentDigest: checked.contentDigest };
    await expect(recordDisputeDecision(as('paul'), other)).rejects.toMatchObject({ id: 'RequestConflict' });
    await expect(recordDisputeDecision(as('paul'), { ...decision, requestId: 'anew' })).rejects.toMatchObject({
      id: 'DisputeClosed',
    });
    expect(await count(world.database, 'dispute_decision', network)).toBe(1);
    expect(await logged(network, `dispute-${outcome}`)).toMatchObject([
      { outcome: 'done', requestId: `${network}-1` },
      { outcome: 'refused', requestId: `${network}-1`, id: 'RequestConflict' },
      { outcome: 'refused', requestId: 'anew', id: 'DisputeClosed' },
    ]);
  },
);

test('F26: epochs that are closed on purpose by the same request again: its first answer', async () => {
  const network = await world.makeNetwork({ epochs: 3 });
  const close = (first: number, last: number, requestId: string) =>
    failEpochs(as('paul'), { network, range: { first, last }, reason: 'the sources were silent', requestId });
  const closed = { first: 0, last: 1 };
  expect(await close(0, 1, 'close-1')).toEqual({ closed, skipped: 0, repeated: false });
  expect(await close(0, 1, 'close-1')).toEqual({ closed, skipped: 0, repeated: true });
  // Anew, they were closed before.
  expect(await close(0, 1, 'close-2')).toEqual({ closed: null, skipped: 2, repeated: false });
  await expect(close(0, 2, 'close-1')).rejects.toMatchObject({ id: 'RequestConflict' });
  await expect(close(0, 3, 'close-3')).rejects.toMatchObject({ id: 'EpochOutsideCalendar' });
  expect(await failedEpochs(world.database, network)).toHaveLength(2);
  expect(await logged(network, 'epoch-fail')).toMatchObject([
    { outcome: 'done', requestId: 'close-1' },
    { outcome: 'refused', requestId: 'close-1', id: 'RequestConflict' },
    { outcome: 'refused', requestId: 'close-3', id: 'EpochOutsideCalendar' },
  ]);
});
