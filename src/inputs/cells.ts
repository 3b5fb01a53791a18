import { isPayee, PAYEE_PATTERN } from '../numbers/patterns';
import { compareDecimals } from '../proofs/canonical-lines';
import { Refusal } from './refusals';

/**
 * What each kind of input cell may hold, and its canonical text (spec §3, §9). A check returns the canonical text, or
 * the reason why there is none. Loops over characters and no regular expressions: these run for every cell of bundles
 * with millions of rows, and cannot be made slow by a hostile one.
 *
 * Limits beyond the specification, so that no input can outgrow the database or an epoch counter: epochs up to
 * 2^31 - 1, quantities and milliseconds up to 18 integer digits, prices, volumes and indices up to 30.
 */
export type CellCheck = (text: string) => string | Refusal;

const ZERO = 0x30;
const NINE = 0x39;
const MINUS = 0x2d;
const POINT = 0x2e;

const EMPTY = new Refusal('is empty', 'give a value: only performance cells and payees may be empty');

const IN_IDENTIFIER = new Uint8Array(256);
for (const char of 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._:-') {
  IN_IDENTIFIER[char.charCodeAt(0)] = 1;
}
const IDENTIFIER_CHARS = 128;
const NOT_IDENTIFIER = new Refusal(
  'is not an identifier',
  `use 1 to ${IDENTIFIER_CHARS} of the characters A-Z a-z 0-9 . _ : -`,
);

/** `^[A-Za-z0-9._:-]{1,128}$`, as it stands: no case folding, no trimming. */
export const identifier: CellCheck = (text) => {
  if (text === '') return EMPTY;
  if (text.length > IDENTIFIER_CHARS) return NOT_IDENTIFIER;
  for (let i = 0; i < text.length; i++) if (IN_IDENTIFIER[text.charCodeAt(i)] !== 1) return NOT_IDENTIFIER;
  return text;
};

const LAST_EPOCH = 2_147_483_647;
const NOT_EPOCH = new Refusal('is not an epoch', `give a whole number from 0 to ${LAST_EPOCH}, digits only`);

/** An unsigned integer without sign, point or exponent; leading zeros are dropped. */
export const epoch: CellCheck = (text) => {
  if (text === '') return EMPTY;
  let value = 0;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code < ZERO || code > NINE) return NOT_EPOCH;
    value = value * 10 + (code - ZERO);
    if (value > LAST_EPOCH) return NOT_EPOCH;
  }
  return text.charCodeAt(0) === ZERO && text.length > 1 ? String(value) : text;
};

const NOT_NUMBER = new Refusal('is not a number', 'write plain decimals like 12.5: no exponent, no +, no spaces');

/** What a decimal column allows. Bounds are canonical text and inclusive, `above` exclusive. */
interface DecimalRange {
  readonly decimals: number;
  readonly integerDigits: number;
  readonly min?: string;
  readonly above?: string;
  readonly max?: string;
}

/**
 * A decimal of the pattern `^-?[0-9]+(\.[0-9]+)?$` within a range. Trailing zeros do not count as decimals; more
 * decimals than allowed are refused, never rounded.
 */
export function decimal(range: DecimalRange): CellCheck {
  const { decimals, integerDigits, min, above, max } = range;
  const limits: DecimalLimits = {
    decimals,
    integerDigits,
    tooFine: new Refusal(`has more than ${decimals} decimals`, 'round it at its source, where the loss is known'),
    tooLong: new Refusal(`has more than ${integerDigits} digits before the point`, 'check its unit'),
  };
  const outside = new Refusal('is out of range', `give a number ${rangeText(range)}`);
  return (text) => {
    const value = shortestDecimal(text, limits);
    if (typeof value !== 'string') return value;
    if (min !== undefined && compareDecimals(value, min) < 0) return outside;
    if (above !== undefined && compareDecimals(value, above) <= 0) return outside;
    if (max !== undefined && compareDecimals(value, max) > 0) return outside;
    return value;
  };
}

