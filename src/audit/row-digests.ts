import { SNAPSHOT_TABLES, type SnapshotTable } from '../proofs/digests';
import type { Hashes } from '../proofs/hashes';
import type { Dossier } from './dossier';

/** Lines that are put together at a time: few calls, and no text as long as a table. */
const PIECE = 1_000;

/** SHA-256 of canonical lines (spec §9), of all or those from index `from` to before `end`. */
export function linesDigest(hashes: Hashes, lines: readonly string[], from = 0, end = lines.length): string {
  const hash = hashes.sha256();
  for (let at = from; at < end; at += PIECE) {
    hash.update(encoder.encode(`${lines.slice(at, Math.min(at + PIECE, end)).join('\n')}\n`));
  }
  return hash.digestHex();
}

const encoder = new TextEncoder();

type Rows = Dossier['rows'];
const known = new WeakMap<Rows, Readonly<Record<SnapshotTable, string>>>();

/** The digests of a dossier's sealed rows by table. */
export function rowDigests({ rows }: Pick<Dossier, 'rows'>, hashes: Hashes): Readonly<Record<SnapshotTable, string>> {
  const found = known.get(rows);
  if (found !== undefined) return found;
  const digests = Object.fromEntries(SNAPSHOT_TABLES.map((table) => [table, linesDigest(hashes, rows[table])]));
  known.set(rows, digests as Record<SnapshotTable, string>);
  return digests as Record<SnapshotTable, string>;
}
