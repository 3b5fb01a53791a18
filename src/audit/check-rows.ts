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

/** The chunks follow each other without a gap, and each digests to what it was sealed with; in one pass over the rows. */
function checkChunks({ rows, snapshot, epoch }: Dossier, hashes: Hashes): void {
  const { chunks } = snapshot;
  const done = { providers: 0, capacity: 0, performance: 0 };
  chunks.forEach((chunk, index) => {
    const place = {
      table: 'snapshot',
      row: `${epoch}, providers after ${chunk.after ?? '-'} up to ${chunk.upTo ?? '-'}`,
    };
    requireSame(place, `chunks.${index}.after`, chunk.after, index === 0 ? null : chunks[index - 1]!.upTo);
    for (const table of RANGED) {
      const end = endOfRange(rows[table], done[table], table === 'providers' ? 0 : 1, chunk.upTo);
      const digest = linesDigest(hashes, rows[table], done[table], end);
      requireSame(place, `chunks.${index}.digests.${table}`, chunk.digests[table], digest);
      if (table === 'providers') requireSame(place, `chunks.${index}.providers`, chunk.providers, end - done[table]);
      done[table] = end;
    }
  });
  requireSame({ table: 'snapshot', row: String(epoch) }, 'chunks.upTo', chunks.at(-1)?.upTo ?? null, null);
}

/** Where the lines of providers up to `upTo` end; the lines are in the order of their providers. null: at the last. */
function endOfRange(lines: readonly string[], from: number, column: 0 | 1, upTo: string | null): number {
  if (upTo === null) return lines.length;
  let end = from;
  while (end < lines.length && providerOf(lines[end]!, column) <= upTo) end += 1;
  return end;
}

function providerOf(line: string, column: 0 | 1): string {
  const start = column === 0 ? 0 : line.indexOf(',') + 1;
  const end = line.indexOf(',', start);
  return line.slice(start, end === -1 ? undefined : end);
}
