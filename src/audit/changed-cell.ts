import { snapshotDigest } from '../proofs/digests';
import type { Hashes } from '../proofs/hashes';
import { type Candidate, candidates } from './changed-cell-candidates';
import { publishedEntry } from './check-digests';
import type { Difference } from './difference';
import type { Dossier } from './dossier';
import { linesDigest, rowDigests } from './row-digests';
import { SEALED_TABLES } from './sealed-tables';

/** Bytes that are hashed at most in the search: a second of work, and only where something is wrong. */
const MOST_HASHED_BYTES = 2 ** 27;
/** A row costs more than its bytes. */
const OVERHEAD_BYTES = 2_000;

/**
 * Which sealed cell was changed, where one alone was: the published snapshot digest speaks for all rows at once, but what
 * was derived from them was published too, and says which value a row must have had. A candidate counts only if the
 * rows with it have the published digest, so that what is named is proven.
 *
 * @returns null where the rows are the published ones, or no single change of a cell or row explains the difference
 */
export function changedCell(dossier: Dossier, hashes: Hashes): Difference | null {
  const digests = rowDigests(dossier, hashes);
  const published = publishedEntry(dossier).content.snapshotDigest;
  if (snapshotDigest(hashes, digests) === published) return null;
  let hashed = 0;
  for (const candidate of candidates(dossier)) {
    const lines = applied(dossier, candidate);
    hashed += lines.length * (lines[0]?.length ?? 0) + OVERHEAD_BYTES;
    if (hashed > MOST_HASHED_BYTES) return null;
    const digest = snapshotDigest(hashes, { ...digests, [candidate.table]: linesDigest(hashes, lines) });
    if (digest === published) return differenceOf(dossier, candidate);
  }
  return null;
}

/** The lines of the candidate's table as they would have been, by their key. */
function applied({ rows }: Dossier, { table, index, line }: Candidate): readonly string[] {
  const { compare } = SEALED_TABLES[table];
  if (index !== null && line !== null && compare(rows[table][index]!, line) === 0) return rows[table].with(index, line);
  const others = index === null ? [...rows[table]] : rows[table].filter((_, at) => at !== index);
  if (line === null) return others;
  const at = others.findIndex((other) => compare(other, line) > 0);
  others.splice(at < 0 ? others.length : at, 0, line);
  return others;
}

function differenceOf({ rows, epoch }: Dossier, { table, index, line }: Candidate): Difference {
  const { name, columns, keyLength } = SEALED_TABLES[table];
  const [stored, was] = [index === null ? null : rows[table][index]!, line];
  const key = (stored ?? was)!.split(',').slice(0, keyLength).join('/');
  const row = table === 'providers' ? `${key} as of epoch ${epoch}` : key;
  if (stored === null || was === null) {
    return { table: name, row, column: 'key', stored: stored ?? '(no row)', recomputed: was ?? '(no row)' };
  }
  const [own, other] = [stored.split(','), was.split(',')];
  const column = columns.findIndex((_, at) => own[at] !== other[at]);
  return { table: name, row, column: columns[column]!, stored: own[column]!, recomputed: other[column]! };
}
