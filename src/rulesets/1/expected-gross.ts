import { scaledOf, toNano } from '../../numbers/amounts';
import type { Amount, MicroUnits, NanoRatio } from '../../numbers/units';
import { grossOfLine, standbyOf } from './amounts';
import type { Policy } from './policy';
import type { Derivation } from './records';

const MICRO_DECIMALS = 6;
const AVERAGE = 1_000_000_000n as NanoRatio;

/**
 * About what all providers of an epoch earn before cap and pool: each market's hours at its rate and M4 = 1, as if they
 * were one provider's. Nothing is paid by it; it only tells whether the pool will most likely bind (spec §7: G > B).
 */
export function expectedGross(policy: Policy, derivation: Derivation): Amount {
  const rates = new Map(derivation.multipliers.map(({ market, rate }) => [market, rate]));
  const lines = derivation.measures.markets.map(({ market, supply, used }) => {
    const rate = rates.get(market);
    const standbyShare = policy.markets.get(market)?.standbyShare;
    if (rate === undefined || standbyShare === undefined) return 0n;
    const served = scaledOf(used, MICRO_DECIMALS) as MicroUnits;
    const standby = standbyOf(scaledOf(supply, MICRO_DECIMALS) as MicroUnits, served);
    return grossOfLine(served, standby, toNano(standbyShare), rate, AVERAGE);
  });
  return lines.reduce<bigint>((sum, line) => sum + line, 0n) as Amount;
}
