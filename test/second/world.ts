/** A small world for hand-calculated cases: a policy in round figures, sealed rows, and records of past epochs. */
import { canonicalTables } from '../../src/audit/second/inputs';
import { type Policy, readPolicy } from '../../src/audit/second/policy';
import { type EpochRecord, readRecord } from '../../src/audit/second/records';
import type { Row, TableName, Tables } from '../../src/audit/second/tables';

export type Document = { [key: string]: Document | string | number | Document[] | string[][] };

function market(family: string): Document {
  return {
    family,
    unit: 'hour',
    basePrice: '2',
    floor: '0.5',
    ceiling: '8',
    targetUtilisation: '0.5',
    standbyShare: '0.1',
  };
}

/** Markets `gpu` and `tpu` (compute) and `disk` (storage); epochs of 100 seconds from 2020-01-01. */
export function policyDocument(): Document {
  return {
    ruleset: 1,
    name: 'test',
    token: { symbol: 'TST', decimals: 6 },
    epoch: {
      genesis: '2020-01-01T00:00:00Z',
      lengthSeconds: '100',
      graceSeconds: '0',
      inputDeadlineSeconds: '0',
      holdSeconds: '1',
    },
    history: { window: '6', season: '2', alpha: '0.5', fastAlpha: '0.8', slowAlpha: '0.2', growthWindow: '4' },
    market: { gpu: market('compute'), tpu: market('compute'), disk: market('storage') },
    pricing: {
      maxStep: '0.5',
      weights: {
        supply: '0.02',
        demand: '0.03',
        marketConditions: '0.05',
        availableCapacity: '0.07',
        providerGrowth: '0.11',
        usagePatterns: '0.13',
        competition: '0.17',
        marketTrends: '0.42',
      },
      marketConditions: { tradingActivityWeight: '0.3', macroWeight: '0.7', macroRange: '0.2' },
      providerGrowth: { target: '0', range: '0.5' },
      peakDemand: { threshold: '1', full: '2', premium: '0.1' },
      competition: { minQuotes: '2', bandLow: '0.1', bandHigh: '10' },
    },
    rewards: {
      sensitivity: { marketConditions: '0.1', networkDemand: '0.2', resourceAvailability: '0.5' },
      networkMultiplier: { min: '0.5', max: '3' },
      growthPhases: [
        { name: 'bootstrap', belowProviders: '3', multiplier: '1.5' },
        { name: 'expansion', belowProviders: '5', multiplier: '1.2' },
        { name: 'maturity', multiplier: '1' },
      ],
      performance: {
        minimumUptime: '0.5',
        weights: { uptime: '2', responseTime: '3', errorRate: '5', userRating: '7' },
        curves: {
          uptime: [
            ['0.5', '0'],
            ['1', '1'],
          ],
          responseTime: [
            ['0', '1'],
            ['1000', '0'],
          ],
          errorRate: [
            ['0', '1'],
            ['0.1', '0'],
          ],
          userRating: [
            ['1', '0'],
            ['5', '1'],
          ],
        },
        missingScore: { responseTime: '0.1', errorRate: '0.2', userRating: '0.3' },
        multiplier: [
          ['0', '0.5'],
          ['0.5', '1'],
          ['1', '2'],
        ],
      },
    },
    pool: { perEpoch: '1000', decay: '0.5', decayEpochs: '10' },
    caps: { providerShare: '0.5' },
    tokenPrice: { minSources: '1', maxAgeSeconds: '50', maxSourceDeviation: '0.1' },
    breakers: {
      priceChange: '0.2',
      totalChange: '0.2',
      supplyDrop: '0.2',
      topShare: '0.5',
      belowMinimumUptimeShare: '0.5',
      tokenMove: '0.2',
      overServed: '0.1',
      unmeasuredShare: '0.25',
    },
  };
}

/** The policy with single values changed, each by its path of keys joined by `/`. */
export function policyWith(changes: Record<string, unknown> = {}): Policy {
  const document = policyDocument();
  for (const [path, value] of Object.entries(changes)) {
    const keys = path.split('/');
    let inner = document;
    for (const key of keys.slice(0, -1)) inner = inner[key] as Document;
    inner[keys.at(-1) as string] = value as Document;
  }
  return readPolicy(document);
}

/** Rows from lines of cells joined by commas. */
export function rowsOf(lines: Partial<Record<TableName, string[]>>): Tables {
  const split = (name: TableName): Row[] => (lines[name] ?? []).map((line) => line.split(','));
  return canonicalTables({
    providers: split('providers'),
    capacity: split('capacity'),
    performance: split('performance'),
    demand: split('demand'),
    quotes: split('quotes'),
    token: split('token'),
    macro: split('macro'),
  });
}

/** Seconds from 2020-01-01, below one hour, as an instant. */
export function instant(seconds: number): string {
  const two = (count: number) => String(count).padStart(2, '0');
  return `2020-01-01T00:${two(Math.floor(seconds / 60))}:${two(seconds % 60)}Z`;
}

export interface PastMarket {
  supply?: string;
  demand?: string;
  competitor?: string;
  competitorEpoch?: string;
  base?: string;
  price?: string;
}

/** A published epoch; markets that are not named were not priced by it. */
export function past(
  epoch: number,
  markets: Record<string, PastMarket>,
  header: {
    activeProviders?: number;
    growthPhase?: string;
    tokenPrice?: string;
    tokenVolume?: string;
    sum?: string;
  } = {},
): EpochRecord {
  return readRecord({
    epoch,
    activeProviders: header.activeProviders ?? 2,
    growthPhase: header.growthPhase ?? 'bootstrap',
    tokenPrice: header.tokenPrice ?? '1',
    tokenVolume: header.tokenVolume ?? '100',
    sum: header.sum ?? '0',
    prices: Object.entries(markets).map(([market, figures]) => [
      market,
      figures.supply ?? '10',
      '0',
      figures.demand ?? '10',
      ...['0', '0', '0', '0', '0'],
      figures.competitor ?? '',
      figures.competitorEpoch ?? '',
      '0',
      figures.base ?? '2',
      figures.price ?? '2',
    ]),
  });
}
