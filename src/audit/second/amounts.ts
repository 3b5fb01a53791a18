/** Amounts in token base units: rates, gross, cap, scaling and what is left of the pool (spec §7). */
import { type Fraction, floorOf, fraction, minimum, multiply, powerOfTen, quotient, subtract } from './fraction';
import { groupBy } from './order';
import type { Judgement, Reason } from './performance';
import type { Policy } from './policy';
import { cellValue, type Tables } from './tables';

export interface Payout {
  readonly provider: string;
  readonly gross: bigint;
  readonly capCut: bigint;
  readonly scaleCut: bigint;
  readonly amount: bigint;
  readonly reason: Reason;
}

export interface Allotment {
  /** B. */
  readonly pool: bigint;
  readonly cap: bigint;
  readonly payouts: readonly Payout[];
  readonly sum: bigint;
  readonly unallocated: bigint;
  readonly unallocatedReason: 'rounding' | 'unspent';
}

/** rate_m: base units per micro-unit-hour, scaled by 10^9 (spec §7). */
export function rateOf(price: Fraction, networkMultiplier: Fraction, tokenPrice: Fraction, decimals: number): bigint {
  const scale = fraction(powerOfTen(decimals + 3));
  return floorOf(quotient(multiply(multiply(price, networkMultiplier), scale), tokenPrice));
}

/** B of an epoch: perEpoch, times decay once for every decayEpochs that are over. */
export function poolOf(epoch: number, policy: Policy): bigint {
  const { perEpoch, decay, decayEpochs } = policy.pool;
  // biome-ignore lint/plugin/exact-money: a quotient of two counts; both are safe integers
  const times = BigInt(Math.floor(epoch / decayEpochs));
  const factor = fraction(decay.numerator ** times, decay.denominator ** times);
  return floorOf(multiply(multiply(perEpoch, fraction(powerOfTen(policy.decimals))), factor));
}

/** A value with at most so many decimals as an integer of its last one. */
function scaledInteger(value: Fraction, decimals: number): bigint {
  const scaled = multiply(value, fraction(powerOfTen(decimals)));
  if (scaled.numerator % scaled.denominator !== 0n) throw new Error(`a value has more than ${decimals} decimals`);
  return floorOf(scaled);
}

/** gross(i,m) of offered and served unit-hours. */
export function grossOf(
  offered: Fraction,
  served: Fraction,
  standbyShare: Fraction,
  rate: bigint,
  multiplier: Fraction,
): bigint {
  const idle = scaledInteger(minimum(subtract(offered, served), served), 6);
  const paidHours = scaledInteger(served, 6) * powerOfTen(9) + idle * scaledInteger(standbyShare, 9);
  return floorOf(fraction(paidHours * rate * scaledInteger(multiplier, 9), powerOfTen(27)));
}

function lesser(a: bigint, b: bigint): bigint {
  return a < b ? a : b;
}

function total(amounts: readonly bigint[]): bigint {
  return amounts.reduce((before, amount) => before + amount, 0n);
}

/** Shares the pool among the judged providers; `rates` are by market. */
export function allot(
  epoch: number,
  rows: Tables,
  judgements: readonly Judgement[],
  rates: ReadonlyMap<string, bigint>,
  policy: Policy,
): Allotment {
  const standby = new Map(policy.markets.map((market) => [market.market, market.standbyShare]));
  const capacity = groupBy(rows.capacity, (row) => row[1] as string);
  const pool = poolOf(epoch, policy);
  const cap = floorOf(multiply(fraction(pool), policy.providerShare));
  const lines = judgements.map(({ provider, reason, multiplier }) => {
    const own = reason === 'paid' ? (capacity.get(provider) ?? []) : [];
    const grosses = own.map((row) => {
      const market = row[2] as string;
      const share = standby.get(market);
      const rate = rates.get(market);
      if (share === undefined || rate === undefined) throw new Error(`the policy has no market ${market}`);
      return grossOf(cellValue(row, 3), cellValue(row, 4), share, rate, multiplier);
    });
    const gross = total(grosses);
    return { provider, reason, gross, capped: lesser(gross, cap) };
  });
  const cappedSum = total(lines.map(({ capped }) => capped));
  const isScaled = cappedSum > pool;
  const payouts = lines.map(({ provider, reason, gross, capped }) => {
    const amount = isScaled ? (capped * pool) / cappedSum : capped;
    return { provider, gross, capCut: gross - capped, scaleCut: capped - amount, amount, reason };
  });
  const paid = total(payouts.map(({ amount }) => amount));
  return {
    pool,
    cap,
    payouts,
    sum: paid,
    unallocated: pool - paid,
    unallocatedReason: isScaled ? 'rounding' : 'unspent',
  };
}
