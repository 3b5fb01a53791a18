import {
  type ScheduleDescription,
  ScheduleNotFoundError,
  type ScheduleOptions,
  ScheduleOverlapPolicy,
} from '@temporalio/client';
import { TASK_QUEUE } from '../../workflows/messages';
import { appendAudit } from '../store/audit-log';
import { nextOpenEpoch } from '../store/due';
import { getNetwork, type Network } from '../store/networks';
import { gracesFrom } from '../store/policies';
import type { Queryable } from '../store/pool';
import { requireRole, transactionAs } from '../store/rights';
import type { WorkflowContext } from './context';
import { CommandError } from './errors';
import { refusedOnRecord } from './refusals';

/**
 * The alarm clock of a network: a Temporal Schedule that wakes its loop whenever an epoch is over and its grace has
 * passed. It holds no truth: a missed tick, or one too many, changes nothing but when the rows are looked at.
 *
 * The grace is that of each epoch's policy, so a tick for every grace that epochs to come have: one that is too early
 * for its epoch finds that it is not due yet and ends, and the epoch's own tick comes after it.
 */

export const scheduleId = (network: string): string => `settle/${network}`;

export interface ScheduleStanding {
  readonly id: string;
  /** null: there is none. */
  readonly found: {
    readonly paused: boolean;
    readonly note: string | null;
    readonly everySeconds: number;
    /** After each full interval since 1970; one for each grace that epochs to come have. */
    readonly offsetsSeconds: readonly number[];
    /** ISO instants, UTC. */
    readonly next: readonly string[];
    readonly last: string | null;
    readonly ticks: number;
    readonly missed: number;
  } | null;
  /** What `schedule apply` would change; empty: nothing. */
  readonly differs: readonly string[];
}

/** Creates the schedule, or changes it to what the network's calendar asks for; a paused one stays paused. */
export async function applySchedule(
  context: WorkflowContext,
  name: string,
): Promise<'created' | 'changed' | 'unchanged'> {
  await requireRight(context, name, 'schedule-apply');
  const ticks = await ticksOf(context.pool, name);
  const wanted = optionsFor(ticks);
  const known = await describe(context, name);
  if (known === null) {
    await context.temporal.schedule.create(wanted);
    await record(context, name, 'schedule-apply', 'created');
    return 'created';
  }
  if (differences(known, ticks).length === 0) return 'unchanged';
  await context.temporal.schedule.getHandle(scheduleId(name)).update((previous) => ({
    ...previous,
    spec: wanted.spec,
    action: wanted.action,
    policies: wanted.policies ?? {},
  }));
  await record(context, name, 'schedule-apply', 'changed to the calendar of the network');
  return 'changed';
}

/** Pauses or resumes the ticks, with the reason as the schedule's note. @throws CommandError `ScheduleMissing` */
export async function pauseSchedule(
  context: WorkflowContext,
  name: string,
  paused: boolean,
  reason: string,
): Promise<'changed' | 'unchanged'> {
  await requireRight(context, name, paused ? 'schedule-pause' : 'schedule-resume');
  const known = await describe(context, name);
  if (known === null) throw missing(name);
  if (known.state.paused === paused) return 'unchanged';
  const handle = context.temporal.schedule.getHandle(scheduleId(name));
  const note = `${context.actor}: ${reason}`;
  await (paused ? handle.pause(note) : handle.unpause(note));
  await record(context, name, paused ? 'schedule-pause' : 'schedule-resume', reason);
  return 'changed';
}

export async function scheduleStanding(context: WorkflowContext, name: string): Promise<ScheduleStanding> {
  const ticks = await ticksOf(context.pool, name);
  const known = await describe(context, name);
  if (known === null) return { id: scheduleId(name), found: null, differs: ['it does not exist'] };
  const intervals = known.spec.intervals ?? [];
  const last = known.info.recentActions.at(-1);
  return {
    id: scheduleId(name),
    found: {
      paused: known.state.paused,
      note: known.state.note || null,
      everySeconds: Number(intervals[0]?.every ?? 0) / 1000,
      offsetsSeconds: intervals.map(({ offset }) => Number(offset ?? 0) / 1000),
      next: known.info.nextActionTimes.map((time) => time.toISOString()),
      last: last?.takenAt.toISOString() ?? null,
      ticks: known.info.numActionsTaken,
      missed: known.info.numActionsMissedCatchupWindow,
    },
    differs: differences(known, ticks),
  };
}

