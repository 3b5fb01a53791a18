import { ActivityFailure, ApplicationFailure, proxyActivities } from '@temporalio/workflow';
import type { Activities } from '../activities';
import type { GuardId } from '../src/rulesets/1/records';

/**
 * The activities in four classes of retries. All of them may be repeated at any time, so the classes differ only in
 * how long one attempt may take and how patient the class is. No class gives up for good within an outage that an
 * operator would sleep through: what ends is the run, never the epoch.
 */

/**
 * Every attempt sends heartbeats for as long as its process lives (activities/attempts.ts), so a worker that died is
 * noticed within this time and its work goes on elsewhere; how long a living one may take is the start-to-close time.
 */
const ALIVE = '15s';

/** At most: the worker waits for a random part of it, at least a half (activities/retry-delay.ts). */
const BACKOFF = { initialInterval: '200ms', backoffCoefficient: 2, maximumInterval: '30s' } as const;

/** Small reads: seconds at most; retried for a day, since a database that is down comes back. */
export const read = proxyActivities<Pick<Activities, 'nextDue' | 'gather'>>({
  startToCloseTimeout: '60s',
  scheduleToCloseTimeout: '24h',
  heartbeatTimeout: ALIVE,
  retry: BACKOFF,
});

/** Reads and computes over all rows of an epoch or a chunk. */
export const compute = proxyActivities<
  Pick<Activities, 'seal' | 'derive' | 'sumChunk' | 'reward' | 'check' | 'correctSnapshot' | 'deriveDispute'>
>({
  startToCloseTimeout: '30m',
  scheduleToCloseTimeout: '24h',
  heartbeatTimeout: ALIVE,
  retry: BACKOFF,
});

/** One short transaction that must happen once: found again by its own rows when its answer was lost. */
export const write = proxyActivities<
  Pick<
    Activities,
    'publish' | 'prove' | 'closeAsFailed' | 'readHold' | 'publishDispute' | 'readDispute' | 'failDispute'
  >
>({
  startToCloseTimeout: '10m',
  scheduleToCloseTimeout: '24h',
  heartbeatTimeout: ALIVE,
  retry: BACKOFF,
});

/**
 * Keeping histories is on nobody's way: an attempt that fails is left to the next loop, which finds the same runs.
 */
export const keep = proxyActivities<Pick<Activities, 'archiveHistories'>>({
  startToCloseTimeout: '10m',
  scheduleToCloseTimeout: '30m',
  heartbeatTimeout: ALIVE,
  retry: { ...BACKOFF, maximumAttempts: 5 },
});

/** Whether an activity ended for good with an error of this name. */
export function endedBy(error: unknown, name: string): boolean {
  const cause = error instanceof ActivityFailure ? error.cause : error;
  return cause instanceof ApplicationFailure && cause.type === name;
}

/** The guard that an activity found not to hold, with what it found; null: it failed for another reason. */
export function failedGuard(
  error: unknown,
): { readonly guard: GuardId; readonly detail: Readonly<Record<string, unknown>> } | null {
  const cause = error instanceof ActivityFailure ? error.cause : error;
  if (!(cause instanceof ApplicationFailure) || cause.type !== 'GuardFailed') return null;
  return cause.details?.[0] as { guard: GuardId; detail: Readonly<Record<string, unknown>> };
}
