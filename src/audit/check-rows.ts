import type { RevisionContent } from '../proofs/contents';
import { SNAPSHOT_TABLES, snapshotDigest } from '../proofs/digests';
import type { Hashes } from '../proofs/hashes';
import { changedCell } from './changed-cell';
import { publishedEntry } from './check-digests';
import { Mismatch, requireSame } from './difference';
import { type Dossier, rowOf } from './dossier';
import { linesDigest, rowDigests } from './row-digests';

const RANGED = ['providers', 'capacity', 'performance'] as const;

/**
 * `rows`: the sealed rows digest to what the snapshot says, and that to what the computation and the published content
 * say. Where they do not, the changed cell is named if what was derived from it tells which it was; else a digest names
 * its table and, within the tables that grow with providers, the key range of a chunk.
 */
export function checkRows(dossier: Dossier, hashes: Hashes): string {
  const { rows, snapshot, header, epoch } = dossier;
  const place = { table: 'snapshot', row: String(epoch) };
  const changed = changedCell(dossier, hashes);
  if (changed !== null) throw new Mismatch(changed);
  checkChunks(dossier, hashes);
  const digests = rowDigests(dossier, hashes);
  for (const table of SNAPSHOT_TABLES) {
    const column = `table_digests.${table}`;
    requireSame(place, column, snapshot.tableDigests[table], digests[table]);
    requireSame(place, `row_counts.${table}`, snapshot.rowCounts[table], rows[table].length);
  }
  const digest = snapshotDigest(hashes, snapshot.tableDigests);
  requireSame(place, 'snapshot_digest', snapshot.snapshotDigest, digest);
  const computation = { table: 'computation', row: `${rowOf(dossier)}/${dossier.computation}` };
  requireSame(computation, 'snapshot_digest', header.snapshotDigest, digest);
  const content = JSON.parse(dossier.result.content) as RevisionContent;
  requireSame({ table: 'result', row: rowOf(dossier) }, 'content.snapshotDigest', content.snapshotDigest, digest);
  const { entry, content: published } = publishedEntry(dossier);
  const chained = { table: 'chain_entry', row: String(entry.position) };
  requireSame(chained, 'entry.snapshotDigest', digest, published.snapshotDigest);
  const count = SNAPSHOT_TABLES.reduce((sum, table) => sum + rows[table].length, 0);
  return `${count} sealed rows digest to ${digest}`;
}

function checkChunks({ rows, snapshot, epoch }: Dossier, hashes: Hashes): void {
  snapshot.chunks.forEach((chunk, index) => {
    const before = index === 0 ? null : snapshot.chunks[index - 1]!.upTo;
    const place = {
      table: 'snapshot',
      row: `${epoch}, providers after ${chunk.after ?? '-'} up to ${chunk.upTo ?? '-'}`,
    };
    requireSame(place, `chunks.${index}.after`, chunk.after, before);
    for (const table of RANGED) {
      const column = table === 'providers' ? 0 : 1;
      const inRange = (line: string) => {
        const provider = line.split(',', column + 1)[column]!;
        return (chunk.after === null || provider > chunk.after) && (chunk.upTo === null || provider <= chunk.upTo);
      };
      const lines = snapshot.chunks.length === 1 ? rows[table] : rows[table].filter(inRange);
      requireSame(place, `chunks.${index}.digests.${table}`, chunk.digests[table], linesDigest(hashes, lines));
      if (table === 'providers') requireSame(place, `chunks.${index}.providers`, chunk.providers, lines.length);
    }
  });
  const last = snapshot.chunks.at(-1);
  requireSame({ table: 'snapshot', row: String(epoch) }, 'chunks.upTo', last?.upTo ?? null, null);
}
