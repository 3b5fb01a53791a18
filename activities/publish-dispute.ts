import type { PoolClient } from 'pg';
import type { GuardId } from '../src/rulesets/1/records';
import { appendAudit } from '../src/store/audit-log';
import { findEntry, newestRevision } from '../src/store/chain';
import { getComputation } from '../src/store/computations';
import {
  type Dispute,
  type DisputeDecision,
  disputesToTell,
  getDispute,
  insertDisputeDecision,
  listDisputes,
} from '../src/store/disputes';
import { StoreError } from '../src/store/errors';
import { supersededAbove } from '../src/store/holds';
import { lockNetwork, type Network } from '../src/store/networks';
import { type Queryable, transaction } from '../src/store/pool';
import { findResult, type Result } from '../src/store/results';
import type { ComputationRef, Concerned, DisputePublished, DisputeRef, DisputeStanding, RunRef } from './contracts';
import type { ActivityDependencies } from './dependencies';
import { guardChain } from './guard-chain';
import { alreadyPublished, appendRevision, proveLast } from './publish';

/**
 * Publishes the revision of an approved dispute exactly once, in one transaction, as `publish` does for revision 1.
 * The revision is looked for first: there with this computation, it is published already; there with another, this
 * dispute is stale. An approval counts for the content that was looked at, as long as that content is what the chain
 * makes of the corrected rows: else it ends as superseded, and the dispute is computed and decided again.
 */
export async function publishDispute(
  deps: ActivityDependencies,
  ref: DisputeRef,
  key: ComputationRef,
  digest: string,
): Promise<DisputePublished> {
  await proveLast(deps, key);
  const published = await transaction(deps.pool, async (client): Promise<DisputePublished> => {
    const network = await lockNetwork(client, ref.network);
    const dispute = await getDispute(client, ref);
    const stored = await findEntry(client, ref.network, ref.epoch, key.revision, 'revision');
    if (stored !== null && stored.computation === key.computation) {
      return { ...alreadyPublished(stored, digest), disputes: [] };
    }
    await deps.witness.compare(client);
    if (stored !== null || !(await isOnNewest(client, dispute))) {
      await end(client, dispute, 'stale', `revision ${key.revision} of epoch ${ref.epoch} was published first`);
      return { kind: 'stale' };
    }
    if (dispute.state !== 'approved') {
      throw new StoreError('DisputeMismatch', `nobody approved dispute ${ref.dispute} of epoch ${ref.epoch}`);
    }
    const result = await checkedResult(client, key, digest);
    if (dispute.decidedDigest !== digest || !(await historyHolds(client, dispute, key, network))) {
      const reason = 'the history that it was computed from changed after the approval';
      await end(client, dispute, 'superseded', reason, dispute.decidedDigest);
      return { kind: 'superseded' };
    }
    const head = await appendRevision(deps, client, key, result, network);
    await endOthers(client, dispute, key.revision);
    await deps.reached('publish-dispute:before-commit');
    return { kind: 'published', contentDigest: digest, head, already: false, recomputed: [], disputes: [] };
  });
  await deps.reached('publish-dispute:committed');
  if (published.kind !== 'published') return published;
  return { ...published, ...(await concernedBy(deps.pool, ref)) };
}

/** From the rows alone, so that a run which finds the publication tells the same ones as the run that made it. */
async function concernedBy(db: Queryable, ref: DisputeRef): Promise<Concerned> {
  return {
    recomputed: await supersededAbove(db, ref.network, ref.epoch),
    disputes: await disputesToTell(db, ref),
  };
}

async function isOnNewest(client: PoolClient, dispute: Dispute): Promise<boolean> {
  const newest = await newestRevision(client, dispute.network, dispute.epoch);
  return newest?.revision === dispute.baseRevision && newest.computation === dispute.baseComputation;
}

/** Guard `chain`: a pinned revision reads the one that it follows and nothing else. */
async function historyHolds(
  client: PoolClient,
  dispute: Dispute,
  key: ComputationRef,
  network: Network,
): Promise<boolean> {
  if (dispute.derive === 'pinned') return true;
  return (await guardChain(client, key, await getComputation(client, key), network)) === 'holds';
}

