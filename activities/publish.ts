import { setImmediate } from 'node:timers/promises';
import type { PoolClient } from 'pg';
import { chainEntry, GENESIS_HEAD } from '../src/proofs/chain';
import { claimsTreeInSteps } from '../src/proofs/claims-tree';
import { claimsContent, type RevisionContent } from '../src/proofs/contents';
import { contentDigest } from '../src/proofs/digests';
import { PayeeTable } from '../src/proofs/payee-table';
import { appendAudit } from '../src/store/audit-log';
import { appendEntry, findEntry, lastEntry, type StoredEntry } from '../src/store/chain';
import { dropClaimsBefore, readClaims, writeClaims } from '../src/store/claims';
import { getComputation } from '../src/store/computations';
import { disputeBehind } from '../src/store/disputes';
import { StoreError } from '../src/store/errors';
import { findHold, supersededAbove } from '../src/store/holds';
import { bookPublication } from '../src/store/ledger';
import { lockNetwork, type Network } from '../src/store/networks';
import { transaction } from '../src/store/pool';
import { findResult, type Result } from '../src/store/results';
import type { ComputationRef, Proved, Published, RunRef } from './contracts';
import type { ActivityDependencies } from './dependencies';
import { closedAnswer } from './gather';
import { guardChain, supersedeLaterHolds } from './guard-chain';

/**
 * Publishes a checked computation exactly once, in one transaction (design, Publishing exactly once). The revision is
 * looked for before anything else, so that a retry after an unknown COMMIT finds its own work, whatever was published
 * in between; the previous head is read under the lock and never comes from an earlier step.
 */
export async function publish(
  deps: ActivityDependencies,
  key: ComputationRef,
  digest: string,
  run: RunRef,
): Promise<Published> {
  await proveLast(deps, key);
  const published = await transaction(deps.pool, async (client): Promise<Published> => {
    const network = await lockNetwork(client, key.network);
    const stored = await findEntry(client, key.network, key.epoch, key.revision, 'revision');
    if (stored !== null) return alreadyPublished(stored, digest);
    const closed = await closedAnswer(client, key, run);
    if (closed !== null) return { kind: 'closed', answer: closed };
    await deps.witness.compare(client);
    const header = await getComputation(client, key);
    // Before the hold: a computation of another history was not put on hold any more (activities/check.ts).
    if ((await guardChain(client, key, header, network)) === 'superseded') return { kind: 'superseded' };
    const result = await approvedResult(client, key, digest);
    const head = await appendRevision(deps, client, key, result, network);
    await deps.reached('publish:before-commit');
    return { kind: 'published', contentDigest: digest, head, already: false, recomputed: [] };
  });
  await deps.reached('publish:committed');
  if (published.kind !== 'published') return published;
  return { ...published, recomputed: await supersededAbove(deps.pool, key.network, key.epoch) };
}

/**
 * Appends a checked result to the chain as the newest revision of its epoch, books it, and ends the holds of later
 * epochs that had read another history. Under the network's lock, after the guards and `proveLast`. Returns the new head.
 * @throws StoreError `ChainUnproved` if somebody else published in between: the retry begins with its claims.
 */
export async function appendRevision(
  deps: ActivityDependencies,
  client: PoolClient,
  key: ComputationRef,
  result: Result,
  network: Network,
): Promise<string> {
  const last = await lastEntry(client, key.network);
  if (last?.kind === 'revision') {
    throw new StoreError('ChainUnproved', `revision ${last.revision} of epoch ${last.epoch} has no claims yet`);
  }
  const previousHead = last?.head ?? GENESIS_HEAD;
  const entry = chainEntry(deps.hashes, JSON.parse(result.content) as RevisionContent, previousHead);
  await appendEntry(client, key, {
    position: (last?.position ?? 0) + 1,
    kind: 'revision',
    contentDigest: result.contentDigest,
    previousHead,
    ...entry,
  });
  await bookPublication(client, key);
  await supersedeLaterHolds(client, key, network);
  return entry.head;
}

/** @throws StoreError `RevisionConflict` if what is published there is something else */
export function alreadyPublished(stored: StoredEntry, digest: string): Extract<Published, { kind: 'published' }> {
  if (stored.contentDigest !== digest) {
    throw new StoreError(
      'RevisionConflict',
      `epoch ${stored.epoch} revision ${stored.revision} is published with the content digest ${stored.contentDigest}, this run computed ${digest}: audit the epoch`,
    );
  }
  return { kind: 'published', contentDigest: digest, head: stored.head, already: true, recomputed: [] };
}

