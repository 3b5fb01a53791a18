import { Decimal, NumberTextError, requireNumberText } from './decimal';
import { COUNT_PATTERN } from './patterns';
import type { Amount, MicroUnits, NanoRatio, Ratio, UnitHours } from './units';

/** Integer arithmetic without a size limit (spec §1, §7), and the way between integers and canonical text. */

export const NANO = 1_000_000_000n;
const MICRO_DECIMALS = 6;
export const NANO_DECIMALS = 9;

/** 10^exponent. */
export function powerOfTen(exponent: number): bigint {
  return 10n ** BigInt(exponent);
}

/** floor(numerator / denominator), also below zero, where `/` would round up; denominator > 0. */
export function floorDivide(numerator: bigint, denominator: bigint): bigint {
  const quotient = numerator / denominator;
  return numerator % denominator < 0n ? quotient - 1n : quotient;
}

/** numerator / denominator rounded once, half to even; denominator > 0. */
export function roundHalfEvenDivide(numerator: bigint, denominator: bigint): bigint {
  const floor = floorDivide(numerator, denominator);
  const twice = 2n * (numerator - floor * denominator);
  if (twice < denominator) return floor;
  if (twice > denominator) return floor + 1n;
  return floor % 2n === 0n ? floor : floor + 1n;
}

/**
 * The integer of 10^-decimals that a number's text says: `parseScaled('1.5', 6)` is 1500000n.
 *
 * @throws NumberTextError `not-a-number` or `too-many-decimals`
 */
export function parseScaled(text: string, decimals: number): bigint {
  const small = parseSmallScaled(text, decimals);
  if (small >= 0) return BigInt(small);
  requireNumberText(text, decimals);
  const [whole, fraction = ''] = text.split('.');
  // What is cut off is zeros: more decimals were just refused.
  return BigInt(whole! + fraction.slice(0, decimals).padEnd(decimals, '0'));
}

/** So many digits are below 2^53, so a number holds them exactly. */
const SMALL_DIGITS = 15;
const ZERO = 48;
const POINT = 46;
const POWERS_OF_TEN = Array.from({ length: SMALL_DIGITS }, (_, exponent) => 10 ** exponent);

/**
 * `parseScaled` as a number, for the short plain numbers that nearly every row has: several of them a row, a million
 * rows an epoch. Of the characters of `text` in [from, to). -1: they are more, negative or no number, which
 * `parseScaled` tells apart.
 */
export function parseSmallScaled(text: string, decimals: number, from = 0, to = text.length): number {
  if (to - from + decimals > SMALL_DIGITS) return -1;
  let value = 0;
  let at = from;
  for (; at < to; at += 1) {
    const digit = text.charCodeAt(at) - ZERO;
    if (digit < 0 || digit > 9) break;
    value = value * 10 + digit;
  }
  if (at === from) return -1;
  if (at === to) return value * POWERS_OF_TEN[decimals]!;
  const fraction = to - at - 1;
  if (text.charCodeAt(at) !== POINT || fraction === 0 || fraction > decimals) return -1;
  for (at += 1; at < to; at += 1) {
    const digit = text.charCodeAt(at) - ZERO;
    if (digit < 0 || digit > 9) return -1;
    value = value * 10 + digit;
  }
  return value * POWERS_OF_TEN[decimals - fraction]!;
}

/** Canonical text of an integer of 10^-decimals: `scaledText(1500000n, 6)` is `1.5` (spec §9). */
export function scaledText(scaled: bigint, decimals: number): string {
  const negative = scaled < 0n;
  const digits = (negative ? -scaled : scaled).toString().padStart(decimals + 1, '0');
  const point = digits.length - decimals;
  let end = digits.length;
  while (digits.charCodeAt(end - 1) === 48) end -= 1;
  const text = end > point ? `${digits.slice(0, point)}.${digits.slice(point, end)}` : digits.slice(0, point);
  return negative ? `-${text}` : text;
}

/**
 * x as an integer of 10^-decimals, exactly.
 *
 * @throws RangeError if x has more decimals: a value that was to be quantised before was not
 */
export function scaledOf(x: Decimal, decimals: number): bigint {
  if (x.decimalPlaces() > decimals) {
    throw new RangeError(`${x.toFixed()} has more than ${decimals} decimals and was not quantised`);
  }
  // biome-ignore lint/plugin/exact-money: a Decimal; nothing is rounded, since it was just found to have no more decimals
  const text = x.toFixed(decimals);
  return BigInt(decimals === 0 ? text : text.slice(0, -decimals - 1) + text.slice(-decimals));
}

/** The decimal scaled / 10^decimals. */
export function decimalOf(scaled: bigint, decimals: number): Decimal {
  return new Decimal(scaledText(scaled, decimals));
}

/** A quantity's text as micro-units, at most 6 decimals (spec §1). @throws NumberTextError */
export function parseMicroUnits(text: string): MicroUnits {
  return parseScaled(text, MICRO_DECIMALS) as MicroUnits;
}

/** Canonical text, in unit-hours, of micro-units. */
export function microUnitsText(quantity: MicroUnits): string {
  return scaledText(quantity, MICRO_DECIMALS);
}

export function unitHoursOf(quantity: MicroUnits): UnitHours {
  return decimalOf(quantity, MICRO_DECIMALS) as UnitHours;
}

/** A quantised ratio as an integer of 10^-9. @throws RangeError if it has more than 9 decimals */
export function toNano(ratio: Ratio): NanoRatio {
  return scaledOf(ratio, NANO_DECIMALS) as NanoRatio;
}

export function fromNano(ratio: NanoRatio): Ratio {
  return decimalOf(ratio, NANO_DECIMALS) as Ratio;
}

/** Base units as text: a whole number, never negative in payouts. @throws NumberTextError */
export function parseAmount(text: string): Amount {
  return parseScaled(text, 0) as Amount;
}

export function amountText(amount: Amount): string {
  return amount.toString();
}

/**
 * A count or an epoch number: an unsigned integer without decimals (spec §3) that a `number` holds exactly.
 *
 * @throws NumberTextError `not-a-count` or `too-large`
 */
export function parseCount(text: string): number {
  if (!COUNT_PATTERN.test(text)) {
    throw new NumberTextError('not-a-count', `${JSON.stringify(text.slice(0, 60))} is not an unsigned integer`);
  }
  // biome-ignore lint/plugin/exact-money: an unsigned integer, refused below if it is not a safe one
  const count = Number(text);
  if (!Number.isSafeInteger(count)) {
    throw new NumberTextError('too-large', `${text.slice(0, 60)} is above ${Number.MAX_SAFE_INTEGER}`);
  }
  return count;
}
