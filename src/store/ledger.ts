import type { ComputationKey } from './computations';
import type { Queryable } from './pool';

export type LedgerAccount = 'emission' | 'treasury' | 'providers' | 'paid';

/**
 * Books a publication, in the transaction that appends its chain entry: revision 1 splits the pool between providers
 * and treasury; a later revision books the adjustments against the treasury (spec §10). The providers' own postings
 * are the payout rows.
 */
export async function bookPublication(db: Queryable, key: ComputationKey): Promise<void> {
  await db.query(
    `with own as (
       select entry::jsonb as content from chain_entry
       where network = $1::text and epoch = $2::integer and revision = $3::integer and kind = 'revision'),
     before as (
       select entry::jsonb as content from chain_entry
       where network = $1::text and epoch = $2::integer and revision = $3::integer - 1 and kind = 'revision'),
     posted as (
       select p.account, p.amount from own
       cross join lateral (values
         ('emission', -(own.content ->> 'pool')::numeric),
         ('treasury', (own.content ->> 'unallocated')::numeric),
         ('providers', (own.content ->> 'sum')::numeric)) p(account, amount)
       where $3::integer = 1
       union all
       select p.account, p.amount from own, before
       cross join lateral (values
         ('treasury', (before.content ->> 'sum')::numeric - (own.content ->> 'sum')::numeric),
         ('providers', (own.content ->> 'sum')::numeric - (before.content ->> 'sum')::numeric)) p(account, amount)
       where $3::integer > 1)
     insert into ledger_posting (network, journal, account, amount)
     select $1::text, format('publication/%s/%s', $2::integer, $3::integer), account, amount from posted`,
    [key.network, key.epoch, key.revision],
  );
}

/** Books what confirmations of a batch moved from the providers to outside, under a journal of its own. */
export async function bookConfirmations(
  db: Queryable,
  network: string,
  journal: string,
  amount: string,
): Promise<void> {
  await db.query(
    `insert into ledger_posting (network, journal, account, amount)
     values ($1, $2, 'providers', -($3::numeric)), ($1, $2, 'paid', $3::numeric)`,
    [network, journal, amount],
  );
}

export interface AccountTotal {
  readonly account: LedgerAccount;
  /** Base units. */
  readonly amount: string;
}

/** Balance of every account of the general ledger; they sum to zero. */
export async function accountTotals(db: Queryable, network: string): Promise<readonly AccountTotal[]> {
  const found = await db.query<AccountTotal>(
    `select account, sum(amount)::text as amount from ledger_posting where network = $1 group by account order by account`,
    [network],
  );
  return found.rows;
}

/** A posting of the general ledger, and the epoch that it stands at. */
export interface LedgerPosting {
  readonly epoch: number;
  /** Of a publication; null: a confirmation's. */
  readonly revision: number | null;
  /** Of a confirmation; null: a publication's. */
  readonly batch: number | null;
  readonly journal: string;
  readonly account: LedgerAccount;
  /** Base units; debits below zero. */
  readonly amount: string;
  readonly bookedAt: string;
}

/**
 * Postings of the publications of a range of epochs, and of the confirmations whose batch was made when an epoch of the
 * range was the last published one; by epoch, journal and account.
 */
export async function postingsOfEpochs(
  db: Queryable,
  network: string,
  first: number,
  last: number,
): Promise<readonly LedgerPosting[]> {
  const found = await db.query<LedgerPosting>(
    `with covered as (
       select batch, max(epoch) over (order by position, batch nulls first) as epoch from (
         select null::integer as batch, position, epoch from chain_entry where network = $1 and kind = 'revision'
         union all select batch, position, null from payment_batch where network = $1) e),
     journals as (
       select epoch::integer, revision, null::integer as batch, format('publication/%s/%s', epoch, revision) as journal
       from chain_entry where network = $1 and kind = 'revision' and epoch between $2 and $3
       union all
       select distinct c.epoch::integer, null::integer, c.batch, p.journal
       from covered c join payment_confirmation p on p.network = $1 and p.batch = c.batch
       where c.epoch between $2 and $3)
     select j.epoch, j.revision, j.batch, l.journal, l.account, l.amount::text,
       to_char(l.booked_at, 'YYYY-MM-DD"T"HH24:MI:SS"Z"') as "bookedAt"
     from journals j join ledger_posting l on l.network = $1 and l.journal = j.journal
     order by j.epoch, l.journal, l.account`,
    [network, first, last],
  );
  return found.rows;
}

