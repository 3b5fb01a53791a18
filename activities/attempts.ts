import { activityInfo, heartbeat } from '@temporalio/activity';
import type { ActivityDependencies } from './dependencies';
import { toFailure } from './failures';
import { jitteredDelayMs } from './retry-delay';

/** How often an attempt that is under way says that its process lives; far below the time-out in workflows/road.ts. */
const BEAT_MS = 3_000;

/**
 * What surrounds every attempt of an activity: heartbeats, so that a process that died is noticed in seconds whatever
 * it was waiting for, and errors that pass through `toFailure`, with a random delay of the next attempt. The point
 * `<name>:done` lies where the work is committed and Temporal does not know of it yet.
 */
export function withAttempts<T extends Record<string, (...args: never[]) => Promise<unknown>>>(
  deps: Pick<ActivityDependencies, 'reached'>,
  activities: T,
  random: () => number = Math.random,
): T {
  const wrapped = Object.entries(activities).map(([name, activity]) => [
    name,
    async (...args: never[]) => {
      const beat = setInterval(() => heartbeat(), BEAT_MS);
      try {
        const answer = await activity(...args);
        await deps.reached(`${name}:done`);
        return answer;
      } catch (error) {
        const { attempt, retryPolicy = {} } = activityInfo();
        throw toFailure(error, () => jitteredDelayMs(attempt, retryPolicy, random()));
      } finally {
        clearInterval(beat);
      }
    },
  ]);
  return Object.fromEntries(wrapped) as T;
}
