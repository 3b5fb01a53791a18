import type { TrippedBreaker } from '../rulesets/1/records';
import { appendAudit } from './audit-log';
import type { ComputationKey } from './computations';
import type { Queryable } from './pool';

export type HoldOutcome = 'approved' | 'rejected' | 'expired' | 'superseded' | 'released';

/** An epoch that waits for a person: the figures, and the decision once there is one. */
export interface Hold extends ComputationKey {
  readonly contentDigest: string;
  readonly breakers: readonly TrippedBreaker[];
  readonly askedBy: string;
  readonly heldAt: string;
  readonly deadline: string;
  /** By the database's clock. */
  readonly overdue: boolean;
  /** Seconds until the deadline, at least 1. */
  readonly waitSeconds: number;
  readonly decision: HoldOutcome | null;
  readonly decidedBy: string | null;
  readonly decidedReason: string | null;
  readonly decidedAt: string | null;
}

const AT = (column: string) => `to_char(${column}, 'YYYY-MM-DD"T"HH24:MI:SS"Z"')`;

const SELECT = `
  select h.network, h.epoch, h.revision, h.computation, h.content_digest as "contentDigest", r.breakers,
    h.asked_by as "askedBy", ${AT('h.held_at')} as "heldAt", ${AT('h.deadline')} as deadline,
    h.deadline <= clock_timestamp() as overdue,
    greatest(1, ceil(extract(epoch from h.deadline - clock_timestamp())))::bigint as "waitSeconds", d.decision, d.actor as "decidedBy", d.reason as "decidedReason",
    ${AT('d.decided_at')} as "decidedAt"
  from hold h
  join result r using (network, epoch, revision, computation)
  left join hold_decision d using (network, epoch, revision, computation)`;

export async function findHold(db: Queryable, key: ComputationKey): Promise<Hold | null> {
  const found = await db.query<Hold>(
    `${SELECT} where h.network = $1 and h.epoch = $2 and h.revision = $3 and h.computation = $4`,
    [key.network, key.epoch, key.revision, key.computation],
  );
  return found.rows[0] ?? null;
}

/** Holds of an epoch, newest computation first. */
export async function holdsOf(db: Queryable, network: string, epoch: number): Promise<readonly Hold[]> {
  const found = await db.query<Hold>(
    `${SELECT} where h.network = $1 and h.epoch = $2 order by h.revision desc, h.computation desc`,
    [network, epoch],
  );
  return found.rows;
}

/** Holds of a network without a decision, oldest epoch first. */
export async function openHolds(db: Queryable, network: string): Promise<readonly Hold[]> {
  const found = await db.query<Hold>(`${SELECT} where h.network = $1 and d.decision is null order by h.epoch`, [
    network,
  ]);
  return found.rows;
}

/**
 * The decision that ends an epoch which is still open: its newest hold was rejected or expired, and nothing closed it
 * since. null: there is none.
 */
export async function unclosedRefusal(
  db: Queryable,
  network: string,
  epoch: number,
): Promise<{ readonly failure: 'rejected' | 'expired'; readonly contentDigest: string } | null> {
  const found = await db.query<{ failure: 'rejected' | 'expired'; contentDigest: string }>(
    `select d.decision as failure, d.content_digest as "contentDigest" from (
       select h.network, h.epoch, h.revision, h.computation from hold h where h.network = $1 and h.epoch = $2
       order by h.revision desc, h.computation desc limit 1) newest
     join hold_decision d using (network, epoch, revision, computation)
     where d.decision in ('rejected', 'expired') and not exists (
       select from epoch_failure f where f.network = $1 and f.epoch = $2 and f.failed_at >= d.decided_at)`,
    [network, epoch],
  );
  return found.rows[0] ?? null;
}

/** Open holds of the epochs above one, lowest first. */
export async function openHoldsAbove(db: Queryable, network: string, epoch: number): Promise<readonly Hold[]> {
  const found = await db.query<Hold>(
    `${SELECT} where h.network = $1 and h.epoch > $2 and d.decision is null order by h.epoch, h.computation`,
    [network, epoch],
  );
  return found.rows;
}

/** Epochs above one that are not closed and whose newest hold was superseded: they have to be computed again. */
export async function supersededAbove(db: Queryable, network: string, epoch: number): Promise<readonly number[]> {
  const found = await db.query<{ epoch: number }>(
    `select epoch from (
       select distinct on (h.epoch) h.epoch, d.decision from hold h
       left join hold_decision d using (network, epoch, revision, computation)
       where h.network = $1 and h.epoch > $2 order by h.epoch, h.revision desc, h.computation desc) n
     where decision = 'superseded'
       and not exists (select from chain_entry c where c.network = $1 and c.epoch = n.epoch and c.kind = 'revision')
     order by epoch`,
    [network, epoch],
  );
  return found.rows.map((row) => row.epoch);
}

/** Puts a computation on hold until `holdSeconds` from now, by the database's clock. The same again changes nothing. */
export async function insertHold(
  db: Queryable,
  key: ComputationKey,
  contentDigest: string,
  askedBy: string,
  holdSeconds: number,
): Promise<void> {
  await db.query(
    `insert into hold (network, epoch, revision, computation, content_digest, asked_by, deadline)
     values ($1, $2, $3, $4, $5, $6, clock_timestamp() + make_interval(secs => $7)) on conflict do nothing`,
    [key.network, key.epoch, key.revision, key.computation, contentDigest, askedBy, holdSeconds],
  );
}

/** Records a decision. Returns false if there is one already: the first one stands. */
export async function insertDecision(
  db: Queryable,
  key: ComputationKey,
  decision: {
    readonly outcome: HoldOutcome;
    readonly contentDigest: string;
    readonly actor: string;
    readonly reason: string;
  },
): Promise<boolean> {
  const inserted = await db.query(
    `insert into hold_decision (network, epoch, revision, computation, decision, content_digest, actor, reason)
     values ($1, $2, $3, $4, $5, $6, $7, $8) on conflict do nothing`,
    [
      key.network,
      key.epoch,
      key.revision,
      key.computation,
      decision.outcome,
      decision.contentDigest,
      decision.actor,
      decision.reason,
    ],
  );
  return inserted.rowCount === 1;
}

/**
 * Ends a hold without a person, and puts that on record. Returns false if somebody decided it before: that stands.
 * In the transaction of what ends it, under the network's lock.
 */
export async function endHold(
  db: Queryable,
  hold: ComputationKey & { readonly contentDigest: string },
  outcome: 'expired' | 'superseded' | 'released',
  reason: string,
): Promise<boolean> {
  const { contentDigest } = hold;
  if (!(await insertDecision(db, hold, { outcome, contentDigest, actor: 'system', reason }))) return false;
  await appendAudit(db, {
    network: hold.network,
    actor: 'system',
    action: `hold-${outcome}`,
    subject: `epoch ${hold.epoch}`,
    outcome: 'done',
    reason,
    detail: { contentDigest },
  });
  return true;
}
