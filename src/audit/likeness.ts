import { isDigest } from '../proofs/digests';
import { Mismatch, type Place, requireSameJson } from './difference';

/** In an expected value: what no row keeps, of which only the form is known. */
export const FLAG = Symbol('true or false');
export const COUNT = Symbol('a count');
export const LIST = Symbol('a list');
export const DIGEST = Symbol('64 hex digits');

/**
 * Compares a value with those that it may be; the one of the same `kind` or `state` is the one that counts.
 * @throws Mismatch with the path of the first member that differs
 */
export function requireLike(place: Place, column: string, value: unknown, expected: readonly unknown[]): void {
  const same = expected.find((one) => tagOf(one) === tagOf(value)) ?? expected[0];
  requireForm(place, column, value, same);
}

/** What tells the variants of an answer apart. */
function tagOf(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  const { kind, state, hold } = value as Record<string, unknown>;
  return kind ?? state ?? (hold === null ? 'no hold' : 'plain');
}

function requireForm(place: Place, column: string, value: unknown, expected: unknown): void {
  if (typeof expected === 'symbol') {
    if (hasForm(value, expected)) return;
    throw new Mismatch({
      ...place,
      column,
      stored: JSON.stringify(value) ?? '(nothing)',
      recomputed: String(expected.description),
    });
  }
  if (typeof expected !== 'object' || expected === null || typeof value !== 'object' || value === null) {
    requireSameJson(place, column, value, expected);
    return;
  }
  const [own, other] = [value as Record<string, unknown>, expected as Record<string, unknown>];
  for (const key of new Set([...Object.keys(own), ...Object.keys(other)])) {
    requireForm(place, `${column}.${key}`, own[key], other[key]);
  }
}

function hasForm(value: unknown, form: symbol): boolean {
  if (form === FLAG) return typeof value === 'boolean';
  if (form === LIST) return Array.isArray(value);
  if (form === DIGEST) return isDigest(value);
  return Number.isSafeInteger(value) && (value as number) >= 0;
}
