import { decideHold } from '../../src/commands/decide-hold';
import { epochWorkflowId } from '../../src/commands/run-epochs';
import { settleAgain } from '../../src/commands/settle-again';
import { everyFailure } from '../../src/store/failures';
import { insertDecision, openHolds } from '../../src/store/holds';
import { decide, epochStatus } from '../../workflows/messages';
import type { NetworkKnobs } from '../harness/networks';
import { count, failedEpochs, freshWorld, publishedEpochs, until, type World } from '../harness/worlds';

let world: World;
beforeAll(async () => {
  world = await freshWorld();
});
afterAll(() => world.close());

const run = (network: string, epoch: number) =>
  world.orchestrator.client.workflow.getHandle(epochWorkflowId(network, epoch));

/** A network whose epoch 1 of 3 is on hold; needs a running worker. */
async function heldNetwork(knobs: NetworkKnobs = {}) {
  const network = await world.makeNetwork({ epochs: 3, held: [1], ...knobs });
  expect(await world.settle(network)).toEqual({ reason: 'held', closed: 1, epoch: 1 });
  const [hold] = await openHolds(world.database.viewer, network);
  expect(hold).toMatchObject({ epoch: 1, askedBy: 'olivia', breakers: [{ id: 'tokenMove', limit: '0.5' }] });
  return { network, digest: hold!.contentDigest };
}

const decideAs = (
  actor: string,
  network: string,
  outcome: 'approved' | 'rejected',
  contentDigest: string | null = null,
) => decideHold(world.as(actor), { network, epoch: 1, outcome, reason: 'looked at', contentDigest });

const published = (network: string) => publishedEpochs(world.database, network);

test('approved: exactly what was held is published, and the epochs behind it are settled', async () => {
  await world.withWorker({}, async () => {
    const { network, digest } = await heldNetwork();
    expect(await published(network)).toHaveLength(1);
    await decideAs('paul', network, 'approved');
    expect((await published(network)).map(({ epoch }) => epoch)).toEqual([0, 1, 2]);
    expect((await published(network))[1]?.contentDigest).toBe(digest);
  });
});

test('rejected: the epoch is failed by that name, and the epochs behind it are settled', async () => {
  await world.withWorker({}, async () => {
    const { network } = await heldNetwork();
    await decideAs('paul', network, 'rejected');
    expect((await published(network)).map(({ epoch }) => epoch)).toEqual([0, 2]);
    expect(await failedEpochs(world.database, network)).toEqual([{ epoch: 1, failure: 'rejected' }]);
  });
});

test('expired: when nobody decides in time, the epoch is failed by that name', async () => {
  await world.withWorker({}, async () => {
    const { network } = await heldNetwork({ holdSeconds: 2 });
    expect(await run(network, 1).result()).toEqual({ kind: 'failed', epoch: 1, failure: 'expired' });
    await expect(decideAs('paul', network, 'approved')).rejects.toMatchObject({ id: 'HoldClosed' });
    expect(await world.settle(network)).toMatchObject({ reason: 'finished', closed: 1 });
    expect(await failedEpochs(world.database, network)).toEqual([{ epoch: 1, failure: 'expired' }]);
  });
});

test('a hold past its deadline cannot be approved any more, even where nobody has recorded that it expired', async () => {
  await world.withWorker({}, async () => {
    const { network } = await heldNetwork({ holdSeconds: 2 });
    await run(network, 1).terminate('the test wants it so');
    await until('the hold is overdue', async () => (await openHolds(world.database.viewer, network))[0]!.overdue);
    await expect(decideAs('paul', network, 'approved')).rejects.toMatchObject({
      id: 'HoldClosed',
      message: expect.stringContaining('expired at'),
    });
    expect(await openHolds(world.database.viewer, network)).toHaveLength(1);
  });
});

test('a hold whose run is gone expires by its row when the next loop looks at it', async () => {
  await world.withWorker({}, async () => {
    const { network } = await heldNetwork({ holdSeconds: 2 });
    await run(network, 1).terminate('the test wants it so');
    await until('the hold is overdue', async () => (await openHolds(world.database.viewer, network))[0]!.overdue);
    // The loop starts the epoch again, hears that it waits, and ends; the epoch's run expires it.
    await world.settle(network);
    expect(await run(network, 1).result()).toMatchObject({ failure: 'expired' });
    expect(await world.settle(network)).toMatchObject({ reason: 'finished' });
    expect((await published(network)).map(({ epoch }) => epoch)).toEqual([0, 2]);
  });
});

test('F15: the run of a held epoch is gone; approving publishes exactly the held digest, computed once', async () => {
  await world.withWorker({}, async () => {
    const { network, digest } = await heldNetwork();
    await run(network, 1).terminate('as if the history had been wiped');
    await decideAs('paul', network, 'approved', digest);
    expect((await published(network)).map(({ epoch }) => epoch)).toEqual([0, 1, 2]);
    expect((await published(network))[1]?.contentDigest).toBe(digest);
    // One for each of the three epochs: the held one was not computed again.
    expect(await count(world.database, 'computation', network)).toBe(3);
  });
});

