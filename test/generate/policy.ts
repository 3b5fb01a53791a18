/** Random policies that are valid under spec §2, made to reach its corners within a few epochs. */
import { decimalOf, type Random } from './random';

export interface GeneratedMarket {
  name: string;
  family: string;
  /** Base price in units of 10^-12 USD. */
  base: bigint;
}

export interface GeneratedPolicy {
  document: Record<string, unknown>;
  markets: GeneratedMarket[];
  genesisSeconds: number;
  lengthSeconds: number;
  maxAgeSeconds: number;
  minSources: number;
  minQuotes: number;
  minimumUptimeMicro: number;
}

// Names that a map made of a plain object, or a reader of YAML that guesses types, would stumble over.
const MARKET_NAMES = [
  'gpu.v100',
  'gpu.a100-80g',
  'storage:nvme',
  'net_eu',
  'toString',
  '1e5',
  'null',
  'Z9',
  'a',
  'a.b',
  'a-b',
  '007',
];

/** Text of a policy number, at times with trailing zeros, which do not count as decimals. */
function written(random: Random, digits: bigint | number, decimals: number): string {
  const text = decimalOf(BigInt(digits), decimals);
  if (random.oneIn(5)) return text.includes('.') ? `${text}00` : `${text}.0`;
  return text.includes('.') && random.oneIn(3) ? text.replace(/\.?0+$/, '') : text;
}

function whole(random: Random, low: number, high: number): string {
  return String(random.integer(low, high));
}

/** Weights of three decimals that sum to exactly 1. */
function weights(random: Random, keys: string[], mayBeZero: boolean): Record<string, string> {
  const least = mayBeZero ? 0 : 1;
  let left = 1000;
  const parts = random.shuffled(keys).map((key, index) => {
    const isLast = index === keys.length - 1;
    const most = left - least * (keys.length - 1 - index);
    const part = isLast ? left : random.integer(least, Math.min(most, Math.max(least, Math.ceil((2 * left) / 3))));
    left -= part;
    return [key, written(random, part, 3)] as const;
  });
  return Object.fromEntries(parts);
}

/** A curve over strictly ascending x; `wide` is the highest x, in units of 10^-decimals. */
function curve(random: Random, wide: number, decimals: number, highest: number): [string, string][] {
  const xs = new Set<number>();
  const points = random.integer(2, 5);
  while (xs.size < points) xs.add(random.integer(0, wide));
  return [...xs]
    .sort((a, b) => a - b)
    .map((x) => [written(random, x, decimals), written(random, random.integer(0, highest), 9)]);
}

function randomMarket(random: Random, base: bigint): Record<string, string> {
  // Tight and equal bounds are as valid as wide ones.
  const floor = random.oneIn(6) ? base : base / BigInt(random.integer(2, 20)) || 1n;
  const ceiling = random.oneIn(6) ? base : base * BigInt(random.integer(1, 10)) + BigInt(random.integer(0, 9));
  return {
    family: random.pick(['compute', 'compute', 'storage', 'network']),
    unit: random.pick(['gpu-hour', 'TB-hour', 'Gbit/s-hour']),
    basePrice: written(random, base, 12),
    floor: written(random, floor, 12),
    ceiling: written(random, ceiling, 12),
    targetUtilisation: written(random, random.integer(1, 99), 2),
    standbyShare: random.pick(['0', '0.10', '1', '0.333333333']),
  };
}

function randomPricing(random: Random): Record<string, unknown> {
  const bandLow = random.integer(0, 120);
  const threshold = random.integer(0, 150);
  const factors = [
    'supply',
    'demand',
    'marketConditions',
    'availableCapacity',
    'providerGrowth',
    'usagePatterns',
    'competition',
    'marketTrends',
  ];
  return {
    maxStep: random.pick(['0.125', '0.5', '0.01', '0.999999999', '0.000000001']),
    weights: weights(random, factors, true),
    marketConditions: {
      ...weights(random, ['tradingActivityWeight', 'macroWeight'], true),
      macroRange: written(random, random.integer(1, 100), 2),
    },
    providerGrowth: {
      target: written(random, random.integer(-50, 50), 2),
      range: written(random, random.integer(1, 200), 2),
    },
    peakDemand: {
      threshold: written(random, threshold, 2),
      full: written(random, threshold + random.integer(1, 100), 2),
      premium: written(random, random.integer(0, 100), 2),
    },
    competition: {
      minQuotes: whole(random, 1, 3),
      bandLow: written(random, bandLow, 2),
      bandHigh: written(random, bandLow + random.integer(0, 100), 2),
    },
  };
}

function randomPhases(random: Random, providers: number): Record<string, string>[] {
  const limits = new Set<number>();
  for (let tries = random.integer(0, 3); tries > 0; tries -= 1) limits.add(random.integer(1, providers + 2));
  const limited = [...limits].sort((a, b) => a - b);
  const phase = (index: number) => ({
    name: ['bootstrap', 'expansion', 'growth', 'maturity'][index] as string,
    multiplier: written(random, random.integer(50, 200), 2),
  });
  return [
    ...limited.map((limit, index) => ({ ...phase(index), belowProviders: String(limit) })),
    phase(limited.length),
  ];
}

