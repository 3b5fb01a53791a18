import { type SnapshotTable, snapshotDigest } from '../proofs/digests';
import { type Hashes, sha256Hex } from '../proofs/hashes';
import { type Candidate, KINDS_OF_CANDIDATES } from './changed-cell-candidates';
import { publishedEntry } from './check-digests';
import type { Difference } from './difference';
import type { Dossier } from './dossier';
import { rowDigests } from './row-digests';
import { SEALED_TABLES } from './sealed-tables';

/** Bytes that are hashed at most for one kind of candidates: a second of work, and only where something is wrong. */
const MOST_HASHED_BYTES = 2 ** 28;
/** A candidate costs more than its bytes. */
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
  const texts = new TableTexts(dossier.rows);
  for (const kind of KINDS_OF_CANDIDATES) {
    let hashed = 0;
    for (const candidate of readable(kind(dossier))) {
      const text = texts.with(candidate);
      hashed += text.length + OVERHEAD_BYTES;
      if (hashed > MOST_HASHED_BYTES) break;
      const digest = snapshotDigest(hashes, { ...digests, [candidate.table]: sha256Hex(hashes, text) });
      if (digest === published) return differenceOf(dossier, candidate);
    }
  }
  return null;
}

/** What was changed may be no number: nothing is derived from it then, and the digest still says that it differs. */
function* readable(candidates: Iterable<Candidate>): Generator<Candidate> {
  try {
    yield* candidates;
  } catch {
    // The next kind.
  }
}

/** The canonical text of each table, in which one line is another one. */
class TableTexts {
  private readonly known = new Map<SnapshotTable, { readonly text: string; readonly starts: readonly number[] }>();

  constructor(private readonly rows: Dossier['rows']) {}

  with({ table, index, line }: Candidate): string {
    const { compare } = SEALED_TABLES[table];
    const { text, starts } = this.of(table);
    if (index !== null && line !== null && compare(this.rows[table][index]!, line) === 0) {
      return `${text.slice(0, starts[index])}${line}\n${text.slice(starts[index + 1])}`;
    }
    const others = this.rows[table].filter((_, at) => at !== index);
    if (line !== null) {
      const at = others.findIndex((other) => compare(other, line) > 0);
      others.splice(at < 0 ? others.length : at, 0, line);
    }
    return others.map((other) => `${other}\n`).join('');
  }

  private of(table: SnapshotTable) {
    const found = this.known.get(table);
    if (found !== undefined) return found;
    const starts = [0];
    for (const line of this.rows[table]) starts.push(starts.at(-1)! + line.length + 1);
    const made = { text: this.rows[table].map((line) => `${line}\n`).join(''), starts };
    this.known.set(table, made);
    return made;
  }
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
