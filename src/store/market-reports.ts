import type { ComputationKey } from './computations';
import type { Queryable } from './pool';

/** One market in one published epoch, for plots and comparison; canonical text. */
export interface MarketPoint {
  readonly epoch: number;
  readonly market: string;
  readonly base: string;
  readonly price: string;
  readonly supply: string;
  readonly used: string;
  readonly demand: string;
}

/** The newest `count` published epochs at or below `upTo`, in their newest revision, oldest first: one point a market. */
export async function marketPoints(
  db: Queryable,
  network: string,
  upTo: number,
  count: number,
  market: string | null,
): Promise<readonly MarketPoint[]> {
  const found = await db.query<MarketPoint>(
    `select p.epoch, p.market, p.base::text, p.price::text, p.supply::text, p.used::text, p.demand::text
     from (select distinct on (epoch) epoch, revision, computation from chain_entry
           where network = $1 and kind = 'revision' and epoch <= $2 order by epoch desc, revision desc limit $3) n
     join price p on p.network = $1 and p.epoch = n.epoch and p.revision = n.revision and p.computation = n.computation
     where $4::text is null or p.market = $4::text
     order by p.epoch, p.market`,
    [network, upTo, count, market],
  );
  return found.rows;
}

/** Markets that a computation priced, by bytes of their names. */
export async function pricedMarkets(db: Queryable, key: ComputationKey): Promise<readonly string[]> {
  const found = await db.query<{ market: string }>(
    `select market from price where network = $1 and epoch = $2 and revision = $3 and computation = $4 order by market`,
    [key.network, key.epoch, key.revision, key.computation],
  );
  return found.rows.map((row) => row.market);
}

/** The newest published epoch below `epoch` that priced the market: where its Pprev comes from; null: none did. */
export async function lastPricedEpoch(
  db: Queryable,
  network: string,
  market: string,
  epoch: number,
): Promise<number | null> {
  const found = await db.query<{ epoch: number }>(
    `select p.epoch from price p join chain_entry c using (network, epoch, revision, computation)
     where p.network = $1 and p.market = $2 and p.epoch < $3 and c.kind = 'revision'
     order by p.epoch desc limit 1`,
    [network, market, epoch],
  );
  return found.rows[0]?.epoch ?? null;
}
