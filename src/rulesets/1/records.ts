import type { Amount, MicroUnits, NanoRatio, Rate, Ratio, UnitHours, UsdPrice, UsdVolume } from '../../numbers/units';

// What the steps of ruleset 1 hand to each other. Plain data, each record complete in itself: explaining a price or
// a payout reads these and never computes them again.

/** The nine price factors in the order of spec §5. */
export const FACTORS = [
  'supply',
  'demand',
  'marketConditions',
  'availableCapacity',
  'providerGrowth',
  'usagePatterns',
  'peakDemand',
  'competition',
  'marketTrends',
] as const;
export type Factor = (typeof FACTORS)[number];

/** The eight factors that move the base price: all but the temporary peak premium. */
export const CONTRIBUTING_FACTORS = FACTORS.filter(
  (factor) => factor !== 'peakDemand',
) as readonly ContributingFactor[];
export type ContributingFactor = Exclude<Factor, 'peakDemand'>;

/** What each clamp of spec §5.2 to §5.5 added to the price, in the order in which they act. */
export const CLAMPS = ['band', 'step', 'bounds', 'premium', 'ceiling'] as const;
export type Clamp = (typeof CLAMPS)[number];

export const METRICS = ['uptime', 'responseTime', 'errorRate', 'userRating'] as const;
export type Metric = (typeof METRICS)[number];

export const PAYOUT_REASONS = [
  'paid',
  'suspended',
  'no-capacity',
  'no-performance-data',
  'below-minimum-uptime',
] as const;
export type PayoutReason = (typeof PAYOUT_REASONS)[number];

/** Breakers in the order of spec §8. */
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

export const GUARDS = ['conservation', 'price-bounds', 'multiplier-bounds', 'payees', 'snapshot', 'chain'] as const;
export type GuardId = (typeof GUARDS)[number];

/** Sums over the sealed capacity rows of active providers, and the demand row, of one market. */
export interface MarketTotals {
  readonly market: string;
  /** S: the sum of offered over active providers. */
  readonly supply: MicroUnits;
  /** U: the sum of served over active providers. */
  readonly used: MicroUnits;
  /** The epoch's demand row; null where there is none (spec §4: then D = U). */
  readonly requested: MicroUnits | null;
}

export interface Quote {
  readonly market: string;
  readonly source: string;
  readonly usdPerUnit: UsdPrice;
}

export interface TokenObservation {
  readonly source: string;
  /** Seconds since 1970-01-01T00:00:00Z. */
  readonly observedAtSeconds: number;
  readonly priceUsd: UsdPrice;
  readonly volumeUsd: UsdVolume;
}

/** Counts over the N active providers with any capacity offered (spec §4, §6). */
export interface PerformanceFacts {
  /** N. */
  readonly activeProviders: number;
  readonly measuredUptimes: number;
  /** Of the measured ones, those under the policy's minimumUptime. */
  readonly belowMinimumUptime: number;
  /** Median of the measured uptimes; null if none is measured. */
  readonly medianUptime: Ratio | null;
  /** Metrics that at least one of the N providers has a value for. */
  readonly measuredMetrics: readonly Metric[];
}

/** The sealed rows of an epoch, reduced to what prices and multipliers need. Its size does not grow with providers. */
export interface EpochFacts {
  readonly epoch: number;
  readonly totals: readonly MarketTotals[];
  readonly quotes: readonly Quote[];
  readonly token: readonly TokenObservation[];
  /** null: no row, which means 1. */
  readonly macro: Ratio | null;
  readonly performance: PerformanceFacts;
}

/** One market of a published epoch, as history reads it: the columns of its prices row that later epochs use. */
export interface PublishedMarket {
  readonly market: string;
  readonly supply: UnitHours;
  readonly demand: UnitHours;
  readonly competitor: UsdPrice | null;
  readonly competitorEpoch: number | null;
  readonly base: UsdPrice;
  readonly price: UsdPrice;
}

/** A published epoch in its newest revision that stands before this one in the chain (spec §4). */
export interface PublishedEpoch {
  readonly epoch: number;
  readonly revision: number;
  /** Content digest, lower-case hex: names exactly what was read. */
  readonly contentDigest: string;
  readonly activeProviders: number;
  readonly growthPhase: string;
  readonly tokenPrice: UsdPrice;
  readonly tokenVolume: UsdVolume;
  readonly sum: Amount;
  readonly markets: readonly PublishedMarket[];
}

/**
 * What an epoch reads of the chain before it (spec §4).
 *
 * `epochs`: the newest {@link historyReach} published epochs below e, or all if there are fewer; oldest first. More do
 * no harm. That many always hold the last `window` published ones, those not before e - growthWindow and e - season,
 * and the last one.
 *
 * `lastBases`: for every market that any published epoch below e priced, its P0 in the newest of them, however old: a
 * policy may drop a market and take it up again long after.
 */
export interface History {
  readonly epochs: readonly PublishedEpoch[];
  readonly lastBases: ReadonlyMap<string, UsdPrice>;
}

/** Measures of one market (spec §4), in the words of the prices table. */
export interface MarketMeasures {
  readonly market: string;
  readonly supply: UnitHours;
  readonly used: UnitHours;
  readonly demand: UnitHours;
  readonly supplyMean: UnitHours;
  readonly demandMean: UnitHours;
  readonly familyFast: UnitHours;
  readonly familySlow: UnitHours;
  readonly forecast: UnitHours;
  readonly competitor: UsdPrice | null;
  readonly competitorEpoch: number | null;
  /** Pprev: the base price of the last published epoch that priced the market, or basePrice. */
  readonly previousBase: UsdPrice;
}

