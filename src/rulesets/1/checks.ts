import { toNano } from '../../numbers/amounts';
import { type Decimal, decimalText } from '../../numbers/decimal';
import { compare, exact, type Fraction, fraction, ONE, q9Of, quotient, ZERO } from '../../numbers/fractions';
import { compareBytes } from '../../numbers/patterns';
import type { Amount, NanoRatio } from '../../numbers/units';
import type { Policy } from './policy';
import { stepLimits } from './prices';
import type {
  BreakerId,
  EpochFacts,
  FullDerivation,
  GuardId,
  MarketMultipliers,
  MarketPrice,
  PublishedEpoch,
  TrippedBreaker,
} from './records';

/** Breakers, and the guards that need no database (spec §8). Figures are compared exactly and only shown rounded. */

/** What the breakers look at: an epoch's result in sums. */
export interface BreakerFigures {
  readonly facts: EpochFacts;
  readonly derivation: FullDerivation;
  /** Sum of all amounts. */
  readonly sum: Amount;
  /** The largest amount and whose it is (the first by bytes of several); null where nobody has a payout. */
  readonly top: { readonly provider: string; readonly amount: Amount } | null;
  /** The last published epoch below this one; null: there is none, and the comparing breakers pass. */
  readonly last: PublishedEpoch | null;
}

/** A figure, and the market, provider or source that it belongs to. */
interface Figure {
  readonly value: Fraction;
  readonly subject: string | null;
}

/** The breakers that trip, in the order of spec §8; each at most once. A figure on its limit does not trip. */
export function breakers(policy: Policy, figures: BreakerFigures): TrippedBreaker[] {
  const { facts, derivation, sum, top, last } = figures;
  const { activeProviders, measuredUptimes, belowMinimumUptime } = facts.performance;
  const ofProviders = (count: number): Figure => ({
    value: fraction(BigInt(count), BigInt(activeProviders)),
    subject: null,
  });
  const limited = (id: Exclude<BreakerId, 'tokenMove'>, figure: Figure | null): TrippedBreaker[] =>
    overLimit(id, figure, policy.breakers[id]);
  return [
    ...limited('priceChange', last && priceChange(derivation, last)),
    ...limited('totalChange', last && { value: changeOfAmount(sum, last.sum), subject: null }),
    ...limited('supplyDrop', last && supplyDrop(derivation, last)),
    ...limited('topShare', top && { value: fraction(top.amount, sum), subject: top.provider }),
    ...limited('belowMinimumUptimeShare', ofProviders(belowMinimumUptime)),
    ...tokenMove(policy, derivation, last),
    ...limited('overServed', overServed(facts)),
    ...limited('unmeasuredShare', ofProviders(activeProviders - measuredUptimes)),
  ];
}

function overLimit(id: BreakerId, figure: Figure | null, limit: Decimal): TrippedBreaker[] {
  if (figure === null || compare(figure.value, exact(limit)) <= 0) return [];
  return [{ id, figure: decimalText(q9Of(figure.value)), limit: decimalText(limit), subject: figure.subject }];
}

/** change(x, last) = |x - last| / last, 0 if last = 0 (spec §8). */
function changeOf(x: Decimal, last: Decimal): Fraction {
  return quotient(x.minus(last).abs(), last);
}

function changeOfAmount(x: Amount, last: Amount): Fraction {
  return fraction(x > last ? x - last : last - x, last);
}

/** The largest, the first of several; null of none. */
function largest(figures: readonly Figure[]): Figure | null {
  return figures.reduce<Figure | null>(
    (most, figure) => (most === null || compare(figure.value, most.value) > 0 ? figure : most),
    null,
  );
}

function priceChange(derivation: FullDerivation, last: PublishedEpoch): Figure | null {
  const then = new Map(last.markets.map(({ market, price }) => [market, price]));
  return largest(
    derivation.prices.flatMap(({ market, price }) => {
      const lastPrice = then.get(market);
      return lastPrice === undefined ? [] : [{ value: changeOf(price, lastPrice), subject: market }];
    }),
  );
}

function supplyDrop(derivation: FullDerivation, last: PublishedEpoch): Figure | null {
  const then = new Map(last.markets.map(({ market, supply }) => [market, supply]));
  return largest(
    derivation.measures.markets.flatMap(({ market, supply }) => {
      const lastSupply = then.get(market);
      if (lastSupply === undefined) return [];
      return [{ value: quotient(lastSupply.minus(supply), lastSupply), subject: market }];
    }),
  );
}

/**
 * Change of T; or, with a number of sources and minSources as figure and limit, too few sources near T (spec §8).
 * Where both trip, the change is shown.
 */
