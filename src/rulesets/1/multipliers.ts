import { bound, Decimal, q9 } from '../../numbers/decimal';
import type { Ratio } from '../../numbers/units';
import { rateOf } from './amounts';
import type { Policy } from './policy';
import type { MarketMultipliers, MarketPrice, Measures } from './records';

/** What multiplies rewards in an epoch, besides each provider's own performance. */
export interface RewardScale {
  /** One for each market of the policy, by bytes of its name. */
  readonly multipliers: readonly MarketMultipliers[];
  readonly growthPhase: string;
}

/**
 * Reward multipliers and rates per market (spec §6, §7).
 *
 * @param prices of the same epoch; their signals 3, 4 and 9 are used here as they stand
 * @param previousPhase growth phase of the last published epoch, null if there is none
 */
export function scaleRewards(
  policy: Policy,
  measures: Measures,
  prices: readonly MarketPrice[],
  previousPhase: string | null,
): RewardScale {
  const { sensitivity, networkMultiplier } = policy.rewards;
  const phase = growthPhaseOf(policy, measures.network.activeProviders, previousPhase);
  const multipliers = prices.map(({ market, signals, price }): MarketMultipliers => {
    const shortage = Decimal.max(0, signals.availableCapacity);
    const marketConditions = oneAnd(sensitivity.marketConditions, signals.marketConditions);
    const networkDemand = oneAnd(sensitivity.networkDemand, signals.marketTrends);
    const resourceAvailability = oneAnd(sensitivity.resourceAvailability, shortage);
    const product = q9(
      q9(q9(marketConditions.times(networkDemand)).times(resourceAvailability)).times(phase.multiplier),
    );
    const network = bound(product, networkMultiplier.min, networkMultiplier.max);
    return {
      market,
      marketConditions,
      networkDemand,
      resourceAvailability,
      growth: phase.multiplier,
      network,
      rate: rateOf(policy, price, network, measures.network.tokenPrice),
    };
  });
  return { multipliers, growthPhase: phase.name };
}

/** q9(1 + sensitivity * signal). */
function oneAnd(sensitivity: Ratio, signal: Decimal): Ratio {
  return q9(sensitivity.times(signal).plus(1));
}

/**
 * The growth phase of N: the first whose limit is not yet reached, but never one before that of the last published
 * epoch (spec §6). A name that this policy does not know is before all.
 */
export function growthPhaseOf(
  policy: Policy,
  activeProviders: number,
  previousPhase: string | null,
): Policy['rewards']['growthPhases'][number] {
  const phases = policy.rewards.growthPhases;
  const reached = phases.findIndex(({ belowProviders }) => belowProviders === null || activeProviders < belowProviders);
  const previous = phases.findIndex(({ name }) => name === previousPhase);
  return phases[Math.max(reached, previous)] as Policy['rewards']['growthPhases'][number];
}
