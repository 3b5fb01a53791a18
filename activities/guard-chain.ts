import type { PoolClient } from 'pg';
import { historyReach } from '../src/rulesets/1/history';
import type { ComputationHeader } from '../src/store/computations';
import { getComputation } from '../src/store/computations';
import { failedEpochs, publishedIdentities } from '../src/store/history';
import { endHold, openHoldsAbove } from '../src/store/holds';
import type { Network } from '../src/store/networks';
import type { ComputationRef } from './contracts';
import { GuardFailed } from './failures';
import { loadPolicy } from './policies';

/**
 * Guard `chain` (spec §8): what was read as history is the newest published below the epoch, and everything between
 * is closed as failed. A newer revision of what was read, or an epoch below that was published since, supersedes the
 * computation; a gap fails the epoch. Under the network's lock.
 */
export async function guardChain(
  client: PoolClient,
  key: ComputationRef,
  header: ComputationHeader,
  network: Network,
): Promise<'holds' | 'superseded'> {
  const policy = await loadPolicy(client, header.policyHash);
  const read = new Map(header.history.map(([epoch, revision, content]) => [epoch, { revision, content }]));
  const whole = header.history.length < historyReach(policy);
  const first = whole ? network.firstEpoch : header.history[0]![0];
  const published = await publishedIdentities(client, key.network, first, key.epoch);
  const now = new Map(published.map((one) => [one.epoch, one]));
  for (const one of published) {
    const then = read.get(one.epoch);
    if (then === undefined || then.revision !== one.revision || then.content !== one.contentDigest) return 'superseded';
  }
  const failed = await failedEpochs(client, key.network, first, key.epoch);
  for (let epoch = first; epoch < key.epoch; epoch += 1) {
    if (!now.has(epoch) && !failed.has(epoch))
      throw new GuardFailed('chain', { epoch, reason: 'it is neither published nor failed' });
  }
  for (const epoch of read.keys()) {
    if (!now.has(epoch))
      throw new GuardFailed('chain', { epoch, reason: 'it was read as published, but is not in the chain' });
  }
  return 'holds';
}

/**
 * Ends the open holds of later epochs whose history a publication just changed (spec §8): a dispute below, or an
 * epoch that failed and was settled later. In the transaction of the publication, after its entry was appended.
 */
export async function supersedeLaterHolds(client: PoolClient, key: ComputationRef, network: Network): Promise<void> {
  for (const hold of await openHoldsAbove(client, key.network, key.epoch)) {
    if ((await stateOf(hold)) === 'holds') continue;
    const published = `epoch ${key.epoch} revision ${key.revision} was published`;
    await endHold(client, hold, 'superseded', `${published}; this epoch is computed again`);
  }
  async function stateOf(hold: ComputationRef): Promise<'holds' | 'superseded'> {
    try {
      return await guardChain(client, hold, await getComputation(client, hold), network);
    } catch (error) {
      // A gap below a held epoch is found when that epoch is published, and is no fault of this publication.
      if (error instanceof GuardFailed) return 'holds';
      throw error;
    }
  }
}
