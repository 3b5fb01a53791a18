import fc from 'fast-check';
import { conservation } from '../../src/rulesets/1/checks';
import { derive } from '../../src/rulesets/1/derive';
import { epochs, factsFrom, settle } from '../rulesets/1/arbitrary-epochs';

/** What a soak of the pure core has seen, all of it conserved. Sums in base units. */
export interface PureFigures {
  readonly epochs: number;
  readonly payouts: number;
  readonly pool: bigint;
  readonly paid: bigint;
  readonly unallocated: bigint;
  /** Epochs whose pool did not suffice. */
  readonly scaled: number;
}

const AT_ONCE = 100;

/**
 * Settles so many random epochs, each on a history of its own, in the pure core alone.
 * @throws Error with the seed and the place of the first epoch that loses or makes a base unit
 */
export function soakPure(
  wanted: number,
  seed: number,
  progress: (done: number) => void = () => undefined,
): PureFigures {
  const figures = { epochs: 0, payouts: 0, pool: 0n, paid: 0n, unallocated: 0n, scaled: 0 };
  while (figures.epochs < wanted) {
    const numRuns = Math.min(AT_ONCE, wanted - figures.epochs);
    const batch = seed + figures.epochs / AT_ONCE;
    for (const [index, [policy, rows, around, past]] of fc.sample(epochs, { seed: batch, numRuns }).entries()) {
      const derivation = derive(policy, factsFrom(policy, rows, around), past);
      const { payouts, cappedSum, sum, unallocated } = settle(policy, derivation, rows);
      const where = `seed ${batch}, epoch ${index}`;
      require(where, 'amounts and rest are the pool', sum + unallocated.amount === derivation.pool);
      require(where, 'guard conservation', conservation(derivation.pool, sum, unallocated.amount).length === 0);
      require(where, 'the sum is that of the payouts', payouts.reduce((total, one) => total + one.amount, 0n) === sum);
      for (const { gross, capCut, scaleCut, amount } of payouts) {
        require(where, 'gross - capCut - scaleCut = amount', gross - capCut - scaleCut === amount);
        require(where, 'between 0 and the cap', amount >= 0n && amount <= derivation.cap);
      }
      figures.epochs += 1;
      figures.payouts += payouts.length;
      figures.pool += derivation.pool;
      figures.paid += sum;
      figures.unallocated += unallocated.amount;
      figures.scaled += cappedSum > derivation.pool ? 1 : 0;
    }
    progress(figures.epochs);
  }
  require(`seed ${seed}`, 'all is conserved', figures.paid + figures.unallocated === figures.pool);
  return figures;
}

function require(where: string, what: string, holds: boolean): void {
  if (!holds) throw new Error(`${where}: ${what} does not hold`);
}
