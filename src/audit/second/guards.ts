/** Guards: what must hold of any settlement before it is published (spec §8). */
import type { Allotment } from './amounts';
import { compare, type Fraction, isZero, ONE } from './fraction';
import type { MarketMultipliers } from './multipliers';
import type { Judgement } from './performance';
import type { MarketPolicy, Policy } from './policy';
import { type MarketPrice, stepLimits } from './prices';
import type { Tables } from './tables';

export type GuardId = 'conservation' | 'price-bounds' | 'multiplier-bounds' | 'payees';

/** One market of a settlement: its price, its multipliers and the rate that came of them. */
export interface SettledMarket {
  readonly price: MarketPrice;
  readonly multipliers: MarketMultipliers;
  readonly rate: bigint;
}

export interface Guarded {
  readonly rows: Tables;
  readonly markets: readonly SettledMarket[];
  readonly judgements: readonly Judgement[];
  readonly allotment: Allotment;
}

function isWithin(value: Fraction, low: Fraction, high: Fraction): boolean {
  return compare(low, value) <= 0 && compare(value, high) <= 0;
}

function conserves({ pool, payouts, unallocated }: Allotment): boolean {
  return payouts.reduce((total, { amount }) => total + amount, 0n) + unallocated === pool;
}

function priceIsInBounds(price: MarketPrice, market: MarketPolicy, policy: Policy): boolean {
  const inBounds = isWithin(price.base, market.floor, price.price) && isWithin(price.price, price.base, market.ceiling);
  const limits = stepLimits(price.previous, policy.pricing.maxStep);
  // Floor and ceiling win over the step, and only they may.
  return inBounds && (!isZero(price.differences.bounds) || isWithin(price.base, limits.low, limits.high));
}

function multiplierIsInBounds({ multiplier }: Judgement, policy: Policy): boolean {
  if (compare(multiplier, ONE) === 0) return true;
  const heights = policy.performance.multiplier.map((point) => point.y).sort(compare);
  return isWithin(multiplier, heights[0] ?? ONE, heights.at(-1) ?? ONE);
}

function paysThePayees({ cap, payouts }: Allotment, rows: Tables): boolean {
  const expected = new Set(rows.capacity.map((row) => row[1]));
  const paid = new Set(payouts.map(({ provider }) => provider));
  const oneEach =
    paid.size === payouts.length && paid.size === expected.size && [...paid].every((id) => expected.has(id));
  return oneEach && payouts.every(({ amount }) => amount >= 0n && amount <= cap);
}

/** The first guard, in the order of spec §8, that does not hold; undefined where all do. */
export function brokenGuard(settlement: Guarded, policy: Policy): GuardId | undefined {
  const { allotment, judgements, markets, rows } = settlement;
  if (!conserves(allotment)) return 'conservation';
  const byName = new Map(policy.markets.map((market) => [market.market, market]));
  const pricesHold = markets.every(({ price }) => {
    const market = byName.get(price.market);
    return market !== undefined && priceIsInBounds(price, market, policy);
  });
  if (!pricesHold) return 'price-bounds';
  const { min, max } = policy.networkMultiplier;
  const networkHolds = markets.every(({ multipliers }) => isWithin(multipliers.network, min, max));
  if (!networkHolds || !judgements.every((judgement) => multiplierIsInBounds(judgement, policy))) {
    return 'multiplier-bounds';
  }
  return paysThePayees(allotment, rows) ? undefined : 'payees';
}
