import type { RetryPolicy } from '@temporalio/common';
import { msToNumber } from '@temporalio/common/lib/time';

/** What Temporal takes where a policy leaves it out. */
const SERVER = { initialIntervalMs: 1_000, backoffCoefficient: 2, maximumIntervals: 100 } as const;

/**
 * How long to wait after a failed attempt, in milliseconds: the full backoff of the attempt by its policy, which never
 * exceeds the policy's maximum, times a factor between a half and one. Temporal's own backoff is the same for all that
 * failed at the same moment, as everything does when the database goes away: they would come back at the same moment too.
 *
 * @param attempt the one that failed, from 1
 * @param random from 0 up to and without 1; drawn in the worker, never in a workflow
 */
export function jitteredDelayMs(attempt: number, policy: RetryPolicy, random: number): number {
  const initialMs =
    policy.initialInterval === undefined ? SERVER.initialIntervalMs : msToNumber(policy.initialInterval);
  const maximumMs =
    policy.maximumInterval === undefined ? initialMs * SERVER.maximumIntervals : msToNumber(policy.maximumInterval);
  const coefficient = policy.backoffCoefficient ?? SERVER.backoffCoefficient;
  // A power that is too large is Infinity, and the maximum holds.
  const backoffMs = Math.min(initialMs * coefficient ** (attempt - 1), maximumMs);
  return Math.round(backoffMs * (0.5 + random / 2));
}
