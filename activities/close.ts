import { appendAudit } from '../src/store/audit-log';
import { type FailureName, insertFailure } from '../src/store/failures';
import { endHold, findHold } from '../src/store/holds';
import { lockNetwork } from '../src/store/networks';
import { transaction } from '../src/store/pool';
import type { Closed, ComputationRef, EpochRef, HoldState, RunRef } from './contracts';
import type { ActivityDependencies } from './dependencies';
import { closedAnswer } from './gather';

/** Closes an epoch as failed by a name of spec §3 or §8, unless something closed it meanwhile. */
export function closeAsFailed(
  deps: ActivityDependencies,
  ref: EpochRef,
  failure: FailureName,
  detail: Readonly<Record<string, unknown>>,
  run: RunRef,
): Promise<Closed> {
  return transaction(deps.pool, async (client) => {
    await lockNetwork(client, ref.network);
    const closed = await closedAnswer(client, ref, run);
    if (closed !== null) return closed;
    // What a database that was set back lacks is no reason to close an epoch: it may have been there.
    await deps.witness.compare(client);
    const reason = REASONS[failure] ?? `guard ${failure} does not hold`;
    await insertFailure(client, ref.network, {
      epoch: ref.epoch,
      failure,
      detail,
      actor: 'system',
      reason,
      runId: run.runId,
    });
    await appendAudit(client, {
      network: ref.network,
      actor: 'system',
      action: 'fail',
      subject: `epoch ${ref.epoch}`,
      outcome: 'done',
      reason: `failed(${failure}): ${reason}`,
      requestId: run.requestId,
      detail,
    });
    await deps.reached('close:before-commit');
    return { kind: 'failed', epoch: ref.epoch, failure };
  });
}

const REASONS: Partial<Record<FailureName, string>> = {
  'incomplete-inputs': 'the input deadline passed and the inputs were not complete',
  rejected: 'its hold was rejected',
  expired: 'nobody decided its hold in time',
};

/**
 * Where a hold stands. One whose deadline has passed expires here: the row's deadline is what counts, by the
 * database's clock, and not the timer that woke the run.
 */
export async function readHold(deps: ActivityDependencies, key: ComputationRef): Promise<HoldState> {
  return transaction(deps.pool, async (client) => {
    await lockNetwork(client, key.network);
    const hold = await findHold(client, key);
    if (hold === null) throw new RangeError(`epoch ${key.epoch} has no hold of computation ${key.computation}`);
    if (hold.decision !== null) return hold.decision;
    if (!hold.overdue) return 'open';
    await deps.witness.compare(client);
    await endHold(client, hold, 'expired', `nobody decided until ${hold.deadline}`);
    return 'expired';
  });
}