/** One provider's account, as postings say (amounts in base units). */
export interface ProviderAccountRow {
  readonly provider: string;
  readonly payee: string | null;
  readonly entitlement: string;
  readonly paid: string;
  readonly in_flight: string;
}

/** The chain position up to which entitlements are folded; 0: not yet. */
export async function foldPosition(db: Queryable, network: string): Promise<number> {
  const found = await db.query<{ position: number | null }>(
    'select max(position) as position from entitlement_fold where network = $1',
    [network],
  );
  return found.rows[0]?.position ?? 0;
}

/** All providers' accounts as they stand now, by provider. `payee` is the one of the newest registry row. */
export async function providerAccounts(db: Queryable, network: string): Promise<readonly ProviderAccountRow[]> {
  // One statement, hence one view: a fold that moves meanwhile is seen whole or not at all. The joins are full: who was
  // paid and then lost every payout to disputes still owes it.
  const found = await db.query<ProviderAccountRow>(
    `with confirmed as (
       select batch, provider, sum(amount) as amount from payment_confirmation where network = $1 group by batch, provider),
     paid as (select provider, sum(amount) as paid from confirmed group by provider),
     open_lines as (
       select l.provider, sum(l.amount - coalesce(c.amount, 0)) as in_flight from payment_line l
       left join confirmed c using (batch, provider)
       where l.network = $1
         and not exists (select from payment_failure f where f.network = $1 and f.batch = l.batch and f.provider = l.provider)
         and not exists (select from payment_decision d where d.network = $1 and d.batch = l.batch and d.decision = 'rejected')
       group by l.provider),
     accounts as (
       select provider, coalesce(entitlement, 0)::text as entitlement, coalesce(paid, 0)::text as paid,
         coalesce(in_flight, 0)::text as in_flight
       from settle.entitlements($1) full join paid using (provider) full join open_lines using (provider))
     select a.provider, v.payee, a.entitlement, a.paid, a.in_flight from accounts a
     left join lateral (
       select payee from provider_version v where v.network = $1 and v.provider = a.provider
       order by load_id desc limit 1) v on true
     order by a.provider`,
    [network],
  );
  return found.rows;
}

/**
 * Folds entitlements up to the chain's last entry and drops the fold before. Takes the network's lock.
 * @returns the position folded to
 */
export async function foldEntitlements(db: Queryable, network: string): Promise<number> {
  const folded = await db.query<{ position: number }>('select settle.fold_entitlements($1) as position', [network]);
  return folded.rows[0]!.position;
}

/**
 * Entitlements derived from all published payout rows, without any fold: what a fold must equal. Of archived epochs that
 * were not brought along, from the totals that were kept of them.
 */
export async function derivedEntitlements(
  db: Queryable,
  network: string,
  upTo: number,
): Promise<readonly { readonly provider: string; readonly entitlement: string }[]> {
  const found = await db.query<{ provider: string; entitlement: string }>(
    `with newest as (
       select distinct on (epoch) epoch, revision, computation from chain_entry
       where network = $1 and kind = 'revision' and position <= $2 order by epoch, revision desc)
     select e.provider, sum(e.amount)::text as entitlement from (
       select p.provider, p.amount from newest n
       join payout p on p.network = $1 and p.epoch = n.epoch and p.revision = n.revision and p.computation = n.computation
       union all
       select k.provider, k.entitlement from settle.absent_ranges() a
       join archived_entitlement k using (low, archive_no) where k.network = $1) e
     group by e.provider order by e.provider`,
    [network, upTo],
  );
  return found.rows;
}

export async function foldRows(
  db: Queryable,
  network: string,
  position: number,
): Promise<readonly { readonly provider: string; readonly entitlement: string }[]> {
  const found = await db.query<{ provider: string; entitlement: string }>(
    `select provider, entitlement::text from entitlement_fold where network = $1 and position = $2 order by provider`,
    [network, position],
  );
  return found.rows;
}
