import { createHash } from 'node:crypto';
import type { PoolClient } from 'pg';
import { type ProviderFactsText, parseProviderFacts } from '../src/rulesets/1/facts';
import type { Policy } from '../src/rulesets/1/policy';
import type { EpochFacts } from '../src/rulesets/1/records';
import { epochFacts } from '../src/rulesets/1/sealed-rows';
import { bindRange, readLines } from '../src/store/snapshot-rows';
import { SEALED_ROWS, type StoredSnapshot } from '../src/store/snapshots';
import type { EpochRef } from './contracts';
import { GuardFailed } from './failures';

/**
 * The facts of a sealed epoch: the sums over providers from its snapshot, the rest from the sealed rows themselves,
 * digested while they are read (guard `snapshot`). `dispute`: the one whose corrections they have, as the snapshot.
 * Inside a transaction.
 */
export async function sealedFacts(
  client: PoolClient,
  ref: EpochRef,
  policy: Policy,
  snapshot: StoredSnapshot,
  dispute: number = SEALED_ROWS,
): Promise<EpochFacts> {
  // None of these tables is read by provider, so the range is open.
  await bindRange(client, { ...ref, registryLoad: 0, after: null, upTo: null, dispute });
  const read = async (table: 'demand' | 'quotes' | 'token' | 'macro') => {
    const hash = createHash('sha256');
    const lines = await readLines(client, table, [hash], dispute);
    const digest = hash.digest('hex');
    if (digest !== snapshot.tableDigests[table]) {
      throw new GuardFailed('snapshot', { table, sealed: snapshot.tableDigests[table], read: digest });
    }
    return lines;
  };
  return epochFacts(ref.epoch, [...policy.markets.keys()], parseProviderFacts(snapshot.facts as ProviderFactsText), {
    demand: await read('demand'),
    quotes: await read('quotes'),
    token: await read('token'),
    macro: await read('macro'),
  });
}
