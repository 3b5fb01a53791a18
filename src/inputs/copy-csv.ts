import { canonicalLine } from '../proofs/canonical-lines';

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
