/**
 * Exact fractions over bigint and the two roundings of spec §1.
 *
 * Nothing here rounds unless its name says so (`q9`, `q12`, `floorOf`). Fractions are not reduced: every value that
 * lives on is rounded to a power of ten soon enough, and a comparison multiplies across.
 */

/** An exact number; the denominator is always above zero. */
export interface Fraction {
  readonly numerator: bigint;
  readonly denominator: bigint;
}

/** `numerator / denominator`. Throws a RangeError if the denominator is zero. */
export function fraction(numerator: bigint, denominator = 1n): Fraction {
  if (denominator === 0n) throw new RangeError('a fraction needs a denominator other than zero');
  return denominator < 0n ? { numerator: -numerator, denominator: -denominator } : { numerator, denominator };
}

export const ZERO = fraction(0n);
export const ONE = fraction(1n);

const POWERS_OF_TEN = Array.from({ length: 64 }, (_, exponent) => 10n ** BigInt(exponent));

export function powerOfTen(exponent: number): bigint {
  return POWERS_OF_TEN[exponent] ?? 10n ** BigInt(exponent);
}

export function add(a: Fraction, b: Fraction): Fraction {
  if (a.denominator === b.denominator) return { numerator: a.numerator + b.numerator, denominator: a.denominator };
  // One denominator dividing the other is the case of decimals: it keeps long sums from growing.
  if (a.denominator % b.denominator === 0n) {
    return fraction(a.numerator + b.numerator * (a.denominator / b.denominator), a.denominator);
  }
  if (b.denominator % a.denominator === 0n) return add(b, a);
  return fraction(a.numerator * b.denominator + b.numerator * a.denominator, a.denominator * b.denominator);
}

export function negate(a: Fraction): Fraction {
  return fraction(-a.numerator, a.denominator);
}

export function subtract(a: Fraction, b: Fraction): Fraction {
  return add(a, negate(b));
}

export function multiply(a: Fraction, b: Fraction): Fraction {
  return fraction(a.numerator * b.numerator, a.denominator * b.denominator);
}

export function sum(terms: readonly Fraction[]): Fraction {
  return terms.reduce(add, ZERO);
}

/** `a / b`, and 0 where b is 0 (spec §1: a quotient with a zero denominator counts as 0). */
export function quotient(a: Fraction, b: Fraction): Fraction {
  if (b.numerator === 0n) return ZERO;
  return fraction(a.numerator * b.denominator, a.denominator * b.numerator);
}

/** Below, equal to or above zero as a is below, equal to or above b. */
export function compare(a: Fraction, b: Fraction): number {
  const difference = a.numerator * b.denominator - b.numerator * a.denominator;
  return difference < 0n ? -1 : difference > 0n ? 1 : 0;
}

export function isZero(a: Fraction): boolean {
  return a.numerator === 0n;
}

export function minimum(a: Fraction, b: Fraction): Fraction {
  return compare(a, b) <= 0 ? a : b;
}

export function maximum(a: Fraction, b: Fraction): Fraction {
  return compare(a, b) >= 0 ? a : b;
}

export function absolute(a: Fraction): Fraction {
  return a.numerator < 0n ? negate(a) : a;
}

/** `max(low, min(high, a))` (spec §1). */
export function bound(a: Fraction, low: Fraction, high: Fraction): Fraction {
  return maximum(low, minimum(high, a));
}

/** `max(-1, min(1, a))` (spec §1). */
export function clamp(a: Fraction): Fraction {
  return bound(a, negate(ONE), ONE);
}

/** The largest integer not above a. */
export function floorOf(a: Fraction): bigint {
  const towardsZero = a.numerator / a.denominator;
  return a.numerator < 0n && towardsZero * a.denominator !== a.numerator ? towardsZero - 1n : towardsZero;
}

/** `qN(x)` of spec §1: the exact value rounded once, half to even, to so many decimals. */
export function roundHalfEven(a: Fraction, decimals: number): Fraction {
  const scale = powerOfTen(decimals);
  const scaled = fraction(a.numerator * scale, a.denominator);
  const below = floorOf(scaled);
  const twiceTheRest = 2n * (scaled.numerator - below * scaled.denominator);
  const isHalf = twiceTheRest === scaled.denominator;
  const goesUp = isHalf ? below % 2n !== 0n : twiceTheRest > scaled.denominator;
  return fraction(goesUp ? below + 1n : below, scale);
}

export function q9(a: Fraction): Fraction {
  return roundHalfEven(a, 9);
}

export function q12(a: Fraction): Fraction {
  return roundHalfEven(a, 12);
}

const DECIMAL = /^(-?)([0-9]+)(?:\.([0-9]+))?$/;

/**
 * The value of a decimal text (`^-?[0-9]+(\.[0-9]+)?$`, spec §2). Trailing zeros do not count as decimals.
 * Throws a RangeError for any other text and for more than `maximumDecimals` decimals.
 */
export function decimal(text: string, maximumDecimals: number): Fraction {
  const match = DECIMAL.exec(text);
  if (!match) throw new RangeError(`"${text}" is not a number`);
  const decimals = (match[3] ?? '').replace(/0+$/, '');
  if (decimals.length > maximumDecimals) {
    throw new RangeError(`"${text}" has ${decimals.length} decimals, at most ${maximumDecimals} are allowed`);
  }
  const digits = BigInt(`${match[2]}${decimals}`);
  return fraction(match[1] === '-' ? -digits : digits, powerOfTen(decimals.length));
}

/**
 * Plain shortest decimal text (spec §9): no exponent, no trailing zeros, no `+`, and zero is `0`.
 * Throws a RangeError if the value has no finite decimal text.
 */
export function decimalText(a: Fraction): string {
  let decimals = 0;
  let scaled = a.numerator;
  while (scaled % a.denominator !== 0n) {
    // No value of the specification has more than 12 decimals; the margin tells a long decimal from an endless one.
    if (decimals === 100) throw new RangeError('the value has no finite decimal text');
    decimals += 1;
    scaled *= 10n;
  }
  const digits = scaled / a.denominator;
  const unsigned = (digits < 0n ? -digits : digits).toString().padStart(decimals + 1, '0');
  const whole = unsigned.slice(0, unsigned.length - decimals);
  const rest = unsigned.slice(unsigned.length - decimals);
  return `${digits < 0n ? '-' : ''}${whole}${rest === '' ? '' : `.${rest}`}`;
}

/**
 * The median of at least one value; of an even count the mean of the middle two, q12 at once (spec §1).
 * Throws a RangeError for no values.
 */
export function median(values: readonly Fraction[]): Fraction {
  const sorted = [...values].sort(compare);
  // biome-ignore lint/plugin/exact-money: an index into an array
  const upper = sorted[Math.floor(sorted.length / 2)];
  if (upper === undefined) throw new RangeError('no values, no median');
  if (sorted.length % 2 === 1) return upper;
  const lower = sorted[sorted.length / 2 - 1] as Fraction;
  return q12(multiply(add(lower, upper), fraction(1n, 2n)));
}
