import type { SnapshotTable } from '../proofs/digests';
import type { Queryable } from './pool';

/** A key range of the reward step, and the digests of its rows. */
export interface SnapshotChunk {
  /** Providers in (after, upTo]; null: unbounded on that side. */
  readonly after: string | null;
  readonly upTo: string | null;
  readonly providers: number;
  readonly digests: Readonly<Record<'providers' | 'capacity' | 'performance', string>>;
}

export interface StoredSnapshot {
  readonly snapshotDigest: string;
  readonly tableDigests: Readonly<Record<SnapshotTable, string>>;
  readonly rowCounts: Readonly<Record<SnapshotTable, number>>;
  /** EpochFacts in decimal text (facts-text.ts). */
  readonly facts: unknown;
  readonly chunks: readonly SnapshotChunk[];
}

/** In the place of a dispute's number: the rows as they were sealed. */
export const SEALED_ROWS = 0;

const COLUMNS = `snapshot_digest as "snapshotDigest", table_digests as "tableDigests", row_counts as "rowCounts", facts,
  chunks`;

/** The snapshot of an epoch, or of its rows as a dispute corrects them; null: it is not taken yet. */
export async function findSnapshot(
  db: Queryable,
  network: string,
  epoch: number,
  dispute: number = SEALED_ROWS,
): Promise<StoredSnapshot | null> {
  const found =
    dispute === SEALED_ROWS
      ? await db.query<StoredSnapshot>(`select ${COLUMNS} from snapshot where network = $1 and epoch = $2`, [
          network,
          epoch,
        ])
      : await db.query<StoredSnapshot>(
          `select ${COLUMNS} from corrected_snapshot where network = $1 and epoch = $2 and dispute = $3`,
          [network, epoch, dispute],
        );
  return found.rows[0] ?? null;
}

/** Keeps the first snapshot of an epoch; a retry that read the same rows changes nothing. */
export async function insertSnapshot(
  db: Queryable,
  network: string,
  epoch: number,
  snapshot: StoredSnapshot,
): Promise<void> {
  await db.query(
    `insert into snapshot (network, epoch, snapshot_digest, table_digests, row_counts, facts, chunks)
     values ($1, $2, $3, $4, $5, $6, $7) on conflict (network, epoch) do nothing`,
    [
      network,
      epoch,
      snapshot.snapshotDigest,
      JSON.stringify(snapshot.tableDigests),
      JSON.stringify(snapshot.rowCounts),
      JSON.stringify(snapshot.facts),
      JSON.stringify(snapshot.chunks),
    ],
  );
}

/** The same for the corrected rows of a dispute. */
export async function insertCorrectedSnapshot(
  db: Queryable,
  network: string,
  epoch: number,
  dispute: number,
  snapshot: StoredSnapshot,
): Promise<void> {
  await db.query(
    `insert into corrected_snapshot (network, epoch, dispute, snapshot_digest, table_digests, row_counts, facts, chunks)
     values ($1, $2, $3, $4, $5, $6, $7, $8) on conflict do nothing`,
    [
      network,
      epoch,
      dispute,
      snapshot.snapshotDigest,
      JSON.stringify(snapshot.tableDigests),
      JSON.stringify(snapshot.rowCounts),
      JSON.stringify(snapshot.facts),
      JSON.stringify(snapshot.chunks),
    ],
  );
}
