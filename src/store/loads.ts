import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Pool, PoolClient } from 'pg';
import { from as copyFrom } from 'pg-copy-streams';
import { appendAudit } from './audit-log';
import { getNetwork, lockInputs, type Network } from './networks';
import { transactionAs } from './rights';
import { findRowProblems, type RowProblem, stageMarkets } from './row-problems';
import { INPUT_TABLES, type InputTable, REGISTRY_STAGED } from './staging';

/** Where the rows come from: the bundle reader, as far as the store needs to know it. */
export interface RowSource {
  /** What the rows are from, for the load's record. */
  readonly name: string;
  /** Lines for COPY in CSV form: the row's line number in its file, then its canonical cells, ended by `\n`. */
  copyLines(table: 'providers' | InputTable['name']): AsyncIterable<string>;
  /** The file's name as the user knows it, for messages. */
  fileName(table: 'providers' | InputTable['name']): string;
}

export interface LoadOptions {
  readonly network: string;
  readonly actor: string;
  /** true: everything is checked and counted, nothing stays. */
  readonly dryRun: boolean;
  /** Rows of epochs outside the network's calendar: an error, or left out and counted. */
  readonly outsideCalendar: 'refuse' | 'skip';
  /**
   * Called in the load's transaction once the rows are staged and before anything asks for the network: a network
   * whose calendar is that of its first bundle is created here, so that a refused bundle leaves no network behind.
   */
  readonly prepare?: (client: PoolClient, span: EpochSpan) => Promise<void>;
}

/** The epochs that staged rows name, lowest and highest; null: no row has an epoch. */
export interface EpochSpan {
  readonly first: number | null;
  readonly last: number | null;
}

export interface TableCounts {
  readonly read: number;
  /** New rows that will be settled. */
  readonly added: number;
  /** The same row again, in the bundle or in the database. */
  readonly repeated: number;
  /** Rows of epochs that are sealed: kept apart. */
  readonly late: number;
  /** Rows of epochs outside the network's calendar. */
  readonly outside: number;
}

export interface LoadReport {
  readonly dryRun: boolean;
  readonly counts: Readonly<Record<string, TableCounts>>;
  readonly firstEpoch: number | null;
  readonly lastEpoch: number | null;
}

/** The bundle's rows break a rule that spans rows; nothing was loaded. */
export class RowsRefused extends Error {
  constructor(readonly problems: readonly RowProblem[]) {
    super(`${problems.length} row${problems.length === 1 ? '' : 's'} refused`);
    this.name = 'RowsRefused';
  }
}

/** Thrown to leave a dry run's transaction without a trace. */
class DryRunDone extends Error {
  constructor(readonly report: LoadReport) {
    super('dry run');
  }
}

/**
 * Loads one input bundle whole or not at all, in one transaction (spec §3).
 * @throws RowsRefused with file, line and reason of the rows that break a rule across rows.
 */
export async function loadBundle(pool: Pool, source: RowSource, options: LoadOptions): Promise<LoadReport> {
  try {
    return await transactionAs(pool, 'settle_operator', async (client) => {
      const report = await loadInTransaction(client, source, options);
      if (options.dryRun) throw new DryRunDone(report);
      return report;
    });
  } catch (error) {
    if (error instanceof DryRunDone) return error.report;
    throw error;
  }
}

async function loadInTransaction(client: PoolClient, source: RowSource, options: LoadOptions): Promise<LoadReport> {
  // A bundle larger than a minute's COPY is legitimate; the connection's keepalive ends a dead one.
  await client.query('set local statement_timeout = 0');
  if (options.prepare === undefined) await getNetwork(client, options.network);
  await stageRows(client, source);
  await options.prepare?.(client, await epochSpan(client));
  const network = await getNetwork(client, options.network);
  await lockInputs(client, options.network, 'shared');
  const outside = await handleOutside(client, source, options, network);
  await stageMarkets(client, options.network);
  const problems = await findRowProblems(client, options.network, (table) => source.fileName(table));
  if (problems.length > 0) throw new RowsRefused(problems);

  const span = await epochSpan(client);
  await ensurePartitions(client);
  const load = await client.query<{ load_id: number }>(
    `insert into load (network, source, actor, counts) values ($1, $2, $3, '{}') returning load_id`,
    [options.network, source.name, options.actor],
  );
  const loadId = load.rows[0]!.load_id;
  const counts: Record<string, TableCounts> = { providers: await addProviders(client, options.network, loadId) };
  for (const table of INPUT_TABLES) {
    counts[table.name] = await addRows(client, table, options.network, loadId, outside[table.name] ?? 0);
  }
  await appendAudit(client, {
    network: options.network,
    actor: options.actor,
    action: 'import',
    subject: source.name,
    outcome: 'done',
    reason: `load ${loadId}`,
    detail: { counts },
  });
  return { dryRun: options.dryRun, counts, firstEpoch: span.first, lastEpoch: span.last };
}

async function stageRows(client: PoolClient, source: RowSource): Promise<void> {
  await client.query(`create temp table stage_providers (line integer, ${REGISTRY_STAGED}) on commit drop`);
  await copyInto(client, 'copy stage_providers from stdin (format csv)', source.copyLines('providers'));
  for (const table of INPUT_TABLES) {
    await client.query(`create temp table stage_${table.name} (line integer, ${table.staged}) on commit drop`);
    await copyInto(client, `copy stage_${table.name} from stdin (format csv)`, source.copyLines(table.name));
    // Temporary tables have no statistics until asked; without them the joins below can be planned quadratic.
    await client.query(`analyze stage_${table.name}`);
  }
  await client.query('analyze stage_providers');
}