const CATCH_UP_MS = 3_600_000;

/** When a network's clock has to ring. */
interface Ticks extends Pick<Network, 'network' | 'lengthSeconds'> {
  /** Each once, ascending. */
  readonly offsetsSeconds: readonly number[];
}

async function ticksOf(db: Queryable, name: string): Promise<Ticks> {
  const network = await getNetwork(db, name);
  const graces = await gracesFrom(db, name, await nextOpenEpoch(db, name));
  const offsets = new Set(graces.map((graceSeconds) => offsetSeconds(network, graceSeconds)));
  return { ...network, offsetsSeconds: [...offsets].sort((a, b) => a - b) };
}

function optionsFor({ network, lengthSeconds, offsetsSeconds }: Ticks): ScheduleOptions {
  return {
    scheduleId: scheduleId(network),
    spec: { intervals: offsetsSeconds.map((offset) => ({ every: lengthSeconds * 1000, offset: offset * 1000 })) },
    action: {
      type: 'startWorkflow',
      workflowType: 'wakeLoop',
      workflowId: `wake/${network}`,
      taskQueue: TASK_QUEUE,
      args: [{ network }],
      // It only starts another one; a tick that finds no worker for an hour is as good as missed.
      workflowExecutionTimeout: CATCH_UP_MS,
      staticSummary: `tick of ${network}`,
    },
    policies: {
      overlap: ScheduleOverlapPolicy.BUFFER_ONE,
      catchupWindow: CATCH_UP_MS,
      pauseOnFailure: false,
    },
  };
}

/** Intervals count from 1970; an epoch is due at `genesis + n * length + grace`. */
function offsetSeconds({ genesisSeconds, lengthSeconds }: Network, graceSeconds: number): number {
  const rest = (genesisSeconds + graceSeconds) % lengthSeconds;
  return rest < 0 ? rest + lengthSeconds : rest;
}

function differences(known: ScheduleDescription, { lengthSeconds, offsetsSeconds }: Ticks): string[] {
  const { action, spec } = known;
  const intervals = spec.intervals ?? [];
  const offsets = new Set(intervals.map(({ offset }) => Number(offset ?? 0) / 1000));
  const found: string[] = [];
  if (intervals.length === 0 || spec.calendars?.length || [...offsets].some((one) => !offsetsSeconds.includes(one)))
    found.push('it has other times');
  if (intervals.some(({ every }) => Number(every) !== lengthSeconds * 1000))
    found.push('its interval is not the length of an epoch');
  if (!offsetsSeconds.every((one) => offsets.has(one))) found.push('it does not fire at the end of the grace');
  if (action.type !== 'startWorkflow' || action.workflowType !== 'wakeLoop' || action.taskQueue !== TASK_QUEUE) {
    found.push('it starts something else');
  }
  if (known.policies.overlap !== ScheduleOverlapPolicy.BUFFER_ONE) found.push('its overlap policy is another');
  if (known.policies.catchupWindow !== CATCH_UP_MS) found.push('its catch-up window is another');
  if (known.policies.pauseOnFailure) found.push('it pauses on failure');
  return found;
}

async function describe(context: WorkflowContext, network: string): Promise<ScheduleDescription | null> {
  try {
    return await context.temporal.schedule.getHandle(scheduleId(network)).describe();
  } catch (error) {
    if (error instanceof ScheduleNotFoundError) return null;
    throw error;
  }
}

function missing(network: string): CommandError {
  return new CommandError(
    'ScheduleMissing',
    `network ${network} has no schedule: create it with \`settle schedule apply --network ${network}\``,
  );
}

/** Before anything is done to the schedule, which is not in the database. */
function requireRight(context: WorkflowContext, network: string, action: string): Promise<void> {
  return refusedOnRecord(context, { network, action, subject: scheduleId(network) }, () =>
    requireRole(context.pool, 'settle_operator'),
  );
}

async function record(context: WorkflowContext, network: string, action: string, reason: string): Promise<void> {
  await transactionAs(context.pool, 'settle_operator', (client) =>
    appendAudit(client, {
      network,
      actor: context.actor,
      action,
      subject: scheduleId(network),
      outcome: 'done',
      reason,
    }),
  );
}
