/**
 * A policy document (spec §2) read into exact numbers. It is taken as valid: a missing key or a text that is no number
 * is an error that names the key by its path, but the bounds of §2 are not examined again here.
 */
import type { Calendar } from './calendar';
import { instantSeconds } from './calendar';
import { decimal, type Fraction } from './fraction';
import { byBytes } from './order';

export interface CurvePoint {
  readonly x: Fraction;
  readonly y: Fraction;
}
export type Curve = readonly CurvePoint[];

/** One market: prices in USD per unit-hour. */
export interface MarketPolicy {
  readonly market: string;
  readonly family: string;
  readonly basePrice: Fraction;
  readonly floor: Fraction;
  readonly ceiling: Fraction;
  readonly targetUtilisation: Fraction;
  readonly standbyShare: Fraction;
}

export const WEIGHTED_FACTORS = [
  'supply',
  'demand',
  'marketConditions',
  'availableCapacity',
  'providerGrowth',
  'usagePatterns',
  'competition',
  'marketTrends',
] as const;
export type WeightedFactor = (typeof WEIGHTED_FACTORS)[number];

export const METRICS = ['uptime', 'responseTime', 'errorRate', 'userRating'] as const;
export type Metric = (typeof METRICS)[number];

export const BREAKERS = [
  'priceChange',
  'totalChange',
  'supplyDrop',
  'topShare',
  'belowMinimumUptimeShare',
  'tokenMove',
  'overServed',
  'unmeasuredShare',
] as const;
export type BreakerId = (typeof BREAKERS)[number];

export interface GrowthPhase {
  readonly name: string;
  /** undefined: the last phase, which has no limit. */
  readonly belowProviders: number | undefined;
  readonly multiplier: Fraction;
}

export interface Policy {
  /** The document as written, which is what the policy's hash is taken of. */
  readonly document: unknown;
  readonly decimals: number;
  readonly calendar: Calendar;
  readonly history: {
    readonly window: number;
    readonly season: number;
    readonly growthWindow: number;
    readonly alpha: Fraction;
    readonly fastAlpha: Fraction;
    readonly slowAlpha: Fraction;
  };
  /** Ordered by name. */
  readonly markets: readonly MarketPolicy[];
  readonly pricing: {
    readonly maxStep: Fraction;
    readonly weights: Readonly<Record<WeightedFactor, Fraction>>;
    readonly tradingActivityWeight: Fraction;
    readonly macroWeight: Fraction;
    readonly macroRange: Fraction;
    readonly growthTarget: Fraction;
    readonly growthRange: Fraction;
    readonly peakThreshold: Fraction;
    readonly peakFull: Fraction;
    readonly peakPremium: Fraction;
    readonly minQuotes: number;
    readonly bandLow: Fraction;
    readonly bandHigh: Fraction;
  };
  readonly sensitivity: {
    readonly marketConditions: Fraction;
    readonly networkDemand: Fraction;
    readonly resourceAvailability: Fraction;
  };
  readonly networkMultiplier: { readonly min: Fraction; readonly max: Fraction };
  readonly growthPhases: readonly GrowthPhase[];
  readonly performance: {
    readonly minimumUptime: Fraction;
    readonly weights: Readonly<Record<Metric, Fraction>>;
    readonly curves: Readonly<Record<Metric, Curve>>;
    readonly missingScore: Readonly<Record<Exclude<Metric, 'uptime'>, Fraction>>;
    readonly multiplier: Curve;
  };
  readonly pool: { readonly perEpoch: Fraction; readonly decay: Fraction; readonly decayEpochs: number };
  readonly providerShare: Fraction;
  readonly tokenPrice: {
    readonly minSources: number;
    readonly maxAgeSeconds: number;
    readonly maxSourceDeviation: Fraction;
  };
  readonly breakers: Readonly<Record<BreakerId, Fraction>>;
}

/** The value at a path of keys. Throws an Error that names the path where a key is missing. */
function at(document: unknown, path: readonly (string | number)[]): unknown {
  let value = document;
  for (const key of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) {
      throw new Error(`policy: ${path.join('.')} is missing`);
    }
    value = (value as Record<string | number, unknown>)[key];
  }
  return value;
}

function list(document: unknown, ...path: (string | number)[]): readonly unknown[] {
  const value = at(document, path);
  if (!Array.isArray(value)) throw new Error(`policy: ${path.join('.')} is not a list`);
  return value;
}

function text(document: unknown, ...path: (string | number)[]): string {
  const value = at(document, path);
  if (typeof value !== 'string') throw new Error(`policy: ${path.join('.')} is not a string`);
  return value;
}

function number(document: unknown, ...path: (string | number)[]): Fraction {
  // 12 decimals are right for prices and lenient for the rest: the bounds of §2 were examined before.
  return decimal(text(document, ...path), 12);
}

function count(document: unknown, ...path: (string | number)[]): number {
  // biome-ignore lint/plugin/exact-money: a count of the policy, bounded when the document was examined
  return Number(decimal(text(document, ...path), 0).numerator);
}

