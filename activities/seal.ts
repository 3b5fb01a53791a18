import { lockInputs, lockNetwork } from '../src/store/networks';
import { effectivePolicyHash } from '../src/store/policies';
import { transaction } from '../src/store/pool';
import { findSeal, insertSeal, type Seal } from '../src/store/seals';
import { chunkEnd } from '../src/store/snapshot-rows';
import { findSnapshot, insertSnapshot, SEALED_ROWS, type StoredSnapshot } from '../src/store/snapshots';
import type { EpochRef, Sealed } from './contracts';
import type { ActivityDependencies } from './dependencies';
import { loadPolicy } from './policies';
import { readSnapshot } from './read-snapshot';

/**
 * Seals an epoch (spec §3): freezes its rows, then reads them once in canonical order for the digest and the sums.
 * Freezing and reading are two commits, so that reading a million rows holds no lock; a retry goes on behind the
 * freeze.
 */
export async function seal(deps: ActivityDependencies, ref: EpochRef): Promise<Sealed> {
  const frozen = (await findSeal(deps.pool, ref.network, ref.epoch)) ?? (await freeze(deps, ref));
  await deps.reached('seal:frozen');
  const stored = (await findSnapshot(deps.pool, ref.network, ref.epoch)) ?? (await takeSnapshot(deps, ref, frozen));
  return {
    policyHash: frozen.policyHash,
    snapshotDigest: stored.snapshotDigest,
    providers: stored.rowCounts.providers,
    chunks: stored.chunks.length,
  };
}

function freeze(deps: ActivityDependencies, ref: EpochRef): Promise<Seal> {
  return transaction(deps.pool, async (client) => {
    // The inputs first: waiting for a long load to end must not keep the network from publishing meanwhile.
    await lockInputs(client, ref.network, 'exclusive');
    await lockNetwork(client, ref.network);
    const already = await findSeal(client, ref.network, ref.epoch);
    if (already !== null) return already;
    await client.query('select settle.ensure_partitions(array[$1::integer])', [ref.epoch]);
    return insertSeal(client, ref.network, ref.epoch, await effectivePolicyHash(client, ref.network, ref.epoch));
  });
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
