import type { PoolClient } from 'pg';
import { baseLine, stagedTables } from './corrections';
import type { DisputeKey } from './disputes';
import type { RowProblem } from './row-problems';

/** The first so many problems are named; a folder that is wrong throughout is not listed whole. */
const MOST_PROBLEMS = 20;

/** Problems of the rows among themselves: another epoch, or one key said twice. Asked before late rows are staged. */
export async function findStageProblems(client: PoolClient, epoch: number): Promise<readonly RowProblem[]> {
  return look(client, [
    [
      `select seq, file, line, format('epoch %s is not the disputed epoch, %s', split_part(key, ',', 1), $1::integer) as reason
       from stage_correction where table_name <> 'providers' and split_part(key, ',', 1) <> ($1::integer)::text`,
      [epoch],
    ],
    [
      `select seq, file, line, format('%s %s stands in %s:%s already, and says something else', table_name, key, first_file, first_line) as reason
       from (select *, first_value(file) over w as first_file, first_value(line) over w as first_line,
               first_value(row_line) over w as first_row from stage_correction
             window w as (partition by table_name, key order by seq)) s
       where row_line is distinct from first_row`,
      [],
    ],
  ]);
}

/** Problems with what is there: `base` is the dispute behind the disputed revision. */
export async function findBaseProblems(
  client: PoolClient,
  key: DisputeKey,
  base: number,
): Promise<readonly RowProblem[]> {
  const queries: Query[] = [
    [
      `select seq, file, line, format('%s %s came late more than once, with different values: put the right row into the corrections', table_name, key) as reason
       from (select *, first_value(row_line) over (partition by table_name, key order by seq) as first_row
             from stage_correction where origin = 'late') s where row_line <> first_row`,
      [],
    ],
  ];
  for (const table of await stagedTables(client)) {
    queries.push([
      `select s.seq, s.file, s.line, format('epoch %s has no %s row %s to withdraw', $2::integer, s.table_name, s.key) as reason
       from stage_correction s ${baseLine(table)}
       where s.table_name = '${table.name}' and s.row_line is null and was.line is null`,
      [key.network, key.epoch, base],
    ]);
  }
  return look(client, queries);
}

/**
 * Problems of the epoch as it would be: the rules of spec §3 that bind rows together, over the corrected rows. Asked
 * after the corrections are written, in their transaction. `markets`: those of the policy of the disputed revision.
 */
export async function findCorrectedProblems(
  client: PoolClient,
  key: DisputeKey,
  markets: readonly string[],
): Promise<readonly RowProblem[]> {
  const own = [key.network, key.epoch, key.dispute];
  return look(client, [
    [
      `select s.seq, s.file, s.line, format('provider %s is not in the registry as it was sealed: add its row to providers.csv', split_part(s.key, ',', 2)) as reason
       from stage_correction s
       left join settle.corrected_registry($1::text, $2::integer, $3::integer) r on r.provider = split_part(s.key, ',', 2)
       where s.table_name in ('capacity', 'performance') and s.row_line is not null and r.provider is null`,
      own,
    ],
    [
      `select s.seq, s.file, s.line, format('epoch %s is before provider %s joined, in epoch %s', $2::integer, r.provider, r.joined_epoch) as reason
       from stage_correction s
       join settle.corrected_registry($1::text, $2::integer, $3::integer) r
         on r.provider = case s.table_name when 'providers' then s.key else split_part(s.key, ',', 2) end
       where s.table_name in ('providers', 'capacity') and s.row_line is not null and r.joined_epoch > $2::integer`,
      own,
    ],
    [
      `select s.seq, s.file, s.line, format('provider %s has no capacity row in epoch %s, so its registry row is no part of it', s.key, $2::integer) as reason
       from stage_correction s
       where s.table_name = 'providers' and not exists (
         select from settle.corrected_capacity($1::text, $2::integer, $3::integer) c where c.provider = s.key)`,
      own,
    ],
    [
      `select s.seq, s.file, s.line, format('market %s is not in the policy of the disputed revision', m.market) as reason
       from stage_correction s
       cross join lateral (select split_part(s.key, ',', case s.table_name when 'capacity' then 3 else 2 end) as market) m
       where s.table_name in ('capacity', 'demand', 'quotes') and s.row_line is not null and not m.market = any($1::text[])`,
      [markets],
    ],
    [
      `select s.seq, s.file, s.line, format('it leaves epoch %s without a capacity row, and an epoch needs one', $2::integer) as reason
       from stage_correction s
       where s.table_name = 'capacity' and s.row_line is null and not exists (
         select from settle.corrected_capacity($1::text, $2::integer, $3::integer))`,
      own,
    ],
  ]);
}

type Query = readonly [statement: string, values: readonly unknown[]];

async function look(client: PoolClient, queries: readonly Query[]): Promise<readonly RowProblem[]> {
  const problems: (RowProblem & { readonly seq: number })[] = [];
  for (const [statement, values] of queries) {
    const found = await client.query<RowProblem & { seq: number }>(`${statement} order by seq limit ${MOST_PROBLEMS}`, [
      ...values,
    ]);
    problems.push(...found.rows);
  }
  return problems
    .sort((a, b) => a.seq - b.seq)
    .slice(0, MOST_PROBLEMS)
    .map(({ file, line, reason }) => ({ file, line, reason }));
}