function curve(document: unknown, ...path: (string | number)[]): Curve {
  return list(document, ...path).map((_, index) => ({
    x: number(document, ...path, index, 0),
    y: number(document, ...path, index, 1),
  }));
}

function numbers<Key extends string>(
  document: unknown,
  keys: readonly Key[],
  ...path: string[]
): Readonly<Record<Key, Fraction>> {
  return Object.fromEntries(keys.map((key) => [key, number(document, ...path, key)])) as Record<Key, Fraction>;
}

function readMarkets(document: unknown): MarketPolicy[] {
  return Object.keys(at(document, ['market']) as object)
    .sort(byBytes)
    .map((market) => ({
      market,
      family: text(document, 'market', market, 'family'),
      basePrice: number(document, 'market', market, 'basePrice'),
      floor: number(document, 'market', market, 'floor'),
      ceiling: number(document, 'market', market, 'ceiling'),
      targetUtilisation: number(document, 'market', market, 'targetUtilisation'),
      standbyShare: number(document, 'market', market, 'standbyShare'),
    }));
}

function readPricing(document: unknown): Policy['pricing'] {
  return {
    maxStep: number(document, 'pricing', 'maxStep'),
    weights: numbers(document, WEIGHTED_FACTORS, 'pricing', 'weights'),
    tradingActivityWeight: number(document, 'pricing', 'marketConditions', 'tradingActivityWeight'),
    macroWeight: number(document, 'pricing', 'marketConditions', 'macroWeight'),
    macroRange: number(document, 'pricing', 'marketConditions', 'macroRange'),
    growthTarget: number(document, 'pricing', 'providerGrowth', 'target'),
    growthRange: number(document, 'pricing', 'providerGrowth', 'range'),
    peakThreshold: number(document, 'pricing', 'peakDemand', 'threshold'),
    peakFull: number(document, 'pricing', 'peakDemand', 'full'),
    peakPremium: number(document, 'pricing', 'peakDemand', 'premium'),
    minQuotes: count(document, 'pricing', 'competition', 'minQuotes'),
    bandLow: number(document, 'pricing', 'competition', 'bandLow'),
    bandHigh: number(document, 'pricing', 'competition', 'bandHigh'),
  };
}

function readGrowthPhases(document: unknown): GrowthPhase[] {
  return list(document, 'rewards', 'growthPhases').map((phase, index) => ({
    name: text(document, 'rewards', 'growthPhases', index, 'name'),
    belowProviders: Object.hasOwn(phase as object, 'belowProviders')
      ? count(document, 'rewards', 'growthPhases', index, 'belowProviders')
      : undefined,
    multiplier: number(document, 'rewards', 'growthPhases', index, 'multiplier'),
  }));
}

function readPerformance(document: unknown): Policy['performance'] {
  const path = ['rewards', 'performance'] as const;
  return {
    minimumUptime: number(document, ...path, 'minimumUptime'),
    weights: numbers(document, METRICS, ...path, 'weights'),
    curves: Object.fromEntries(METRICS.map((metric) => [metric, curve(document, ...path, 'curves', metric)])) as Record<
      Metric,
      Curve
    >,
    missingScore: numbers(document, ['responseTime', 'errorRate', 'userRating'], ...path, 'missingScore'),
    multiplier: curve(document, ...path, 'multiplier'),
  };
}

/**
 * Reads a valid policy document (plain objects, lists and strings, as parsed from its YAML; spec §2).
 * Throws an Error that names the key where one is missing, and for a ruleset other than 1.
 */
export function readPolicy(document: unknown): Policy {
  if (at(document, ['ruleset']) !== 1) throw new Error('policy: ruleset is not 1');
  return {
    document,
    decimals: at(document, ['token', 'decimals']) as number,
    calendar: {
      genesisSeconds: instantSeconds(text(document, 'epoch', 'genesis')),
      lengthSeconds: count(document, 'epoch', 'lengthSeconds'),
    },
    history: {
      window: count(document, 'history', 'window'),
      season: count(document, 'history', 'season'),
      growthWindow: count(document, 'history', 'growthWindow'),
      ...numbers(document, ['alpha', 'fastAlpha', 'slowAlpha'], 'history'),
    },
    markets: readMarkets(document),
    pricing: readPricing(document),
    sensitivity: numbers(
      document,
      ['marketConditions', 'networkDemand', 'resourceAvailability'],
      'rewards',
      'sensitivity',
    ),
    networkMultiplier: numbers(document, ['min', 'max'], 'rewards', 'networkMultiplier'),
    growthPhases: readGrowthPhases(document),
    performance: readPerformance(document),
    pool: {
      ...numbers(document, ['perEpoch', 'decay'], 'pool'),
      decayEpochs: count(document, 'pool', 'decayEpochs'),
    },
    providerShare: number(document, 'caps', 'providerShare'),
    tokenPrice: {
      minSources: count(document, 'tokenPrice', 'minSources'),
      maxAgeSeconds: count(document, 'tokenPrice', 'maxAgeSeconds'),
      maxSourceDeviation: number(document, 'tokenPrice', 'maxSourceDeviation'),
    },
    breakers: numbers(document, BREAKERS, 'breakers'),
  };
}