function randomRewards(random: Random, providers: number, minimumUptimeMicro: number): Record<string, unknown> {
  const least = random.integer(0, 150);
  const share = () => written(random, random.integer(0, 100), 2);
  const weight = () => written(random, random.integer(1, 50), 1);
  return {
    sensitivity: { marketConditions: share(), networkDemand: share(), resourceAvailability: share() },
    networkMultiplier: { min: written(random, least, 2), max: written(random, least + random.integer(0, 300), 2) },
    growthPhases: randomPhases(random, providers),
    performance: {
      minimumUptime: written(random, minimumUptimeMicro, 6),
      weights: { uptime: weight(), responseTime: weight(), errorRate: weight(), userRating: weight() },
      curves: {
        uptime: curve(random, 1_000_000, 6, 1_000_000_000),
        responseTime: curve(random, 1_500_000, 3, 1_000_000_000),
        errorRate: curve(random, 200_000, 6, 1_000_000_000),
        userRating: curve(random, 5_000, 3, 1_000_000_000),
      },
      missingScore: { responseTime: share(), errorRate: share(), userRating: share() },
      multiplier: curve(random, 1_000_000_000, 9, 2_000_000_000),
    },
  };
}

function randomBreakers(random: Random): Record<string, string> {
  const limit = () => random.pick(['0', '0.02', '0.10', '0.25', '0.5', '1', '1000']);
  return {
    priceChange: limit(),
    totalChange: limit(),
    supplyDrop: limit(),
    topShare: limit(),
    belowMinimumUptimeShare: limit(),
    tokenMove: limit(),
    overServed: limit(),
    unmeasuredShare: random.pick(['0', '0.10', '0.5', '1', '0.333333333']),
  };
}

/** A policy with so many markets, for a network of about so many providers. */
export function generatePolicy(random: Random, marketCount: number, providers: number): GeneratedPolicy {
  const season = random.integer(1, 5);
  const lengthSeconds = random.pick([1, 60, 3600, 86400]);
  const maxAgeSeconds = random.pick([0, 1, lengthSeconds, 7200]);
  const minSources = random.integer(1, 3);
  const genesis = random.pick(['2019-02-28T23:59:59Z', '2020-05-01T00:00:00Z', '2016-02-29T12:30:00Z']);
  const minimumUptimeMicro = random.pick([0, 500_000, 900_000, 333_333]);
  const names = random.shuffled(MARKET_NAMES);
  while (names.length < marketCount) names.push(`m-${names.length}`);
  const entries = names.slice(0, marketCount).map((name) => {
    const base = random.oneIn(8)
      ? BigInt(random.integer(1, 9))
      : BigInt(random.integer(1, 9_999_999)) * 10n ** BigInt(random.integer(4, 8));
    return { name, base, entry: randomMarket(random, base) };
  });
  const graceSeconds = random.integer(0, 600);
  const pricing = randomPricing(random);
  const document = {
    ruleset: 1,
    name: 'generated',
    token: { symbol: 'TST', decimals: random.pick([0, 2, 6, 9, 18, random.integer(0, 18)]) },
    epoch: {
      genesis,
      lengthSeconds: String(lengthSeconds),
      graceSeconds: String(graceSeconds),
      inputDeadlineSeconds: String(graceSeconds + random.integer(0, 1000)),
      holdSeconds: whole(random, 1, 86400),
    },
    history: {
      window: String(2 * season + random.integer(0, 8)),
      season: String(season),
      alpha: random.pick(['0.2', '1', '0.000000001', '0.333333333']),
      fastAlpha: random.pick(['0.3', '1', '0.7']),
      slowAlpha: random.pick(['0.005', '0.1', '0.123456789']),
      growthWindow: whole(random, 1, 24),
    },
    market: Object.fromEntries(entries.map(({ name, entry }) => [name, entry])),
    pricing,
    rewards: randomRewards(random, providers, minimumUptimeMicro),
    pool: {
      perEpoch: random.pick(['0', '0.000000007', '7', '1000', '50000', '1000000', '1000000000000']),
      decay: random.pick(['0.5', '1', '0.999999999', '0.9']),
      decayEpochs: whole(random, 1, 20),
    },
    caps: { providerShare: random.pick(['0.20', '1', '0.000000001', '0.05', '0.333333333']) },
    tokenPrice: {
      minSources: String(minSources),
      maxAgeSeconds: String(maxAgeSeconds),
      maxSourceDeviation: random.pick(['0', '0.05', '0.10', '2']),
    },
    breakers: randomBreakers(random),
  };
  return {
    document,
    markets: entries.map(({ name, base, entry }) => ({ name, base, family: entry.family as string })),
    genesisSeconds: Date.parse(genesis) / 1000,
    lengthSeconds,
    maxAgeSeconds,
    minSources,
    minQuotes: Number((pricing.competition as Record<string, string>).minQuotes),
    minimumUptimeMicro,
  };
}