/** The result to publish: it has the digest that was checked, and a tripped breaker was let through by a decision. */
async function approvedResult(client: PoolClient, key: ComputationRef, digest: string): Promise<Result> {
  const result = await findResult(client, key);
  if (result === null || result.contentDigest !== digest) {
    throw new StoreError(
      'RevisionConflict',
      `epoch ${key.epoch} has no checked result with the content digest ${digest}`,
    );
  }
  if (result.breakers.length === 0) return result;
  const hold = await findHold(client, key);
  if (hold?.contentDigest === digest && (hold.decision === 'approved' || hold.decision === 'released')) return result;
  throw new StoreError(
    'HoldMismatch',
    `epoch ${key.epoch} is on hold and nobody approved the content digest ${digest}`,
  );
}

/**
 * Makes the claims of the chain's last entry if it is a revision without them, other than `next`, which has a run to do
 * so: one that ended between the two leaves that for whoever publishes next (spec §9: after every revision come its
 * claims).
 */
export async function proveLast(deps: ActivityDependencies, next: ComputationRef): Promise<void> {
  const last = await lastEntry(deps.pool, next.network);
  if (last?.kind !== 'revision' || (last.epoch === next.epoch && last.revision === next.revision)) return;
  await prove(deps, { ...last, network: next.network }, null);
}

/**
 * Makes the claims entry of a published revision (spec §9), or finds it; then witnesses the head outside.
 * `run`: null where another run than the revision's own makes them.
 */
export async function prove(deps: ActivityDependencies, key: ComputationRef, run: RunRef | null): Promise<Proved> {
  const proved = await transaction(deps.pool, async (client) => {
    await lockNetwork(client, key.network);
    const stored = await findEntry(client, key.network, key.epoch, key.revision, 'claims');
    if (stored !== null) return provedBy(stored);
    const last = await lastEntry(client, key.network);
    if (last?.kind !== 'revision' || last.epoch !== key.epoch || last.revision !== key.revision) {
      // No guard of spec §8: a database that lost what it had committed ends the run, and fails no epoch.
      throw new StoreError(
        'TamperedRows',
        `revision ${key.revision} of epoch ${key.epoch} was published and is not at the end of the chain: audit the database before anything else`,
      );
    }
    await deps.witness.compare(client);
    const entry = await appendClaims(deps, client, { ...key, ...last });
    await appendAudit(client, {
      network: key.network,
      actor: 'system',
      action: 'publish',
      subject: `epoch ${key.epoch} revision ${key.revision}`,
      outcome: 'done',
      reason: 'all guards hold',
      requestId: run?.requestId ?? null,
      detail: { head: entry.head, workflowId: run?.workflowId ?? null, runId: run?.runId ?? null },
    });
    await deps.reached('prove:before-commit');
    return provedBy(entry);
  });
  await deps.reached('prove:committed');
  await deps.witness.publish(key.network, key.epoch, key.revision, proved.head);
  return proved;
}

function provedBy(entry: Pick<StoredEntry, 'entry' | 'head'>): Proved {
  const { root, payees } = JSON.parse(entry.entry) as { root: string; payees: number };
  return { head: entry.head, root, payees };
}

async function appendClaims(
  deps: ActivityDependencies,
  client: PoolClient,
  revision: StoredEntry & { readonly network: string },
): Promise<Pick<StoredEntry, 'entry' | 'head'>> {
  const position = revision.position + 1;
  // Claims follow every revision, so those before it stand right before it; none stand before the first.
  const previous = revision.position === 1 ? null : revision.position - 1;
  const { network, epoch, computation } = revision;
  const dispute = await disputeBehind(client, network, epoch, revision.revision, computation);
  await writeClaims(client, revision, position, previous, dispute);
  const payees = new PayeeTable();
  for await (const [payee, cumulative] of readClaims(client, network, position)) payees.add(payee, cumulative);
  // Between the steps the heartbeats go out, without which this attempt would count as dead.
  const tree = await claimsTreeInSteps(payees, deps.hashes.keccak256, () => setImmediate());
  const content = claimsContent({
    network: revision.network,
    epoch: revision.epoch,
    revision: revision.revision,
    payees: tree.payees,
    total: tree.total.toString(),
    root: tree.root,
  });
  const entry = chainEntry(deps.hashes, content, revision.head);
  await appendEntry(client, revision, {
    position,
    kind: 'claims',
    contentDigest: contentDigest(deps.hashes, content),
    previousHead: revision.head,
    ...entry,
  });
  if (previous !== null) await dropClaimsBefore(client, revision.network, previous);
  return entry;
}