async function checkedResult(client: PoolClient, key: ComputationRef, digest: string): Promise<Result> {
  const result = await findResult(client, key);
  if (result !== null && result.contentDigest === digest) return result;
  throw new StoreError(
    'RevisionConflict',
    `epoch ${key.epoch} revision ${key.revision} has no checked result with the content digest ${digest}`,
  );
}

/** The other disputes of the same revision, or of one before it, cannot be published any more. */
async function endOthers(client: PoolClient, dispute: Dispute, revision: number): Promise<void> {
  for (const other of await listDisputes(client, dispute.network, dispute.epoch, true)) {
    if (other.dispute === dispute.dispute || other.baseRevision > dispute.baseRevision) continue;
    await end(client, other, 'stale', `dispute ${dispute.dispute} was published first, as revision ${revision}`);
  }
}

async function end(
  client: PoolClient,
  dispute: Dispute,
  outcome: Extract<DisputeDecision['outcome'], 'stale' | 'failed' | 'superseded'>,
  reason: string,
  contentDigest: string | null = null,
  detail: Readonly<Record<string, unknown>> = {},
): Promise<void> {
  if (dispute.state !== 'open' && dispute.state !== 'approved') return;
  await insertDisputeDecision(client, dispute, { outcome, contentDigest, actor: 'system', reason, detail });
  await appendAudit(client, {
    network: dispute.network,
    actor: 'system',
    action: `dispute-${outcome}`,
    subject: `epoch ${dispute.epoch} dispute ${dispute.dispute}`,
    outcome: 'done',
    reason,
    requestId: dispute.requestId,
    detail: { ...detail, contentDigest },
  });
}

/**
 * Where a dispute stands; `key`: what was computed for it, if it was. A full derivation whose history changed while
 * nobody decided is computed again before anybody looks at figures that could not be published.
 */
export async function readDispute(
  deps: ActivityDependencies,
  ref: DisputeRef,
  key: ComputationRef | null,
): Promise<DisputeStanding> {
  return transaction(deps.pool, async (client) => {
    const network = await lockNetwork(client, ref.network);
    const dispute = await getDispute(client, ref);
    if (dispute.state === 'published') {
      return { state: 'published', ...(await publishedBy(client, dispute)), ...(await concernedBy(client, ref)) };
    }
    if (dispute.state !== 'open' && dispute.state !== 'approved') return { state: dispute.state };
    if (!(await isOnNewest(client, dispute))) {
      await end(client, dispute, 'stale', `revision ${dispute.baseRevision} of epoch ${ref.epoch} is superseded`);
      return { state: 'stale' };
    }
    if (dispute.state === 'open' && key !== null && !(await historyHolds(client, dispute, key, network))) {
      return { state: 'recompute' };
    }
    return { state: dispute.state };
  });
}

async function publishedBy(client: PoolClient, dispute: Dispute) {
  const { network, epoch } = dispute;
  const entry = await findEntry(client, network, epoch, dispute.baseRevision + 1, 'revision');
  if (entry === null) throw new RangeError(`the revision of dispute ${dispute.dispute} of epoch ${epoch} is not there`);
  const { revision, computation, contentDigest } = entry;
  return { key: { network, epoch, revision, computation }, contentDigest };
}

/** Closes a dispute whose revision does not pass a guard (spec §8). The epoch stays as it is published. */
export async function failDispute(
  deps: ActivityDependencies,
  ref: DisputeRef,
  guard: GuardId,
  detail: Readonly<Record<string, unknown>>,
  run: RunRef,
): Promise<void> {
  await transaction(deps.pool, async (client) => {
    await lockNetwork(client, ref.network);
    const dispute = await getDispute(client, ref);
    await deps.witness.compare(client);
    await end(client, dispute, 'failed', `guard ${guard} does not hold`, null, { guard, ...detail, runId: run.runId });
  });
}
