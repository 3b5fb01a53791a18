import { parseAmount } from '../numbers/amounts';
import { Decimal } from '../numbers/decimal';
import type { Amount, UnitHours, UsdPrice, UsdVolume } from '../numbers/units';
import type { PublishedEpoch, PublishedMarket } from '../rulesets/1/records';
import type { Queryable } from './pool';

/** The newest published revision of each epoch below another one, as the chain stands (spec §4). */
const NEWEST_BELOW = `
  select distinct on (c.epoch) c.epoch, c.revision, c.computation, c.content_digest, c.entry
  from chain_entry c
  where c.network = $1 and c.kind = 'revision' and c.epoch < $2
  order by c.epoch desc, c.revision desc`;

interface HeaderRow {
  readonly epoch: number;
  readonly revision: number;
  readonly content_digest: string;
  readonly entry: string;
}

interface MarketRow {
  readonly epoch: number;
  readonly market: string;
  readonly supply: string;
  readonly demand: string;
  readonly competitor: string | null;
  readonly competitor_epoch: number | null;
  readonly base: string;
  readonly price: string;
}

/** The newest `count` published epochs below `epoch`, oldest first, each in its newest revision of the chain as it is now. */
export async function publishedBelow(
  db: Queryable,
  network: string,
  epoch: number,
  count: number,
): Promise<readonly PublishedEpoch[]> {
  const headers = await db.query<HeaderRow>(
    `select epoch, revision, content_digest, entry from (${NEWEST_BELOW} limit $3) n order by epoch`,
    [network, epoch, count],
  );
  if (headers.rows.length === 0) return [];
  const markets = await marketsOf(db, network, epoch, headers.rows[0]!.epoch);
  return headers.rows.map((header) => publishedEpoch(header, markets.get(header.epoch) ?? []));
}

async function marketsOf(
  db: Queryable,
  network: string,
  epoch: number,
  oldest: number,
): Promise<ReadonlyMap<number, readonly PublishedMarket[]>> {
  const found = await db.query<MarketRow>(
    `select p.epoch, p.market, p.supply, p.demand, p.competitor, p.competitor_epoch, p.base, p.price
     from (${NEWEST_BELOW}) n
     join price p on p.network = $1 and p.epoch = n.epoch and p.revision = n.revision and p.computation = n.computation
     where n.epoch >= $3 and p.epoch >= $3
     order by p.epoch, p.market`,
    [network, epoch, oldest],
  );
  const markets = new Map<number, PublishedMarket[]>();
  for (const row of found.rows) {
    const market: PublishedMarket = {
      market: row.market,
      supply: new Decimal(row.supply) as UnitHours,
      demand: new Decimal(row.demand) as UnitHours,
      competitor: row.competitor === null ? null : (new Decimal(row.competitor) as UsdPrice),
      competitorEpoch: row.competitor_epoch,
      base: new Decimal(row.base) as UsdPrice,
      price: new Decimal(row.price) as UsdPrice,
    };
    const own = markets.get(row.epoch);
    if (own === undefined) markets.set(row.epoch, [market]);
    else own.push(market);
  }
  return markets;
}

function publishedEpoch(header: HeaderRow, markets: readonly PublishedMarket[]): PublishedEpoch {
  const content = JSON.parse(header.entry) as {
    activeProviders: number;
    growthPhase: string;
    tokenPrice: string;
    tokenVolume: string;
    sum: string;
  };
  return {
    epoch: header.epoch,
    revision: header.revision,
    contentDigest: header.content_digest,
    activeProviders: content.activeProviders,
    growthPhase: content.growthPhase,
    tokenPrice: new Decimal(content.tokenPrice) as UsdPrice,
    tokenVolume: new Decimal(content.tokenVolume) as UsdVolume,
    sum: parseAmount(content.sum) as Amount,
    markets,
  };
}

/**
 * P0 of the newest published epoch that priced each market (spec §5: Pprev): from the epochs that were read, and, for
 * those of `markets` that none of them priced, from as far back as it takes. Markets never priced are absent.
 */
export async function lastBases(
  db: Queryable,
  network: string,
  read: readonly PublishedEpoch[],
  markets: readonly string[],
): Promise<ReadonlyMap<string, UsdPrice>> {
  const bases = new Map<string, UsdPrice>();
  for (const epoch of read) for (const { market, base } of epoch.markets) bases.set(market, base);
  const missing = markets.filter((market) => !bases.has(market));
  const oldest = read[0]?.epoch ?? 0;
  if (missing.length === 0 || oldest === 0) return bases;
  const found = await db.query<{ market: string; base: string }>(
    `select m.market, p.base from unnest($3::text[]) m(market)
     cross join lateral (
       select p.base from price p
       join chain_entry c using (network, epoch, revision, computation)
       where p.network = $1 and p.market = m.market and p.epoch < $2 and c.kind = 'revision'
       order by p.epoch desc, p.revision desc limit 1) p`,
    [network, oldest, missing],
  );
  for (const row of found.rows) bases.set(row.market, new Decimal(row.base) as UsdPrice);
  return bases;
}

export interface PublishedIdentity {
  readonly epoch: number;
  readonly revision: number;
  readonly contentDigest: string;
}

/** Newest revisions of the published epochs in [first, before), oldest first, without their records. */
export async function publishedIdentities(
  db: Queryable,
  network: string,
  first: number,
  before: number,
): Promise<readonly PublishedIdentity[]> {
  const found = await db.query<PublishedIdentity>(
    `select distinct on (epoch) epoch, revision, content_digest as "contentDigest" from chain_entry
     where network = $1 and kind = 'revision' and epoch >= $2 and epoch < $3 order by epoch, revision desc`,
    [network, first, before],
  );
  return found.rows;
}

/** Closed-as-failed epochs of [first, before) that are not published. */
export async function failedEpochs(
  db: Queryable,
  network: string,
  first: number,
  before: number,
): Promise<ReadonlySet<number>> {
  const found = await db.query<{ epoch: number }>(
    `select distinct epoch from epoch_failure where network = $1 and epoch >= $2 and epoch < $3`,
    [network, first, before],
  );
  return new Set(found.rows.map((row) => row.epoch));
}
