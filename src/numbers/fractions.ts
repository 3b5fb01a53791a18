import { decimalOf, NANO_DECIMALS, powerOfTen, roundHalfEvenDivide, scaledOf } from './amounts';
import type { Decimal } from './decimal';
import type { Ratio } from './units';

/**
 * Exact fractions: what stays unrounded between two quantised values (spec §1). Quotients that are added before one
 * rounding come to one denominator here by construction, and `q9Of` divides once.
 */
export interface Fraction {
  readonly numerator: bigint;
  /** Above zero. */
  readonly denominator: bigint;
}

export const ZERO: Fraction = { numerator: 0n, denominator: 1n };
export const ONE: Fraction = { numerator: 1n, denominator: 1n };
const MINUS_ONE: Fraction = { numerator: -1n, denominator: 1n };

/** numerator / denominator; 0 where the denominator is 0 (spec §1). */
export function fraction(numerator: bigint, denominator: bigint): Fraction {
  if (denominator === 0n) return ZERO;
  return denominator < 0n ? { numerator: -numerator, denominator: -denominator } : { numerator, denominator };
}

/** numerator / denominator of two decimals; 0 where the denominator is 0 (spec §1). */
export function quotient(numerator: Decimal, denominator: Decimal): Fraction {
  const decimals = Math.max(numerator.decimalPlaces(), denominator.decimalPlaces());
  return fraction(scaledOf(numerator, decimals), scaledOf(denominator, decimals));
}

/** A decimal as the fraction that it is. */
export function exact(x: Decimal): Fraction {
  const decimals = x.decimalPlaces();
  return { numerator: scaledOf(x, decimals), denominator: powerOfTen(decimals) };
}

export function plus(left: Fraction, right: Fraction): Fraction {
  return {
    numerator: left.numerator * right.denominator + right.numerator * left.denominator,
    denominator: left.denominator * right.denominator,
  };
}

export function minus(left: Fraction, right: Fraction): Fraction {
  return plus(left, { numerator: -right.numerator, denominator: right.denominator });
}

export function times(left: Fraction, right: Fraction): Fraction {
  return { numerator: left.numerator * right.numerator, denominator: left.denominator * right.denominator };
}

/** left / right; 0 where right is 0 (spec §1). */
export function over(left: Fraction, right: Fraction): Fraction {
  return fraction(left.numerator * right.denominator, left.denominator * right.numerator);
}

/** Negative, zero or positive, as left is below, equal to or above right. */
export function compare(left: Fraction, right: Fraction): number {
  const difference = left.numerator * right.denominator - right.numerator * left.denominator;
  if (difference < 0n) return -1;
  return difference > 0n ? 1 : 0;
}

export function smaller(left: Fraction, right: Fraction): Fraction {
  return compare(left, right) <= 0 ? left : right;
}

export function larger(left: Fraction, right: Fraction): Fraction {
  return compare(left, right) >= 0 ? left : right;
}

/** `clamp(x) = max(-1, min(1, x))` of spec §1. */
export function clamp(x: Fraction): Fraction {
  return larger(MINUS_ONE, smaller(ONE, x));
}

/** `q9` of an exact fraction: divided once, rounded once, half to even (spec §1). */
export function q9Of(x: Fraction): Ratio {
  const scaled = roundHalfEvenDivide(x.numerator * powerOfTen(NANO_DECIMALS), x.denominator);
  return decimalOf(scaled, NANO_DECIMALS) as Ratio;
}

/** A signal: `q9(clamp(x))` (spec §5). */
export function clampSignal(x: Fraction): Ratio {
  return q9Of(clamp(x));
}
