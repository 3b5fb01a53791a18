import type { TrippedBreaker } from '../rulesets/1/records';
import type { ComputationKey } from './computations';
import { StoreError } from './errors';
import type { Queryable } from './pool';

/** The outcome of the checks of a computation: the content that would be published, and what tripped. */
export interface Result {
  /** Canonical JSON (spec §9), without previousHead. */
  readonly content: string;
  readonly contentDigest: string;
  /** What tripped; always empty above revision 1 (spec §10). */
  readonly breakers: readonly TrippedBreaker[];
  /** What would have tripped, for those who decide the dispute of a revision above 1. */
  readonly wouldTrip: readonly TrippedBreaker[];
  readonly unallocatedReason: 'rounding' | 'unspent';
  readonly payoutCount: number;
}

export async function findResult(db: Queryable, key: ComputationKey): Promise<Result | null> {
  const found = await db.query<Result>(
    `select content, content_digest as "contentDigest", breakers, would_trip as "wouldTrip",
       unallocated_reason as "unallocatedReason", payout_count as "payoutCount"
     from result where network = $1 and epoch = $2 and revision = $3 and computation = $4`,
    [key.network, key.epoch, key.revision, key.computation],
  );
  return found.rows[0] ?? null;
}

/**
 * Keeps the result of a computation. The same again changes nothing.
 * @throws StoreError RevisionConflict if another result of the same computation stands there: one of the two was
 *   computed from other rows.
 */
export async function insertResult(db: Queryable, key: ComputationKey, result: Result): Promise<void> {
  const inserted = await db.query(
    `insert into result (network, epoch, revision, computation, content, content_digest, breakers, unallocated_reason,
       payout_count, would_trip)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) on conflict do nothing`,
    [
      key.network,
      key.epoch,
      key.revision,
      key.computation,
      result.content,
      result.contentDigest,
      JSON.stringify(result.breakers),
      result.unallocatedReason,
      result.payoutCount,
      JSON.stringify(result.wouldTrip),
    ],
  );
  if (inserted.rowCount !== 0) return;
  const stored = await findResult(db, key);
  if (stored?.contentDigest === result.contentDigest) return;
  throw new StoreError(
    'RevisionConflict',
    `computation ${key.computation} of epoch ${key.epoch} has the content digest ${stored?.contentDigest}, this run found ${result.contentDigest}: rows changed in between, audit the epoch before anything else`,
  );
}