interface DecimalLimits {
  readonly decimals: number;
  readonly integerDigits: number;
  readonly tooFine: Refusal;
  readonly tooLong: Refusal;
}

/** Plain shortest decimal of a number's text: no leading or trailing zeros, `-0` is `0` (spec §9). */
function shortestDecimal(text: string, limits: DecimalLimits): string | Refusal {
  if (text === '') return EMPTY;
  const start = text.charCodeAt(0) === MINUS ? 1 : 0;
  const point = afterDigits(text, start);
  if (point === start) return NOT_NUMBER;
  if (point < text.length) {
    const fraction = point + 1;
    if (text.charCodeAt(point) !== POINT || fraction === text.length) return NOT_NUMBER;
    if (afterDigits(text, fraction) !== text.length) return NOT_NUMBER;
  }
  let first = start;
  while (first < point - 1 && text.charCodeAt(first) === ZERO) first++;
  let end = text.length;
  if (point < end) while (text.charCodeAt(end - 1) === ZERO) end--;
  if (end === point + 1) end = point;
  if (point - first > limits.integerDigits) return limits.tooLong;
  if (end - point - 1 > limits.decimals) return limits.tooFine;
  if (start === 0) return first === 0 && end === text.length ? text : text.slice(first, end);
  const magnitude = text.slice(first, end);
  return magnitude === '0' ? magnitude : `-${magnitude}`;
}

/** Index of the first character from `from` on that is no digit. */
function afterDigits(text: string, from: number): number {
  let i = from;
  while (i < text.length && text.charCodeAt(i) >= ZERO && text.charCodeAt(i) <= NINE) i++;
  return i;
}

function rangeText({ min, above, max }: DecimalRange): string {
  if (max !== undefined) return `from ${min} to ${max}`;
  return above === undefined ? `of at least ${min}` : `above ${above}`;
}

/** A cell that may be empty, which means "not measured" or "none". */
export function optional(check: CellCheck): CellCheck {
  return (text) => (text === '' ? text : check(text));
}

/** One of a few words. */
export function oneOf(...words: readonly string[]): CellCheck {
  const other = new Refusal('is none of the words allowed here', `write ${words.join(' or ')}, in lower case`);
  return (text) => (text === '' ? EMPTY : words.includes(text) ? text : other);
}

const NOT_PAYEE = new Refusal('is not a payee address', 'write 0x and 40 hex digits, or leave the cell empty');
const ZERO_PAYEE = new Refusal(
  'is the zero address, which is no payee',
  'leave the cell empty where there is no payee',
);
/** `0x` and 40 hex digits of either case; canonical in lower case. Mixed-case checksums are not verified. */
export const payee: CellCheck = (text) => {
  if (isPayee(text)) return text.toLowerCase();
  return PAYEE_PATTERN.test(text) ? ZERO_PAYEE : NOT_PAYEE;
};

const NOT_INSTANT = new Refusal('is not an instant', 'write YYYY-MM-DDTHH:MM:SSZ, a real date and time in UTC');
const INSTANT = /^([0-9]{4})-([0-9]{2})-([0-9]{2})T([0-9]{2}):([0-9]{2}):([0-9]{2})Z$/;

/** `YYYY-MM-DDTHH:MM:SSZ` of a real calendar day, years 0001 to 9999; no leap seconds, no 24:00:00. */
export const instant: CellCheck = (text) => {
  if (text === '') return EMPTY;
  const parts = INSTANT.exec(text);
  if (parts === null) return NOT_INSTANT;
  const [year, month, day, hour, minute, second] = parts.slice(1).map(Number) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  const real = year > 0 && month >= 1 && month <= 12 && day >= 1 && day <= daysIn(year, month);
  return real && hour < 24 && minute < 60 && second < 60 ? text : NOT_INSTANT;
};

const DAYS = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31] as const;

function daysIn(year: number, month: number): number {
  const leap = (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0;
  return month === 2 && leap ? 29 : (DAYS[month - 1] ?? 0);
}
