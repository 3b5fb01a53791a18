import { NANO, powerOfTen, roundHalfEvenDivide } from '../../numbers/amounts';
import { type Decimal, q12 } from '../../numbers/decimal';

/** Means of spec §1 and §4. */

/** Series are averaged as integers of 10^-12: every input fits, and 336 epochs cost no decimal objects. */
export const SERIES_DECIMALS = 12;
const SERIES_TO_NANO = powerOfTen(SERIES_DECIMALS - 9);

/** Median of at least one value; of an even count the mean of the middle two, q12 at once (spec §1). */
export function median<T extends Decimal>(values: readonly T[]): T {
  const sorted = [...values].sort((left, right) => left.comparedTo(right));
  const middle = sorted.length >> 1;
  const upper = sorted[middle];
  if (upper === undefined) throw new RangeError('A median needs at least one value.');
  if (sorted.length % 2 === 1) return upper;
  const lower = sorted[middle - 1] as T;
  return q12(lower.plus(upper).times('0.5')) as Decimal as T;
}

/**
 * `ewma(a; x1..xn)` of spec §4: E1 = x1; Ej = q9(a*xj + (1-a)*E(j-1)). E1 keeps its decimals; all others have 9.
 *
 * @param alpha a, as an integer of 10^-9
 * @param values x1..xn as integers of 10^-12, oldest first
 * @param none the result where there is no value
 */
export function ewma(alpha: bigint, values: readonly bigint[], none: bigint): bigint {
  const rest = NANO - alpha;
  let mean = none;
  for (let index = 0; index < values.length; index++) {
    const value = values[index] as bigint;
    if (index === 0) mean = value;
    else mean = roundHalfEvenDivide(alpha * value + rest * mean, NANO * SERIES_TO_NANO) * SERIES_TO_NANO;
  }
  return mean;
}
