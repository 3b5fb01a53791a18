/** Price discovery: nine signals, eight contributions, one price a market (spec §5). */
import {
  add,
  bound,
  clamp,
  type Fraction,
  fraction,
  isZero,
  maximum,
  minimum,
  multiply,
  ONE,
  q9,
  q12,
  quotient,
  subtract,
  sum,
  ZERO,
} from './fraction';
import type { MarketMeasures, Measures } from './measures';
import { type MarketPolicy, type Policy, WEIGHTED_FACTORS, type WeightedFactor } from './policy';

/** The nine factors in the order of spec §5. */
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

export type Signals = Readonly<Record<Factor, Fraction>>;
export type Contributions = Readonly<Record<WeightedFactor, Fraction>>;

export const DIFFERENCES = ['band', 'step', 'bounds', 'premium', 'ceiling'] as const;
export type Differences = Readonly<Record<(typeof DIFFERENCES)[number], Fraction>>;

/** The price record of a market, in USD per unit-hour: previous + contributions + differences = price, exactly. */
export interface MarketPrice {
  readonly market: string;
  readonly previous: Fraction;
  readonly signals: Signals;
  readonly contributions: Contributions;
  readonly differences: Differences;
  /** P0, without the premium. */
  readonly base: Fraction;
  /** P. */
  readonly price: Fraction;
}

const NO_SIGNALS = Object.fromEntries(FACTORS.map((factor) => [factor, ZERO])) as Signals;
const NO_CONTRIBUTIONS = Object.fromEntries(WEIGHTED_FACTORS.map((factor) => [factor, ZERO])) as Contributions;

function signal(exact: Fraction): Fraction {
  return q9(clamp(exact));
}

/** (a - b) / base, 0 where the base is 0. */
function change(a: Fraction, b: Fraction, base: Fraction): Fraction {
  return quotient(subtract(a, b), base);
}

/** Signal 4: how far utilisation lies above its target. */
function capacitySignal(measures: MarketMeasures, target: Fraction): Fraction {
  if (isZero(measures.supply)) return isZero(measures.demand) ? ZERO : ONE;
  return signal(change(quotient(measures.demand, measures.supply), target, target));
}

/** The nine signals of a market that is not idle. */
export function discoverSignals(
  measures: MarketMeasures,
  network: Measures,
  policy: Policy,
  market: MarketPolicy,
): Signals {
  const { pricing } = policy;
  const trading = clamp(change(network.token.volume, network.tokenVolumeMean, network.tokenVolumeMean));
  const macro = clamp(change(network.macro, ONE, pricing.macroRange));
  const capacity = capacitySignal(measures, market.targetUtilisation);
  const peak = change(
    quotient(measures.demand, measures.demandMean),
    pricing.peakThreshold,
    subtract(pricing.peakFull, pricing.peakThreshold),
  );
  const competitor = measures.competitor?.price;
  return {
    supply: signal(change(measures.supplyMean, measures.supply, measures.supplyMean)),
    demand: signal(change(measures.demand, measures.demandMean, measures.demandMean)),
    marketConditions: signal(
      add(multiply(pricing.tradingActivityWeight, trading), multiply(pricing.macroWeight, macro)),
    ),
    availableCapacity: capacity,
    providerGrowth: signal(change(pricing.growthTarget, network.growth, pricing.growthRange)),
    usagePatterns: signal(change(measures.forecast, measures.demand, measures.demandMean)),
    peakDemand: signal(minimum(maximum(ZERO, capacity), maximum(ZERO, peak))),
    competition: competitor === undefined ? ZERO : signal(change(competitor, measures.previous, competitor)),
    marketTrends: signal(change(measures.familyFast, measures.familySlow, measures.familySlow)),
  };
}

/** A market without supply and demand, or in an epoch where everybody is idle, keeps its price. */
function keptPrice(measures: MarketMeasures, market: MarketPolicy): MarketPrice {
  const { previous } = measures;
  const base = bound(previous, market.floor, market.ceiling);
  return {
    market: measures.market,
    previous,
    signals: NO_SIGNALS,
    contributions: NO_CONTRIBUTIONS,
    differences: { band: ZERO, step: ZERO, bounds: subtract(base, previous), premium: ZERO, ceiling: ZERO },
    base,
    price: base,
  };
}

/** The lowest and the highest base price that one epoch's step allows (spec §5.3), in USD per unit-hour. */
export function stepLimits(previous: Fraction, maxStep: Fraction): { low: Fraction; high: Fraction } {
  return { low: q12(multiply(previous, subtract(ONE, maxStep))), high: q12(multiply(previous, add(ONE, maxStep))) };
}

/** The price record of one market (spec §5). */
export function discoverPrice(
  measures: MarketMeasures,
  network: Measures,
  policy: Policy,
  market: MarketPolicy,
): MarketPrice {
  if (network.everybodyIdle || (isZero(measures.supply) && isZero(measures.demand))) return keptPrice(measures, market);
  const { pricing } = policy;
  const { previous } = measures;
  const signals = discoverSignals(measures, network, policy, market);
  const contributions = Object.fromEntries(
    WEIGHTED_FACTORS.map((factor) => {
      const move = multiply(multiply(previous, pricing.maxStep), multiply(pricing.weights[factor], signals[factor]));
      return [factor, q12(move)];
    }),
  ) as Contributions;
  const drifted = add(previous, sum(WEIGHTED_FACTORS.map((factor) => contributions[factor])));
  const competitor = measures.competitor?.price;
  const banded =
    competitor === undefined
      ? drifted
      : bound(drifted, q12(multiply(competitor, pricing.bandLow)), q12(multiply(competitor, pricing.bandHigh)));
  const limits = stepLimits(previous, pricing.maxStep);
  const stepped = bound(banded, limits.low, limits.high);
  const base = bound(stepped, market.floor, market.ceiling);
  const premium = add(fraction(1n), multiply(pricing.peakPremium, signals.peakDemand));
  const peaked = q12(multiply(base, premium));
  const price = minimum(market.ceiling, peaked);
  const differences = {
    band: subtract(banded, drifted),
    step: subtract(stepped, banded),
    bounds: subtract(base, stepped),
    premium: subtract(peaked, base),
    ceiling: subtract(price, peaked),
  };
  return { market: measures.market, previous, signals, contributions, differences, base, price };
}
