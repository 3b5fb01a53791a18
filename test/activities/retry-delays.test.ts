import { ApplicationFailure, CancelledFailure, type RetryPolicy } from '@temporalio/common';
import { MockActivityEnvironment } from '@temporalio/testing';
import fc from 'fast-check';
import { withAttempts } from '../../activities/attempts';
import { GuardFailed, toFailure } from '../../activities/failures';
import { jitteredDelayMs } from '../../activities/retry-delay';
import { StoreError } from '../../src/store/errors';
import { seededRandom } from '../generate/random';
import { QUIET } from '../harness/in-process';

// That of workflows/road.ts.
const POLICY: RetryPolicy = { initialInterval: '200ms', backoffCoefficient: 2, maximumInterval: '30s' };

const lost = () => Object.assign(new Error('terminating connection due to administrator command'), { code: '57P01' });

describe('F7, F10: the delay of a retry', () => {
  test('is between a half and the whole of the backoff, and the backoff never above the maximum', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 5_000 }), fc.double({ min: 0, max: 1, noNaN: true }), (attempt, random) => {
        const backoffMs = Math.min(200 * 2 ** (attempt - 1), 30_000);
        const delayMs = jitteredDelayMs(attempt, POLICY, random);
        expect(delayMs).toBeGreaterThanOrEqual(backoffMs / 2);
        expect(delayMs).toBeLessThanOrEqual(backoffMs);
        expect(Number.isInteger(delayMs)).toBe(true);
      }),
    );
  });

  test.each([
    { attempt: 1, random: 0, delayMs: 100 },
    { attempt: 1, random: 1, delayMs: 200 },
    { attempt: 2, random: 0.5, delayMs: 300 },
    { attempt: 8, random: 1, delayMs: 25_600 },
    { attempt: 9, random: 1, delayMs: 30_000 },
    { attempt: 9, random: 0, delayMs: 15_000 },
  ])('after attempt $attempt, with $random drawn: $delayMs ms', ({ attempt, random, delayMs }) => {
    expect(jitteredDelayMs(attempt, POLICY, random)).toBe(delayMs);
  });

  test("is of Temporal's own policy where the worker is told none", () => {
    expect(jitteredDelayMs(1, {}, 1)).toBe(1_000);
    expect(jitteredDelayMs(50, {}, 1)).toBe(100_000);
  });
});

describe('F7, F10: what the worker answers', () => {
  test.each([
    ['a connection that was lost', lost()],
    ['a chain that waits for its claims', new StoreError('ChainUnproved', 'wait')],
    ['an error that nobody knows', new Error('of the future')],
    ['a failure that may be retried', ApplicationFailure.retryable('again', 'Again')],
    ['no error at all', 'thrown as text'],
  ])('%s: a failure with a delay, which says what it said', (_, error) => {
    const failure = toFailure(error, () => 150) as ApplicationFailure;
    expect(failure).toBeInstanceOf(ApplicationFailure);
    expect(failure).toMatchObject({ nonRetryable: false, nextRetryDelay: 150 });
    expect(failure.message).toBe(typeof error === 'string' ? error : error.message);
  });

  test.each([
    ['a rule', new StoreError('RevisionConflict', 'no')],
    ['a guard', new GuardFailed('chain', {})],
    ['a refusal of the database', Object.assign(new Error('violates'), { code: '23514' })],
    ['a defect', new TypeError('x is not a function')],
    ['a failure that is not retried', ApplicationFailure.nonRetryable('no')],
  ])('%s: not retried, and no delay is drawn', (_, error) => {
    const drawn = jest.fn(() => 150);
    const failure = toFailure(error, drawn);
    expect(failure).toMatchObject({ nonRetryable: true });
    expect((failure as ApplicationFailure).nextRetryDelay ?? null).toBeNull();
    expect(drawn).not.toHaveBeenCalled();
  });

  test('a cancellation stays one, and a delay that was chosen stays', () => {
    const cancelled = new CancelledFailure('by an operator');
    expect(toFailure(cancelled, () => 150)).toBe(cancelled);
    const chosen = ApplicationFailure.create({ message: 'later', nextRetryDelay: 7 });
    expect(toFailure(chosen, () => 150)).toMatchObject({ nextRetryDelay: 7 });
  });
});

/** The delays that the worker answers with for the attempts of one activity, as Temporal would see them. */
async function delays(attempts: number, random?: () => number): Promise<number[]> {
  const deps = { reached: () => undefined };
  const { failing } = withAttempts(deps, { failing: () => Promise.reject(lost()) }, random);
  const found: number[] = [];
  for (let attempt = 1; attempt <= attempts; attempt += 1) {
    const environment = new MockActivityEnvironment({ attempt, retryPolicy: POLICY }, { logger: QUIET });
    const failure = await environment.run(failing).catch((error: ApplicationFailure) => error);
    found.push((failure as ApplicationFailure).nextRetryDelay as number);
  }
  return found;
}

test('F10: two activities that fail together at every attempt do not come back together', async () => {
  const [one, other] = [seededRandom(1), seededRandom(2)];
  const ofOne = await delays(12, () => one.integer(0, 999) / 1000);
  const ofOther = await delays(12, () => other.integer(0, 999) / 1000);
  expect(ofOne.filter((delayMs, at) => delayMs === ofOther[at])).toEqual([]);
  // Further apart than an attempt takes, once the backoff is at its maximum.
  const apart = ofOne.map((delayMs, at) => Math.abs(delayMs - ofOther[at]!));
  expect(Math.max(...apart)).toBeGreaterThan(1_000);
});

test('F10: the delays are random where nobody chooses them, and the first is no longer than before', async () => {
  const first = await Promise.all(Array.from({ length: 20 }, () => delays(1)));
  expect(new Set(first.flat()).size).toBeGreaterThan(1);
  expect(Math.max(...first.flat())).toBeLessThanOrEqual(200);
});

test('the attempt and its policy are those of the run', async () => {
  expect(await delays(3, () => 0)).toEqual([100, 200, 400]);
});
