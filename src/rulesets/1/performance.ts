import { NANO, roundHalfEvenDivide, toNano } from '../../numbers/amounts';
import { compare, exact, fraction } from '../../numbers/fractions';
import type { NanoRatio } from '../../numbers/units';
import { type Curve, compileCurve, greatestDivisor } from './curves';
import type { Policy } from './policy';
import type {
  Derivation,
  Metric,
  PayoutReason,
  PerformanceFacts,
  PerformanceScore,
  PerformanceValues,
  ProviderRows,
} from './records';
import { METRICS } from './records';

/** Performance multiplier M4 and eligibility (spec §6). Integers of 10^-9 only: this runs once per provider. */

const NANO_PER_MICRO = 1_000n;
const NANO_PER_MILLI = 1_000_000n;
const ONE = NANO as NanoRatio;

/**
 * false: the epoch gives no verdict on performance, since more than the share breakers.unmeasuredShare of the N
 * providers has no measured uptime, or the median of those measured is under minimumUptime (spec §6).
 */
export function performanceVerdict(policy: Policy, facts: PerformanceFacts): boolean {
  if (tooManyUnmeasured(policy, facts)) return false;
  return !facts.medianUptime?.lessThan(policy.rewards.performance.minimumUptime);
}

/** More than the share breakers.unmeasuredShare of the N providers has no measured uptime (spec §3, §6, §8). */
export function tooManyUnmeasured(
  policy: Policy,
  facts: Pick<PerformanceFacts, 'activeProviders' | 'measuredUptimes'>,
): boolean {
  const unmeasured = fraction(BigInt(facts.activeProviders - facts.measuredUptimes), BigInt(facts.activeProviders));
  return compare(unmeasured, exact(policy.breakers.unmeasuredShare)) > 0;
}

/** Scores one provider; a metric that is null is not measured, and no row at all is four of those. */
export interface ScorePerformance {
  (values: PerformanceValues | null): PerformanceScore;
  /** M4 alone, for the loop over all providers. */
  readonly multiplier: (values: PerformanceValues | null) => NanoRatio;
}

interface CountedMetric {
  readonly metric: Metric;
  readonly weight: bigint;
  readonly curve: Curve;
  readonly missing: NanoRatio;
}

/**
 * Prepares the scoring of an epoch's providers: the metrics that count, their weights and curves (spec §6).
 *
 * A metric measured for none of the N providers is left out. The result is `quality: null`, M4 = 1 for all where the
 * epoch gives no verdict.
 */
export function compilePerformance(
  policy: Policy,
  derivation: Pick<Derivation, 'performanceVerdict' | 'measuredMetrics'>,
): ScorePerformance {
  if (!derivation.performanceVerdict) return Object.assign(() => NO_VERDICT, { multiplier: () => ONE });
  const { weights, missingScore, curves, multiplier } = policy.rewards.performance;
  const counted = METRICS.filter((metric) => derivation.measuredMetrics.includes(metric)).map((metric) => ({
    metric,
    weight: toNano(weights[metric]) as bigint,
    curve: compileCurve(curves[metric]),
    // An uptime that is not measured has no score: such a provider is not eligible (spec §6).
    missing: metric === 'uptime' ? (0n as NanoRatio) : toNano(missingScore[metric]),
  }));
  const sumOfWeights = counted.reduce((sum, { weight }) => sum + weight, 0n);
  const multiplierOf = compileCurve(multiplier);
  const score = (values: PerformanceValues | null): PerformanceScore => {
    const scores: Partial<Record<Metric, NanoRatio>> = {};
    let weighted = 0n;
    for (const { metric, weight, curve, missing } of counted) {
      const value = values === null ? null : nanoValue(values, metric);
      const own = value === null ? missing : curve(value);
      scores[metric] = own;
      weighted += weight * own;
    }
    const quality = (sumOfWeights === 0n ? 0n : roundHalfEvenDivide(weighted, sumOfWeights)) as NanoRatio;
    return { scores, quality, multiplier: multiplierOf(quality) };
  };
  const inNumbers = multiplierInNumbers(counted, multiplierOf);
  return Object.assign(score, { multiplier: inNumbers ?? ((values) => score(values).multiplier) });
}

