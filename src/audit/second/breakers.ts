/** Breakers: figures that put an epoch on hold until a person decides (spec §8). */
import type { Allotment } from './amounts';
import { absolute, compare, type Fraction, fraction, isZero, maximum, ONE, quotient, subtract, ZERO } from './fraction';
import type { Measures } from './measures';
import { shareOf, type UptimeCensus } from './performance';
import { BREAKERS, type BreakerId, type Policy } from './policy';
import type { MarketPrice } from './prices';
import { type EpochRecord, marketOf } from './records';

export interface Breaker {
  readonly id: BreakerId;
  readonly figure: Fraction;
  readonly limit: Fraction;
  readonly tripped: boolean;
}

export interface BreakerInputs {
  readonly measures: Measures;
  readonly prices: readonly MarketPrice[];
  readonly census: UptimeCensus;
  readonly allotment: Allotment;
  /** The last published epoch; undefined for the first. */
  readonly last: EpochRecord | undefined;
}

function largest(figures: readonly Fraction[]): Fraction {
  return figures.reduce(maximum, ZERO);
}

/** change(x, last) = |x - last| / last, 0 if last = 0. */
function changeFrom(value: Fraction, last: Fraction): Fraction {
  return quotient(absolute(subtract(value, last)), last);
}

function priceChange({ prices, last }: BreakerInputs): Fraction {
  const changes = prices.map(({ market, price }) => {
    const before = last === undefined ? undefined : marketOf(last, market);
    return before === undefined ? ZERO : changeFrom(price, before.price);
  });
  return largest(changes);
}

function supplyDrop({ measures, last }: BreakerInputs): Fraction {
  const drops = measures.markets.map(({ market, supply }) => {
    const before = last === undefined ? undefined : marketOf(last, market);
    return before === undefined ? ZERO : quotient(subtract(before.supply, supply), before.supply);
  });
  return largest(drops);
}

function topShare({ allotment }: BreakerInputs): Fraction {
  return largest(allotment.payouts.map(({ amount }) => quotient(fraction(amount), fraction(allotment.sum))));
}

function overServed({ measures }: BreakerInputs): Fraction {
  const figures = measures.markets.map(({ used, requested }) => {
    if (requested === undefined) return ZERO;
    if (isZero(requested)) return isZero(used) ? ZERO : ONE;
    return quotient(subtract(used, requested), requested);
  });
  return largest(figures);
}

/** tokenMove: the change of T, or else the number of sources near T where they are fewer than minSources. */
function tokenMove({ measures, last }: BreakerInputs, policy: Policy): Breaker {
  const id = 'tokenMove';
  const { price, sourcePrices } = measures.token;
  const figure = last === undefined ? ZERO : changeFrom(price, last.tokenPrice);
  const limit = policy.breakers.tokenMove;
  if (compare(figure, limit) > 0) return { id, figure, limit, tripped: true };
  const { maxSourceDeviation, minSources } = policy.tokenPrice;
  const near = sourcePrices.filter((source) => compare(changeFrom(source, price), maxSourceDeviation) <= 0).length;
  if (near >= minSources) return { id, figure, limit, tripped: false };
  return { id, figure: fraction(BigInt(near)), limit: fraction(BigInt(minSources)), tripped: true };
}

/** The eight breakers in the order of spec §8. */
export function readBreakers(inputs: BreakerInputs, policy: Policy): Breaker[] {
  const { allotment, census, last } = inputs;
  const figures: Record<Exclude<BreakerId, 'tokenMove'>, Fraction> = {
    priceChange: priceChange(inputs),
    totalChange: last === undefined ? ZERO : changeFrom(fraction(allotment.sum), fraction(last.sum)),
    supplyDrop: supplyDrop(inputs),
    topShare: topShare(inputs),
    belowMinimumUptimeShare: shareOf(census.belowMinimum, census.providers),
    overServed: overServed(inputs),
    unmeasuredShare: shareOf(census.unmeasured, census.providers),
  };
  return BREAKERS.map((id) => {
    if (id === 'tokenMove') return tokenMove(inputs, policy);
    const limit = policy.breakers[id];
    return { id, figure: figures[id], limit, tripped: compare(figures[id], limit) > 0 };
  });
}
