import { createHash, type Hash } from 'node:crypto';
import type { PoolClient } from 'pg';
import { to as copyTo } from 'pg-copy-streams';
import type { SnapshotTable } from '../proofs/digests';
import { eachProvider, OrphanCapacity } from '../rulesets/1/provider-lines';
import { StoreError } from './errors';
import { joinByHashing } from './plans';
import type { Queryable } from './pool';
import { SEALED_ROWS } from './snapshots';

/** Which rows of a sealed epoch to read: all of them, or those of the providers in (after, upTo]. */
export interface RowRange {
  readonly network: string;
  readonly epoch: number;
  /** The registry as of this load. */
  readonly registryLoad: number;
  /** null: from the first provider. */
  readonly after: string | null;
  /** null: to the last provider. */
  readonly upTo: string | null;
  /** The dispute whose corrections count; absent: none, the rows as they were sealed. */
  readonly dispute?: number;
}

/**
 * Both ends are conditions of an index: with an "or" for the open end every chunk would be read to the end of the epoch.
 */
const IN_RANGE = `provider > current_setting('settle.after') and provider <= current_setting('settle.up_to')`;

/** In the place of an open upper end: after every identifier (spec §3) by bytes. */
const AFTER_ALL = '~';

/**
 * COPY takes no parameters, so the range is bound through settings of the transaction. The columns and the order are
 * those of the canonical lines (spec §9); the values were written in canonical text and print as they were written.
 */
const STATEMENTS: Readonly<Record<SnapshotTable, string>> = {
  providers: `
    select provider, joined_epoch, status, payee from (
      select distinct on (provider) provider, joined_epoch, status, payee from provider_version
      where network = current_setting('settle.network')
        and load_id <= current_setting('settle.registry_load')::bigint
        and ${IN_RANGE}
      order by provider, load_id desc) r
    where exists (select from (
      select provider from capacity where network = current_setting('settle.network')
        and epoch = current_setting('settle.epoch')::integer and ${IN_RANGE}) c where c.provider = r.provider)
    order by provider`,
  capacity: `
    select epoch, provider, market, offered, served from capacity
    where network = current_setting('settle.network') and epoch = current_setting('settle.epoch')::integer
      and ${IN_RANGE}
    order by provider, market`,
  performance: `
    select epoch, provider, uptime, response_ms, error_rate, rating from performance
    where network = current_setting('settle.network') and epoch = current_setting('settle.epoch')::integer
      and ${IN_RANGE}
    order by provider`,
  demand: `
    select epoch, market, requested from demand
    where network = current_setting('settle.network') and epoch = current_setting('settle.epoch')::integer
    order by market`,
  quotes: `
    select epoch, market, source, usd_per_unit from quote
    where network = current_setting('settle.network') and epoch = current_setting('settle.epoch')::integer
    order by market, source, usd_per_unit`,
  token: `
    select epoch, source, to_char(observed_at, 'YYYY-MM-DD"T"HH24:MI:SS"Z"'), price_usd, volume_usd
    from token_observation
    where network = current_setting('settle.network') and epoch = current_setting('settle.epoch')::integer
    order by source, observed_at`,
  macro: `
    select epoch, index from macro
    where network = current_setting('settle.network') and epoch = current_setting('settle.epoch')::integer`,
};

const CORRECTED_ARGUMENTS = `current_setting('settle.network'), current_setting('settle.epoch')::integer,
  current_setting('settle.dispute')::integer`;

/**
 * The same columns and order over the rows as a dispute corrects them. Apart from STATEMENTS, so that revision 1 of a
 * million providers pays nothing for corrections that it does not have.
 */
const CORRECTED_STATEMENTS: Readonly<Record<SnapshotTable, string>> = {
  providers: `
    select provider, joined_epoch, status, payee from settle.corrected_registry(${CORRECTED_ARGUMENTS}) r
    where ${IN_RANGE} and exists (
      select from settle.corrected_capacity(${CORRECTED_ARGUMENTS}) c where c.provider = r.provider)
    order by provider collate "C"`,
  capacity: `
    select epoch, provider, market, offered, served from settle.corrected_capacity(${CORRECTED_ARGUMENTS}) r
    where ${IN_RANGE} order by provider collate "C", market collate "C"`,
  performance: `
    select epoch, provider, uptime, response_ms, error_rate, rating
    from settle.corrected_performance(${CORRECTED_ARGUMENTS}) r
    where ${IN_RANGE} order by provider collate "C"`,
  demand: `
    select epoch, market, requested from settle.corrected_demand(${CORRECTED_ARGUMENTS}) r
    order by market collate "C"`,
  quotes: `
    select epoch, market, source, usd_per_unit from settle.corrected_quotes(${CORRECTED_ARGUMENTS}) r
    order by market collate "C", source collate "C", usd_per_unit`,
  token: `
    select epoch, source, to_char(observed_at, 'YYYY-MM-DD"T"HH24:MI:SS"Z"'), price_usd, volume_usd
    from settle.corrected_token(${CORRECTED_ARGUMENTS}) r order by source collate "C", observed_at`,
  macro: `select epoch, index from settle.corrected_macro(${CORRECTED_ARGUMENTS}) r`,
};

