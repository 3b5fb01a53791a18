/** Means over the history of a market or a family (spec §4). */
import { add, type Fraction, fraction, maximum, multiply, ONE, q9, subtract, sum, ZERO } from './fraction';

/** One epoch of a history with the figure that is averaged. */
export interface Observation {
  readonly epoch: number;
  readonly value: Fraction;
}

/** `ewma(a; x1..xn)`: E1 = x1, Ej = q9(a*xj + (1-a)*E(j-1)); `empty` where there is no history. */
export function ewma(alpha: Fraction, values: readonly Fraction[], empty: Fraction): Fraction {
  const [first, ...later] = values;
  if (first === undefined) return empty;
  const kept = subtract(ONE, alpha);
  return later.reduce((mean, value) => q9(add(multiply(alpha, value), multiply(kept, mean))), first);
}

/** The exact mean of the values in the phase of an epoch; undefined where none is. */
function phaseMean(history: readonly Observation[], epoch: number, season: number): Fraction | undefined {
  const values = history.filter((past) => past.epoch % season === epoch % season).map((past) => past.value);
  if (values.length === 0) return undefined;
  return multiply(sum(values), fraction(1n, BigInt(values.length)));
}

/** Forecast F of the next epoch's demand, in unit-hours (spec §4). */
export function forecast(epoch: number, demand: Fraction, history: readonly Observation[], season: number): Fraction {
  if (history.length < 2 * season) return demand;
  const now = phaseMean(history, epoch, season);
  const next = phaseMean(history, epoch + 1, season);
  if (now === undefined || next === undefined) return demand;
  return maximum(ZERO, q9(add(demand, subtract(next, now))));
}
