/** Where what is stored is not what it should be. `row` is the row's key, its columns joined by `/`. */
export interface Difference {
  readonly table: string;
  readonly row: string;
  readonly column: string;
  /** Text of what stands there; `(no row)` where the row itself is missing. */
  readonly stored: string;
  readonly recomputed: string;
}

/** Thrown by a check at the first difference that it finds. */
export class Mismatch extends Error {
  override readonly name = 'Mismatch';
  constructor(readonly difference: Difference) {
    const { table, row, column, stored, recomputed } = difference;
    super(`${table} ${row}, ${column}: stored ${shortened(stored)}, should be ${shortened(recomputed)}`);
  }
}

export const NO_ROW = '(no row)';

/** Whole digests and amounts fit; a document does not. */
const LONGEST = 160;

const shortened = (text: string): string => (text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text);

/** The row that a column belongs to. */
export interface Place {
  readonly table: string;
  readonly row: string;
}

/** @throws Mismatch unless the two are the same text or number */
export function requireSame(
  place: Place,
  column: string,
  stored: string | number | boolean | null,
  recomputed: string | number | boolean | null,
): void {
  if (stored === recomputed) return;
  throw new Mismatch({ ...place, column, stored: String(stored), recomputed: String(recomputed) });
}

/** @throws Mismatch with the path of the first member in which two JSON values differ */
export function requireSameJson(place: Place, column: string, stored: unknown, recomputed: unknown): void {
  if (isBranch(stored) && isBranch(recomputed) && Array.isArray(stored) === Array.isArray(recomputed)) {
    const keys = [...new Set([...Object.keys(stored), ...Object.keys(recomputed)])];
    for (const key of keys) requireSameJson(place, `${column}.${key}`, stored[key], recomputed[key]);
    return;
  }
  if (stored === recomputed) return;
  throw new Mismatch({ ...place, column, stored: jsonText(stored), recomputed: jsonText(recomputed) });
}

function isBranch(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

function jsonText(value: unknown): string {
  return value === undefined ? '(nothing)' : typeof value === 'string' ? value : JSON.stringify(value);
}

/** A table as canonical lines, to be compared cell by cell. */
export interface ComparedTable {
  readonly table: string;
  readonly columns: readonly string[];
  /** The key is so many of the first columns. */
  readonly keyLength: number;
  /** Put before the key in messages, for what all rows have in common. */
  readonly prefix: string;
}

/**
 * Compares two tables in the order of their keys, both as canonical lines without line ends.
 * @throws Mismatch at the first cell, or at the first row that one of them lacks
 */
export function requireSameLines(table: ComparedTable, stored: readonly string[], recomputed: readonly string[]): void {
  const length = Math.max(stored.length, recomputed.length);
  for (let index = 0; index < length; index += 1) {
    if (stored[index] === recomputed[index]) continue;
    throw lineMismatch(table, stored, recomputed, index);
  }
}

function lineMismatch(
  { table, columns, keyLength, prefix }: ComparedTable,
  stored: readonly string[],
  recomputed: readonly string[],
  index: number,
): Mismatch {
  const [own, other] = [stored[index]?.split(','), recomputed[index]?.split(',')];
  const keyOf = (cells: readonly string[]) => cells.slice(0, keyLength).join('/');
  const [ownKey, otherKey] = [own && keyOf(own), other && keyOf(other)];
  if (own !== undefined && other !== undefined && ownKey === otherKey) {
    const column = columns.findIndex((_, place) => own[place] !== other[place]);
    return new Mismatch({
      table,
      row: `${prefix}${ownKey}`,
      column: columns[column] ?? 'cells',
      stored: own[column] ?? stored[index]!,
      recomputed: other[column] ?? recomputed[index]!,
    });
  }
  // One of the two has a row more: the one whose key does not follow later on the other side.
  const surplus = ownKey !== undefined && !recomputed.some((line) => keyOf(line.split(',')) === ownKey);
  const row = `${prefix}${surplus ? ownKey : otherKey}`;
  return surplus
    ? new Mismatch({ table, row, column: 'key', stored: stored[index]!, recomputed: NO_ROW })
    : new Mismatch({ table, row, column: 'key', stored: NO_ROW, recomputed: recomputed[index] ?? NO_ROW });
}