/** M4 in numbers, with the weights in lowest terms; null: a sum of the policy's weights and scores can reach 2^53. */
function multiplierInNumbers(
  counted: readonly CountedMetric[],
  multiplierOf: Curve,
): ScorePerformance['multiplier'] | null {
  const divisor = counted.reduce((common, { weight }) => greatestDivisor(common, weight), 0n);
  if (divisor === 0n || multiplierOf.inNumbers === null) return null;
  const sum = counted.reduce((all, { weight }) => all + weight / divisor, 0n);
  const reach = counted.reduce(
    (all, { weight, curve, missing }) => all + (weight / divisor) * (curve.most + missing),
    sum,
  );
  // Twice, since a rest is doubled for rounding.
  if (2n * reach > BigInt(Number.MAX_SAFE_INTEGER)) return null;
  const terms = counted.map(({ metric, weight, curve, missing }) => ({
    metric,
    // biome-ignore lint/plugin/exact-money: at most `reach`, which is a safe integer
    weight: Number(weight / divisor),
    curve: curve.inNumbers,
    // biome-ignore lint/plugin/exact-money: at most `reach`, which is a safe integer
    missing: Number(missing),
  }));
  if (!terms.every((term): term is NumberTerm => term.curve !== null)) return null;
  // biome-ignore lint/plugin/exact-money: at most `reach`, which is a safe integer
  return sumInNumbers(terms, Number(sum), multiplierOf.inNumbers);
}

interface NumberTerm {
  readonly metric: Metric;
  readonly weight: number;
  readonly curve: (x: number) => number;
  readonly missing: number;
}

function sumInNumbers(
  terms: readonly NumberTerm[],
  sum: number,
  multiplierOf: (quality: number) => number,
): ScorePerformance['multiplier'] {
  return (values) => {
    let weighted = 0;
    for (const { metric, weight, curve, missing } of terms) {
      const value = values === null ? null : nanoNumber(values, metric);
      weighted += weight * (value === null ? missing : curve(value));
    }
    const rest = weighted % sum;
    const floor = (weighted - rest) / sum;
    // Half to even: nothing here is below 0.
    const up = 2 * rest > sum || (2 * rest === sum && floor % 2 === 1);
    return BigInt(multiplierOf(up ? floor + 1 : floor)) as NanoRatio;
  };
}

/** {@link nanoValue} as a number; one beyond 2^53 is not exact and stays beyond it. */
function nanoNumber(values: PerformanceValues, metric: Metric): number | null {
  switch (metric) {
    case 'uptime':
      return values.uptimeMicro === null ? null : values.uptimeMicro * 1_000;
    case 'responseTime':
      // biome-ignore lint/plugin/exact-money: milliseconds, and flat beyond 2^53
      return values.responseMicroseconds === null ? null : Number(values.responseMicroseconds) * 1_000_000;
    case 'errorRate':
      return values.errorRateMicro === null ? null : values.errorRateMicro * 1_000;
    case 'userRating':
      return values.ratingMilli === null ? null : values.ratingMilli * 1_000_000;
  }
}

const NO_VERDICT: PerformanceScore = Object.freeze({ scores: Object.freeze({}), quality: null, multiplier: ONE });

/** A metric's value as an integer of 10^-9 of its curve's x; null: not measured. */
function nanoValue(values: PerformanceValues, metric: Metric): bigint | null {
  switch (metric) {
    case 'uptime':
      return values.uptimeMicro === null ? null : BigInt(values.uptimeMicro) * NANO_PER_MICRO;
    case 'responseTime':
      return values.responseMicroseconds === null ? null : values.responseMicroseconds * NANO_PER_MILLI;
    case 'errorRate':
      return values.errorRateMicro === null ? null : BigInt(values.errorRateMicro) * NANO_PER_MICRO;
    case 'userRating':
      return values.ratingMilli === null ? null : BigInt(values.ratingMilli) * NANO_PER_MILLI;
  }
}

/**
 * Why a provider with a capacity row is paid or not: the first that applies (spec §6). Where the epoch gives no verdict
 * on performance, the last two reasons do not apply.
 */
export function payoutReason(policy: Policy, provider: ProviderRows, verdict: boolean): PayoutReason {
  return reasonOf(provider, verdict, toNano(policy.rewards.performance.minimumUptime));
}

/** {@link payoutReason} with the policy's minimumUptime at hand, for the loop over all providers. */
export function reasonOf(provider: ProviderRows, verdict: boolean, minimumUptime: NanoRatio): PayoutReason {
  if (provider.status === 'suspended') return 'suspended';
  if (provider.capacity.every(({ offered }) => offered === 0n)) return 'no-capacity';
  if (!verdict) return 'paid';
  const uptimeMicro = provider.performance?.uptimeMicro ?? null;
  if (uptimeMicro === null) return 'no-performance-data';
  return BigInt(uptimeMicro) * NANO_PER_MICRO < minimumUptime ? 'below-minimum-uptime' : 'paid';
}
