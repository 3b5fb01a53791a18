export interface PolicyKnobs {
  /** Default: years ago, so that every epoch is due and past its deadline. */
  readonly genesis?: string;
  readonly lengthSeconds?: number;
  readonly inputDeadlineSeconds?: number;
  readonly holdSeconds?: number;
  /** Tokens in an epoch; few make the pool bind. */
  readonly pool?: string;
  /** Of the pool; small makes the cap bind. */
  readonly providerShare?: string;
}

export const LENGTH_SECONDS = 3600;

/** A policy of round numbers whose breakers trip only where a test wants it: on a token that doubles. */
export function policyDocument(knobs: PolicyKnobs = {}) {
  const length = knobs.lengthSeconds ?? LENGTH_SECONDS;
  return {
    ruleset: 1,
    name: 'test',
    token: { symbol: 'TST', decimals: 6 },
    epoch: {
      genesis: knobs.genesis ?? '2020-05-01T00:00:00Z',
      lengthSeconds: String(length),
      graceSeconds: '0',
      inputDeadlineSeconds: String(knobs.inputDeadlineSeconds ?? 0),
      holdSeconds: String(knobs.holdSeconds ?? 86_400),
    },
    history: { window: '4', season: '2', alpha: '0.5', fastAlpha: '0.5', slowAlpha: '0.25', growthWindow: '3' },
    market: {
      gpu: market('compute', '2', '0.5', '8'),
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
        { name: 'maturity', multiplier: '1' },
      ],
      performance: {
        minimumUptime: '0.50',
        weights: { uptime: '3', responseTime: '2', errorRate: '3', userRating: '2' },
        curves: {
          uptime: line('0.50', '1'),
          responseTime: [
            ['50', '1'],
            ['1000', '0'],
          ],
          errorRate: [
            ['0', '1'],
            ['0.10', '0'],
          ],
          userRating: line('1', '5'),
        },
        missingScore: { responseTime: '0', errorRate: '0.1', userRating: '0.8' },
        multiplier: [
          ['0', '0.25'],
          ['1', '1.25'],
        ],
      },
    },
    pool: { perEpoch: knobs.pool ?? '1000', decay: '0.5', decayEpochs: '1000' },
    caps: { providerShare: knobs.providerShare ?? '0.5' },
    tokenPrice: { minSources: '2', maxAgeSeconds: '3600', maxSourceDeviation: '0.10' },
    breakers: {
      priceChange: '1000',
      totalChange: '1000',
      supplyDrop: '1000',
      topShare: '1',
      belowMinimumUptimeShare: '1',
      tokenMove: '0.5',
      overServed: '1000',
      unmeasuredShare: '0.10',
    },
  };
}

function market(family: string, basePrice: string, floor: string, ceiling: string) {
  return { family, unit: 'hour', basePrice, floor, ceiling, targetUtilisation: '0.75', standbyShare: '0.10' };
}

const line = (from: string, to: string): [string, string][] => [
  [from, '0'],
  [to, '1'],
];
