import { StoreError } from './errors';
import type { Queryable } from './pool';

/** Epochs first to last of an archive that was written and whose rows were dropped. */
export interface ArchivedRange {
  readonly first: number;
  readonly last: number;
  readonly archiveNo: number;
  readonly manifestHash: string;
  readonly manifest: string;
  /** Where the folder was written; it may have moved since. */
  readonly writtenTo: string;
  readonly archivedBy: string;
  readonly archivedAt: string;
  readonly reason: string;
  /** null: its rows are outside. */
  readonly returnedAt: string | null;
}

const COLUMNS = `a.low as first, a.low + 255 as last, a.archive_no as "archiveNo", a.manifest_hash as "manifestHash",
  a.manifest, a.written_to as "writtenTo", a.archived_by as "archivedBy",
  to_char(a.archived_at, 'YYYY-MM-DD"T"HH24:MI:SS"Z"') as "archivedAt", a.reason,
  to_char(r.returned_at, 'YYYY-MM-DD"T"HH24:MI:SS"Z"') as "returnedAt"`;

/** Every archive that was made, by range and number. */
export async function listArchives(db: Queryable): Promise<readonly ArchivedRange[]> {
  const found = await db.query<ArchivedRange>(
    `select ${COLUMNS} from partition_archive a left join partition_return r using (low, archive_no)
     order by a.low, a.archive_no`,
  );
  return found.rows;
}

/** Archives whose rows are outside and were not brought along, of the ranges that a range of epochs touches. */
export async function absentArchives(db: Queryable, first: number, last: number): Promise<readonly ArchivedRange[]> {
  const found = await db.query<ArchivedRange>(
    `select ${COLUMNS} from settle.absent_ranges() b join partition_archive a using (low, archive_no)
     left join partition_return r using (low, archive_no) where a.low <= $2 and a.low + 255 >= $1 order by a.low`,
    [first, last],
  );
  return found.rows;
}

/** The archive that holds the rows of an epoch; null: they are here. Whether it was brought along does not count. */
export async function archiveOf(db: Queryable, epoch: number): Promise<ArchivedRange | null> {
  const found = await db.query<ArchivedRange>(
    `select ${COLUMNS} from settle.archived_ranges() b join partition_archive a using (low, archive_no)
     left join partition_return r using (low, archive_no) where $1::integer between a.low and a.low + 255`,
    [epoch],
  );
  return found.rows[0] ?? null;
}

/** Archives whose payouts were published before a chain position and are not here. */
export async function archivesBefore(
  db: Queryable,
  network: string,
  position: number,
): Promise<readonly ArchivedRange[]> {
  const found = await db.query<ArchivedRange>(
    `select ${COLUMNS} from settle.absent_ranges() b join partition_archive a using (low, archive_no)
     left join partition_return r using (low, archive_no)
     where exists (select from chain_entry c where c.network = $1 and c.kind = 'revision' and c.position < $2
       and c.epoch between a.low and a.low + 255) order by a.low`,
    [network, position],
  );
  return found.rows;
}

/** For reading rows of epochs. @throws StoreError `EpochArchived` that says which folders to bring */
export async function requireRows(db: Queryable, first: number, last: number): Promise<void> {
  const absent = await absentArchives(db, first, last);
  if (absent.length > 0) throw epochArchived(absent, 'name it with --archive DIR, or ask for other epochs');
}

/** For work that changes something. @throws StoreError `EpochArchived` */
export async function requireAttached(db: Queryable, epoch: number): Promise<void> {
  const archive = await archiveOf(db, epoch);
  if (archive !== null) throw epochArchived([archive], 'put its rows back with `settle archive attach DIR`');
}

/** Which folders to bring, and what to do with them. */
export function epochArchived(archives: readonly ArchivedRange[], todo: string): StoreError {
  const named = archives.map(
    ({ first, last, manifestHash, writtenTo, archivedAt, archivedBy }) =>
      `epochs-${first}-${last}, whose manifest.json has the SHA-256 ${manifestHash} (written to ${writtenTo} on ${archivedAt} by ${archivedBy})`,
  );
  const ranges = archives.map(({ first, last }) => `${first} to ${last}`).join(', ');
  return new StoreError(
    'EpochArchived',
    `the rows of epochs ${ranges} are in an archive, outside of the database\n  where: ${named.join('; ')}\n  next:  bring the folder and ${todo}`,
  );
}

/** Why a range of 256 epochs cannot be archived, by network and epoch. */
export interface Obstacle {
  readonly network: string;
  readonly epoch: number;
  readonly obstacle: 'open' | 'unproved' | 'held' | 'disputed';
}

export async function archiveObstacles(db: Queryable, first: number): Promise<readonly Obstacle[]> {
  return (await db.query<Obstacle>('select network, epoch, obstacle from settle.archive_obstacles($1)', [first])).rows;
}

/** Bytes of a range's partitions with their indexes; null: it has none, or not all. */
export async function rangeBytes(db: Queryable, first: number): Promise<number | null> {
  const found = await db.query<{ bytes: number | null }>(
    `select case when count(c.oid) = 3 then sum(pg_total_relation_size(c.oid))::bigint end as bytes
     from unnest(array['capacity', 'performance', 'payout']) p
     left join pg_class c on c.relnamespace = 'settle'::regnamespace and c.relname = p || '_' || $1::integer`,
    [first],
  );
  return found.rows[0]!.bytes;
}

