import { bound, Decimal, q12 } from '../../numbers/decimal';
import {
  clamp,
  clampSignal,
  exact,
  type Fraction,
  fraction,
  larger,
  minus,
  ONE,
  over,
  plus,
  quotient,
  smaller,
  times,
  ZERO,
} from '../../numbers/fractions';
import type { Ratio, UnitHours, UsdPrice } from '../../numbers/units';
import type { MarketPolicy, Policy } from './policy';
import {
  type Clamp,
  CONTRIBUTING_FACTORS,
  type ContributingFactor,
  type Factor,
  type MarketMeasures,
  type MarketPrice,
  type Measures,
  type NetworkMeasures,
} from './records';

/**
 * Price discovery (spec §5): nine signals move the last base price within band, step and bounds.
 *
 * Guarantees: previousBase + contributions + differences = price, exactly; floor <= base <= price <= ceiling; a market
 * without supply and demand, or in an epoch in which everybody is idle, keeps its price.
 */
export function discoverPrices(policy: Policy, measures: Measures): MarketPrice[] {
  return measures.markets.map((market) => discoverPrice(policy, market, measures.network));
}

/** Price of one market (spec §5), with every part that made it. */
export function discoverPrice(policy: Policy, market: MarketMeasures, network: NetworkMeasures): MarketPrice {
  const rules = policy.markets.get(market.market) as MarketPolicy;
  if (network.everybodyIdle || (market.supply.isZero() && market.demand.isZero())) return keptPrice(rules, market);
  const signals = signalsOf(policy, rules, market, network);
  const contributions = contributionsOf(policy, market.previousBase, signals);
  const drifted = CONTRIBUTING_FACTORS.reduce<Decimal>(
    (sum, factor) => sum.plus(contributions[factor]),
    market.previousBase,
  );
  const banded = withinBand(policy, market.competitor, drifted);
  const stepped = withinStep(policy, market.previousBase, banded);
  const base = bound<Decimal>(stepped, rules.floor, rules.ceiling);
  const peak = q12(base.times(signals.peakDemand.times(policy.pricing.peakDemand.premium).plus(1)));
  const price = peak.greaterThan(rules.ceiling) ? rules.ceiling : peak;
  return {
    market: market.market,
    previousBase: market.previousBase,
    signals,
    contributions,
    differences: differencesOf([drifted, banded, stepped, base, peak, price]),
    base: base as UsdPrice,
    price,
  };
}

/** Spec §5, last paragraph: nothing to learn from, so nothing moves but what the policy's bounds demand. */
function keptPrice(rules: MarketPolicy, market: MarketMeasures): MarketPrice {
  const { previousBase } = market;
  const base = bound(previousBase, rules.floor, rules.ceiling);
  return {
    market: market.market,
    previousBase,
    signals: NO_SIGNALS,
    contributions: NO_CONTRIBUTIONS,
    differences: differencesOf([previousBase, previousBase, previousBase, base, base, base]),
    base,
    price: base,
  };
}

const NO_RATIO = new Decimal(0) as Ratio;
const NO_PRICE = new Decimal(0) as UsdPrice;
const NO_SIGNALS: MarketPrice['signals'] = Object.freeze({
  supply: NO_RATIO,
  demand: NO_RATIO,
  marketConditions: NO_RATIO,
  availableCapacity: NO_RATIO,
  providerGrowth: NO_RATIO,
  usagePatterns: NO_RATIO,
  peakDemand: NO_RATIO,
  competition: NO_RATIO,
  marketTrends: NO_RATIO,
});
const NO_CONTRIBUTIONS: MarketPrice['contributions'] = Object.freeze({
  supply: NO_PRICE,
  demand: NO_PRICE,
  marketConditions: NO_PRICE,
  availableCapacity: NO_PRICE,
  providerGrowth: NO_PRICE,
  usagePatterns: NO_PRICE,
  competition: NO_PRICE,
  marketTrends: NO_PRICE,
});

/** The nine signals, each `q9(clamp(...))` of an exact fraction (spec §5). */
function signalsOf(
  policy: Policy,
  rules: MarketPolicy,
  market: MarketMeasures,
  network: NetworkMeasures,
): Record<Factor, Ratio> {
  const { supply, demand, supplyMean, demandMean, forecast, familyFast, familySlow, competitor } = market;
  const availableCapacity = clampSignal(shortage(supply, demand, rules.targetUtilisation));
  return {
    supply: clampSignal(quotient(supplyMean.minus(supply), supplyMean)),
    demand: clampSignal(quotient(demand.minus(demandMean), demandMean)),
    marketConditions: clampSignal(tradingAndMacro(policy, network)),
    availableCapacity,
    providerGrowth: clampSignal(missingGrowth(policy, network)),
    usagePatterns: clampSignal(quotient(forecast.minus(demand), demandMean)),
    peakDemand: clampSignal(peak(policy, market, availableCapacity)),
    competition:
      competitor === null ? NO_RATIO : clampSignal(quotient(competitor.minus(market.previousBase), competitor)),
    marketTrends: clampSignal(quotient(familyFast.minus(familySlow), familySlow)),
  };
}

