import { canonicalJson } from './canonical-json';
import { canonicalLine, compareRows, type KeyColumn } from './canonical-lines';
import { ProofError } from './errors';
import { type Hashes, sha256Hex } from './hashes';

/** The tables of a snapshot in the order of spec §3, which is the order of the snapshot digest (spec §9). */
export const SNAPSHOT_TABLES = ['providers', 'capacity', 'performance', 'demand', 'quotes', 'token', 'macro'] as const;
export type SnapshotTable = (typeof SNAPSHOT_TABLES)[number];

/** A table digest under way: rows in, one after the other, digest out. Its memory does not grow with the rows. */
export interface TableDigest {
  /** Rows added so far. */
  readonly rows: number;
  /**
   * Adds the next row: canonical cells, in the order of the table's columns.
   * @throws ProofError `unsafe-cell`; `row-order` if the row is not after the one before it by the table's key.
   */
  add(values: readonly string[]): void;
  /** SHA-256 of the canonical lines, 64 lower-case hex digits (of nothing if there was no row). Ends the digest. */
  digestHex(): string;
}

// Hashing in pieces of this many characters: large enough that the calls cost nothing, small enough to be no burden.
const PIECE_CHARS = 65_536;

/**
 * Starts the digest of a table (spec §9). `key` names the columns that rows are sorted by; equal keys are refused, as
 * a table has each key once.
 */
export function tableDigest(hashes: Pick<Hashes, 'sha256'>, key: readonly KeyColumn[]): TableDigest {
  const stream = hashes.sha256();
  const utf8 = new TextEncoder();
  let pending = '';
  let previous: readonly string[] | null = null;
  let rows = 0;
  return {
    get rows() {
      return rows;
    },
    add(values) {
      const line = canonicalLine(values);
      if (previous !== null && compareRows(previous, values, key) >= 0) throw rowOrder(previous, values, rows + 1);
      previous = values;
      rows++;
      pending += line;
      if (pending.length >= PIECE_CHARS) {
        stream.update(utf8.encode(pending));
        pending = '';
      }
    },
    digestHex() {
      if (pending !== '') stream.update(utf8.encode(pending));
      return stream.digestHex();
    },
  };
}

function rowOrder(previous: readonly string[], values: readonly string[], row: number): ProofError {
  return new ProofError('row-order', {
    what: `The row ${values.join(',')} does not come after ${previous.join(',')} by the key of its table.`,
    where: `row ${row} of the digest`,
    todo: 'read the rows ordered by key: identifiers by bytes (COLLATE "C"), numbers by value; a key once only.',
  });
}

/** Digest of a whole table that is in memory. Rows must be sorted by key. */
export function digestOfRows(
  hashes: Pick<Hashes, 'sha256'>,
  key: readonly KeyColumn[],
  rows: Iterable<readonly string[]>,
): string {
  const digest = tableDigest(hashes, key);
  for (const row of rows) digest.add(row);
  return digest.digestHex();
}

/**
 * Snapshot digest (spec §9): SHA-256 over `name:hexdigest\n` of the seven tables in the order of spec §3.
 * @throws ProofError `table-digest-missing` if a table has none, or one that is not 64 lower-case hex digits.
 */
export function snapshotDigest(
  hashes: Pick<Hashes, 'sha256'>,
  tables: Readonly<Record<SnapshotTable, string>>,
): string {
  const lines = SNAPSHOT_TABLES.map((table) => {
    const hex = tables[table];
    if (!isDigest(hex)) {
      throw new ProofError('table-digest-missing', {
        what: `The snapshot has no valid digest of the table ${table}.`,
        where: table,
        todo: 'give one digest of 64 lower-case hex digits for every table; an empty table has the digest of nothing.',
      });
    }
    return `${table}:${hex}\n`;
  });
  return sha256Hex(hashes, lines.join(''));
}

/** SHA-256 of the canonical JSON of a content, 64 lower-case hex digits (spec §9). Also the hash of a policy (§2). */
export function contentDigest(hashes: Pick<Hashes, 'sha256'>, content: unknown): string {
  return sha256Hex(hashes, canonicalJson(content));
}

/** Whether a text is a SHA-256 as this project writes it: 64 lower-case hex digits without prefix. */
export function isDigest(text: unknown): text is string {
  return typeof text === 'string' && /^[0-9a-f]{64}$/.test(text);
}
