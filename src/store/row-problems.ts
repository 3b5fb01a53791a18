import type { PoolClient } from 'pg';
import { INPUT_TABLES, type InputTable, type SourceTable } from './staging';

/** One row that breaks a rule across rows of spec §3. */
export interface RowProblem {
  readonly file: string;
  /** Line in the file; the header is line 1. */
  readonly line: number;
  readonly reason: string;
}

/** The first so many problems are named; a file that is wrong throughout is not listed whole. */
export const MOST_PROBLEMS = 20;

interface Policies {
  readonly canonical: string;
  readonly from_epoch: number;
}

/**
 * Stages which market is known in which epochs: the newest approved policy whose `from` is not after an epoch names
 * its markets (spec §2).
 */
export async function stageMarkets(client: PoolClient, network: string): Promise<void> {
  const policies = await client.query<Policies>(
    `select p.canonical, e.from_epoch from policy_effective e join policy p using (policy_hash)
     where e.network = $1 order by e.approval`,
    [network],
  );
  await client.query(
    'create temp table stage_market (market text collate "C", first_epoch integer, last_epoch integer) on commit drop',
  );
  const ranges = marketRanges(policies.rows);
  await client.query('insert into stage_market select * from unnest($1::text[], $2::integer[], $3::integer[])', [
    ranges.map((r) => r.market),
    ranges.map((r) => r.first),
    ranges.map((r) => r.last),
  ]);
}

/** Later approvals win from their `from` on, over everything approved before them. */
function marketRanges(policies: readonly Policies[]): { market: string; first: number; last: number }[] {
  const starts = [...new Set(policies.map((policy) => policy.from_epoch))].sort((a, b) => a - b);
  return starts.flatMap((first, i) => {
    const newest = policies.filter((policy) => policy.from_epoch <= first).at(-1)!;
    const document = JSON.parse(newest.canonical) as { market: Record<string, unknown> };
    const last = (starts[i + 1] ?? 2_147_483_648) - 1;
    return Object.keys(document.market).map((market) => ({ market, first, last }));
  });
}

/** Looks for every kind of problem, in the order of the files; returns the first of them, by file and line. */
export async function findRowProblems(
  client: PoolClient,
  network: string,
  fileName: (table: SourceTable) => string,
): Promise<readonly RowProblem[]> {
  const problems: RowProblem[] = [];
  const look = async (table: SourceTable, statement: string, values: readonly unknown[]) => {
    problems.push(...(await lookFor(client, fileName(table), statement, values)));
  };
  await look('providers', registryTwice(), []);
  for (const table of INPUT_TABLES) {
    if (table.values.length > 0) {
      await look(table.name, duplicates(`stage_${table.name}`, table.key, table.values), []);
      await look(table.name, conflicts(table), [network]);
    }
    if (table.key.includes('provider')) await look(table.name, unregistered(table.name), [network]);
    if (table.key.includes('market')) await look(table.name, unknownMarkets(table.name), []);
  }
  await look('capacity', joinedLater(), [network]);
  const order = ['providers', ...INPUT_TABLES.map((table) => table.name)].map((name) => fileName(name as SourceTable));
  return problems
    .sort((a, b) => order.indexOf(a.file) - order.indexOf(b.file) || a.line - b.line)
    .slice(0, MOST_PROBLEMS);
}

/** Rows of one table that were loaded before with other values, as of now. */
export async function findConflicts(
  client: PoolClient,
  network: string,
  table: InputTable,
  file: string,
): Promise<readonly RowProblem[]> {
  // A row without values is all key: whoever has the key has the row.
  return table.values.length === 0 ? [] : lookFor(client, file, conflicts(table), [network]);
}

async function lookFor(
  client: PoolClient,
  file: string,
  statement: string,
  values: readonly unknown[],
): Promise<RowProblem[]> {
  const found = await client.query<{ line: number; reason: string }>(
    `${statement} order by line limit ${MOST_PROBLEMS}`,
    [...values],
  );
  return found.rows.map((row) => ({ file, ...row }));
}

export const registryTwice = (): string =>
  duplicates('stage_providers', ['provider'], ['joined_epoch', 'status', 'payee']);

function duplicates(stage: string, key: readonly string[], values: readonly string[]): string {
  const columns = key.join(', ');
  return `
    select s.line, format('the key (%s) stands at line %s already, with other values', concat_ws(', ', ${key
      .map((column) => `s.${column}`)
      .join(', ')}), s.first_line) as reason
    from (select *, first_value(line) over w as first_line, ${values
      .map((column) => `first_value(${column}) over w as first_${column}`)
      .join(', ')}
          from ${stage} where (${columns}) in (select ${columns} from ${stage} group by ${columns} having count(*) > 1)
          window w as (partition by ${columns} order by line)) s
    where (${values.map((column) => `s.${column}`).join(', ')}) is distinct from (${values
      .map((column) => `s.first_${column}`)
      .join(', ')})`;
}

/** Rows of unsealed epochs that were loaded before with other values; those of sealed epochs are late instead. */
function conflicts(table: InputTable): string {
  return `
    select t.line, format('the key (%s) was loaded before with other values: %s', concat_ws(', ', ${table.key
      .map((column) => `t.${column}`)
      .join(
        ', ',
      )}), concat_ws(', ', ${table.values.map((column) => `coalesce(x.${column}::text, '(empty)')`).join(', ')})) as reason
    from stage_${table.name} t
    join ${table.target} x on x.network = $1 and ${table.key.map((column) => `x.${column} = t.${column}`).join(' and ')}
    where (${table.values.map((column) => `x.${column}`).join(', ')}) is distinct from (${table.values
      .map((column) => `t.${column}`)
      .join(', ')})
      and not exists (select from seal where seal.network = $1 and seal.epoch = t.epoch)`;
}

function unregistered(table: InputTable['name']): string {
  return `
    select t.line, format('provider %s is not in the registry: add its row to providers.csv', t.provider) as reason
    from stage_${table} t
    where not exists (select from stage_providers p where p.provider = t.provider)
      and not exists (select from provider_version v where v.network = $1 and v.provider = t.provider)`;
}

function unknownMarkets(table: InputTable['name']): string {
  return `
    select t.line, format('market %s is not in the policy that settles epoch %s', t.market, t.epoch) as reason
    from stage_${table} t
    where not exists (
      select from stage_market m where m.market = t.market and t.epoch between m.first_epoch and m.last_epoch)`;
}

/** The registry's newest word on each provider of the bundle: the bundle's own row, or the newest that was loaded. */
function joinedLater(): string {
  return `
    select t.line, format('epoch %s is before provider %s joined, in epoch %s', t.epoch, t.provider, p.joined_epoch) as reason
    from stage_capacity t
    left join (select provider, max(joined_epoch) as joined_epoch from stage_providers group by provider) own
      on own.provider = t.provider
    cross join lateral (select coalesce(own.joined_epoch, (
      select v.joined_epoch from provider_version v
      where v.network = $1 and v.provider = t.provider order by v.load_id desc limit 1)) as joined_epoch) p
    where t.epoch < p.joined_epoch`;
}
