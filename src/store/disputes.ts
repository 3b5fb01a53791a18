import type { TrippedBreaker } from '../rulesets/1/records';
import { StoreError } from './errors';
import type { Queryable } from './pool';

/** Which dispute: they are numbered for each epoch, from 1. */
export interface DisputeKey {
  readonly network: string;
  readonly epoch: number;
  readonly dispute: number;
}

/** `pinned` keeps the prices of the revision that it follows, `full` derives them again (spec §10). */
export type DerivationKind = 'pinned' | 'full';

/**
 * - `rejected`: by a person;
 * - `stale`: another dispute's revision was published first;
 * - `failed`: a guard does not hold;
 * - `superseded`: it was approved, but the history that it had been computed from changed before it was published. It
 *   is computed and decided again.
 */
export type DisputeOutcome = 'approved' | 'rejected' | 'stale' | 'failed' | 'superseded';

export type DisputeState = 'open' | 'published' | Exclude<DisputeOutcome, 'superseded'>;

/** A dispute as it stands. */
export interface Dispute extends DisputeKey {
  /** The published revision that it corrects. */
  readonly baseRevision: number;
  readonly baseComputation: number;
  readonly derive: DerivationKind;
  readonly reason: string;
  readonly openedBy: string;
  readonly openedAt: string;
  readonly requestId: string;
  readonly state: DisputeState;
  /** The newest decision, `superseded` included; null: there is none. */
  readonly decision: DisputeOutcome | null;
  readonly decidedDigest: string | null;
  readonly decidedBy: string | null;
  readonly decidedReason: string | null;
  readonly decidedAt: string | null;
  readonly decidedDetail: Readonly<Record<string, unknown>> | null;
  /** The revision that it made; null: none is published. */
  readonly revision: number | null;
}

const AT = (column: string) => `to_char(${column}, 'YYYY-MM-DD"T"HH24:MI:SS"Z"')`;

const SELECT = `
  select d.network, d.epoch, d.dispute, d.base_revision as "baseRevision", d.base_computation as "baseComputation",
    d.derive, d.reason, d.opened_by as "openedBy", ${AT('d.opened_at')} as "openedAt", d.request_id as "requestId",
    case when p.revision is not null then 'published' when n.decision is null or n.decision = 'superseded' then 'open'
      else n.decision end as state,
    n.decision, n.content_digest as "decidedDigest", n.actor as "decidedBy", n.reason as "decidedReason",
    ${AT('n.decided_at')} as "decidedAt", n.detail as "decidedDetail", p.revision
  from dispute d
  left join lateral (
    select * from dispute_decision x where (x.network, x.epoch, x.dispute) = (d.network, d.epoch, d.dispute)
    order by x.decision_no desc limit 1) n on true
  left join lateral (
    select e.revision from computation c join chain_entry e using (network, epoch, revision, computation)
    where c.network = d.network and c.epoch = d.epoch and c.revision = d.base_revision + 1 and c.dispute = d.dispute
      and e.kind = 'revision') p on true`;

export async function findDispute(db: Queryable, key: DisputeKey): Promise<Dispute | null> {
  const found = await db.query<Dispute>(`${SELECT} where d.network = $1 and d.epoch = $2 and d.dispute = $3`, [
    key.network,
    key.epoch,
    key.dispute,
  ]);
  return found.rows[0] ?? null;
}

/** @throws StoreError `DisputeUnknown` */
export async function getDispute(db: Queryable, key: DisputeKey): Promise<Dispute> {
  const found = await findDispute(db, key);
  if (found !== null) return found;
  throw new StoreError(
    'DisputeUnknown',
    `epoch ${key.epoch} of ${key.network} has no dispute ${key.dispute}: see \`settle dispute list\``,
  );
}

/** The dispute that a request opened; null: it opened none. */
export async function findDisputeOfRequest(db: Queryable, requestId: string): Promise<Dispute | null> {
  return (await db.query<Dispute>(`${SELECT} where d.request_id = $1`, [requestId])).rows[0] ?? null;
}