/** Networks whose calendar has epochs of a range. */
export async function networksOfRange(db: Queryable, first: number): Promise<readonly string[]> {
  const found = await db.query<{ network: string }>(
    `select network from network where first_epoch <= $1::integer + 255 and coalesce(last_epoch, 2147483647) >= $1::integer
     order by network`,
    [first],
  );
  return found.rows.map(({ network }) => network);
}

/** A digest that a snapshot or a checked content has of rows of a range. */
export interface PublishedDigest {
  readonly table: 'capacity' | 'performance' | 'payout';
  readonly network: string;
  readonly epoch: number;
  /** As in an archive's manifest: `sealed`, or `REVISION/COMPUTATION`. */
  readonly part: string;
  readonly digest: string;
}

export async function publishedDigests(db: Queryable, first: number): Promise<readonly PublishedDigest[]> {
  const found = await db.query<PublishedDigest>(
    `select t.name as table, s.network, s.epoch, 'sealed' as part, s.table_digests ->> t.name as digest
     from snapshot s cross join unnest(array['capacity', 'performance']) t(name)
     where s.epoch between $1::integer and $1::integer + 255
     union all
     select 'payout', r.network, r.epoch, r.revision || '/' || r.computation, r.content::jsonb ->> 'payoutsDigest'
     from result r where r.epoch between $1::integer and $1::integer + 255
     order by 1, 2, 3, 4`,
    [first],
  );
  return found.rows;
}

/** Whether this session is the one that archives or brings back a range, until the connection ends. */
export async function tryRangeLock(db: Queryable, first: number): Promise<boolean> {
  const found = await db.query<{ mine: boolean }>(
    `select pg_try_advisory_lock(hashtext('settle.archive'), $1::integer) as mine`,
    [first],
  );
  return found.rows[0]!.mine;
}

export async function releaseRangeLock(db: Queryable, first: number): Promise<void> {
  await db.query(`select pg_advisory_unlock(hashtext('settle.archive'), $1::integer)`, [first]);
}

export interface ArchiveAct {
  readonly first: number;
  readonly actor: string;
  readonly reason: string;
  readonly requestId: string;
}

/** Drops the rows of a range and records where they are. In a transaction. @throws StoreError `ArchiveRefused` */
export async function archivePartition(
  db: Queryable,
  act: ArchiveAct,
  manifest: string,
  writtenTo: string,
): Promise<void> {
  await db.query('set local statement_timeout = 0');
  // Millions of payees are summed in memory rather than in files.
  await db.query(`set local work_mem = '128MB'`);
  await refusing(act.first, () =>
    db.query('select settle.archive_partition($1, $2, $3, $4, $5, $6)', [
      act.first,
      manifest,
      writtenTo,
      act.actor,
      act.reason,
      act.requestId,
    ]),
  );
}

/** Makes the tables that rows come back to. In a transaction that goes on with {@link attachPartition}. */
export async function openPartitionReturn(db: Queryable, first: number): Promise<void> {
  await db.query('set local statement_timeout = 0');
  await refusing(first, () => db.query('select settle.open_partition_return($1)', [first]));
}

export async function attachPartition(db: Queryable, act: ArchiveAct): Promise<void> {
  await refusing(act.first, () =>
    db.query('select settle.attach_partition($1, $2, $3, $4)', [act.first, act.actor, act.reason, act.requestId]),
  );
}

/** The database's own refusal, with what to do. */
async function refusing(first: number, act: () => Promise<unknown>): Promise<void> {
  try {
    await act();
  } catch (error) {
    const { code, message, hint } = error as Error & { readonly code?: string; readonly hint?: string };
    if (code !== '55000' && code !== '23000' && code !== '55P03') throw error;
    throw new StoreError(
      'ArchiveRefused',
      `${message}\n  where: epochs ${first} to ${first + 255}\n  next:  ${hint ?? 'see `settle archive A..B` for what is in the way'}`,
    );
  }
}

/** What is kept of a network's payouts in an archive whose rows are outside. */
export interface CarriedTotals {
  readonly first: number;
  readonly last: number;
  /** Whether the kept rows have the digests that they were kept with. */
  readonly whole: boolean;
  /** Base units: of the kept entitlements, and of the published contents of the same epochs. */
  readonly entitled: string;
  readonly published: string;
}

export async function carriedTotals(db: Queryable, network: string): Promise<readonly CarriedTotals[]> {
  const found = await db.query<CarriedTotals>(
    `select k.low as first, k.low + 255 as last,
       (k.claims_digest, k.entitlements_digest) = (d.claims_digest, d.entitlements_digest) as whole,
       coalesce((select sum(e.entitlement) from archived_entitlement e
         where (e.low, e.archive_no, e.network) = (k.low, k.archive_no, k.network)), 0)::text as entitled,
       (select sum((n.entry::jsonb ->> 'sum')::numeric)::text from (
          select distinct on (c.epoch) c.entry from chain_entry c
          where c.network = k.network and c.kind = 'revision' and c.epoch between k.low and k.low + 255
          order by c.epoch, c.revision desc) n) as published
     from archive_carry k cross join lateral settle.carry_digests(k.low, k.archive_no, k.network) d
     where k.network = $1 order by k.low`,
    [network],
  );
  return found.rows;
}
