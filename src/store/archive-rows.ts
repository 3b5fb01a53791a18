import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { PoolClient } from 'pg';
import { from as copyFrom, to as copyTo } from 'pg-copy-streams';
import type { Queryable } from './pool';

type Table = 'capacity' | 'performance' | 'payout';

const OF_RANGE = `where epoch between current_setting('settle.first')::integer and current_setting('settle.last')::integer`;

/** As the files of an archive have them, in their order; settle.partition_digests digests the same lines. */
const STATEMENTS: Readonly<Record<Table, string>> = {
  capacity: `select network, epoch, provider, market, offered, served from capacity ${OF_RANGE}
    order by network, epoch, provider, market`,
  performance: `select network, epoch, provider, uptime, response_ms, error_rate, rating from performance ${OF_RANGE}
    order by network, epoch, provider`,
  payout: `select network, epoch, revision, computation, provider, gross, cap_cut, scale_cut, amount, reason, multiplier
    from payout ${OF_RANGE} order by network, epoch, revision, computation, provider`,
};

/** The lines of a table in a range of 256 epochs, in pieces as they come. In a transaction. */
export async function* rangeLines(
  client: PoolClient,
  table: Table,
  first: number,
): AsyncGenerator<readonly string[], void, undefined> {
  await client.query(`select set_config('settle.first', $1, true), set_config('settle.last', $2, true)`, [
    String(first),
    String(first + 255),
  ]);
  let rest = '';
  for await (const part of client.query(copyTo(`copy (${STATEMENTS[table]}) to stdout (format csv)`))) {
    const lines = (rest + (part as Buffer).toString('latin1')).split('\n');
    rest = lines.pop()!;
    if (lines.length > 0) yield lines;
  }
}

/** Where lines of an archive go: to the tables that become partitions, or to tables of the session's own. */
export type Destination = { readonly kind: 'return'; readonly first: number } | { readonly kind: 'session' };

/** Copies lines of an archive's file. Their characters were looked at when they were read. */
export async function copyRange(
  client: PoolClient,
  table: Table,
  to: Destination,
  lines: AsyncIterable<readonly string[]>,
): Promise<void> {
  async function* text(): AsyncGenerator<string> {
    for await (const piece of lines) if (piece.length > 0) yield `${piece.join('\n')}\n`;
  }
  const target = to.kind === 'session' ? `brought_${table}` : `settle.returning_${table}_${rangeNumber(to.first)}`;
  await pipeline(
    Readable.from(text(), { objectMode: true }),
    client.query(copyFrom(`copy ${target} from stdin (format csv)`)),
  );
}

/** A number that may stand in a table's name. */
function rangeNumber(first: number): number {
  if (Number.isSafeInteger(first) && first >= 0 && first % 256 === 0) return first;
  throw new RangeError(`${first} begins no range of 256 epochs`);
}

/**
 * Makes this session's own tables for rows that are brought along, and views by the names of ours that show both, for as
 * long as the connection lasts: every question that is asked on it finds them.
 */
export async function openBrought(client: Queryable): Promise<void> {
  for (const table of ['capacity', 'performance', 'payout']) {
    await client.query(`create temporary table brought_${table} (like settle.${table} including all)`);
    await client.query(
      `create temporary view ${table} as select * from settle.${table} union all select * from brought_${table}`,
    );
    await client.query(`grant select on brought_${table}, pg_temp.${table} to public`);
  }
}

/** From here on the rows of these ranges count as being here. */
export async function closeBrought(client: Queryable, firsts: readonly number[]): Promise<void> {
  for (const table of ['capacity', 'performance', 'payout']) await client.query(`analyze brought_${table}`);
  await client.query(`select set_config('settle.brought', $1, false)`, [firsts.join(',')]);
}
