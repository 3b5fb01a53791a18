import { floorDivide, NANO, powerOfTen, scaledOf, toNano } from '../../numbers/amounts';
import type { Amount, MicroUnits, NanoRatio, Rate, Ratio, UsdPrice } from '../../numbers/units';
import type { Policy } from './policy';

/**
 * Amounts (spec §7): integer arithmetic without a size limit, rounded down only.
 *
 * Guarantees: gross - capCut - scaleCut = amount, and sum of amounts + unallocated = B, both exactly; no amount is
 * above the cap or below 0; splitting one provider's machines over two identities never raises a line's gross.
 */

/** 10^9 of the rate, 10^9 of the standby share, 10^9 of M4 (spec §7). */
const GROSS_SCALE = powerOfTen(27);

/** rate = floor(P * Mnet * 10^(decimals + 3) / T): base units per micro-unit-hour, scaled by 10^9. */
export function rateOf(policy: Policy, price: UsdPrice, networkMultiplier: Ratio, tokenPrice: UsdPrice): Rate {
  const numerator = scaledOf(price, 12) * toNano(networkMultiplier) * powerOfTen(policy.token.decimals + 3);
  return floorDivide(numerator, scaledOf(tokenPrice, 12) * NANO) as Rate;
}

/** min(offered - served, served): idle hours that are paid for, at most one per served hour. */
export function standbyOf(offered: MicroUnits, served: MicroUnits): MicroUnits {
  const idle = offered - served;
  return (idle < served ? idle : served) as MicroUnits;
}

/**
 * gross(i,m) = floor((served*10^9 + standby hours * standbyShare) * rate * M4 / 10^27).
 *
 * @param standbyShare as an integer of 10^-9
 * @param performance M4
 */
export function grossOfLine(
  served: MicroUnits,
  standby: MicroUnits,
  standbyShare: NanoRatio,
  rate: Rate,
  performance: NanoRatio,
): Amount {
  return (((served * NANO + standby * standbyShare) * rate * performance) / GROSS_SCALE) as Amount;
}

/** B = floor(perEpoch * 10^decimals * decay^floor(e / decayEpochs)), base units. */
export function poolOf(policy: Policy, epoch: number): Amount {
  const { perEpoch, decay, decayEpochs } = policy.pool;
  const start = toNano(perEpoch) * powerOfTen(policy.token.decimals);
  const periods = (epoch - (epoch % decayEpochs)) / decayEpochs;
  return floorOfDecayed(start, toNano(decay), periods) as Amount;
}

/**
 * floor(start * decay^periods), both in 10^-9, exactly.
 *
 * The exact power has millions of digits in a network with short periods, so it is enclosed between two fixed-point
 * numbers, with twice the digits until both have the same floor. Once all its digits fit, the two are one.
 */
function floorOfDecayed(start: bigint, decay: bigint, periods: number): bigint {
  for (let digits = 128; ; digits *= 2) {
    const one = powerOfTen(digits);
    const power = powerBetween(decay * powerOfTen(digits - 9), periods, one);
    const lowest = (start * power.below) / (one * NANO);
    if (lowest === (start * power.above) / (one * NANO)) return lowest;
  }
}

/** base^exponent in fixed point, rounded down and rounded up. */
function powerBetween(base: bigint, exponent: number, one: bigint): { below: bigint; above: bigint } {
  let [below, above, squareBelow, squareAbove] = [one, one, base, base];
  const up = (product: bigint) => (product + one - 1n) / one;
  for (let bits = BigInt(exponent); bits > 0n; bits >>= 1n) {
    if (bits % 2n === 1n) {
      below = (below * squareBelow) / one;
      above = up(above * squareAbove);
    }
    squareBelow = (squareBelow * squareBelow) / one;
    squareAbove = up(squareAbove * squareAbove);
  }
  return { below, above };
}

/** cap = floor(B * providerShare). */
export function capOf(policy: Policy, pool: Amount): Amount {
  return ((pool * toNano(policy.caps.providerShare)) / NANO) as Amount;
}

/** capped(i) = min(gross(i), cap). */
export function cappedOf(gross: Amount, cap: Amount): Amount {
  return gross < cap ? gross : cap;
}

/**
 * amount(i): capped(i) if G <= B, else floor(capped(i) * B / G).
 *
 * @param cappedSum G
 */
export function amountOf(capped: Amount, pool: Amount, cappedSum: Amount): Amount {
  return cappedSum <= pool ? capped : (((capped * pool) / cappedSum) as Amount);
}

/** What of the pool went to nobody. */
export interface Unallocated {
  readonly amount: Amount;
  readonly reason: 'rounding' | 'unspent';
}

/**
 * unallocated = B - sum of amounts, with its reason (spec §7).
 *
 * @param cappedSum G
 * @param sum the sum of all amounts
 */
export function unallocatedOf(pool: Amount, cappedSum: Amount, sum: Amount): Unallocated {
  return { amount: (pool - sum) as Amount, reason: cappedSum > pool ? 'rounding' : 'unspent' };
}
