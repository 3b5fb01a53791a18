/** Performance: who is eligible and which multiplier M4 each provider's quality earns (spec §6). */
import {
  add,
  compare,
  type Fraction,
  fraction,
  isZero,
  median,
  multiply,
  ONE,
  q9,
  quotient,
  subtract,
  sum,
} from './fraction';
import { type Curve, METRICS, type Metric, type Policy } from './policy';
import { cellValue, type Row, type Tables } from './tables';

export type Reason = 'paid' | 'suspended' | 'no-capacity' | 'no-performance-data' | 'below-minimum-uptime';

export interface Judgement {
  readonly provider: string;
  readonly reason: Reason;
  /** Q; undefined for an ineligible provider and where the epoch gives no verdict. */
  readonly score: Fraction | undefined;
  /** M4. */
  readonly multiplier: Fraction;
}

/** Uptimes of the N providers, as sealing, breakers and the verdict see them. */
export interface UptimeCensus {
  readonly providers: number;
  readonly unmeasured: number;
  readonly belowMinimum: number;
  /** The uptimes of the epoch say nothing about single providers: M4 is 1 for all. */
  readonly noVerdict: boolean;
}

type Metrics = Readonly<Record<Metric, Fraction | undefined>>;

// Places in the performance table (spec §3).
const COLUMN: Readonly<Record<Metric, number>> = { uptime: 2, responseTime: 3, errorRate: 4, userRating: 5 };

function readMetrics(row: Row): Metrics {
  const value = (metric: Metric) => (row[COLUMN[metric]] === '' ? undefined : cellValue(row, COLUMN[metric]));
  return {
    uptime: value('uptime'),
    responseTime: value('responseTime'),
    errorRate: value('errorRate'),
    userRating: value('userRating'),
  };
}

function metricsByProvider(rows: Tables): Map<string, Metrics> {
  return new Map(rows.performance.map((row) => [row[1] as string, readMetrics(row)]));
}

/** The share `part / whole`, 0 of nothing. */
export function shareOf(part: number, whole: number): Fraction {
  return quotient(fraction(BigInt(part)), fraction(BigInt(whole)));
}

/** Counts the uptimes of the N providers and says whether the epoch gives a verdict on performance (spec §6). */
export function censusUptimes(rows: Tables, active: ReadonlySet<string>, policy: Policy): UptimeCensus {
  const metrics = metricsByProvider(rows);
  const uptimes = [...active].map((provider) => metrics.get(provider)?.uptime).filter((uptime) => uptime !== undefined);
  const { minimumUptime } = policy.performance;
  const unmeasured = active.size - uptimes.length;
  const tooManyUnmeasured = compare(shareOf(unmeasured, active.size), policy.breakers.unmeasuredShare) > 0;
  const medianBelow = uptimes.length > 0 && compare(median(uptimes), minimumUptime) < 0;
  return {
    providers: active.size,
    unmeasured,
    belowMinimum: uptimes.filter((uptime) => compare(uptime, minimumUptime) < 0).length,
    noVerdict: tooManyUnmeasured || medianBelow,
  };
}

/** The exact value of a piecewise linear curve at x, flat outside its points (spec §6). */
export function curveValue(curve: Curve, x: Fraction): Fraction {
  const above = curve.findIndex((point) => compare(x, point.x) <= 0);
  const upper = curve[above] ?? curve.at(-1);
  const lower = curve[above - 1];
  if (upper === undefined) throw new Error('policy: a curve without points');
  if (above === -1 || lower === undefined) return upper.y;
  const run = subtract(upper.x, lower.x);
  return add(lower.y, quotient(multiply(subtract(x, lower.x), subtract(upper.y, lower.y)), run));
}

/** Q: the weighted mean of the scores of the metrics that were measured for any of the N providers. */
function scoreOf(metrics: Metrics, counted: readonly Metric[], policy: Policy): Fraction {
  const { curves, missingScore, weights } = policy.performance;
  const weighted = counted.map((metric) => {
    const value = metrics[metric];
    if (value !== undefined) return multiply(weights[metric], q9(curveValue(curves[metric], value)));
    if (metric === 'uptime') throw new Error('an eligible provider has a measured uptime');
    return multiply(weights[metric], missingScore[metric]);
  });
  return q9(quotient(sum(weighted), sum(counted.map((metric) => weights[metric]))));
}

/** The reason of a provider, the first that applies (spec §6). */
function reasonOf(
  status: string,
  offersAnything: boolean,
  uptime: Fraction | undefined,
  noVerdict: boolean,
  minimumUptime: Fraction,
): Reason {
  if (status === 'suspended') return 'suspended';
  if (!offersAnything) return 'no-capacity';
  if (noVerdict) return 'paid';
  if (uptime === undefined) return 'no-performance-data';
  return compare(uptime, minimumUptime) < 0 ? 'below-minimum-uptime' : 'paid';
}

/** One judgement for each provider with a capacity row, ordered by identifier (spec §6). */
export function judgePerformance(
  rows: Tables,
  active: ReadonlySet<string>,
  census: UptimeCensus,
  policy: Policy,
): Judgement[] {
  const metrics = metricsByProvider(rows);
  const counted = METRICS.filter((metric) => [...active].some((provider) => metrics.get(provider)?.[metric]));
  const offering = new Set(rows.capacity.filter((row) => !isZero(cellValue(row, 3))).map((row) => row[1]));
  return rows.providers.map((row) => {
    const provider = row[0] as string;
    const own = metrics.get(provider);
    const reason = reasonOf(
      row[2] as string,
      offering.has(provider),
      own?.uptime,
      census.noVerdict,
      policy.performance.minimumUptime,
    );
    if (reason !== 'paid' || census.noVerdict || own === undefined) {
      return { provider, reason, score: undefined, multiplier: ONE };
    }
    const score = scoreOf(own, counted, policy);
    return { provider, reason, score, multiplier: q9(curveValue(policy.performance.multiplier, score)) };
  });
}
