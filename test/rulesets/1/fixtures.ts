import { parseMicroUnits } from '../../../src/numbers/amounts';
import { Decimal, decimalText } from '../../../src/numbers/decimal';
import type { Amount, Ratio, UnitHours, UsdPrice, UsdVolume } from '../../../src/numbers/units';
import { type Policy, parsePolicy } from '../../../src/rulesets/1/policy';
import {
  type EpochFacts,
  type History,
  METRICS,
  type PerformanceFacts,
  type PublishedEpoch,
  type PublishedMarket,
  type TokenObservation,
} from '../../../src/rulesets/1/records';

type Json = { [key: string]: unknown };

/**
 * A policy of round numbers, so that each term can be read off a result: one market of each family, weights of tenths,
 * a step of an eighth. Where a test needs another number it says so with {@link policyWith}.
 */
export const DOCUMENT = {
  ruleset: 1,
  name: 'test',
  token: { symbol: 'TST', decimals: 6 },
  epoch: {
    genesis: '2020-05-01T00:00:00Z',
    lengthSeconds: '3600',
    graceSeconds: '300',
    inputDeadlineSeconds: '21600',
    holdSeconds: '86400',
  },
  history: { window: '8', season: '2', alpha: '0.5', fastAlpha: '0.5', slowAlpha: '0.25', growthWindow: '3' },
  market: {
    'gpu.v100': market('compute', '2', '0.5', '8'),
    'gpu.t4': market('compute', '1', '0.25', '4'),
    disk: market('storage', '0.01', '0.001', '0.1'),
  },
  pricing: {
    maxStep: '0.125',
    weights: {
      supply: '0.10',
      demand: '0.15',
      marketConditions: '0.05',
      availableCapacity: '0.30',
      providerGrowth: '0.05',
      usagePatterns: '0.10',
      competition: '0.15',
      marketTrends: '0.10',
    },
    marketConditions: { tradingActivityWeight: '0.5', macroWeight: '0.5', macroRange: '0.2' },
    providerGrowth: { target: '0', range: '0.5' },
    peakDemand: { threshold: '1.10', full: '1.50', premium: '0.25' },
    competition: { minQuotes: '3', bandLow: '0.40', bandHigh: '1.50' },
  },
  rewards: {
    sensitivity: { marketConditions: '0.10', networkDemand: '0.20', resourceAvailability: '0.50' },
    networkMultiplier: { min: '0.50', max: '3' },
    growthPhases: [
      { name: 'bootstrap', belowProviders: '3', multiplier: '1.5' },
      { name: 'expansion', belowProviders: '10', multiplier: '1.2' },
      { name: 'maturity', multiplier: '1' },
    ],
    performance: {
      minimumUptime: '0.50',
      weights: { uptime: '3', responseTime: '2', errorRate: '3', userRating: '2' },
      curves: {
        uptime: [
          ['0.50', '0'],
          ['0.95', '0.7'],
          ['1', '1'],
        ],
        responseTime: [
          ['50', '1'],
          ['200', '0.7'],
          ['1000', '0'],
        ],
        errorRate: [
          ['0', '1'],
          ['0.01', '0.8'],
          ['0.10', '0'],
        ],
        userRating: [
          ['1', '0'],
          ['4', '0.8'],
          ['5', '1'],
        ],
      },
      missingScore: { responseTime: '0', errorRate: '0.1', userRating: '0.8' },
      multiplier: [
        ['0', '0.25'],
        ['0.80', '0.80'],
        ['0.95', '1'],
        ['1', '1.20'],
      ],
    },
  },
  pool: { perEpoch: '1000', decay: '0.5', decayEpochs: '100' },
  caps: { providerShare: '0.20' },
  tokenPrice: { minSources: '2', maxAgeSeconds: '7200', maxSourceDeviation: '0.10' },
  breakers: {
    priceChange: '0.25',
    totalChange: '0.55',
    supplyDrop: '0.25',
    topShare: '0.50',
    belowMinimumUptimeShare: '0.25',
    tokenMove: '0.25',
    overServed: '0.02',
    unmeasuredShare: '0.10',
  },
};