/** Binds the range for the streams that follow; must be called inside a transaction. */
export async function bindRange(client: PoolClient, range: RowRange): Promise<void> {
  if (range.dispute !== undefined && range.dispute !== SEALED_ROWS) await joinByHashing(client);
  await client.query(
    `select set_config('settle.network', $1, true), set_config('settle.epoch', $2, true),
       set_config('settle.registry_load', $3, true), set_config('settle.after', $4, true),
       set_config('settle.up_to', $5, true), set_config('settle.dispute', $6, true)`,
    [
      range.network,
      String(range.epoch),
      String(range.registryLoad),
      range.after ?? '',
      range.upTo ?? AFTER_ALL,
      String(range.dispute ?? SEALED_ROWS),
    ],
  );
}

/** The canonical lines of a range of one table, each ended by `\n`. */
export interface TableRead {
  readonly bytes: Buffer;
  readonly rows: number;
}

/**
 * Reads a range of one table. Every byte goes through `hashes` before it is parsed, so that what was read and what was
 * digested cannot differ. A range is held in memory: ask for a chunk, not for an epoch.
 * `dispute`: the one that the range was bound with.
 */
export async function readTable(
  client: PoolClient,
  table: SnapshotTable,
  hashes: readonly Hash[],
  dispute: number = SEALED_ROWS,
): Promise<TableRead> {
  const parts: Buffer[] = [];
  const statement = (dispute === SEALED_ROWS ? STATEMENTS : CORRECTED_STATEMENTS)[table];
  const stream = client.query(copyTo(`copy (${statement}) to stdout (format csv)`));
  for await (const part of stream) {
    for (const hash of hashes) hash.update(part as Buffer);
    parts.push(part as Buffer);
  }
  return { bytes: Buffer.concat(parts), rows: stream.rowCount };
}

/** {@link readTable}, its lines as texts without their ends. */
export async function readLines(...of: Parameters<typeof readTable>): Promise<readonly string[]> {
  const { bytes } = await readTable(...of);
  // Canonical lines are ASCII, for which latin1 is the fastest decoding.
  return bytes.length === 0 ? [] : bytes.toString('latin1').slice(0, -1).split('\n');
}

/** Canonical lines of an epoch's token rows as they are staged, sealed or not. */
export async function tokenLines(db: Queryable, network: string, epoch: number): Promise<readonly string[]> {
  const found = await db.query<{ line: string }>(
    `select concat_ws(',', epoch, source, to_char(observed_at, 'YYYY-MM-DD"T"HH24:MI:SS"Z"'), price_usd, volume_usd) as line
     from token_observation where network = $1 and epoch = $2 order by source, observed_at`,
    [network, epoch],
  );
  return found.rows.map((row) => row.line);
}

/** The last provider of the next chunk of at most `providers` providers with a capacity row; null: it is the last one. */
export async function chunkEnd(client: PoolClient, providers: number): Promise<string | null> {
  const found = await client.query<{ provider: string }>(
    `select distinct provider from capacity
     where network = current_setting('settle.network') and epoch = current_setting('settle.epoch')::integer
       and provider > current_setting('settle.after')
     order by provider offset $1 - 1 limit 2`,
    [providers],
  );
  return found.rows.length === 2 ? found.rows[0]!.provider : null;
}

export const RANGE_TABLES = ['providers', 'capacity', 'performance'] as const;
export type RangeTable = (typeof RANGE_TABLES)[number];

/** One SHA-256 for each table that is read by range. */
export function rangeHashes(): Readonly<Record<RangeTable, Hash>> {
  return { providers: createHash('sha256'), capacity: createHash('sha256'), performance: createHash('sha256') };
}

export interface RangeRead {
  readonly tables: Readonly<Record<RangeTable, Buffer>>;
  readonly rows: Readonly<Record<RangeTable, number>>;
  /** SHA-256 of the rows of each table that were read. */
  readonly digests: Readonly<Record<RangeTable, string>>;
}

/** All rows of the providers of a range. `bindRange` first. */
export async function readRange(client: PoolClient, dispute: number = SEALED_ROWS): Promise<RangeRead> {
  const hashes = rangeHashes();
  const read = async (table: RangeTable) => {
    const { bytes, rows } = await readTable(client, table, [hashes[table]], dispute);
    return { bytes, rows, digest: hashes[table].digest('hex') };
  };
  const providers = await read('providers');
  const capacity = await read('capacity');
  const performance = await read('performance');
  return {
    tables: { providers: providers.bytes, capacity: capacity.bytes, performance: performance.bytes },
    rows: { providers: providers.rows, capacity: capacity.rows, performance: performance.rows },
    digests: { providers: providers.digest, capacity: capacity.digest, performance: performance.digest },
  };
}

/**
 * The providers of a range, by bytes of their ids, made of their lines as they are asked for.
 * @throws StoreError TamperedRows if a capacity row has no provider in the registry: sealing saw one.
 */
export function* providersIn({ tables }: RangeRead): ReturnType<typeof eachProvider> {
  try {
    yield* eachProvider(tables);
  } catch (error) {
    if (error instanceof OrphanCapacity) throw new StoreError('TamperedRows', error.message);
    throw error;
  }
}
