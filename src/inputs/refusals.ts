/** Why a cell or a row of an input bundle is refused, and what its author can do about it. */
export class Refusal {
  constructor(
    readonly reason: string,
    readonly todo: string,
  ) {}
}

/** One refused row, or one refused cell of it. */
export interface RefusedRow {
  /** Name of the file within the bundle, as it is there (`capacity.csv` or `capacity.csv.gz`). */
  readonly file: string;
  /** Physical line on which the row begins; the header is line 1. */
  readonly line: number;
  /** null where the row as a whole is at fault. */
  readonly column: string | null;
  /** The cell or row as it stands, quoted, shortened, control characters escaped; null where there is nothing. */
  readonly value: string | null;
  readonly reason: string;
  readonly todo: string;
}

export type BundleErrorId =
  | 'bundle-not-found'
  | 'bundle-file-missing'
  | 'bundle-file-twice'
  | 'bundle-file-unknown'
  | 'bundle-file-unreadable'
  | 'bundle-rows-refused';

interface Account {
  readonly what: string;
  readonly where: string;
  readonly todo: string;
  readonly refused?: readonly RefusedRow[];
  readonly refusedInAll?: number;
  readonly cause?: unknown;
}

/**
 * An input bundle that cannot be loaded. Nothing of a bundle is loaded if any part of it is refused (spec §3).
 * `id` is stable; `refused` has the first refused cells, `refusedInAll` counts them all.
 */
export class BundleError extends Error {
  readonly what: string;
  readonly where: string;
  readonly todo: string;
  readonly refused: readonly RefusedRow[];
  readonly refusedInAll: number;

  constructor(
    readonly id: BundleErrorId,
    account: Account,
  ) {
    super(
      `${account.what}\n  where: ${account.where}\n  next:  ${account.todo}`,
      account.cause === undefined ? undefined : { cause: account.cause },
    );
    this.name = 'BundleError';
    this.what = account.what;
    this.where = account.where;
    this.todo = account.todo;
    this.refused = account.refused ?? [];
    this.refusedInAll = account.refusedInAll ?? 0;
  }
}

/** `file:line: column value reason`, for people. */
export function refusedRowText(row: RefusedRow): string {
  const subject = [row.column, row.value].filter((part) => part !== null).join(' ');
  return `${row.file}:${row.line}: ${subject}${subject === '' ? '' : ' '}${row.reason}; ${row.todo}`;
}

/** The error for rows that were refused: the first of them in full, and how many there are in all. */
export function rowsRefused(folder: string, refused: readonly RefusedRow[], refusedInAll: number): BundleError {
  const more = refusedInAll - refused.length;
  const lines = refused.map((row) => `\n  ${refusedRowText(row)}`).join('');
  const rest = more > 0 ? `\n  and ${more} more` : '';
  return new BundleError('bundle-rows-refused', {
    what: `The input bundle was refused, and nothing of it was loaded:${lines}${rest}`,
    where: folder,
    todo: 'correct these lines and load the bundle again.',
    refused,
    refusedInAll,
  });
}

const SHOWN_CHARS = 60;
const UNPRINTABLE = /[\p{C}\p{Zl}\p{Zp}\\"]/gu;
const UNPRINTABLE_BYTE = /[^\x20-\x7e]|[\\"]/g;

/**
 * A cell for a message: quoted, shortened, and with everything escaped that a terminal or a reader could take for
 * something else. `bytes` is a text with one character a byte, as the file is read.
 */
export function shownCell(bytes: string): string {
  const text = utf8Text(bytes);
  const shown =
    text === null
      ? clipped([...bytes], (byte) => byte.replace(UNPRINTABLE_BYTE, escapedByte))
      : clipped([...text], (char) => char.replace(UNPRINTABLE, escapedChar));
  return `"${shown}"`;
}

/** The text that UTF-8 bytes (one a character) mean; null if they are not valid UTF-8. */
export function utf8Text(bytes: string): string | null {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(Buffer.from(bytes, 'latin1'));
  } catch {
    return null;
  }
}

function clipped(chars: readonly string[], shown: (char: string) => string): string {
  const start = chars.slice(0, SHOWN_CHARS).map(shown).join('');
  return chars.length > SHOWN_CHARS ? `${start}… (${chars.length} characters)` : start;
}

function escapedChar(char: string): string {
  if (char === '"' || char === '\\') return `\\${char}`;
  return `\\u{${(char.codePointAt(0) ?? 0).toString(16)}}`;
}

function escapedByte(byte: string): string {
  if (byte === '"' || byte === '\\') return `\\${byte}`;
  return `\\x${byte.charCodeAt(0).toString(16).padStart(2, '0')}`;
}