/** What a revision publishes of the network-wide measures, and a pinned one keeps (spec §9, §10). */
export interface KeptNetwork {
  /** N, as the prices were made with it. */
  readonly activeProviders: number;
  readonly tokenPrice: UsdPrice;
  readonly tokenVolume: UsdVolume;
  readonly macro: Ratio;
}

/** Network-wide measures (spec §4). */
export interface NetworkMeasures extends KeptNetwork {
  /** Nw: N at the start of the growth window. */
  readonly activeProvidersThen: number;
  /** T per source, for the second condition of breaker tokenMove, sources by bytes. */
  readonly tokenSources: readonly TokenSourcePrice[];
  readonly tokenVolumeMean: UsdVolume;
  /** true: D is 0 in every market, so prices stand still (spec §5). */
  readonly everybodyIdle: boolean;
}

/** The median of a source's prices in the epoch's time. */
export type TokenSourcePrice = Pick<TokenObservation, 'source' | 'priceUsd'>;

export interface Measures {
  readonly epoch: number;
  /** One for each market of the policy, by bytes of the market's name. */
  readonly markets: readonly MarketMeasures[];
  readonly network: NetworkMeasures;
}

/** Measures as a revision publishes them: all that a pinned revision has of them. */
export interface KeptMeasures extends Omit<Measures, 'network'> {
  readonly network: KeptNetwork;
}

/** previousBase + contributions + differences = price, exactly. */
export interface MarketPrice {
  readonly market: string;
  readonly previousBase: UsdPrice;
  readonly signals: Readonly<Record<Factor, Ratio>>;
  readonly contributions: Readonly<Record<ContributingFactor, UsdPrice>>;
  readonly differences: Readonly<Record<Clamp, UsdPrice>>;
  readonly base: UsdPrice;
  readonly price: UsdPrice;
}

export interface MarketMultipliers {
  readonly market: string;
  readonly marketConditions: Ratio;
  readonly networkDemand: Ratio;
  readonly resourceAvailability: Ratio;
  readonly growth: Ratio;
  readonly network: Ratio;
  readonly rate: Rate;
}

/** What the rates of an epoch are made of: everything the per-provider arithmetic needs besides the rows. */
export interface Derivation {
  readonly epoch: number;
  readonly measures: KeptMeasures;
  readonly prices: readonly MarketPrice[];
  readonly multipliers: readonly MarketMultipliers[];
  readonly growthPhase: string;
  /** B: the pool of the epoch. */
  readonly pool: Amount;
  /** cap = floor(B * providerShare). */
  readonly cap: Amount;
  /** false: the epoch gives no verdict on performance, M4 = 1 for all (spec §6). */
  readonly performanceVerdict: boolean;
  readonly measuredMetrics: readonly Metric[];
}

/** A derivation from sealed rows and history; a pinned one (spec §10) has only what was published of its measures. */
export interface FullDerivation extends Derivation {
  readonly measures: Measures;
}

/** One provider's sealed rows, as the reward step reads them. */
export interface ProviderRows {
  readonly provider: string;
  readonly status: 'active' | 'suspended';
  readonly capacity: readonly { readonly market: string; readonly offered: MicroUnits; readonly served: MicroUnits }[];
  /** null: no performance row. */
  readonly performance: PerformanceValues | null;
}

/** null: not measured. Integers so that a million rows cost no decimal object. */
export interface PerformanceValues {
  /** Millionths: [0, 1000000]. */
  readonly uptimeMicro: number | null;
  /** Thousandths of a millisecond; bigint since the specification sets no upper bound. */
  readonly responseMicroseconds: bigint | null;
  /** Millionths: [0, 1000000]. */
  readonly errorRateMicro: number | null;
  /** Thousandths: [1000, 5000]. */
  readonly ratingMilli: number | null;
}

export interface PerformanceScore {
  /** q_j of each metric that counts, in the order of METRICS. */
  readonly scores: Partial<Readonly<Record<Metric, NanoRatio>>>;
  /** Q; null where the epoch gives no verdict. */
  readonly quality: NanoRatio | null;
  /** M4. */
  readonly multiplier: NanoRatio;
}

/** One line of a payout before caps: gross(i, m). */
export interface GrossLine {
  readonly market: string;
  readonly offered: MicroUnits;
  readonly served: MicroUnits;
  /** min(offered - served, served). */
  readonly standby: MicroUnits;
  readonly rate: Rate;
  readonly gross: Amount;
}

/** gross - capCut - scaleCut = amount, exactly. */
export interface Payout {
  readonly provider: string;
  readonly gross: Amount;
  readonly capCut: Amount;
  readonly scaleCut: Amount;
  readonly amount: Amount;
  readonly reason: PayoutReason;
}

/** A breaker that tripped: its figure, its limit, and where. Figures and limits are decimal text. */
export interface TrippedBreaker {
  readonly id: BreakerId;
  readonly figure: string;
  readonly limit: string;
  /** Market, provider or source that the figure belongs to, where there is one. */
  readonly subject: string | null;
}
