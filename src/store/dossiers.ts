import { PRICES_COLUMNS } from '../rulesets/1/tables';
import { archivesBefore, epochArchived } from './archives';
import type { ComputationKey } from './computations';
import type { Queryable } from './pool';

/** What an audit reads of published revisions, as canonical lines (spec §9) without line ends. */

export interface PriceLine {
  readonly epoch: number;
  readonly revision: number;
  readonly line: string;
}

const PRICE_LINE = `concat_ws(',', ${PRICES_COLUMNS.map((column) => `coalesce(p.${column}::text, '')`).join(', ')})`;

/** Price rows of every published revision of the epochs of a range, by epoch, revision and market. */
export async function publishedPriceLines(
  db: Queryable,
  network: string,
  first: number,
  last: number,
): Promise<readonly PriceLine[]> {
  const found = await db.query<PriceLine>(
    `select p.epoch, p.revision, ${PRICE_LINE} as line
     from price p join chain_entry c using (network, epoch, revision, computation)
     where p.network = $1 and p.epoch between $2 and $3 and c.kind = 'revision'
     order by p.epoch, p.revision, p.market collate "C"`,
    [network, first, last],
  );
  return found.rows;
}

/** Payout rows of a computation by provider: the cells of the payouts table, and M4. */
export async function payoutLines(db: Queryable, key: ComputationKey): Promise<readonly string[]> {
  const found = await db.query<{ line: string }>(
    `select concat_ws(',', provider, gross, cap_cut, scale_cut, amount, reason, coalesce(multiplier::text, '')) as line
     from payout where network = $1 and epoch = $2 and revision = $3 and computation = $4
     order by provider collate "C"`,
    [key.network, key.epoch, key.revision, key.computation],
  );
  return found.rows.map((row) => row.line);
}

/**
 * For each market that is not among `known`: the newest epoch below `oldest` that priced it in the chain before
 * `position`, with its revision there. Markets never priced are left out.
 */
export async function olderPricing(
  db: Queryable,
  network: string,
  markets: readonly string[],
  oldest: number,
  position: number,
): Promise<readonly { readonly epoch: number; readonly revision: number }[]> {
  if (markets.length === 0 || oldest === 0) return [];
  const found = await db.query<{ epoch: number; revision: number }>(
    `select distinct p.epoch, p.revision from unnest($2::text[]) m(market)
     cross join lateral (
       select p.epoch, p.revision from price p join chain_entry c using (network, epoch, revision, computation)
       where p.network = $1 and p.market = m.market and p.epoch < $3 and c.kind = 'revision' and c.position < $4
       order by p.epoch desc, p.revision desc limit 1) p
     order by p.epoch`,
    [network, markets, oldest, position],
  );
  return found.rows;
}

/** Postings of a journal, by account. */
export async function journalPostings(
  db: Queryable,
  network: string,
  journal: string,
): Promise<readonly { readonly account: string; readonly amount: string }[]> {
  const found = await db.query<{ account: string; amount: string }>(
    `select account, amount::text from ledger_posting where network = $1 and journal = $2 order by account`,
    [network, journal],
  );
  return found.rows;
}

/** Payees, as the registry was for a revision, of providers that have a payout in either of two computations. */
export async function payeesOfPayouts(
  db: Queryable,
  key: ComputationKey,
  base: { readonly revision: number; readonly computation: number },
  dispute: number,
): Promise<Readonly<Record<string, string>>> {
  const found = await db.query<{ provider: string; payee: string }>(
    `select r.provider, r.payee from settle.corrected_registry($1::text, $2::integer, $7::integer) r
     where r.payee is not null and r.provider in (
       select provider from payout where network = $1::text and epoch = $2::integer
         and (revision, computation) in (($3::integer, $4::integer), ($5::integer, $6::integer)))`,
    [key.network, key.epoch, key.revision, key.computation, base.revision, base.computation, dispute],
  );
  return Object.fromEntries(found.rows.map(({ provider, payee }) => [provider, payee]));
}

export interface ClaimRow {
  readonly payee: string;
  readonly entitlement: string;
  readonly cumulative: string;
}

/**
 * Entitlements and highest entitlements of all payees after the chain entries before `position`, derived from payout
 * rows and the registries that were in force (spec §9): nothing of settle.claim. From the first publication on or, where
 * older payouts are archived, from the claims that were kept with them.
 * @throws StoreError `EpochArchived` where payouts are needed that are archived
 */
export async function derivedClaims(db: Queryable, network: string, position: number): Promise<readonly ClaimRow[]> {
  const { rows } = await db.query<{ base: number | null }>('select settle.claims_base($1, $2) as base', [
    network,
    position,
  ]);
  const base = rows[0]!.base;
  if (base === null) throw epochArchived(await archivesBefore(db, network, position), 'name it with --archive DIR');
  const found = await db.query<ClaimRow>(
    'select payee, entitlement::text, cumulative::text from settle.derived_claims($1, $2, $3)',
    [network, position, base],
  );
  return found.rows;
}

/** The state that is kept for a claims entry; null: it was dropped. */
export async function keptClaims(
  db: Queryable,
  network: string,
  position: number,
): Promise<readonly ClaimRow[] | null> {
  const found = await db.query<ClaimRow>(
    `select payee, entitlement::text, cumulative::text from claim where network = $1 and position = $2 order by payee`,
    [network, position],
  );
  return found.rows.length === 0 ? null : found.rows;
}

export interface StoredHold {
  readonly contentDigest: string;
  readonly askedBy: string;
  readonly deadline: string;
  readonly decision: string | null;
  readonly decidedDigest: string | null;
  readonly decidedBy: string | null;
  readonly reason: string | null;
}

/** The hold of a computation with the decision's own digest; null: nothing was held. */
export async function holdWithDecision(db: Queryable, key: ComputationKey): Promise<StoredHold | null> {
  const found = await db.query<StoredHold>(
    `select h.content_digest as "contentDigest", h.asked_by as "askedBy",
       to_char(h.deadline, 'YYYY-MM-DD"T"HH24:MI:SS"Z"') as deadline, d.decision, d.content_digest as "decidedDigest", d.actor as "decidedBy", d.reason
     from hold h left join hold_decision d using (network, epoch, revision, computation)
     where h.network = $1 and h.epoch = $2 and h.revision = $3 and h.computation = $4`,
    [key.network, key.epoch, key.revision, key.computation],
  );
  return found.rows[0] ?? null;
}
