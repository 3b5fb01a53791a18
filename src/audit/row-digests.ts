import { SNAPSHOT_TABLES, type SnapshotTable } from '../proofs/digests';
import { type Hashes, sha256Hex } from '../proofs/hashes';
import type { Dossier } from './dossier';

/** SHA-256 of canonical lines (spec §9). */
export function linesDigest(hashes: Hashes, lines: readonly string[]): string {
  return sha256Hex(hashes, lines.map((line) => `${line}\n`).join(''));
}

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