function tokenMove(policy: Policy, derivation: FullDerivation, last: PublishedEpoch | null): TrippedBreaker[] {
  const { tokenPrice, tokenSources } = derivation.measures.network;
  const { minSources, maxSourceDeviation } = policy.tokenPrice;
  const change = last && { value: changeOf(tokenPrice, last.tokenPrice), subject: null };
  const moved = overLimit('tokenMove', change, policy.breakers.tokenMove);
  if (moved.length > 0) return moved;
  const distances = tokenSources.map(({ source, priceUsd }) => ({
    value: changeOf(priceUsd, tokenPrice),
    subject: source,
  }));
  const near = distances.filter(({ value }) => compare(value, exact(maxSourceDeviation)) <= 0).length;
  if (near >= minSources) return [];
  const subject = largest(distances)?.subject ?? null;
  return [{ id: 'tokenMove', figure: String(near), limit: String(minSources), subject }];
}

/** The largest (U - requested) / requested of the markets with a demand row; requested 0 and U > 0 is 1 (spec §8). */
function overServed({ totals }: EpochFacts): Figure | null {
  const byMarket = [...totals].sort((left, right) => compareBytes(left.market, right.market));
  return largest(
    byMarket.flatMap(({ market, used, requested }) => {
      if (requested === null) return [];
      const nothingAskedFor = used > 0n ? ONE : ZERO;
      return [{ value: requested === 0n ? nothingAskedFor : fraction(used - requested, requested), subject: market }];
    }),
  );
}

/** Where a guard does not hold. */
export interface GuardViolation {
  readonly guard: GuardId;
  /** Market, or `epoch`. */
  readonly where: string;
  readonly message: string;
}

/** Guard `conservation`: sum of amounts + unallocated = B (spec §8). Paying more than B would make the rest negative. */
export function conservation(pool: Amount, sum: Amount, unallocated: Amount): GuardViolation[] {
  if (sum + unallocated === pool && unallocated >= 0n) return [];
  const message = `the amounts (${sum}) and what is unallocated (${unallocated}) are not the pool (${pool})`;
  return [{ guard: 'conservation', where: 'epoch', message }];
}

/** Guard `price-bounds`: floor <= P0 <= P <= ceiling, and P0 within the step unless floor or ceiling moved it (spec §8). */
export function priceBounds(policy: Policy, prices: readonly MarketPrice[]): GuardViolation[] {
  return prices.flatMap(({ market, previousBase, base, price }) => {
    const violated = (message: string): GuardViolation[] => [{ guard: 'price-bounds', where: market, message }];
    const rules = policy.markets.get(market);
    if (rules === undefined) return violated('the policy does not have this market');
    const { floor, ceiling } = rules;
    if (base.lessThan(floor) || price.lessThan(base) || price.greaterThan(ceiling)) {
      return violated(
        `floor ${floor.toFixed()} <= base ${base.toFixed()} <= price ${price.toFixed()} <= ceiling ${ceiling.toFixed()} does not hold`,
      );
    }
    const { lowest, highest } = stepLimits(policy, previousBase);
    // Only the floor can lift a price above its step, and only the ceiling can press it below.
    const liftedByFloor = base.equals(floor);
    const pressedByCeiling = base.equals(ceiling);
    if (base.greaterThan(highest) && !liftedByFloor) return violated(outOfStep(base, lowest, highest));
    if (base.lessThan(lowest) && !pressedByCeiling) return violated(outOfStep(base, lowest, highest));
    return [];
  });
}

function outOfStep(base: Decimal, lowest: Decimal, highest: Decimal): string {
  return `the base price ${base.toFixed()} is outside of its step, ${lowest.toFixed()} to ${highest.toFixed()}`;
}

/**
 * Guard `multiplier-bounds`: min <= Mnet <= max; every M4 within the curve's range, or 1 (spec §8).
 *
 * @param performance lowest and highest M4 of the epoch's paid providers; null if there is none
 */
export function multiplierBounds(
  policy: Policy,
  multipliers: readonly MarketMultipliers[],
  performance: { readonly lowest: NanoRatio; readonly highest: NanoRatio } | null,
): GuardViolation[] {
  const { networkMultiplier, performance: rules } = policy.rewards;
  const violations = multipliers.flatMap(({ market, network }): GuardViolation[] => {
    if (!network.lessThan(networkMultiplier.min) && !network.greaterThan(networkMultiplier.max)) return [];
    const bounds = `${networkMultiplier.min.toFixed()} to ${networkMultiplier.max.toFixed()}`;
    const message = `the network multiplier ${network.toFixed()} is outside of ${bounds}`;
    return [{ guard: 'multiplier-bounds', where: market, message }];
  });
  if (performance === null) return violations;
  const { lowest, highest } = performance;
  const range = rules.multiplier.map(([, y]) => toNano(y));
  const one = toNano(ONE_RATIO);
  const outside = (m4: NanoRatio) => m4 !== one && (range.every((y) => m4 < y) || range.every((y) => m4 > y));
  if (outside(lowest) || outside(highest)) {
    const message = `performance multipliers from ${lowest} to ${highest} billionths are outside of their curve`;
    violations.push({ guard: 'multiplier-bounds', where: 'epoch', message });
  }
  return violations;
}

const ONE_RATIO = q9Of(ONE);
