import type { Queryable } from './pool';

/** What published revisions say of one provider, and what was paid to it: the rows of its statement. Base units. */

export interface StatementRevisionRow {
  readonly epoch: number;
  readonly revision: number;
  readonly publishedAt: string;
  /** null, like the rest: the revision has no payout for the provider. */
  readonly amount: string | null;
  readonly gross: string | null;
  readonly capCut: string | null;
  readonly scaleCut: string | null;
  readonly reason: string | null;
  readonly multiplier: string | null;
}

const INSTANT = (column: string) => `to_char(${column}, 'YYYY-MM-DD"T"HH24:MI:SS"Z"')`;

/**
 * Every published revision of a range of epochs, with its payout of the provider. One look-up by the payouts' key for
 * each revision (`limit 1` keeps it that: a join of whole partitions would read every provider).
 */
export async function statementRevisions(
  db: Queryable,
  network: string,
  provider: string,
  first: number,
  last: number,
): Promise<readonly StatementRevisionRow[]> {
  const found = await db.query<StatementRevisionRow>(
    `select c.epoch, c.revision, ${INSTANT('c.published_at')} as "publishedAt", p.*
     from chain_entry c left join lateral (
       select amount::text, gross::text, cap_cut::text as "capCut", scale_cut::text as "scaleCut", reason, multiplier::text
       from payout where network = $1 and epoch = c.epoch and revision = c.revision and computation = c.computation
         and provider = $2 limit 1) p on true
     where c.network = $1 and c.kind = 'revision' and c.epoch between $3 and $4
     order by c.epoch, c.revision`,
    [network, provider, first, last],
  );
  return found.rows;
}

/**
 * What a provider is entitled to of the epochs below `first`, and of those up to `last`, in their newest revisions. Of
 * archived ranges below `first` by the totals that were kept of them.
 */
export async function entitledUpTo(
  db: Queryable,
  network: string,
  provider: string,
  first: number,
  last: number,
): Promise<{ readonly before: string; readonly upTo: string }> {
  const found = await db.query<{ before: string; upTo: string }>(
    `with newest as (
       select distinct on (epoch) epoch, revision, computation from chain_entry
       where network = $1 and kind = 'revision' and epoch <= $4 order by epoch, revision desc)
     select coalesce(sum(amount) filter (where epoch < $3), 0)::text as before, coalesce(sum(amount), 0)::text as "upTo"
     from (
       select n.epoch, p.amount from newest n cross join lateral (
         select amount from payout where network = $1 and epoch = n.epoch and revision = n.revision
           and computation = n.computation and provider = $2 limit 1) p
       union all
       select a.low, k.entitlement from settle.absent_ranges() a join archived_entitlement k using (low, archive_no)
       where k.network = $1 and k.provider = $2 and a.low < $3) e`,
    [network, provider, first, last],
  );
  return found.rows[0]!;
}

export interface StatementPaymentRow {
  /** The highest epoch that was published when the batch was made, and the chain's end then. */
  readonly epoch: number;
  readonly position: number;
  readonly batch: number;
  readonly reference: string;
  readonly payee: string;
  readonly amount: string;
  readonly confirmedAt: string;
  /** Its line had been given up. */
  readonly late: boolean;
}

/** All confirmed payments to a provider, by batch and reference: one look-up for each batch of the network. */
export async function paymentsToProvider(
  db: Queryable,
  network: string,
  provider: string,
): Promise<readonly StatementPaymentRow[]> {
  const found = await db.query<StatementPaymentRow>(
    `with covered as (
       select batch, position, max(epoch) over (order by position, batch nulls first) as epoch from (
         select null::integer as batch, position, epoch from chain_entry where network = $1 and kind = 'revision'
         union all select batch, position, null from payment_batch where network = $1) e)
     select b.epoch, b.position, b.batch, c.reference, c.payee, c.amount, c."confirmedAt", c.late
     from covered b cross join lateral (
       select p.reference, l.payee, p.amount::text, ${INSTANT('p.confirmed_at')} as "confirmedAt",
         p.late_reason is not null as late
       from payment_confirmation p join payment_line l using (network, batch, provider)
       where p.network = $1 and p.batch = b.batch and p.provider = $2 order by p.reference limit 1000000) c
     where b.batch is not null order by b.batch, c.reference`,
    [network, provider],
  );
  return found.rows;
}

/** What is on its way to a provider: lines of batches that are neither rejected, given up nor confirmed, in base units. */
export async function inFlightTo(db: Queryable, network: string, provider: string): Promise<string> {
  const found = await db.query<{ amount: string }>(
    `select coalesce(sum(l.amount - coalesce(c.amount, 0)), 0)::text as amount
     from payment_batch b join payment_line l on l.network = b.network and l.batch = b.batch and l.provider = $2
     left join lateral (
       select sum(amount) as amount from payment_confirmation c
       where c.network = $1 and c.batch = b.batch and c.provider = $2) c on true
     where b.network = $1
       and not exists (select from payment_failure f where f.network = $1 and f.batch = b.batch and f.provider = $2)
       and not exists (select from payment_decision d where d.network = $1 and d.batch = b.batch and d.decision = 'rejected')`,
    [network, provider],
  );
  return found.rows[0]!.amount;
}

/** A market's price in one published epoch, in its newest revision. USD a unit. */
export interface StatementPrice {
  readonly epoch: number;
  readonly market: string;
  readonly price: string;
}

/** Markets in which a provider offered something in a range of epochs, those that it offered in most often first. */
export async function marketsOfProvider(
  db: Queryable,
  network: string,
  provider: string,
  first: number,
  last: number,
  count: number,
): Promise<readonly string[]> {
  const found = await db.query<{ market: string }>(
    `select m.market from (
       select distinct epoch from chain_entry where network = $1 and kind = 'revision' and epoch between $3 and $4) e
     cross join lateral (
       select market from capacity where network = $1 and epoch = e.epoch and provider = $2 and offered > 0 limit 1000) m
     group by m.market order by count(*) desc, m.market limit $5`,
    [network, provider, first, last, count],
  );
  return found.rows.map(({ market }) => market);
}

/** Prices of some markets over a range of epochs, by market and epoch. */
export async function pricesOfMarkets(
  db: Queryable,
  network: string,
  markets: readonly string[],
  first: number,
  last: number,
): Promise<readonly StatementPrice[]> {
  const found = await db.query<StatementPrice>(
    `with newest as (
       select distinct on (epoch) epoch, revision, computation from chain_entry
       where network = $1 and kind = 'revision' and epoch between $3 and $4 order by epoch, revision desc)
     select n.epoch, m.market, p.price from newest n cross join unnest($2::text[]) m(market)
     cross join lateral (
       select price::text from price where network = $1 and epoch = n.epoch and revision = n.revision
         and computation = n.computation and market = m.market limit 1) p
     order by m.market, n.epoch`,
    [network, markets, first, last],
  );
  return found.rows;
}
