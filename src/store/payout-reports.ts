import type { PayoutReason } from '../rulesets/1/records';
import type { ComputationKey } from './computations';
import type { Queryable } from './pool';

/** A row of the payouts table (spec §9) in base units, with M4. */
export interface StoredPayout {
  readonly provider: string;
  readonly gross: string;
  readonly capCut: string;
  readonly scaleCut: string;
  readonly amount: string;
  readonly reason: PayoutReason;
  /** M4; null: not eligible. */
  readonly multiplier: string | null;
}

const COLUMNS = `provider, gross::text, cap_cut::text as "capCut", scale_cut::text as "scaleCut", amount::text, reason,
  multiplier::text`;
const OF_COMPUTATION = 'network = $1 and epoch = $2 and revision = $3 and computation = $4';
const keyOf = (key: ComputationKey) => [key.network, key.epoch, key.revision, key.computation];

export async function findPayout(db: Queryable, key: ComputationKey, provider: string): Promise<StoredPayout | null> {
  const found = await db.query<StoredPayout>(
    `select ${COLUMNS} from payout where ${OF_COMPUTATION} and provider = $5`,
    [...keyOf(key), provider],
  );
  return found.rows[0] ?? null;
}

/** The largest payouts, ties by bytes of the provider's id. */
export async function largestPayouts(
  db: Queryable,
  key: ComputationKey,
  count: number,
): Promise<readonly StoredPayout[]> {
  const found = await db.query<StoredPayout>(
    `select ${COLUMNS} from payout where ${OF_COMPUTATION} order by payout.amount desc, provider limit $5`,
    [...keyOf(key), count],
  );
  return found.rows;
}

/** Payouts by bytes of the provider's id: those after `after`, at most `count`. */
export async function payoutsAfter(
  db: Queryable,
  key: ComputationKey,
  after: string,
  count: number,
): Promise<readonly StoredPayout[]> {
  const found = await db.query<StoredPayout>(
    `select ${COLUMNS} from payout where ${OF_COMPUTATION} and provider > $5 order by provider limit $6`,
    [...keyOf(key), after, count],
  );
  return found.rows;
}

/** What all payouts of a computation come to, in base units. */
export interface PayoutTotals {
  readonly providers: number;
  readonly gross: string;
  readonly capCut: string;
  readonly scaleCut: string;
  readonly amount: string;
  /** Providers that the cap cut. */
  readonly capped: number;
  readonly reasons: Readonly<Partial<Record<PayoutReason, number>>>;
}

export async function payoutTotals(db: Queryable, key: ComputationKey): Promise<PayoutTotals> {
  const found = await db.query<PayoutTotals>(
    `with own as (select gross, cap_cut, scale_cut, amount, reason from payout where ${OF_COMPUTATION})
     select count(*) as providers, coalesce(sum(gross), 0)::text as gross, coalesce(sum(cap_cut), 0)::text as "capCut",
       coalesce(sum(scale_cut), 0)::text as "scaleCut", coalesce(sum(amount), 0)::text as amount,
       count(*) filter (where cap_cut > 0) as capped,
       (select coalesce(jsonb_object_agg(reason, providers), '{}') from
          (select reason, count(*) as providers from own group by reason) r) as reasons
     from own`,
    keyOf(key),
  );
  return found.rows[0]!;
}

/** One provider's payout in one published epoch, in its newest revision. */
export interface ProviderPayout extends StoredPayout {
  readonly epoch: number;
  readonly revision: number;
}

/** Payouts of a provider in the published epochs of a range, newest first, at most `count`. */
export async function payoutsOfProvider(
  db: Queryable,
  network: string,
  provider: string,
  first: number,
  last: number,
  count: number,
): Promise<readonly ProviderPayout[]> {
  const found = await db.query<ProviderPayout>(
    `select n.epoch, n.revision, ${COLUMNS}
     from (select distinct on (epoch) epoch, revision, computation from chain_entry
           where network = $1 and kind = 'revision' and epoch between $3 and $4 order by epoch desc, revision desc) n
     join payout p using (epoch, revision, computation)
     where p.network = $1 and p.provider = $2 and p.epoch between $3 and $4 order by n.epoch desc limit $5`,
    [network, provider, first, last, count],
  );
  return found.rows;
}

/** In how many published epochs a provider has a payout, and the first and last of them; null: in none. */
export async function payoutEpochs(
  db: Queryable,
  network: string,
  provider: string,
): Promise<{ readonly count: number; readonly first: number; readonly last: number } | null> {
  const found = await db.query<{ count: number; first: number | null; last: number | null }>(
    `select count(distinct p.epoch) as count, min(p.epoch) as first, max(p.epoch) as last
     from payout p join chain_entry c using (network, epoch, revision, computation)
     where p.network = $1 and p.provider = $2 and c.kind = 'revision'`,
    [network, provider],
  );
  const { count, first, last } = found.rows[0]!;
  return first === null || last === null ? null : { count, first, last };
}
