import type { TrippedBreaker } from '../rulesets/1/records';
import type { FailureName } from './failures';
import type { Queryable } from './pool';

/** `open`: sealed and on its way, or computed; an epoch without any row is not listed at all. */
export type EpochState = 'published' | 'failed' | 'held' | 'open';

/** Where an epoch stands, with the newest of everything that is recorded of it. */
export interface EpochReport {
  readonly epoch: number;
  readonly state: EpochState;
  /** Of the published revision, or of the one that is held; null: neither. */
  readonly revision: number | null;
  readonly computation: number | null;
  /** Canonical JSON of the content (spec §9); null where there is no revision. */
  readonly content: string | null;
  readonly contentDigest: string | null;
  readonly breakers: readonly TrippedBreaker[];
  readonly unallocatedReason: 'rounding' | 'unspent' | null;
  readonly payoutCount: number | null;
  /** Head of the chain after the epoch's revision, and after its claims entry; null: not published, not proved. */
  readonly revisionHead: string | null;
  readonly claimsHead: string | null;
  /** Canonical JSON of the claims entry. */
  readonly claims: string | null;
  readonly publishedAt: string | null;
  readonly sealedAt: string | null;
  readonly heldSince: string | null;
  readonly holdDeadline: string | null;
  /** The deadline of the hold has passed; the next tick closes the epoch. */
  readonly holdOverdue: boolean;
  readonly askedBy: string | null;
  readonly failure: FailureName | null;
  readonly failedBy: string | null;
  readonly failureReason: string | null;
  readonly failedAt: string | null;
}

const AT = (column: string) => `to_char(${column}, 'YYYY-MM-DD"T"HH24:MI:SS"Z"')`;

// $1 network, $2 and $3 the range. Everything by epoch, the newest of each; `held` only while it is undecided and not
// overtaken by a failure that was recorded later (an operator may close a held epoch).
const REPORTS = `
  with newest as (
    select distinct on (epoch) epoch, revision, computation, position, head, published_at from chain_entry
    where network = $1 and kind = 'revision' and epoch between $2 and $3 order by epoch, revision desc),
  failed as (
    select distinct on (epoch) epoch, failure, actor, reason, failed_at from epoch_failure
    where network = $1 and epoch between $2 and $3 order by epoch, failure_no desc),
  held as (
    select distinct on (h.epoch) h.epoch, h.revision, h.computation, h.asked_by, h.held_at, h.deadline
    from hold h left join hold_decision d using (network, epoch, revision, computation)
    where h.network = $1 and h.epoch between $2 and $3 and d.decision is null
      and not exists (select from failed f where f.epoch = h.epoch and f.failed_at >= h.held_at)
      and not exists (select from newest n where n.epoch = h.epoch and n.revision >= h.revision)
    order by h.epoch, h.revision desc, h.computation desc),
  known as (
    select epoch from newest union select epoch from failed
    union select epoch from seal where network = $1 and epoch between $2 and $3),
  placed as (
    select k.epoch, n.position, n.head, n.published_at, h.held_at, h.deadline, h.asked_by, f.failure, f.actor, f.reason, f.failed_at,
      coalesce(n.revision, h.revision) as revision, coalesce(n.computation, h.computation) as computation,
      case when n.epoch is not null then 'published' when h.epoch is not null then 'held'
        when f.epoch is not null then 'failed' else 'open' end as state
    from known k left join newest n using (epoch) left join held h using (epoch) left join failed f using (epoch))`;

const COLUMNS = `
  p.epoch, p.state, p.revision, p.computation, r.content, r.content_digest as "contentDigest",
  coalesce(r.breakers, '[]') as breakers, r.unallocated_reason as "unallocatedReason", r.payout_count as "payoutCount",
  p.head as "revisionHead", c.head as "claimsHead", c.entry as claims, ${AT('p.published_at')} as "publishedAt",
  ${AT('s.sealed_at')} as "sealedAt", ${AT('p.held_at')} as "heldSince", ${AT('p.deadline')} as "holdDeadline",
  coalesce(p.deadline <= clock_timestamp(), false) as "holdOverdue", p.asked_by as "askedBy",
  p.failure, p.actor as "failedBy", p.reason as "failureReason", ${AT('p.failed_at')} as "failedAt"`;

const JOINS = `
  left join result r on r.network = $1 and r.epoch = p.epoch and r.revision = p.revision and r.computation = p.computation
  left join chain_entry c on c.network = $1 and c.epoch = p.epoch and c.revision = p.revision and c.kind = 'claims'
    and p.state = 'published'
  left join seal s on s.network = $1 and s.epoch = p.epoch`;

/** Epochs of a range of which anything is recorded, in order; with `states`, those alone. */
export async function epochReports(
  db: Queryable,
  network: string,
  first: number,
  last: number,
  states: readonly EpochState[] | null = null,
): Promise<readonly EpochReport[]> {
  const found = await db.query<EpochReport>(
    `${REPORTS} select ${COLUMNS} from placed p ${JOINS}
     where $4::text[] is null or p.state = any($4::text[]) order by p.epoch`,
    [network, first, last, states],
  );
  return found.rows;
}

export async function epochReport(db: Queryable, network: string, epoch: number): Promise<EpochReport | null> {
  return (await epochReports(db, network, epoch, epoch))[0] ?? null;
}

/** Lowest and highest epoch of which anything is recorded; null: nothing is. */
export async function recordedEpochs(
  db: Queryable,
  network: string,
): Promise<{ readonly first: number; readonly last: number } | null> {
  const found = await db.query<{ first: number | null; last: number | null }>(
    `select min(epoch) as first, max(epoch) as last from (
       select min(epoch) as epoch from chain_entry where network = $1 and kind = 'revision'
       union all select max(epoch) from chain_entry where network = $1 and kind = 'revision'
       union all select min(epoch) from epoch_failure where network = $1
       union all select max(epoch) from epoch_failure where network = $1
       union all select min(epoch) from seal where network = $1
       union all select max(epoch) from seal where network = $1) e`,
    [network],
  );
  const { first, last } = found.rows[0]!;
  return first === null || last === null ? null : { first, last };
}
