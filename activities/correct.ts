import { getDispute } from '../src/store/disputes';
import { findSnapshot, insertCorrectedSnapshot } from '../src/store/snapshots';
import type { Corrected, DisputeRef } from './contracts';
import type { ActivityDependencies } from './dependencies';
import { sealedEpoch } from './derive';
import { readSnapshot } from './read-snapshot';

/**
 * Takes the snapshot of an epoch's rows as a dispute corrects them (spec §10): digests, sums, and the chunks of the
 * sealed snapshot, so that a chunk holds the same key range in every revision. Found again, not taken again.
 */
export async function correctSnapshot(deps: ActivityDependencies, ref: DisputeRef): Promise<Corrected> {
  await deps.witness.compare(deps.pool);
  const { seal, snapshot: sealed, policy } = await sealedEpoch(deps, ref);
  const dispute = await getDispute(deps.pool, ref);
  const rows = { ...ref, registryLoad: seal.registryLoad, dispute: dispute.dispute };
  let corrected = await findSnapshot(deps.pool, ref.network, ref.epoch, ref.dispute);
  if (corrected === null) {
    corrected = await readSnapshot(deps, rows, policy, (_client, chunk) => sealed.chunks[chunk]?.upTo ?? null);
    await deps.reached('correct:read');
    await insertCorrectedSnapshot(deps.pool, ref.network, ref.epoch, ref.dispute, corrected);
  }
  return {
    snapshotDigest: corrected.snapshotDigest,
    providers: corrected.rowCounts.providers,
    chunks: corrected.chunks.length,
  };
}
