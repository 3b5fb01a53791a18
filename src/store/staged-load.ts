import type { Pool, PoolClient } from 'pg';
import { insertLoad, recordLoad } from './load-record';
import {
  copyInto,
  type EpochSpan,
  type LoadOptions,
  type LoadReport,
  type RowSource,
  RowsRefused,
  type TableCounts,
} from './load-source';
import { ensurePartitions, requireFewEpochs } from './loaded-epochs';
import { getNetwork, lockInputs, type Network } from './networks';
import { addProviders, numberedLines, stageProviders } from './registry-load';
import { findConflicts, findRowProblems, MOST_PROBLEMS, type RowProblem, stageMarkets } from './row-problems';
import { INPUT_TABLES, type InputTable } from './staging';

/**
 * Loads a bundle by way of staging tables, which know the line of each row: for bundles with rows that are there
 * already, that are late or outside the calendar, or that have to be refused.
 *
 * @throws RowsRefused with file, line and reason of the rows that break a rule across rows.
 */
export async function loadStaged(
  pool: Pool,
  client: PoolClient,
  source: RowSource,
  options: LoadOptions,
): Promise<LoadReport> {
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
  requireFewEpochs(span);
  await ensurePartitions(pool, await partitionStarts(client));
  const loadId = await insertLoad(client, source, options);
  const counts: Record<string, TableCounts> = { providers: await addProviders(client, options.network, loadId) };
  for (const table of INPUT_TABLES) {
    const added = await addRows(client, table, options.network, loadId, outside[table.name] ?? 0);
    if (added.repeated > 0) await requireSame(client, table, source, options.network);
    counts[table.name] = added;
  }
  await recordLoad(client, source, options, loadId, counts);
  return { dryRun: options.dryRun, counts, firstEpoch: span.first, lastEpoch: span.last };
}

async function stageRows(client: PoolClient, source: RowSource): Promise<void> {
  await stageProviders(client, source);
  for (const table of INPUT_TABLES) {
    await client.query(`create temp table stage_${table.name} (line integer, ${table.staged}) on commit drop`);
    await copyInto(client, `copy stage_${table.name} from stdin (format csv)`, numberedLines(source, table.name));
    await client.query(`analyze stage_${table.name}`);
  }
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
    const found = await client.query<{ line: number; epoch: number }>(
      `select line, epoch from stage_${table.name} where epoch < $1 or epoch > $2 order by line limit ${MOST_PROBLEMS}`,
      [network.firstEpoch, last],
    );
    for (const row of found.rows) {
      problems.push({
        file: source.fileName(table.name),
        line: row.line,
        reason: `epoch ${row.epoch} is outside the calendar of network ${network.network}, which has the epochs ${network.firstEpoch} to ${network.lastEpoch ?? 'no end'}`,
      });
    }
    const gone = await client.query(`delete from stage_${table.name} where epoch < $1 or epoch > $2`, [
      network.firstEpoch,
      last,
    ]);
    removed[table.name] = gone.rowCount ?? 0;
  }
  if (options.outsideCalendar === 'refuse' && problems.length > 0) throw new RowsRefused(problems);
  return removed;
}

async function epochSpan(client: PoolClient): Promise<EpochSpan> {
  const parts = INPUT_TABLES.map((table) => `select epoch from stage_${table.name}`).join(' union all ');
  const span = await client.query<EpochSpan>(`select min(epoch) as first, max(epoch) as last from (${parts}) e`);
  return span.rows[0]!;
}

/** First epochs of the partitions that the staged rows go to. */
async function partitionStarts(client: PoolClient): Promise<number[]> {
  const parts = INPUT_TABLES.filter((table) => table.partitioned).map(({ name }) => `select epoch from stage_${name}`);
  const found = await client.query<{ start: number }>(
    `select distinct epoch / 256 * 256 as start from (${parts.join(' union all ')}) e`,
  );
  return found.rows.map(({ start }) => start);
}

/**
 * Loads overlap: a row that another one had not committed when this one looked is met by the insert alone, which waits
 * for it and leaves its own row out. Only now can the two be compared.
 */
async function requireSame(client: PoolClient, table: InputTable, source: RowSource, network: string): Promise<void> {
  const problems = await findConflicts(client, network, table, source.fileName(table.name));
  if (problems.length > 0) throw new RowsRefused(problems);
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
