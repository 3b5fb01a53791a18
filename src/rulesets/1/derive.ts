import { capOf, poolOf } from './amounts';
import { measure } from './measures';
import { scaleRewards } from './multipliers';
import { performanceVerdict } from './performance';
import type { Policy } from './policy';
import { discoverPrices } from './prices';
import type {
  Derivation,
  EpochFacts,
  FullDerivation,
  History,
  KeptNetwork,
  MarketMeasures,
  MarketMultipliers,
  MarketPrice,
  PerformanceFacts,
} from './records';

/**
 * Everything of an epoch up to the rates, the pool and the cap: measures, prices, multipliers, in this order
 * (spec §4 to §7).
 *
 * @throws RulesetError `no-token-price`, `unknown-market`, `history-mismatch`, `epoch-out-of-calendar`
 */
export function derive(policy: Policy, facts: EpochFacts, history: History): FullDerivation {
  const measures = measure(policy, facts, history);
  const prices = discoverPrices(policy, measures);
  const previousPhase = history.epochs.at(-1)?.growthPhase ?? null;
  const { multipliers, growthPhase } = scaleRewards(policy, measures, prices, previousPhase);
  return { measures, prices, multipliers, growthPhase, ...payingTerms(policy, facts.epoch, facts.performance) };
}

/** What a pinned revision keeps of the one that it follows: its prices table and the head of its content (spec §10). */
export interface KeptRevision {
  readonly markets: readonly {
    readonly measures: MarketMeasures;
    readonly price: MarketPrice;
    readonly multipliers: MarketMultipliers;
  }[];
  readonly network: KeptNetwork;
  readonly growthPhase: string;
}

/**
 * Derivation of a pinned revision (spec §10): prices, rates, N and phase as they were; only the verdict on performance
 * and the metrics that count come from the corrected rows.
 *
 * @param performance facts of the corrected rows, whose N providers are those of section 6
 */
export function derivePinned(
  policy: Policy,
  epoch: number,
  kept: KeptRevision,
  performance: PerformanceFacts,
): Derivation {
  return {
    measures: { epoch, markets: kept.markets.map(({ measures }) => measures), network: kept.network },
    prices: kept.markets.map(({ price }) => price),
    multipliers: kept.markets.map(({ multipliers }) => multipliers),
    growthPhase: kept.growthPhase,
    ...payingTerms(policy, epoch, performance),
  };
}

function payingTerms(policy: Policy, epoch: number, performance: PerformanceFacts) {
  const pool = poolOf(policy, epoch);
  return {
    epoch,
    pool,
    cap: capOf(policy, pool),
    performanceVerdict: performanceVerdict(policy, performance),
    measuredMetrics: performance.measuredMetrics,
  };
}
