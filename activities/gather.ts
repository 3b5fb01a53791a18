import { epochTimes } from '../src/rulesets/1/calendar';
import type { Policy } from '../src/rulesets/1/policy';
import { tokenObservationOf } from '../src/rulesets/1/sealed-rows';
import { type MissingInput, missingInputs } from '../src/rulesets/1/sealing';
import { lastEntry, newestRevision } from '../src/store/chain';
import { nextDueEpoch } from '../src/store/due';
import { StoreError } from '../src/store/errors';
import { findFailure } from '../src/store/failures';
import { unclosedRefusal } from '../src/store/holds';
import { effectivePolicyHash } from '../src/store/policies';
import type { Queryable } from '../src/store/pool';
import { AGAIN, findRequest } from '../src/store/requests';
import { completeness, databaseClock, findSeal, loadsOf } from '../src/store/seals';
import { tokenLines } from '../src/store/snapshot-rows';
import type { Closed, EpochRef, Gathered, InputsState, Judged, RunRef } from './contracts';
import type { ActivityDependencies } from './dependencies';
import { loadPolicy } from './policies';

/** How often inputs that are not complete are looked at again. */
const RECHECK_SECONDS = 30;

/** How an epoch was closed, if it is; null: it is open, or a person asked for settling it again. */
export async function closedAnswer(db: Queryable, ref: EpochRef, run: RunRef): Promise<Closed | null> {
  const published = await newestRevision(db, ref.network, ref.epoch);
  if (published !== null) {
    return {
      kind: 'published',
      epoch: ref.epoch,
      revision: published.revision,
      contentDigest: published.contentDigest,
      head: published.head,
    };
  }
  const failure = await findFailure(db, ref.network, ref.epoch);
  if (failure === null) return null;
  const request = await findRequest(db, run.requestId);
  const again =
    request?.action === AGAIN &&
    request.network === ref.network &&
    request.body.epoch === ref.epoch &&
    // It names the failure that it overrules, so that one request settles an epoch again once and not for ever.
    request.body.failureNo === failure.failureNo;
  return again ? null : { kind: 'failed', epoch: ref.epoch, failure: failure.failure };
}

/**
 * Looks whether an epoch is open, and whether its inputs are complete (spec §3, Sealing). Changes nothing.
 * @throws StoreError `DatabaseBehind`, `EpochNotDue`: the run ends, the epoch stays as it is
 */
export async function gather(deps: ActivityDependencies, ref: EpochRef, run: RunRef): Promise<Gathered> {
  const closed = await closedAnswer(deps.pool, ref, run);
  if (closed !== null && !(await lacksClaims(deps.pool, ref))) return { kind: 'closed', answer: closed };
  await deps.witness.compare(deps.pool);
  await requireDue(deps.pool, ref);
  const refused = await unclosedRefusal(deps.pool, ref.network, ref.epoch);
  if (refused !== null) return { kind: 'refused', ...refused };
  if ((await findSeal(deps.pool, ref.network, ref.epoch)) !== null) return { kind: 'ready', missing: [], inputs: null };
  // Looked at first: whatever comes while they are judged makes it another state.
  const inputs = await inputsState(deps.pool, ref);
  const judged = await judgedNow(deps.pool, ref, await loadPolicy(deps.pool, inputs.policyHash));
  return judged.kind === 'ready' ? { ...judged, inputs } : judged;
}

/** What would be judged now. */
export async function inputsState(db: Queryable, { network, epoch }: EpochRef): Promise<InputsState> {
  return { policyHash: await effectivePolicyHash(db, network, epoch), loads: await loadsOf(db, network) };
}

/** What the specification makes of an epoch's inputs as they stand now. */
export async function judgedNow(db: Queryable, ref: EpochRef, policy: Policy): Promise<Judged> {
  const missing = await missingNow(db, ref, policy);
  const { deadlineSeconds } = epochTimes(policy.epoch, ref.epoch);
  const { nowSeconds } = await databaseClock(db);
  return judge(missing, deadlineSeconds - nowSeconds);
}

/**
 * A run is started by the loop, which asked the rows; but whoever reaches Temporal can start one for any epoch. One that
 * is not next, whose time has not come, or that is no epoch of the calendar is left as it is.
 */
export async function requireDue(db: Queryable, { network, epoch }: EpochRef): Promise<void> {
  // It failed, and a person asked for settling it again: its turn was long ago.
  if ((await findFailure(db, network, epoch)) !== null) return;
  const due = await nextDueEpoch(db, network, null, null);
  if (due.kind === 'due' && due.epoch === epoch) return;
  const next =
    due.kind === 'finished' ? 'nothing is' : `epoch ${due.epoch} is${due.kind === 'due' ? '' : ', once it is over'}`;
  throw new StoreError('EpochNotDue', `epoch ${epoch} of ${network} is not to be settled now: ${next}`);
}

/** Whether the epoch's revision is the end of the chain: its run ended before its claims, and the road makes them. */
async function lacksClaims(db: Queryable, ref: EpochRef): Promise<boolean> {
  const last = await lastEntry(db, ref.network);
  return last?.kind === 'revision' && last.epoch === ref.epoch && last.revision === 1;
}

/** What the specification makes of missing inputs, with so many seconds left until the deadline. */
export function judge(missing: readonly MissingInput[], secondsLeft: number): Judged {
  if (missing.length === 0) return { kind: 'ready', missing };
  if (secondsLeft > 0) return { kind: 'waiting', missing, recheckSeconds: Math.min(RECHECK_SECONDS, secondsLeft) };
  const onlyUptimes = missing.every((input) => input === 'uptimes');
  return onlyUptimes ? { kind: 'ready', missing } : { kind: 'incomplete', missing };
}

export async function missingNow(db: Queryable, ref: EpochRef, policy: Policy): Promise<readonly MissingInput[]> {
  const found = await completeness(db, ref.network, ref.epoch);
  const token = (await tokenLines(db, ref.network, ref.epoch)).map(tokenObservationOf);
  return missingInputs(policy, ref.epoch, { capacityRows: found.capacityRows, token, performance: found });
}
