import { canonicalLine } from '../proofs/canonical-lines';
import type { InputRow } from './read-table';
import type { InputTable } from './tables';

/**
 * One line for PostgreSQL's `COPY … FROM STDIN (FORMAT csv)`, with its `\n`; an empty cell is NULL. The only encoder
 * for COPY: it writes no quotes and no escapes, because it lets no character through that would need them, so no
 * identifier can end its cell, its row or the transfer.
 *
 * @throws ProofError `unsafe-cell` for a cell with any other character than `A-Z a-z 0-9 . _ : -`.
 */
export function copyCsvLine(values: readonly string[]): string {
  return canonicalLine(values);
}

/** Rows of one table, on their way to a COPY. */
export class CopyBatch {
  /** The epochs that the rows name, each once; none where the table has no column for it. */
  readonly epochs: readonly number[];

  constructor(
    private readonly rows: readonly InputRow[],
    table: InputTable,
  ) {
    // Where a table has an epoch, it is the first of its columns (spec §3).
    this.epochs = table.columns[0]?.name === 'epoch' ? epochsOf(rows) : [];
  }

  get count(): number {
    return this.rows.length;
  }

  /** The rows' lines, each after `first`; null: each after its line number in the file. */
  copyLines(first: readonly string[] | null): string {
    const start = first === null ? null : copyCsvLine([...first, '']).trimEnd();
    let lines = '';
    for (const { line, values } of this.rows) lines += `${start ?? `${line},`}${copyCsvLine(values)}`;
    return lines;
  }
}

function epochsOf(rows: readonly InputRow[]): number[] {
  const epochs = new Set<number>();
  let last = '';
  for (const { values } of rows) {
    const text = values[0]!;
    // Files are mostly in the order of their epochs.
    if (text !== last) epochs.add(Number(text));
    last = text;
  }
  return [...epochs];
}