/**
 * The dispute that asks for the same as one whose corrections are just written: of the same revision, neither published nor
 * closed, with the same folder (by its digest), the same way to derive and, late rows included, the same corrections; null:
 * nobody does.
 */
export async function findSameOpenDispute(
  db: Queryable,
  key: DisputeKey,
  asked: { readonly corrections: string; readonly derive: DerivationKind; readonly late: boolean },
): Promise<Dispute | null> {
  const rows = (dispute: string) =>
    `select table_name, key, line from correction where network = $1 and epoch = $2 and dispute = ${dispute}`;
  const found = await db.query<Dispute>(
    `select l.* from (
       ${SELECT} where d.network = $1 and d.epoch = $2 and d.dispute <> $3
         and d.base_revision = (select base_revision from dispute where network = $1 and epoch = $2 and dispute = $3)) l
     join request r on r.request_id = l."requestId"
     where l.state in ('open', 'approved') and r.body @> $4::jsonb
       and not exists (${rows('l.dispute')} except ${rows('$3')})
       and not exists (${rows('$3')} except ${rows('l.dispute')})
     order by l.dispute limit 1`,
    [key.network, key.epoch, key.dispute, JSON.stringify(asked)],
  );
  return found.rows[0] ?? null;
}

/** Disputes of one epoch, or (null) of the whole network, oldest epoch first. */
export async function listDisputes(
  db: Queryable,
  network: string,
  epoch: number | null,
  openOnly: boolean,
): Promise<readonly Dispute[]> {
  const found = await db.query<Dispute>(
    `select * from (${SELECT} where d.network = $1 and ($2::integer is null or d.epoch = $2)) l
     where not $3::boolean or state in ('open', 'approved') order by epoch, dispute`,
    [network, epoch, openOnly],
  );
  return found.rows;
}

/** The dispute that made a published revision; null: it is revision 1, or not published. */
export async function disputeOfRevision(
  db: Queryable,
  network: string,
  epoch: number,
  revision: number,
): Promise<Dispute | null> {
  const found = await db.query<Dispute>(`${SELECT} where d.network = $1 and d.epoch = $2 and p.revision = $3`, [
    network,
    epoch,
    revision,
  ]);
  return found.rows[0] ?? null;
}

/**
 * Disputes that a publication of `of` concerns: the stale ones of its epoch, and the open ones of later epochs that
 * derive anew. Finished runs among theirs are not missed.
 */
export async function disputesToTell(db: Queryable, of: DisputeKey): Promise<readonly DisputeKey[]> {
  const found = await db.query<DisputeKey>(
    `select network, epoch, dispute from (${SELECT} where d.network = $1 and d.epoch >= $2) l
     where (epoch = $2 and dispute <> $3 and state = 'stale') or (epoch > $2 and derive = 'full' and state = 'open')
     order by epoch, dispute`,
    [of.network, of.epoch, of.dispute],
  );
  return found.rows;
}

/** Opens a dispute under the next number. Run under the network's lock, after its request was written. */
export async function insertDispute(
  db: Queryable,
  dispute: Pick<
    Dispute,
    'network' | 'epoch' | 'baseRevision' | 'baseComputation' | 'derive' | 'reason' | 'openedBy' | 'requestId'
  >,
): Promise<DisputeKey> {
  const inserted = await db.query<DisputeKey>(
    `insert into dispute (network, epoch, dispute, base_revision, base_computation, derive, reason, opened_by, request_id)
     select $1::text, $2::integer, coalesce(max(dispute), 0) + 1, $3::integer, $4::integer, $5::text, $6::text, $7::text,
       $8::text from dispute where network = $1::text and epoch = $2::integer
     returning network, epoch, dispute`,
    [
      dispute.network,
      dispute.epoch,
      dispute.baseRevision,
      dispute.baseComputation,
      dispute.derive,
      dispute.reason,
      dispute.openedBy,
      dispute.requestId,
    ],
  );
  return inserted.rows[0]!;
}

