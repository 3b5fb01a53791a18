import { NANO, roundHalfEvenDivide, toNano } from '../../numbers/amounts';
import { compare, exact, fraction } from '../../numbers/fractions';
import type { NanoRatio } from '../../numbers/units';
import { compileCurve } from './curves';
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
export type ScorePerformance = (values: PerformanceValues | null) => PerformanceScore;

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
  if (!derivation.performanceVerdict) return () => NO_VERDICT;
  const { weights, missingScore, curves, multiplier } = policy.rewards.performance;
  const counted = METRICS.filter((metric) => derivation.measuredMetrics.includes(metric)).map((metric) => ({
    metric,
    weight: toNano(weights[metric]),
    curve: compileCurve(curves[metric]),
    // An uptime that is not measured has no score: such a provider is not eligible (spec §6).
    missing: metric === 'uptime' ? (0n as NanoRatio) : toNano(missingScore[metric]),
  }));
  const sumOfWeights = counted.reduce((sum, { weight }) => sum + weight, 0n);
  const multiplierOf = compileCurve(multiplier);
  return (values) => {
    const scores: Partial<Record<Metric, NanoRatio>> = {};
    let weighted = 0n;
    for (const { metric, weight, curve, missing } of counted) {
      const value = values === null ? null : nanoValue(values, metric);
      const score = value === null ? missing : curve(value);
      scores[metric] = score;
      weighted += weight * score;
    }
    const quality = (sumOfWeights === 0n ? 0n : roundHalfEvenDivide(weighted, sumOfWeights)) as NanoRatio;
    return { scores, quality, multiplier: multiplierOf(quality) };
  };
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
