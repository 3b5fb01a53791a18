/** The network's reward multipliers: four of the five factors (spec §6); the fifth is in performance.ts. */
import { add, bound, type Fraction, maximum, multiply, ONE, q9, ZERO } from './fraction';
import type { GrowthPhase, Policy } from './policy';
import type { Signals } from './prices';
import type { EpochRecord } from './records';

export interface MarketMultipliers {
  /** M1. */
  readonly marketConditions: Fraction;
  /** M2. */
  readonly networkDemand: Fraction;
  /** M3. */
  readonly resourceAvailability: Fraction;
  /** M5. */
  readonly growth: Fraction;
  /** Mnet. */
  readonly network: Fraction;
}

/** The first phase whose limit N has not reached, but never one before that of the last published epoch. */
export function growthPhase(activeProviders: number, policy: Policy, last: EpochRecord | undefined): GrowthPhase {
  const phases = policy.growthPhases;
  const byCount = phases.findIndex(
    ({ belowProviders }) => belowProviders === undefined || activeProviders < belowProviders,
  );
  // An unknown name gives -1, which is before all phases.
  const reached = phases.findIndex(({ name }) => name === last?.growthPhase);
  const phase = phases[Math.max(byCount, reached)];
  if (phase === undefined) throw new Error('policy: rewards.growthPhases has no phase without a limit');
  return phase;
}

function sensitive(sensitivity: Fraction, signal: Fraction): Fraction {
  return q9(add(ONE, multiply(sensitivity, signal)));
}

export function multiplyMarket(signals: Signals, phase: GrowthPhase, policy: Policy): MarketMultipliers {
  const { sensitivity, networkMultiplier } = policy;
  const marketConditions = sensitive(sensitivity.marketConditions, signals.marketConditions);
  const networkDemand = sensitive(sensitivity.networkDemand, signals.marketTrends);
  const resourceAvailability = sensitive(sensitivity.resourceAvailability, maximum(ZERO, signals.availableCapacity));
  const growth = phase.multiplier;
  // Rounded after each factor, in this order (spec §6).
  const product = q9(
    multiply(q9(multiply(q9(multiply(marketConditions, networkDemand)), resourceAvailability)), growth),
  );
  const network = bound(product, networkMultiplier.min, networkMultiplier.max);
  return { marketConditions, networkDemand, resourceAvailability, growth, network };
}
