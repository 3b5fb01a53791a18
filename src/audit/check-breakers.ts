import type { Hashes } from '../proofs/hashes';
import { breakers } from '../rulesets/1/checks';
import { policyOf } from './check-policy';
import { recomputed } from './check-recompute';
import { requireSame, requireSameJson } from './difference';
import { type Dossier, rowOf } from './dossier';
import { historyOf } from './records';

/**
 * `breakers`: what tripped is what trips when the figures are computed again; and what was held, or came from a
 * dispute, was let through by a person other than the one who asked, for exactly this content.
 */
export function checkBreakers(dossier: Dossier, hashes: Hashes): string {
  const { result, revision, approval } = dossier;
  const place = { table: 'result', row: rowOf(dossier) };
  const tripped = trippedBy(dossier, hashes);
  // A dispute has its second person, so no breaker holds its revision, be it pinned or not (spec §10).
  if (revision > 1) requireSameJson(place, 'breakers', result.breakers, []);
  if (tripped !== null) {
    if (revision === 1) requireSameJson(place, 'breakers', result.breakers, tripped);
    requireSameJson(place, 'would_trip', result.wouldTrip, revision === 1 ? [] : tripped);
  }
  if (revision > 1) return requireDispute(dossier);
  if (result.breakers.length === 0) {
    requireSame({ table: 'hold', row: rowOf(dossier) }, 'content_digest', approval.hold?.contentDigest ?? null, null);
    return 'nothing tripped';
  }
  return requireHold(dossier);
}

/** What trips, computed again; null: the revision is pinned. */
export function trippedBy(dossier: Dossier, hashes: Hashes): ReturnType<typeof breakers> | null {
  const made = recomputed(dossier, hashes);
  // A pinned revision publishes no sources and no mean of its own: its figures are those of the revision it keeps.
  if (made.full === null) return null;
  return breakers(policyOf(dossier), {
    facts: made.facts,
    derivation: made.full,
    sum: made.sum,
    top: made.top,
    last: historyOf(dossier, hashes).epochs.at(-1) ?? null,
  });
}

function requireHold(dossier: Dossier): string {
  const { hold } = dossier.approval;
  const digest = dossier.result.contentDigest;
  const place = { table: 'hold', row: rowOf(dossier) };
  const decision = { table: 'hold_decision', row: rowOf(dossier) };
  requireSame(place, 'content_digest', hold?.contentDigest ?? '(no row)', digest);
  requireSame(decision, 'content_digest', hold?.decidedDigest ?? '(no row)', digest);
  const letThrough = hold?.decision === 'approved' || hold?.decision === 'released';
  if (!letThrough) requireSame(decision, 'decision', hold?.decision ?? '(no row)', 'approved');
  if (hold?.decision === 'approved' && hold.decidedBy === hold.askedBy) {
    requireSame(decision, 'actor', hold.decidedBy, `somebody other than ${hold.askedBy}`);
  }
  return `${dossier.result.breakers.map(({ id }) => id).join(', ')} tripped; ${hold?.decision} by ${hold?.decidedBy}`;
}

function requireDispute(dossier: Dossier): string {
  const { dispute } = dossier.approval;
  const place = { table: 'dispute_decision', row: `${dossier.epoch}/${dossier.header.dispute}` };
  requireSame(place, 'decision', dispute?.decision ?? '(no row)', 'approved');
  requireSame(place, 'content_digest', dispute?.decidedDigest ?? '(no row)', dossier.result.contentDigest);
  if (dispute?.decidedBy === dispute?.openedBy) {
    requireSame(place, 'actor', dispute?.decidedBy ?? null, `somebody other than ${dispute?.openedBy}`);
  }
  return `a dispute of ${dispute?.openedBy}, approved by ${dispute?.decidedBy}`;
}
