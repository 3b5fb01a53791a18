import { createHash } from 'node:crypto';
import { heartbeat } from '@temporalio/activity';
import type { PoolClient } from 'pg';
import { type SnapshotTable, snapshotDigest } from '../src/proofs/digests';
import type { Hashes } from '../src/proofs/hashes';
import { ProviderTally, providerFactsText } from '../src/rulesets/1/facts';
import type { Policy } from '../src/rulesets/1/policy';
import { StoreError } from '../src/store/errors';
import { bindRange, type RowRange, rangeHashes, readLines, readProviders } from '../src/store/snapshot-rows';
import type { SnapshotChunk, StoredSnapshot } from '../src/store/snapshots';

const SMALL_TABLES = ['demand', 'quotes', 'token', 'macro'] as const;

/**
 * Chunks of one epoch: twenty million providers in chunks of 20,000. Each is two activities of about six events where
 * the pool binds, and a history ends at 51,200 events.
 */
const MOST_CHUNKS = 1_000;

/**
 * Reads an epoch's rows once in canonical order, chunk by chunk, for the digests and the sums.
 * `endOf(n)`: the last provider of chunk n, asked while what is left is bound as the range; null: it is the last one.
 */
export async function readSnapshot(
  client: PoolClient,
  hashes: Hashes,
  rows: Required<Omit<RowRange, 'after' | 'upTo'>>,
  policy: Policy,
  endOf: (chunk: number) => Promise<string | null> | string | null,
): Promise<StoredSnapshot> {
  const tables = rangeHashes();
  const tally = new ProviderTally(policy.rewards.performance.minimumUptime);
  const chunks: SnapshotChunk[] = [];
  const counts = { providers: 0, capacity: 0, performance: 0 };
  for (let after: string | null = null, last = false; !last; ) {
    await bindRange(client, { ...rows, after, upTo: null });
    const upTo = await endOf(chunks.length);
    await bindRange(client, { ...rows, after, upTo });
    const own = rangeHashes();
    const each = {
      providers: [tables.providers, own.providers],
      capacity: [tables.capacity, own.capacity],
      performance: [tables.performance, own.performance],
    };
    const read = await readProviders(client, each, rows.dispute);
    for (const provider of read.providers) tally.add(provider);
    counts.providers += read.providerRows;
    counts.capacity += read.capacityRows;
    counts.performance += read.performanceRows;
    if (chunks.length === MOST_CHUNKS) {
      throw new StoreError(
        'EpochTooLarge',
        `epoch ${rows.epoch} of network ${rows.network} has more than ${counts.providers} providers with capacity: one run settles ${MOST_CHUNKS} chunks of them; give the network's regions networks of their own, or the worker larger chunks`,
      );
    }
    chunks.push({ after, upTo, providers: read.providerRows, digests: hexOf(own) });
    heartbeat({ providers: counts.providers });
    after = upTo;
    last = upTo === null;
  }
  const small = await readSmall(client, rows.dispute);
  const tableDigests: Record<SnapshotTable, string> = { ...hexOf(tables), ...small.digests };
  return {
    snapshotDigest: snapshotDigest(hashes, tableDigests),
    tableDigests,
    rowCounts: { ...counts, ...small.rows },
    facts: providerFactsText(tally.facts()),
    chunks,
  };
}

type SmallTable = (typeof SMALL_TABLES)[number];

async function readSmall(
  client: PoolClient,
  dispute: number,
): Promise<{ digests: Record<SmallTable, string>; rows: Record<SmallTable, number> }> {
  const digests = {} as Record<SmallTable, string>;
  const rows = {} as Record<SmallTable, number>;
  for (const table of SMALL_TABLES) {
    const hash = createHash('sha256');
    rows[table] = (await readLines(client, table, [hash], dispute)).length;
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
