import type { PoolClient } from 'pg';
import { to as copyTo } from 'pg-copy-streams';
import type { ComputationKey } from './computations';
import type { Queryable } from './pool';

/** What was published, read for people and for exports: amounts and decimals as text. */

export interface PublishedPayout {
  readonly provider: string;
  readonly gross: string;
  readonly capCut: string;
  readonly scaleCut: string;
  readonly amount: string;
  readonly reason: string;
}

/** The largest payouts of a computation, by amount and then by the provider's name. */
export async function largestPayouts(
  db: Queryable,
  key: ComputationKey,
  count: number,
): Promise<readonly PublishedPayout[]> {
  const found = await db.query<PublishedPayout>(
    `select provider, gross::text, cap_cut::text as "capCut", scale_cut::text as "scaleCut", amount::text, reason
     from payout where network = $1 and epoch = $2 and revision = $3 and computation = $4 and amount > 0
     order by payout.amount desc, provider limit $5`,
    [key.network, key.epoch, key.revision, key.computation, count],
  );
  return found.rows;
}

/** How many providers a computation paid, and how many it did not, by reason. */
export async function payoutReasons(
  db: Queryable,
  key: ComputationKey,
): Promise<readonly { readonly reason: string; readonly providers: number; readonly paid: number }[]> {
  const found = await db.query<{ reason: string; providers: number; paid: number }>(
    `select reason, count(*) as providers, count(*) filter (where amount > 0) as paid
     from payout where network = $1 and epoch = $2 and revision = $3 and computation = $4 group by reason order by reason`,
    [key.network, key.epoch, key.revision, key.computation],
  );
  return found.rows;
}

export interface PriceCourse {
  readonly market: string;
  /** Prices of the newest published epochs that priced the market, oldest first. */
  readonly prices: readonly string[];
}

/** How the price of each market went over the newest `count` published epochs up to `epoch`. */
export async function priceCourses(
  db: Queryable,
  network: string,
  epoch: number,
  count: number,
): Promise<readonly PriceCourse[]> {
  const found = await db.query<PriceCourse>(
    `with newest as (
       select distinct on (epoch) epoch, revision, computation from chain_entry
       where network = $1 and kind = 'revision' and epoch <= $2 order by epoch desc, revision desc limit $3)
     select p.market, array_agg(p.price::text order by p.epoch) as prices
     from newest join price p on p.network = $1 and (p.epoch, p.revision, p.computation)
       = (newest.epoch, newest.revision, newest.computation)
     group by p.market order by p.market`,
    [network, epoch, count],
  );
  return found.rows;
}

/** The payouts table of a computation, canonical cells by bytes of the provider's name, as fast as they are taken. */
export async function* payoutCells(client: PoolClient, key: ComputationKey): AsyncGenerator<readonly string[]> {
  await client.query(
    `select set_config('settle.network', $1, true), set_config('settle.epoch', $2, true),
       set_config('settle.revision', $3, true), set_config('settle.computation', $4, true)`,
    [key.network, String(key.epoch), String(key.revision), String(key.computation)],
  );
  const stream = client.query(
    copyTo(`copy (
      select provider, gross, cap_cut, scale_cut, amount, reason from payout
      where network = current_setting('settle.network') and epoch = current_setting('settle.epoch')::integer
        and revision = current_setting('settle.revision')::integer
        and computation = current_setting('settle.computation')::integer
      order by provider) to stdout (format csv)`),
  );
  let rest = '';
  for await (const part of stream) {
    const lines = (rest + (part as Buffer).toString('latin1')).split('\n');
    rest = lines.pop() ?? '';
    // No cell of a payout can need a quote: identifiers, whole numbers and five words.
    for (const line of lines) yield line.split(',');
  }
}
