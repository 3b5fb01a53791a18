import { createHash } from 'node:crypto';
import { heartbeat } from '@temporalio/activity';
import type { PoolClient } from 'pg';
import { type SnapshotTable, snapshotDigest } from '../src/proofs/digests';
import { ProviderTally, providerFactsText } from '../src/rulesets/1/facts';
import type { Policy } from '../src/rulesets/1/policy';
import { lockInputs, lockNetwork } from '../src/store/networks';
import { effectivePolicyHash } from '../src/store/policies';
import { transaction } from '../src/store/pool';
import { findSeal, insertSeal, type Seal } from '../src/store/seals';
import { bindRange, chunkEnd, rangeHashes, readLines, readProviders } from '../src/store/snapshot-rows';
import { findSnapshot, insertSnapshot, type SnapshotChunk, type StoredSnapshot } from '../src/store/snapshots';
import type { EpochRef, Sealed } from './contracts';
import type { ActivityDependencies } from './dependencies';
import { loadPolicy } from './policies';

const SMALL_TABLES = ['demand', 'quotes', 'token', 'macro'] as const;

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
  const snapshot = await transaction(deps.pool, (client) => readSnapshot(client, deps, ref, frozen, policy));
  await deps.reached('seal:read');
  await insertSnapshot(deps.pool, ref.network, ref.epoch, snapshot);
  // The row that stands is the one that counts, also if another attempt wrote it first.
  return (await findSnapshot(deps.pool, ref.network, ref.epoch)) ?? snapshot;
}

async function readSnapshot(
  client: PoolClient,
  deps: ActivityDependencies,
  ref: EpochRef,
  frozen: Seal,
  policy: Policy,
): Promise<StoredSnapshot> {
  const tables = rangeHashes();
  const tally = new ProviderTally(policy.rewards.performance.minimumUptime);
  const chunks: SnapshotChunk[] = [];
  const rows = { providers: 0, capacity: 0, performance: 0 };
  for (let after: string | null = null, last = false; !last; ) {
    const range = { ...ref, registryLoad: frozen.registryLoad, after, upTo: null };
    await bindRange(client, range);
    const upTo = await chunkEnd(client, deps.chunkProviders);
    await bindRange(client, { ...range, upTo });
    const own = rangeHashes();
    const read = await readProviders(client, {
      providers: [tables.providers, own.providers],
      capacity: [tables.capacity, own.capacity],
      performance: [tables.performance, own.performance],
    });
    for (const provider of read.providers) tally.add(provider);
    rows.providers += read.providers.length;
    rows.capacity += read.capacityRows;
    rows.performance += read.performanceRows;
    chunks.push({ after, upTo, providers: read.providers.length, digests: hexOf(own) });
    heartbeat({ providers: rows.providers });
    after = upTo;
    last = upTo === null;
  }
  const small = await readSmall(client);
  const tableDigests: Record<SnapshotTable, string> = { ...hexOf(tables), ...small.digests };
  return {
    snapshotDigest: snapshotDigest(deps.hashes, tableDigests),
    tableDigests,
    rowCounts: { ...rows, ...small.rows },
    facts: providerFactsText(tally.facts()),
    chunks,
  };
}

type SmallTable = (typeof SMALL_TABLES)[number];

async function readSmall(
  client: PoolClient,
): Promise<{ digests: Record<SmallTable, string>; rows: Record<SmallTable, number> }> {
  const digests = {} as Record<SmallTable, string>;
  const rows = {} as Record<SmallTable, number>;
  for (const table of SMALL_TABLES) {
    const hash = createHash('sha256');
    rows[table] = (await readLines(client, table, [hash])).length;
    digests[table] = hash.digest('hex');
  }
  return { digests, rows };
}

function hexOf(hashes: ReturnType<typeof rangeHashes>): SnapshotChunk['digests'] {
  return {
    providers: hashes.providers.digest('hex'),
    capacity: hashes.capacity.digest('hex'),
    performance: hashes.performance.digest('hex'),
  };
}
