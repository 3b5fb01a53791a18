import type { ComputationKey } from './computations';
import type { Queryable } from './pool';

export type EntryKind = 'revision' | 'claims';

/** One entry of a network's chain of publications (spec §9). */
export interface StoredEntry {
  readonly position: number;
  readonly kind: EntryKind;
  readonly epoch: number;
  readonly revision: number;
  readonly computation: number;
  readonly contentDigest: string;
  /** Canonical JSON with previousHead. */
  readonly entry: string;
  readonly previousHead: string;
  readonly head: string;
  readonly publishedAt: string;
}

const COLUMNS = `position, kind, epoch, revision, computation, content_digest as "contentDigest", entry,
  previous_head as "previousHead", head, to_char(published_at, 'YYYY-MM-DD"T"HH24:MI:SS"Z"') as "publishedAt"`;

/** The last entry of the chain; null: nothing was published yet. */
export async function lastEntry(db: Queryable, network: string): Promise<StoredEntry | null> {
  const found = await db.query<StoredEntry>(
    `select ${COLUMNS} from chain_entry where network = $1 order by position desc limit 1`,
    [network],
  );
  return found.rows[0] ?? null;
}

export async function findEntry(
  db: Queryable,
  network: string,
  epoch: number,
  revision: number,
  kind: EntryKind,
): Promise<StoredEntry | null> {
  const found = await db.query<StoredEntry>(
    `select ${COLUMNS} from chain_entry where network = $1 and epoch = $2 and revision = $3 and kind = $4`,
    [network, epoch, revision, kind],
  );
  return found.rows[0] ?? null;
}

/** The newest published revision of an epoch; null: it is not published. */
export async function newestRevision(db: Queryable, network: string, epoch: number): Promise<StoredEntry | null> {
  const found = await db.query<StoredEntry>(
    `select ${COLUMNS} from chain_entry where network = $1 and epoch = $2 and kind = 'revision'
     order by revision desc limit 1`,
    [network, epoch],
  );
  return found.rows[0] ?? null;
}

/** The highest published epoch up to `epoch`; null: none. */
export async function newestPublishedEpoch(db: Queryable, network: string, epoch: number): Promise<number | null> {
  const found = await db.query<{ epoch: number | null }>(
    `select max(epoch) as epoch from chain_entry where network = $1 and kind = 'revision' and epoch <= $2`,
    [network, epoch],
  );
  return found.rows[0]?.epoch ?? null;
}

/** The newest published revision of each epoch of a range, by epoch. */
export async function newestRevisions(
  db: Queryable,
  network: string,
  first: number,
  last: number,
): Promise<readonly StoredEntry[]> {
  const found = await db.query<StoredEntry>(
    `select distinct on (epoch) ${COLUMNS} from chain_entry
     where network = $1 and kind = 'revision' and epoch between $2 and $3 order by epoch, revision desc`,
    [network, first, last],
  );
  return found.rows;
}

/** All published revisions of a range of epochs, by epoch and revision. */
export function publishedRevisions(
  db: Queryable,
  network: string,
  first: number,
  last: number,
): Promise<readonly StoredEntry[]> {
  return entriesOf(db, 'revision', network, first, last);
}

/** The claims entries of the revisions of a range, by epoch and revision. */
export function claimsEntries(
  db: Queryable,
  network: string,
  first: number,
  last: number,
): Promise<readonly StoredEntry[]> {
  return entriesOf(db, 'claims', network, first, last);
}

async function entriesOf(
  db: Queryable,
  kind: StoredEntry['kind'],
  network: string,
  first: number,
  last: number,
): Promise<readonly StoredEntry[]> {
  const found = await db.query<StoredEntry>(
    `select ${COLUMNS} from chain_entry
     where network = $1 and kind = $2 and epoch between $3 and $4 order by epoch, revision`,
    [network, kind, first, last],
  );
  return found.rows;
}

/** Appends an entry. Run under the network's lock, with the head just read under it. */
export async function appendEntry(
  db: Queryable,
  key: ComputationKey,
  entry: Omit<StoredEntry, 'epoch' | 'revision' | 'computation' | 'publishedAt'>,
): Promise<void> {
  await db.query(
    `insert into chain_entry (network, position, kind, epoch, revision, computation, content_digest, entry,
       previous_head, head)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
    [
      key.network,
      entry.position,
      entry.kind,
      key.epoch,
      key.revision,
      key.computation,
      entry.contentDigest,
      entry.entry,
      entry.previousHead,
      entry.head,
    ],
  );
}

/** All entries of a chain from `position` on, in order. */
export async function entriesFrom(db: Queryable, network: string, position: number): Promise<readonly StoredEntry[]> {
  const found = await db.query<StoredEntry>(
    `select ${COLUMNS} from chain_entry where network = $1 and position >= $2 order by position`,
    [network, position],
  );
  return found.rows;
}

/** Heads after the claims entries of all networks, and what each is the head of. */
export async function claimsHeads(
  db: Queryable,
): Promise<ReadonlyMap<string, { readonly network: string; readonly epoch: number; readonly revision: number }>> {
  const found = await db.query<{ head: string; network: string; epoch: number; revision: number }>(
    `select head, network, epoch, revision from chain_entry where kind = 'claims'`,
  );
  return new Map(found.rows.map(({ head, network, epoch, revision }) => [head, { network, epoch, revision }]));
}