async function copyInto(client: PoolClient, statement: string, lines: AsyncIterable<string>): Promise<void> {
  await pipeline(Readable.from(lines, { objectMode: true }), client.query(copyFrom(statement)));
}

/** Removes, or refuses, the rows whose epoch is not in the network's calendar. */
async function handleOutside(
  client: PoolClient,
  source: RowSource,
  options: LoadOptions,
  network: Network,
): Promise<Record<string, number>> {
  const last = network.lastEpoch ?? 2_147_483_647;
  const removed: Record<string, number> = {};
  const problems: RowProblem[] = [];
  for (const table of INPUT_TABLES) {
    const rows = await client.query<{ line: number; epoch: number }>(
      `with gone as (delete from stage_${table.name} where epoch < $1 or epoch > $2 returning line, epoch)
       select line, epoch from gone order by line`,
      [network.firstEpoch, last],
    );
    removed[table.name] = rows.rowCount ?? 0;
    for (const row of rows.rows.slice(0, 20)) {
      problems.push({
        file: source.fileName(table.name),
        line: row.line,
        reason: `epoch ${row.epoch} is outside the calendar of network ${network.network}, which has the epochs ${network.firstEpoch} to ${network.lastEpoch ?? 'no end'}`,
      });
    }
  }
  if (options.outsideCalendar === 'refuse' && problems.length > 0) throw new RowsRefused(problems);
  return removed;
}

async function epochSpan(client: PoolClient): Promise<EpochSpan> {
  const parts = INPUT_TABLES.map((table) => `select epoch from stage_${table.name}`).join(' union all ');
  const span = await client.query<EpochSpan>(`select min(epoch) as first, max(epoch) as last from (${parts}) e`);
  return span.rows[0]!;
}

async function ensurePartitions(client: PoolClient): Promise<void> {
  await client.query(
    `select settle.ensure_partitions(array(
       select distinct epoch / 256 * 256 from (select epoch from stage_capacity union all select epoch from stage_performance) e))`,
  );
}

/** Adds a version for each provider whose row differs from its newest one. */
async function addProviders(client: PoolClient, network: string, loadId: number): Promise<TableCounts> {
  const read = await client.query<{ n: number }>('select count(*) as n from stage_providers');
  const added = await client.query(
    `insert into provider_version (network, provider, load_id, joined_epoch, status, payee)
     select distinct on (s.provider) $1::text, s.provider, $2::bigint, s.joined_epoch, s.status, s.payee
     from stage_providers s
     left join lateral (
       select v.joined_epoch, v.status, v.payee from provider_version v
       where v.network = $1::text and v.provider = s.provider order by v.load_id desc limit 1) newest on true
     where (s.joined_epoch, s.status, s.payee) is distinct from (newest.joined_epoch, newest.status, newest.payee)
     order by s.provider`,
    [network, loadId],
  );
  const count = read.rows[0]!.n;
  const changed = added.rowCount ?? 0;
  return { read: count, added: changed, repeated: count - changed, late: 0, outside: 0 };
}

async function addRows(
  client: PoolClient,
  table: InputTable,
  network: string,
  loadId: number,
  outside: number,
): Promise<TableCounts> {
  const key = table.key.join(', ');
  const columns = [...table.key, ...table.values].join(', ');
  const read = await client.query<{ n: number }>(`select count(*) as n from stage_${table.name}`);
  // Equal keys have equal values by now (findRowProblems), so which of them is taken does not matter. Rows that are
  // there already are left out first: the conflict clause is for loads at the same time, and dear for many rows.
  const late = await client.query(
    `insert into late_row (network, epoch, table_name, line, load_id)
     select distinct $1::text, s.epoch, $2::text, s.line_text, $3::bigint
     from (select epoch, ${table.line} as line_text from stage_${table.name} t
           where exists (select from seal where seal.network = $1::text and seal.epoch = t.epoch)
             and not exists (select from ${table.target} x where x.network = $1::text and ${sameRow(table)})) s
     on conflict do nothing`,
    [network, table.name, loadId],
  );
  const added = await client.query(
    `insert into ${table.target} (network, ${columns})
     select distinct on (${key}) $1::text, ${columns} from stage_${table.name} t
     where not exists (select from seal where seal.network = $1::text and seal.epoch = t.epoch)
       and not exists (select from ${table.target} x where x.network = $1::text and ${sameKey(table)})
     order by ${key}
     on conflict do nothing`,
    [network],
  );
  const n = read.rows[0]!.n;
  const addedCount = added.rowCount ?? 0;
  const lateCount = late.rowCount ?? 0;
  return { read: n + outside, added: addedCount, repeated: n - addedCount - lateCount, late: lateCount, outside };
}

function sameKey(table: InputTable): string {
  return table.key.map((column) => `x.${column} = t.${column}`).join(' and ');
}

/** SQL condition: the staged row `t` and the kept row `x` are the same row, values included. */
function sameRow(table: InputTable): string {
  return [sameKey(table), ...table.values.map((column) => `x.${column} is not distinct from t.${column}`)].join(
    ' and ',
  );
}
