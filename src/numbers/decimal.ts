import { Decimal as DecimalJs } from 'decimal.js';
import { NUMBER_PATTERN } from './patterns';
import type { Ratio, UsdPrice } from './units';

/**
 * Decimals of the settlement (spec §1): nothing is rounded but by `q9` and `q12`, half to even, once.
 *
 * Sums and products must stay exact. Policies limit their own numbers, but the specification sets no limit to a
 * quoted price or a volume, so the precision is far above anything that a row can hold; it costs nothing where digits
 * are few. Quotients are not taken here but as exact fractions (`fractions.ts`), which have no precision to run out of.
 */
export const Decimal = DecimalJs.clone({
  defaults: true,
  precision: 1000,
  rounding: DecimalJs.ROUND_HALF_EVEN,
  toExpNeg: -9e15,
  toExpPos: 9e15,
});
export type Decimal = DecimalJs;

/** `q9` of spec §1: x rounded once, half to even, to 9 decimals. */
export function q9(x: Decimal): Ratio {
  return x.toDecimalPlaces(9, DecimalJs.ROUND_HALF_EVEN) as Ratio;
}

/** `q12` of spec §1: x rounded once, half to even, to 12 decimals. */
export function q12(x: Decimal): UsdPrice {
  return x.toDecimalPlaces(12, DecimalJs.ROUND_HALF_EVEN) as UsdPrice;
}

/** `bound(x, lo, hi) = max(lo, min(hi, x))` of spec §1. */
export function bound<T extends Decimal>(x: T, lowest: T, highest: T): T {
  const capped = x.greaterThan(highest) ? highest : x;
  return capped.lessThan(lowest) ? lowest : capped;
}

export type NumberTextReason = 'not-a-number' | 'too-many-decimals' | 'not-a-count' | 'too-large';

/** A text that is not the number it should be. The caller knows file, line and column, and adds them. */
export class NumberTextError extends Error {
  readonly id = 'number-text';
  constructor(
    readonly reason: NumberTextReason,
    message: string,
  ) {
    super(message);
    this.name = 'NumberTextError';
  }
}

/** The number pattern and the limit of decimals, both of spec §2 and §3; trailing zeros do not count. */
export function requireNumberText(text: string, maxDecimals: number): void {
  if (!NUMBER_PATTERN.test(text)) {
    throw new NumberTextError(
      'not-a-number',
      `${quoted(text)} is not a number: write digits with an optional point, like 12 or 0.5, without exponent or +`,
    );
  }
  const point = text.indexOf('.');
  if (point === -1) return;
  let end = text.length;
  while (text.charCodeAt(end - 1) === 48) end -= 1;
  if (end - point - 1 > maxDecimals) {
    throw new NumberTextError(
      'too-many-decimals',
      `${quoted(text)} has ${end - point - 1} decimals, allowed are ${maxDecimals}: it is never rounded away`,
    );
  }
}

/**
 * The decimal that a text of the pattern of spec §2 says, with at most `maxDecimals` decimals.
 *
 * @throws NumberTextError `not-a-number` or `too-many-decimals`
 */
export function parseDecimalText(text: string, maxDecimals: number): Decimal {
  requireNumberText(text, maxDecimals);
  return new Decimal(text);
}

/** Plain shortest text (spec §9): no exponent, no trailing zeros, no `+`, and `-0` is `0`. */
export function decimalText(x: Decimal): string {
  return x.isZero() ? '0' : x.toFixed();
}

/** Long or strange input is shown shortened, so that one cell cannot fill a log. */
function quoted(text: string): string {
  return JSON.stringify(text.length > 60 ? `${text.slice(0, 57)}...` : text);
}
