import type { PoolClient } from 'pg';
import type { SnapshotTable } from '../proofs/digests';
import type { DerivationKind, DisputeKey } from './disputes';
import { joinByHashing } from './plans';
import type { Queryable } from './pool';
import { INPUT_TABLES, type InputTable, REGISTRY_LINE } from './staging';

/** One row of a dispute's folder: what a row of the epoch becomes. */
export interface GivenCorrection {
  readonly table: SnapshotTable;
  readonly file: string;
  readonly line: number;
  /** Key cells of the row in canonical text, joined by commas. */
  readonly key: string;
  /** Its canonical line, without its line end; null: the row is withdrawn. */
  readonly row: string | null;
}

interface SealedTable {
  readonly name: SnapshotTable;
  /**
   * The canonical line of the sealed row whose key is `s.key`, looked up by that key: a comparison of whole tables
   * would be planned as a loop over an epoch's rows for each correction as long as there are no statistics.
   */
  readonly sealedLine: string;
}

/** Conditions on the primary key, from the cells of `s.key`. */
const KEYS: Readonly<Record<InputTable['name'], string>> = {
  capacity: `t.provider = split_part(s.key, ',', 2) and t.market = split_part(s.key, ',', 3)`,
  performance: `t.provider = split_part(s.key, ',', 2)`,
  demand: `t.market = split_part(s.key, ',', 2)`,
  quotes: `t.market = split_part(s.key, ',', 2) and t.source = split_part(s.key, ',', 3)
    and t.usd_per_unit = split_part(s.key, ',', 4)::numeric`,
  token: `t.source = split_part(s.key, ',', 2) and t.observed_at = split_part(s.key, ',', 3)::timestamptz`,
  macro: 'true',
};

const TABLES: readonly SealedTable[] = [
  {
    name: 'providers',
    sealedLine: `
      select ${REGISTRY_LINE} from provider_version t
      where t.network = $1::text and t.provider = s.key
        and t.load_id <= (select registry_load from seal where network = $1::text and epoch = $2::integer)
      order by t.load_id desc limit 1`,
  },
  ...INPUT_TABLES.map(({ name, line, target }) => ({
    name,
    sealedLine: `select ${line} from ${target} t where t.network = $1::text and t.epoch = $2::integer and ${KEYS[name]} limit 1`,
  })),
];

/**
 * What the row of `s.key` is at a disputed revision: as the dispute behind it (`$3`) says or, where that says nothing,
 * as it was sealed. null: there is no such row.
 */
export function baseLine({ name, sealedLine }: SealedTable): string {
  return `
    left join correction b on b.network = $1::text and b.epoch = $2::integer and b.dispute = $3::integer
      and b.table_name = '${name}' and b.key = s.key
    cross join lateral (select case when b.key is null then (${sealedLine}) else b.line end as line) was`;
}

/** The tables that a pinned dispute may correct (spec §10). */
export const PINNED_TABLES: readonly SnapshotTable[] = ['providers', 'capacity', 'performance'];

const ROWS_A_BATCH = 5_000;

/** Opens the stage that the corrections of a dispute are gathered on; it goes with the transaction. */
export async function openCorrectionStage(client: PoolClient): Promise<void> {
  await joinByHashing(client);
  await client.query(
    `create temp table stage_correction (seq bigint generated always as identity, origin text not null,
       file text not null, line integer not null, table_name text collate "C" not null, key text collate "C" not null,
       row_line text collate "C") on commit drop`,
  );
}

/** Puts rows of the folder on the stage. */
export async function stageCorrections(client: PoolClient, rows: readonly GivenCorrection[]): Promise<void> {
  for (let from = 0; from < rows.length; from += ROWS_A_BATCH) {
    const batch = rows.slice(from, from + ROWS_A_BATCH);
    await client.query(
      `insert into stage_correction (origin, file, line, table_name, key, row_line)
       select 'given', * from unnest($1::text[], $2::integer[], $3::text[], $4::text[], $5::text[])`,
      [
        batch.map((row) => row.file),
        batch.map((row) => row.line),
        batch.map((row) => row.table),
        batch.map((row) => row.key),
        batch.map((row) => row.row),
      ],
    );
  }
}

/** Late rows that could not be taken along: a pinned dispute leaves those of other tables out. */
export interface LateRows {
  readonly taken: number;
  readonly leftOut: number;
}

/** Adds the epoch's late rows (spec §3) to the stage, but for those whose key the folder has something to say of. */
export async function stageLateRows(
  client: PoolClient,
  network: string,
  epoch: number,
  derive: DerivationKind,
): Promise<LateRows> {
  const tables = derive === 'pinned' ? PINNED_TABLES : TABLES.map(({ name }) => name);
  const taken = await client.query(
    `insert into stage_correction (origin, file, line, table_name, key, row_line)
     select 'late', 'late rows of load', l.load_id, l.table_name, l.key, l.line from (
       select load_id, table_name, line, settle.correction_key(table_name, line) as key from late_row
       where network = $1 and epoch = $2 and table_name = any($3::text[])) l
     where not exists (select from stage_correction s where s.table_name = l.table_name and s.key = l.key)
     order by l.load_id, l.table_name, l.line`,
    [network, epoch, tables],
  );
  const all = await client.query<{ n: number }>(
    `select count(*) as n from late_row where network = $1 and epoch = $2 and not table_name = any($3::text[])`,
    [network, epoch, tables],
  );
  return { taken: taken.rowCount ?? 0, leftOut: all.rows[0]!.n };
}

