import { fromNano, scaledText, toNano } from '../numbers/amounts';
import { Decimal, decimalText } from '../numbers/decimal';
import type { CurvePoints, Policy } from '../rulesets/1/policy';
import {
  type Derivation,
  METRICS,
  type Metric,
  type PayoutReason,
  type PerformanceScore,
  type PerformanceValues,
} from '../rulesets/1/records';

/** The piece of a curve that a value lies on: the two ends are one where the value is outside of the curve. */
export interface CurveSegment {
  readonly from: { readonly x: string; readonly y: string };
  readonly to: { readonly x: string; readonly y: string };
}

/** How a provider's performance became its multiplier (spec §6). Sum of weighted / sum of weights = quality, q9. */
export interface PerformanceExplanation {
  /** false: the epoch gives no verdict on performance, and every multiplier is 1. */
  readonly verdict: boolean;
  readonly metrics: readonly MetricExplanation[];
  /** Sums over the metrics that count; null without a verdict. */
  readonly weights: string | null;
  readonly weighted: string | null;
  /** Q; null without a verdict, or for a provider that is not eligible. */
  readonly quality: string | null;
  /** Of the multiplier's curve, where the quality lies; null without quality. */
  readonly segment: CurveSegment | null;
  /** M4; null for a provider that is not eligible. */
  readonly multiplier: string | null;
}

export interface MetricExplanation {
  readonly metric: Metric;
  readonly title: string;
  /** As measured, in `unit`; null: not measured. */
  readonly value: string | null;
  readonly unit: string;
  /** false: measured for nobody in this epoch, or there is no verdict, so it is left out. */
  readonly counts: boolean;
  readonly weight: string;
  /** q, from 0 to 1: the curve's, or the policy's missingScore; null where it does not count. */
  readonly score: string | null;
  /** Of the metric's curve, where the value lies; null where no value is scored. */
  readonly segment: CurveSegment | null;
  /** true: the score is the policy's for a metric that was not measured. */
  readonly assumed: boolean;
  /** weight * score, exactly. */
  readonly weighted: string | null;
}

const METRIC_WORDS: Readonly<Record<Metric, { readonly title: string; readonly unit: string }>> = {
  uptime: { title: 'uptime', unit: 'share' },
  responseTime: { title: 'response time', unit: 'ms' },
  errorRate: { title: 'error rate', unit: 'share' },
  userRating: { title: 'user rating', unit: '1 to 5' },
};

export function explainPerformance(
  policy: Policy,
  derivation: Pick<Derivation, 'performanceVerdict' | 'measuredMetrics'>,
  values: PerformanceValues | null,
  score: PerformanceScore | null,
): PerformanceExplanation {
  const { curves, multiplier: multiplierCurve } = policy.rewards.performance;
  let weights = 0n;
  let weighted = 0n;
  const metrics = METRICS.map((metric): MetricExplanation => {
    const weight = policy.rewards.performance.weights[metric];
    const value = values === null ? null : measuredText(values, metric);
    const found = score?.scores[metric];
    const segment = value === null || found === undefined ? null : segmentOf(curves[metric], new Decimal(value));
    const entry = { metric, ...METRIC_WORDS[metric], value, weight: decimalText(weight), segment };
    const counts = derivation.performanceVerdict && derivation.measuredMetrics.includes(metric);
    if (found === undefined) return { ...entry, counts, score: null, assumed: false, weighted: null };
    const part = toNano(weight) * found;
    weights += toNano(weight);
    weighted += part;
    return { ...entry, counts, score: scaledText(found, 9), assumed: value === null, weighted: scaledText(part, 18) };
  });
  const quality = score?.quality ?? null;
  const scored = quality !== null;
  return {
    verdict: derivation.performanceVerdict,
    metrics,
    weights: scored ? scaledText(weights, 9) : null,
    weighted: scored ? scaledText(weighted, 18) : null,
    quality: scored ? scaledText(quality, 9) : null,
    segment: scored ? segmentOf(multiplierCurve, fromNano(quality)) : null,
    multiplier: score === null ? null : scaledText(score.multiplier, 9),
  };
}

function segmentOf(points: CurvePoints, x: Decimal): CurveSegment {
  const upper = points.findIndex(([end]) => x.lessThanOrEqualTo(end));
  const to = points.at(upper)!;
  const from = upper <= 0 ? to : points[upper - 1]!;
  const end = ([px, py]: CurvePoints[number]) => ({ x: decimalText(px), y: decimalText(py) });
  return { from: end(from), to: end(to) };
}

function measuredText(values: PerformanceValues, metric: Metric): string | null {
  switch (metric) {
    case 'uptime':
      return values.uptimeMicro === null ? null : scaledText(BigInt(values.uptimeMicro), 6);
    case 'responseTime':
      return values.responseMicroseconds === null ? null : scaledText(values.responseMicroseconds, 3);
    case 'errorRate':
      return values.errorRateMicro === null ? null : scaledText(BigInt(values.errorRateMicro), 6);
    case 'userRating':
      return values.ratingMilli === null ? null : scaledText(BigInt(values.ratingMilli), 3);
  }
}

/** Why a provider is paid or not, for the provider (spec §6, eligibility). */
export function reasonWords(reason: PayoutReason, policy: Policy, verdict: boolean): string {
  switch (reason) {
    case 'paid':
      return verdict
        ? 'eligible: active, with capacity and enough uptime'
        : 'eligible: active, with capacity; this epoch gives no verdict on performance, so nobody gains or loses by it';
    case 'suspended':
      return 'suspended in the registry when the epoch was sealed: nothing is paid';
    case 'no-capacity':
      return 'offered nothing in any market: there is nothing to pay';
    case 'no-performance-data':
      return 'no measured uptime: hiding it must not pay, so nothing is paid';
    case 'below-minimum-uptime':
      return `uptime under the minimum of ${decimalText(policy.rewards.performance.minimumUptime)}: nothing is paid`;
  }
}
