import { ActivityFailure, ApplicationFailure, proxyActivities } from '@temporalio/workflow';
import type { Activities } from '../activities';
import type { GuardId } from '../src/rulesets/1/records';

/**
 * The activities in four classes of retries. All of them may be repeated at any time, so the classes differ only in
 * how long one attempt may take and how patient the class is. No class gives up for good within an outage that an
 * operator would sleep through: what ends is the run, never the epoch.
 */

const BACKOFF = { initialInterval: '200ms', backoffCoefficient: 2, maximumInterval: '30s' } as const;

/** Small reads: seconds at most; retried for a day, since a database that is down comes back. */
export const read = proxyActivities<Pick<Activities, 'nextDue' | 'gather'>>({
  startToCloseTimeout: '60s',
  scheduleToCloseTimeout: '24h',
  retry: BACKOFF,
});

/** Reads and computes over all rows of an epoch or a chunk; heartbeats, so that a dead worker is noticed in a minute. */
export const compute = proxyActivities<Pick<Activities, 'seal' | 'derive' | 'reward' | 'check'>>({
  startToCloseTimeout: '30m',
  scheduleToCloseTimeout: '24h',
  heartbeatTimeout: '60s',
  retry: BACKOFF,
});

/** One short transaction that must happen once: found again by its own rows when its answer was lost. */
export const write = proxyActivities<Pick<Activities, 'publish' | 'prove' | 'closeAsFailed' | 'readHold'>>({
  startToCloseTimeout: '10m',
  scheduleToCloseTimeout: '24h',
  retry: BACKOFF,
});

/** The guard that an activity found not to hold, with what it found; null: it failed for another reason. */
export function failedGuard(
  error: unknown,
): { readonly guard: GuardId; readonly detail: Readonly<Record<string, unknown>> } | null {
  const cause = error instanceof ActivityFailure ? error.cause : error;
  if (!(cause instanceof ApplicationFailure) || cause.type !== 'GuardFailed') return null;
  return cause.details?.[0] as { guard: GuardId; detail: Readonly<Record<string, unknown>> };
}
