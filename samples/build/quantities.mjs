/** Unit-hours are counted in whole micro-units, so that sums over rows are exact. */

export const MICRO = 1_000_000;

/**
 * floor(amount / divisor) in micro-units, exactly, for whole amounts. Throws where the product would leave the
 * whole numbers that a double can hold.
 */
export function microUnits(amount, divisor) {
  const common = greatestCommonDivisor(MICRO, divisor);
  const scaled = amount * (MICRO / common);
  const by = divisor / common;
  if (!Number.isSafeInteger(scaled)) throw new Error(`${amount} is too large to be counted in micro-units`);
  return (scaled - (scaled % by)) / by;
}

function greatestCommonDivisor(a, b) {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}

/** Micro-units as the decimal text of an input file: at most 6 decimals, no trailing zeros. */
export function microText(micro) {
  const whole = Math.floor(micro / MICRO);
  const rest = String(micro % MICRO)
    .padStart(6, '0')
    .replace(/0+$/, '');
  return rest === '' ? String(whole) : `${whole}.${rest}`;
}

/** a / b as decimal text with 6 decimals, rounded half up; for shares of counts. */
export function shareText(part, whole) {
  return microText(Math.floor((2 * part * MICRO + whole) / (2 * whole)));
}
