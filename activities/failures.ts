import { ApplicationFailure, TemporalFailure } from '@temporalio/common';
import { ProofError } from '../src/proofs/errors';
import { PolicyError, RulesetError } from '../src/rulesets/1/errors';
import type { GuardId } from '../src/rulesets/1/records';
import { isDatabaseRefusal, isRetryableDatabaseError, StoreError } from '../src/store/errors';

/** A guard of spec §8 does not hold: the epoch ends as `failed(<guard>)`. */
export class GuardFailed extends Error {
  constructor(
    readonly guard: GuardId,
    readonly detail: Readonly<Record<string, unknown>>,
  ) {
    super(`guard ${guard} does not hold: ${JSON.stringify(detail)}`);
    this.name = 'GuardFailed';
  }
}

/**
 * Maps an error to what Temporal should do with it, in one place: what may pass by itself is retried after a delay, and
 * everything else becomes a failure that is not retried, with a type that the command line knows.
 *
 * @param delayMs milliseconds until the next attempt, asked for only where there is to be one (activities/retry-delay.ts)
 */
export function toFailure(error: unknown, delayMs: () => number): unknown {
  const retried = () => ApplicationFailure.fromError(error, { nextRetryDelay: delayMs() });
  if (error instanceof ApplicationFailure) {
    return error.nonRetryable || (error.nextRetryDelay ?? null) !== null ? error : retried();
  }
  // A cancellation is no failure.
  if (error instanceof TemporalFailure) return error;
  if (!(error instanceof Error) || isRetryableDatabaseError(error)) return retried();
  if (error instanceof GuardFailed) {
    return ApplicationFailure.create({
      message: error.message,
      type: 'GuardFailed',
      nonRetryable: true,
      details: [{ guard: error.guard, detail: error.detail }],
      cause: error,
    });
  }
  // A chain that waits for its claims entry is a neighbour's half-done work: the retry finds it done, or does it.
  if (error instanceof StoreError && error.id === 'ChainUnproved') return retried();
  const known =
    error instanceof StoreError ||
    error instanceof RulesetError ||
    error instanceof PolicyError ||
    error instanceof ProofError;
  if (known || isDatabaseRefusal(error) || error instanceof RangeError || error instanceof TypeError) {
    return ApplicationFailure.create({ message: error.message, type: error.name, nonRetryable: true, cause: error });
  }
  return retried();
}