test.each(['rejected', 'expired'] as const)(
  'F15: %s, and the run that was to close the epoch is gone: the next one closes it, and computes nothing',
  async (failure) => {
    await world.withWorker({}, async () => {
      const { network } = await heldNetwork({ holdSeconds: failure === 'expired' ? 2 : 600 });
      const [hold] = await openHolds(world.database.viewer, network);
      await run(network, 1).terminate('the test wants it so');
      if (failure === 'rejected') await decideAs('paul', network, 'rejected');
      else {
        await until('the hold is overdue', async () => (await openHolds(world.database.viewer, network))[0]!.overdue);
        // What a run records that is ended before it closes the epoch.
        const expired = { outcome: failure, contentDigest: hold!.contentDigest, actor: 'system', reason: 'a test' };
        expect(await insertDecision(world.database.worker, hold!, expired)).toBe(true);
        await world.settle(network);
      }
      expect(await failedEpochs(world.database, network)).toEqual([{ epoch: 1, failure }]);
      expect((await published(network)).map(({ epoch }) => epoch)).toEqual([0, 2]);
      expect(await count(world.database, 'computation', network)).toBe(3);
    });
  },
);

test('F15: a rejected epoch that is settled again, and rejected again without a run, fails once more', async () => {
  await world.withWorker({}, async () => {
    const { network } = await heldNetwork();
    await decideAs('paul', network, 'rejected');
    const again = () => settleAgain(world.context, { network, epoch: 1, reason: 'looked at', requestId: null });
    await again();
    await run(network, 1).terminate('the test wants it so');
    await decideAs('paul', network, 'rejected');
    const failures = await everyFailure(world.database.viewer, network, 1, 1);
    expect(failures.map(({ failureNo, failure }) => [failureNo, failure])).toEqual([
      [1, 'rejected'],
      [2, 'rejected'],
    ]);
    expect((await published(network)).map(({ epoch }) => epoch)).toEqual([0, 2]);
  });
});

test('the hold outlives its worker', async () => {
  const { network, digest } = await world.withWorker({}, () => heldNetwork());
  await world.withWorker({}, () => decideAs('paul', network, 'approved'));
  expect((await published(network))[1]?.contentDigest).toBe(digest);
});

test('the run refuses a decision about another digest, and one where nothing is held, and waits on', async () => {
  await world.withWorker({}, async () => {
    const { network, digest } = await heldNetwork();
    const other = { contentDigest: 'f'.repeat(64), outcome: 'approved' as const };
    await expect(run(network, 1).executeUpdate(decide, { args: [other] })).rejects.toMatchObject({
      cause: { type: 'HoldMismatch', message: expect.stringContaining(digest) },
    });
    expect(await run(network, 1).query(epochStatus)).toMatchObject({ phase: 'hold' });
    // A decision that nobody recorded wakes the run, and the row keeps it waiting.
    await run(network, 1).executeUpdate(decide, { args: [{ contentDigest: digest, outcome: 'approved' }] });
    await expect(
      run(network, 0).executeUpdate(decide, { args: [{ contentDigest: digest, outcome: 'approved' }] }),
    ).rejects.toThrow();
    expect((await run(network, 1).describe()).status.name).toBe('RUNNING');
    expect(await published(network)).toHaveLength(1);
    await run(network, 1).terminate('done');
  });
});

test('who asked cannot approve, a digest that is not held is refused, and both attempts are on record', async () => {
  await world.withWorker({}, async () => {
    const { network } = await heldNetwork();
    await expect(decideAs('olivia', network, 'approved')).rejects.toMatchObject({ id: 'SelfApproval' });
    await expect(decideAs('paul', network, 'approved', 'f'.repeat(64))).rejects.toMatchObject({ id: 'HoldMismatch' });
    const found = await world.database.open('settle_auditor').query(
      `select actor, action, outcome, detail ->> 'id' as id from audit_log
       where network = $1 and outcome = 'refused' order by entry`,
      [network],
    );
    expect(found.rows).toEqual([
      { actor: 'olivia', action: 'hold-approved', outcome: 'refused', id: 'SelfApproval' },
      { actor: 'paul', action: 'hold-approved', outcome: 'refused', id: 'HoldMismatch' },
    ]);
    expect(await openHolds(world.database.viewer, network)).toHaveLength(1);
    await run(network, 1).terminate('done');
  });
});

test('a throw-away network lets holds through at once, with their breakers on record', async () => {
  const network = await world.makeNetwork({ epochs: 3, held: [1], holds: 'release' });
  await world.withWorker({}, () => world.settle(network));
  expect((await published(network)).map(({ epoch }) => epoch)).toEqual([0, 1, 2]);
  const found = await world.database.viewer.query('select epoch, decision from hold_decision where network = $1', [
    network,
  ]);
  expect(found.rows).toEqual([{ epoch: 1, decision: 'released' }]);
});