/** The dispute whose corrected rows a published revision was made from; 0: the sealed rows. */
export async function disputeBehind(
  db: Queryable,
  network: string,
  epoch: number,
  revision: number,
  computation: number,
): Promise<number> {
  const found = await db.query<{ dispute: number }>(
    `select dispute from computation where network = $1 and epoch = $2 and revision = $3 and computation = $4`,
    [network, epoch, revision, computation],
  );
  return found.rows[0]!.dispute;
}

export interface DisputeDecision {
  readonly outcome: DisputeOutcome;
  /** null: nothing had been computed, or it does not matter. */
  readonly contentDigest: string | null;
  readonly actor: string;
  readonly reason: string;
  readonly detail?: Readonly<Record<string, unknown>>;
}

/** Records a decision. Run under the network's lock, after looking that the dispute is open for it. */
export async function insertDisputeDecision(db: Queryable, key: DisputeKey, decision: DisputeDecision): Promise<void> {
  await db.query(
    `insert into dispute_decision (network, epoch, dispute, decision_no, decision, content_digest, actor, reason, detail)
     select $1::text, $2::integer, $3::integer, coalesce(max(decision_no), 0) + 1, $4::text, $5::text, $6::text, $7::text,
       $8::jsonb
     from dispute_decision where network = $1::text and epoch = $2::integer and dispute = $3::integer`,
    [
      key.network,
      key.epoch,
      key.dispute,
      decision.outcome,
      decision.contentDigest,
      decision.actor,
      decision.reason,
      JSON.stringify(decision.detail ?? {}),
    ],
  );
}

/** What a dispute would publish. */
export interface Proposal {
  readonly revision: number;
  readonly computation: number;
  readonly contentDigest: string;
  /** What the person who decides is shown: breakers do not hold a revision above 1 (spec §10). */
  readonly wouldTrip: readonly TrippedBreaker[];
}

/** The newest checked computation of a dispute; null: it is still being computed. */
export async function findProposal(db: Queryable, key: DisputeKey): Promise<Proposal | null> {
  const found = await db.query<Proposal>(
    `select c.revision, c.computation, r.content_digest as "contentDigest", r.would_trip as "wouldTrip"
     from computation c join result r using (network, epoch, revision, computation)
     where c.network = $1 and c.epoch = $2 and c.dispute = $3 order by c.computation desc limit 1`,
    [key.network, key.epoch, key.dispute],
  );
  return found.rows[0] ?? null;
}

/** A dispute with every decision on it, in order: what the audit log has to have as well. */
export interface DecidedDispute extends DisputeKey {
  readonly baseRevision: number;
  readonly derive: string;
  readonly reason: string;
  readonly openedBy: string;
  readonly decisions: readonly {
    readonly decision: string;
    readonly contentDigest: string | null;
    readonly actor: string;
    readonly reason: string;
    readonly detail: Readonly<Record<string, unknown>>;
  }[];
}

/** Disputes of the epochs of a range, published or not. */
export async function everyDispute(
  db: Queryable,
  network: string,
  first: number,
  last: number,
): Promise<readonly DecidedDispute[]> {
  const found = await db.query<DecidedDispute>(
    `select d.network, d.epoch, d.dispute, d.base_revision as "baseRevision", d.derive, d.reason,
       d.opened_by as "openedBy", coalesce((
         select jsonb_agg(jsonb_build_object('decision', x.decision, 'contentDigest', x.content_digest, 'actor', x.actor,
           'reason', x.reason, 'detail', x.detail) order by x.decision_no)
         from dispute_decision x where (x.network, x.epoch, x.dispute) = (d.network, d.epoch, d.dispute)), '[]') as decisions
     from dispute d where d.network = $1 and d.epoch between $2 and $3 order by d.epoch, d.dispute`,
    [network, first, last],
  );
  return found.rows;
}
