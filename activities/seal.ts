import type { PoolClient } from 'pg';
import { StoreError } from '../src/store/errors';
import { lockInputs, lockNetwork } from '../src/store/networks';
import { transaction } from '../src/store/pool';
import { findSeal, insertSeal, type Seal } from '../src/store/seals';
import { chunkEnd } from '../src/store/snapshot-rows';
import { findSnapshot, insertSnapshot, SEALED_ROWS, type StoredSnapshot } from '../src/store/snapshots';
import type { EpochRef, InputsState, Sealed } from './contracts';
import type { ActivityDependencies } from './dependencies';
import { inputsState, judgedNow, requireDue } from './gather';
import { loadPolicy } from './policies';
import { readSnapshot } from './read-snapshot';

/**
 * Seals an epoch (spec §3): freezes its rows, then reads them once in canonical order for the digest and the sums.
 * Freezing and reading are two commits, so that reading a million rows holds no lock; a retry goes on behind the
 * freeze.
 *
 * @param judged what was found complete; null: nothing was looked at before
 * @throws StoreError `EpochNotDue`; `InputsChanged`: they are not complete, or not by the policy that is in force now;
 *   nothing is frozen then
 */
export async function seal(deps: ActivityDependencies, ref: EpochRef, judged: InputsState | null): Promise<Sealed> {
  const frozen = (await findSeal(deps.pool, ref.network, ref.epoch)) ?? (await freeze(deps, ref, judged));
  await deps.reached('seal:frozen');
  const stored = (await findSnapshot(deps.pool, ref.network, ref.epoch)) ?? (await takeSnapshot(deps, ref, frozen));
  return {
    policyHash: frozen.policyHash,
    snapshotDigest: stored.snapshotDigest,
    providers: stored.rowCounts.providers,
    chunks: stored.chunks.length,
  };
}

function freeze(deps: ActivityDependencies, ref: EpochRef, judged: InputsState | null): Promise<Seal> {
  return transaction(deps.pool, async (client) => {
    // The inputs first: waiting for a long load to end must not keep the network from publishing meanwhile.
    await lockInputs(client, ref.network, 'exclusive');
    await lockNetwork(client, ref.network);
    const already = await findSeal(client, ref.network, ref.epoch);
    if (already !== null) return already;
    const { policyHash, loads } = await inputsState(client, ref);
    // Another policy may have a longer grace.
    if (judged !== null && judged.policyHash !== policyHash) await requireDue(client, ref);
    if (judged?.policyHash !== policyHash || judged.loads !== loads) await requireComplete(client, ref, policyHash);
    await client.query('select settle.ensure_partitions(array[$1::integer])', [ref.epoch]);
    return insertSeal(client, ref.network, ref.epoch, policyHash);
  });
}

/**
 * Since the epoch was found ready, a policy was approved that may ask for more, or rows came of providers whom nobody
 * has measured yet. What is sealed cannot be mended any more, so it is judged once more, under both locks.
 */
async function requireComplete(client: PoolClient, ref: EpochRef, policyHash: string): Promise<void> {
  const judged = await judgedNow(client, ref, await loadPolicy(client, policyHash));
  if (judged.kind === 'ready') return;
  throw new StoreError(
    'InputsChanged',
    `epoch ${ref.epoch} of ${ref.network} cannot be sealed as it stands: missing are ${judged.missing.join(', ')}`,
  );
}

async function takeSnapshot(deps: ActivityDependencies, ref: EpochRef, frozen: Seal): Promise<StoredSnapshot> {
  const policy = await loadPolicy(deps.pool, frozen.policyHash);
  const rows = { ...ref, registryLoad: frozen.registryLoad, dispute: SEALED_ROWS };
  const snapshot = await readSnapshot(deps, rows, policy, (client) => chunkEnd(client, deps.chunkProviders));
  await deps.reached('seal:read');
  await insertSnapshot(deps.pool, ref.network, ref.epoch, snapshot);
  // The row that stands is the one that counts, also if another attempt wrote it first.
  return (await findSnapshot(deps.pool, ref.network, ref.epoch)) ?? snapshot;
}
