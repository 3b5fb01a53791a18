import type { ComputationKey } from './computations';
import type { Queryable } from './pool';

/** A payout as far as two revisions are compared; amounts in base units. */
export interface ComparedPayout {
  readonly gross: string;
  readonly capCut: string;
  readonly scaleCut: string;
  readonly amount: string;
  readonly reason: string;
  /** M4; null: not eligible. */
  readonly multiplier: string | null;
}

/** One provider whose payout differs between two computations. */
export interface PayoutChange {
  readonly provider: string;
  /** null: it had no payout. */
  readonly before: ComparedPayout | null;
  readonly after: ComparedPayout | null;
  /** after - before, in base units. */
  readonly delta: string;
}

/** Two computations of one epoch, side by side. */
const BOTH = `
  old as (select provider, gross, cap_cut, scale_cut, amount, reason, multiplier from payout
    where network = $1 and epoch = $2 and revision = $3 and computation = $4),
  new as (select provider, gross, cap_cut, scale_cut, amount, reason, multiplier from payout
    where network = $1 and epoch = $2 and revision = $5 and computation = $6),
  changed as (
    select coalesce(old.provider, new.provider) as provider, coalesce(new.amount, 0) - coalesce(old.amount, 0) as delta,
      old.amount as old_amount, new.amount as new_amount,
      case when old.provider is not null then jsonb_build_object('gross', old.gross::text, 'capCut', old.cap_cut::text,
        'scaleCut', old.scale_cut::text, 'amount', old.amount::text, 'reason', old.reason,
        'multiplier', old.multiplier::text) end as before,
      case when new.provider is not null then jsonb_build_object('gross', new.gross::text, 'capCut', new.cap_cut::text,
        'scaleCut', new.scale_cut::text, 'amount', new.amount::text, 'reason', new.reason,
        'multiplier', new.multiplier::text) end as after
    from old full join new on old.provider = new.provider
    where (old.gross, old.cap_cut, old.scale_cut, old.amount, old.reason, old.multiplier)
      is distinct from (new.gross, new.cap_cut, new.scale_cut, new.amount, new.reason, new.multiplier))`;

const values = (from: ComputationKey, to: ComputationKey) => [
  from.network,
  from.epoch,
  from.revision,
  from.computation,
  to.revision,
  to.computation,
];

/** Changed payouts after a provider (null: from the first), by bytes of its id, at most `limit`. */
export async function payoutChanges(
  db: Queryable,
  from: ComputationKey,
  to: ComputationKey,
  after: string | null,
  limit: number,
): Promise<readonly PayoutChange[]> {
  const found = await db.query<PayoutChange>(
    `with ${BOTH} select provider, before, after, delta::text from changed where provider > $7
     order by provider limit $8`,
    [...values(from, to), after ?? '', limit],
  );
  return found.rows;
}

/** The changes that move most, largest first. */
export async function largestPayoutChanges(
  db: Queryable,
  from: ComputationKey,
  to: ComputationKey,
  limit: number,
): Promise<readonly PayoutChange[]> {
  const found = await db.query<PayoutChange>(
    `with ${BOTH} select provider, before, after, delta::text from changed
     order by abs(delta) desc, provider limit $7`,
    [...values(from, to), limit],
  );
  return found.rows;
}

/** What all changes come to; amounts in base units. */
export interface ChangeTotals {
  readonly changed: number;
  readonly raised: number;
  readonly lowered: number;
  readonly added: number;
  readonly removed: number;
  readonly raisedBy: string;
  readonly loweredBy: string;
  readonly before: string;
  readonly after: string;
}

export async function changeTotals(db: Queryable, from: ComputationKey, to: ComputationKey): Promise<ChangeTotals> {
  const found = await db.query<ChangeTotals>(
    `with ${BOTH}
     select count(*) as changed, count(*) filter (where delta > 0) as raised, count(*) filter (where delta < 0) as lowered,
       count(*) filter (where old_amount is null) as added, count(*) filter (where new_amount is null) as removed,
       coalesce(sum(delta) filter (where delta > 0), 0)::text as "raisedBy",
       coalesce(-sum(delta) filter (where delta < 0), 0)::text as "loweredBy",
       (select coalesce(sum(amount), 0)::text from old) as before, (select coalesce(sum(amount), 0)::text from new) as after
     from changed`,
    values(from, to),
  );
  return found.rows[0]!;
}