function market(family: string, basePrice: string, floor: string, ceiling: string) {
  return { family, unit: 'hour', basePrice, floor, ceiling, targetUtilisation: '0.5', standbyShare: '0.10' };
}

/** A key to leave out. */
export const REMOVED = Symbol('removed');

/** The document with some keys changed; keys of the path are separated by `/`, since market names contain dots. */
export function documentWith(changes: Readonly<Record<string, unknown>>): Json {
  const document = structuredClone(DOCUMENT) as unknown as Json;
  for (const [path, value] of Object.entries(changes)) {
    const keys = path.split('/');
    const last = keys.pop() as string;
    const parent = keys.reduce<Json>((node, key) => node[key] as Json, document);
    if (value === REMOVED) delete parent[last];
    else parent[last] = value;
  }
  return document;
}

export function policyWith(changes: Readonly<Record<string, unknown>> = {}): Policy {
  return parsePolicy(documentWith(changes));
}

/** Token rows of two sources that agree: T = 0.5, V = 100. */
export function tokenRows(epoch: number, price = '0.5', volume = '50'): TokenObservation[] {
  const observedAtSeconds = 1_588_291_200 + (epoch + 1) * 3600 - 60;
  return ['exchange', 'oracle'].map((source) => ({
    source,
    observedAtSeconds,
    priceUsd: usd(price),
    volumeUsd: new Decimal(volume) as UsdVolume,
  }));
}

export const usd = (text: string) => new Decimal(text) as UsdPrice;
export const ratio = (text: string) => new Decimal(text) as Ratio;
export const hours = (text: string) => new Decimal(text) as UnitHours;
/** Micro-units of a number of unit-hours. */
export const micro = (text: string) => parseMicroUnits(text);

export const GOOD_PERFORMANCE: PerformanceFacts = {
  activeProviders: 5,
  measuredUptimes: 5,
  belowMinimumUptime: 0,
  medianUptime: ratio('0.99'),
  measuredMetrics: METRICS,
};

/** One market's sums as [offered, used, requested] in unit-hours. */
export type Totals = Readonly<Record<string, readonly [offered: string, used: string, requested: string | null]>>;

export function factsOf(epoch: number, totals: Totals, more: Partial<EpochFacts> = {}): EpochFacts {
  return {
    epoch,
    totals: Object.entries(totals).map(([name, [offered, used, requested]]) => ({
      market: name,
      supply: micro(offered),
      used: micro(used),
      requested: requested === null ? null : micro(requested),
    })),
    quotes: [],
    token: tokenRows(epoch),
    macro: null,
    performance: GOOD_PERFORMANCE,
    ...more,
  };
}

/** A published epoch with markets as [S, D]; base and price are 2 unless said otherwise. */
export function published(
  epoch: number,
  markets: Readonly<Record<string, readonly [supply: string, demand: string]>>,
  more: Partial<Omit<PublishedEpoch, 'markets'>> & { readonly market?: Partial<PublishedMarket> } = {},
): PublishedEpoch {
  const { market: every, ...head } = more;
  return {
    epoch,
    revision: 1,
    contentDigest: '0'.repeat(64),
    activeProviders: 5,
    growthPhase: 'bootstrap',
    tokenPrice: usd('0.5'),
    tokenVolume: new Decimal(100) as UsdVolume,
    sum: 1000n as Amount,
    markets: Object.entries(markets).map(([name, [supply, demand]]) => ({
      market: name,
      supply: hours(supply),
      demand: hours(demand),
      competitor: null,
      competitorEpoch: null,
      base: usd('2'),
      price: usd('2'),
      ...every,
    })),
    ...head,
  };
}

/** A history whose last bases are those of the epochs themselves. */
export function historyOf(...epochs: readonly PublishedEpoch[]): History {
  const lastBases = new Map<string, UsdPrice>();
  for (const { markets } of epochs) for (const { market: name, base } of markets) lastBases.set(name, base);
  return { epochs, lastBases };
}

/** A decimal or null as text, for comparing. */
export const text = (x: Decimal | null) => (x === null ? null : decimalText(x));
