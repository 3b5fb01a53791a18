import { ProofError } from './errors';

/**
 * Rows as canonical lines (spec §9): the cells joined by `,`, ended by `\n`, nothing for an empty cell, sorted by key.
 *
 * A digest over joined cells is only sound if no cell can contain a separator, and PostgreSQL's CSV COPY only reads
 * back what was meant if no cell needs quoting. One check guarantees both, and it is made on every line: identifiers,
 * numbers, payees, reasons and instants consist of `A-Z a-z 0-9 . _ : -` alone.
 */

/** How a key column sorts: identifiers and instants by bytes, numbers by value (spec §9). */
export interface KeyColumn {
  /** Position of the column in the row. */
  readonly index: number;
  readonly order: 'bytes' | 'number';
}

const COMMA = 0x2c;
const NEWLINE = 0x0a;
const MINUS = 0x2d;

const SAFE = new Uint8Array(128);
for (const char of 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._:-') SAFE[char.charCodeAt(0)] = 1;

/**
 * The canonical line of a row whose cells are canonical text already, with its `\n`. It is at the same time a line of
 * PostgreSQL's `COPY … (FORMAT csv)`, where an empty unquoted cell is NULL.
 *
 * @throws ProofError `unsafe-cell` if a cell has any other character than `A-Z a-z 0-9 . _ : -`.
 */
export function canonicalLine(values: readonly string[]): string {
  const line = `${values.join(',')}\n`;
  const end = line.length - 1;
  let commas = 0;
  for (let i = 0; i < end; i++) {
    const code = line.charCodeAt(i);
    if (SAFE[code] === 1) continue;
    if (code !== COMMA) throw unsafeCell(values);
    commas++;
  }
  if (commas !== values.length - 1 || line.charCodeAt(end) !== NEWLINE) throw unsafeCell(values);
  return line;
}

/**
 * Checks canonical lines as the bytes that they are sent as: many at once, where making a text of each would be most of
 * the work.
 *
 * @throws ProofError `unsafe-cell` as {@link canonicalLine}, and if a line has not `cells` cells or no end
 */
export function requireCanonicalLines(bytes: Uint8Array, cells: number): void {
  let start = 0;
  let commas = 0;
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at]!;
    if (SAFE[byte] === 1) continue;
    if (byte === COMMA) commas++;
    else if (byte === NEWLINE && commas === cells - 1) {
      start = at + 1;
      commas = 0;
    } else throw unsafeLine(bytes, start);
  }
  if (start !== bytes.length) throw unsafeLine(bytes, start);
}

function unsafeLine(bytes: Uint8Array, start: number): ProofError {
  const rest = new TextDecoder().decode(bytes.subarray(start, start + 2000));
  const line = rest.split('\n', 1)[0]!;
  const cells = line.split(',');
  if (!cells.every((cell) => SAFE_CELL.test(cell))) return unsafeCell(cells);
  return new ProofError('unsafe-cell', {
    what: `The line ${JSON.stringify(line).slice(0, 80)} has ${cells.length} cells, or no end.`,
    where: `byte ${start + 1} of the lines`,
    todo: 'give every row as many cells as its table has columns, and every line an end.',
  });
}

const SAFE_CELL = /^[A-Za-z0-9._:-]*$/;

function unsafeCell(values: readonly string[]): ProofError {
  const index = values.findIndex((value) => !SAFE_CELL.test(value));
  return new ProofError('unsafe-cell', {
    what: `The cell ${JSON.stringify(values[index] ?? '').slice(0, 80)} cannot stand in a canonical line.`,
    where: `column ${index + 1} of the row that begins with ${JSON.stringify(values[0] ?? '').slice(0, 80)}`,
    todo: 'validate the row when it is read; only A-Z, a-z, 0-9 and . _ : - may reach a digest or a COPY.',
  });
}

/**
 * Compares two rows by key, column by column (spec §9). Cells must be canonical text.
 * @returns negative, 0 or positive, as `a` is before, equal to or after `b`.
 */
export function compareRows(a: readonly string[], b: readonly string[], key: readonly KeyColumn[]): number {
  for (const { index, order } of key) {
    const left = a[index] ?? '';
    const right = b[index] ?? '';
    if (left === right) continue;
    // Canonical cells are ASCII, so comparing UTF-16 units is comparing bytes.
    return order === 'number' ? compareDecimals(left, right) : left < right ? -1 : 1;
  }
  return 0;
}

/**
 * Compares two canonical decimals exactly, by their digits: no float, no size limit.
 * @returns negative, 0 or positive.
 */
export function compareDecimals(a: string, b: string): number {
  const aNegative = a.charCodeAt(0) === MINUS;
  const bNegative = b.charCodeAt(0) === MINUS;
  if (aNegative !== bNegative) return aNegative ? -1 : 1;
  return aNegative ? comparePositive(b.slice(1), a.slice(1)) : comparePositive(a, b);
}

function comparePositive(a: string, b: string): number {
  const aPoint = a.indexOf('.');
  const bPoint = b.indexOf('.');
  const integerDigits = (aPoint < 0 ? a.length : aPoint) - (bPoint < 0 ? b.length : bPoint);
  if (integerDigits !== 0) return integerDigits;
  // With integer parts of one length the texts compare like the numbers: `.` sorts below every digit and lines up, and
  // a shorter fraction is a prefix, which sorts first, as it should without trailing zeros.
  return a === b ? 0 : a < b ? -1 : 1;
}