/**
 * Takes what is on the stage already so out of it (`base`: the dispute behind the disputed revision).
 * @returns how many rows were there and how many are left
 */
export async function dropUnchanged(
  client: PoolClient,
  key: DisputeKey,
  base: number,
): Promise<{ readonly before: number; readonly after: number }> {
  const staged = async () =>
    (await client.query<{ n: number }>('select count(*) as n from stage_correction')).rows[0]!.n;
  const before = await staged();
  for (const table of await stagedTables(client)) {
    await client.query(
      `delete from stage_correction d using (
         select s.seq, s.row_line, was.line from stage_correction s ${baseLine(table)}
         where s.table_name = '${table.name}') u
       where d.seq = u.seq and u.line = u.row_line`,
      [key.network, key.epoch, base],
    );
  }
  return { before, after: await staged() };
}

export async function stagedTables(client: PoolClient): Promise<readonly SealedTable[]> {
  const found = await client.query<{ table_name: string }>('select distinct table_name from stage_correction');
  const names = new Set(found.rows.map((row) => row.table_name));
  return TABLES.filter(({ name }) => names.has(name));
}

/**
 * Writes the corrections of a dispute: those on the stage, and those that the disputed revision has already
 * (`base`, 0: none), so that reading the corrected rows needs one dispute's corrections only.
 */
export async function insertCorrections(client: PoolClient, key: DisputeKey, base: number): Promise<void> {
  await client.query(
    `insert into correction (network, epoch, dispute, table_name, key, line, origin)
     select $1::text, $2::integer, $3::integer, table_name, key, row_line, origin from (
       select distinct on (table_name, key) table_name, key, row_line, origin from stage_correction
       order by table_name, key, seq) s
     union all
     select k.network, k.epoch, $3::integer, k.table_name, k.key, k.line, 'kept' from correction k
     where k.network = $1::text and k.epoch = $2::integer and k.dispute = $4::integer and not exists (
       select from stage_correction s where s.table_name = k.table_name and s.key = k.key)`,
    [key.network, key.epoch, key.dispute, base],
  );
}

/** A row that a dispute corrects, as canonical lines. */
export interface Correction {
  readonly table: SnapshotTable;
  readonly key: string;
  /** null: there was no such row. */
  readonly before: string | null;
  /** null: the row is withdrawn. */
  readonly after: string | null;
  readonly origin: 'given' | 'late';
}

/** What a dispute itself corrects, by table and key; `base`: the dispute behind the revision that it is on. */
export async function listCorrections(
  db: Queryable,
  key: DisputeKey,
  base: number,
  limit: number,
): Promise<readonly Correction[]> {
  const corrections: Correction[] = [];
  for (const table of TABLES) {
    const found = await db.query<Correction>(
      `select s.table_name as table, s.key, was.line as before, s.line as after, s.origin from (
         select table_name, key, line, origin from correction
         where network = $1::text and epoch = $2::integer and dispute = $4::integer and table_name = '${table.name}'
           and origin <> 'kept' order by key limit $5) s ${baseLine(table)}
       order by s.key`,
      [key.network, key.epoch, base, key.dispute, limit - corrections.length],
    );
    corrections.push(...found.rows);
    if (corrections.length >= limit) break;
  }
  return corrections;
}

/** How many rows of each table a dispute corrects itself. */
export async function countCorrections(
  db: Queryable,
  key: DisputeKey,
): Promise<readonly { readonly table: SnapshotTable; readonly rows: number; readonly withdrawn: number }[]> {
  const found = await db.query<{ table: SnapshotTable; rows: number; withdrawn: number }>(
    `select table_name as table, count(*) as rows, count(*) filter (where line is null) as withdrawn from correction
     where network = $1 and epoch = $2 and dispute = $3 and origin <> 'kept' group by table_name order by table_name`,
    [key.network, key.epoch, key.dispute],
  );
  return found.rows;
}

/** Canonical lines of an epoch's token rows as a dispute corrects them. */
export async function correctedTokenLines(db: Queryable, key: DisputeKey): Promise<readonly string[]> {
  const { line } = INPUT_TABLES.find(({ name }) => name === 'token')!;
  const found = await db.query<{ line: string }>(
    `select ${line} as line from settle.corrected_token($1::text, $2::integer, $3::integer)
     order by source collate "C", observed_at`,
    [key.network, key.epoch, key.dispute],
  );
  return found.rows.map((row) => row.line);
}