/** Signal 3, unclamped: two quotients on one denominator (spec §1, §5). */
function tradingAndMacro(policy: Policy, network: NetworkMeasures): Fraction {
  const { tradingActivityWeight, macroWeight, macroRange } = policy.pricing.marketConditions;
  const { tokenVolume, tokenVolumeMean, macro } = network;
  const trading = clamp(quotient(tokenVolume.minus(tokenVolumeMean), tokenVolumeMean));
  const economy = clamp(quotient(macro.minus(1), macroRange));
  return plus(times(exact(tradingActivityWeight), trading), times(exact(macroWeight), economy));
}

/** Signal 4, unclamped: (D/S - t) / t (spec §5). */
function shortage(supply: UnitHours, demand: UnitHours, target: Ratio): Fraction {
  if (supply.isZero()) return demand.isZero() ? ZERO : ONE;
  const wanted = supply.times(target);
  return quotient(demand.minus(wanted), wanted);
}

/** Signal 5, unclamped: (target - g) / range with g = (N - Nw) / Nw exact (spec §4, §5). */
function missingGrowth(policy: Policy, network: NetworkMeasures): Fraction {
  const { target, range } = policy.pricing.providerGrowth;
  const then = BigInt(network.activeProvidersThen);
  const growth = fraction(BigInt(network.activeProviders) - then, then);
  return over(minus(exact(target), growth), exact(range));
}

/** Signal 7, unclamped: a peak only where capacity is short (spec §5). */
function peak(policy: Policy, market: MarketMeasures, availableCapacity: Ratio): Fraction {
  const { threshold, full } = policy.pricing.peakDemand;
  const aboveThreshold = minus(quotient(market.demand, market.demandMean), exact(threshold));
  return smaller(
    larger(ZERO, exact(availableCapacity)),
    larger(ZERO, over(aboveThreshold, exact(full.minus(threshold)))),
  );
}

/** §5.1: c_k = q12(Pprev * maxStep * w_k * s_k). */
function contributionsOf(
  policy: Policy,
  previousBase: UsdPrice,
  signals: Readonly<Record<Factor, Ratio>>,
): Record<ContributingFactor, UsdPrice> {
  const reach = previousBase.times(policy.pricing.maxStep);
  const { weights } = policy.pricing;
  const contribution = (factor: ContributingFactor) => q12(reach.times(weights[factor]).times(signals[factor]));
  return {
    supply: contribution('supply'),
    demand: contribution('demand'),
    marketConditions: contribution('marketConditions'),
    availableCapacity: contribution('availableCapacity'),
    providerGrowth: contribution('providerGrowth'),
    usagePatterns: contribution('usagePatterns'),
    competition: contribution('competition'),
    marketTrends: contribution('marketTrends'),
  };
}

/** §5.2: competition band, only where C is defined. */
function withinBand(policy: Policy, competitor: UsdPrice | null, drifted: Decimal): Decimal {
  if (competitor === null) return drifted;
  const { bandLow, bandHigh } = policy.pricing.competition;
  return bound<Decimal>(drifted, q12(competitor.times(bandLow)), q12(competitor.times(bandHigh)));
}

/** Lowest and highest base price that §5.3 allows after Pprev. */
export function stepLimits(policy: Policy, previousBase: UsdPrice): { lowest: UsdPrice; highest: UsdPrice } {
  const { maxStep } = policy.pricing;
  return {
    lowest: q12(previousBase.times(new Decimal(1).minus(maxStep))),
    highest: q12(previousBase.times(new Decimal(1).plus(maxStep))),
  };
}

function withinStep(policy: Policy, previousBase: UsdPrice, banded: Decimal): Decimal {
  const { lowest, highest } = stepLimits(policy, previousBase);
  return bound<Decimal>(banded, lowest, highest);
}

/** What each clamp added, from the values before and after it, in the order of CLAMPS. */
function differencesOf(
  values: readonly [Decimal, Decimal, Decimal, Decimal, Decimal, Decimal],
): Record<Clamp, UsdPrice> {
  const [drifted, banded, stepped, base, peaked, price] = values;
  return {
    band: banded.minus(drifted) as UsdPrice,
    step: stepped.minus(banded) as UsdPrice,
    bounds: base.minus(stepped) as UsdPrice,
    premium: peaked.minus(base) as UsdPrice,
    ceiling: price.minus(peaked) as UsdPrice,
  };
}
