import { createHash } from 'node:crypto';
import { heartbeat } from '@temporalio/activity';
import type { PoolClient } from 'pg';
import { type SnapshotTable, snapshotDigest } from '../src/proofs/digests';
import { ProviderTally, providerFactsText } from '../src/rulesets/1/facts';
import type { Policy } from '../src/rulesets/1/policy';
import { StoreError } from '../src/store/errors';
import { transaction } from '../src/store/pool';
import {
  bindRange,
  providersIn,
  RANGE_TABLES,
  type RangeRead,
  type RowRange,
  rangeHashes,
  readRange,
  readTable,
} from '../src/store/snapshot-rows';
import type { SnapshotChunk, StoredSnapshot } from '../src/store/snapshots';
import type { EpochRef } from './contracts';
import type { ActivityDependencies } from './dependencies';

const SMALL_TABLES = ['demand', 'quotes', 'token', 'macro'] as const;

/**
 * Chunks of one epoch: twenty million providers in chunks of 20,000. Each is two activities of about six events where
 * the pool binds, and a history ends at 51,200 events.
 */
const MOST_CHUNKS = 1_000;

/** A chunk as it was read: the last provider in it, null where nothing comes after it. */
interface ChunkRead {
  readonly upTo: string | null;
  readonly read: RangeRead;
}

/**
 * Reads an epoch's rows once in canonical order, chunk by chunk, for the digests and the sums. The database reads the
 * next chunk while one is summed here; that needs no common transaction, since these rows can no longer change.
 * `endOf(client, n)`: the last provider of chunk n, asked while what is left is bound as the range; null: it is the
 * last one.
 */
export async function readSnapshot(
  deps: Pick<ActivityDependencies, 'pool' | 'hashes'>,
  rows: Required<Omit<RowRange, 'after' | 'upTo'>>,
  policy: Policy,
  endOf: (client: PoolClient, chunk: number) => Promise<string | null> | string | null,
): Promise<StoredSnapshot> {
  const tables = rangeHashes();
  const tally = new ProviderTally(policy.rewards.performance.minimumUptime);
  const chunks: SnapshotChunk[] = [];
  const counts = { providers: 0, capacity: 0, performance: 0 };
  const startReading = (after: string | null, chunk: number): Promise<ChunkRead> => {
    const reading = transaction(deps.pool, async (client) => {
      await bindRange(client, { ...rows, after, upTo: null });
      const upTo = await endOf(client, chunk);
      await bindRange(client, { ...rows, after, upTo });
      return { upTo, read: await readRange(client, rows.dispute) };
    });
    // Whoever awaits it handles its failure; where an earlier one failed, nobody does.
    reading.catch(() => undefined);
    return reading;
  };
  let after: string | null = null;
  let reading: Promise<ChunkRead> | null = startReading(null, 0);
  while (reading !== null) {
    const { upTo, read }: ChunkRead = await reading;
    reading = upTo === null ? null : startReading(upTo, chunks.length + 1);
    for (const table of RANGE_TABLES) {
      tables[table].update(read.tables[table]);
      counts[table] += read.rows[table];
    }
    for (const provider of providersIn(read)) tally.add(provider);
    requireRoom(chunks.length, counts.providers, rows);
    chunks.push({ after, upTo, providers: read.rows.providers, digests: read.digests });
    heartbeat({ providers: counts.providers });
    after = upTo;
  }
  const small = await transaction(deps.pool, async (client) => {
    await bindRange(client, { ...rows, after: null, upTo: null });
    return readSmall(client, rows.dispute);
  });
  const tableDigests: Record<SnapshotTable, string> = { ...hexOf(tables), ...small.digests };
  return {
    snapshotDigest: snapshotDigest(deps.hashes, tableDigests),
    tableDigests,
    rowCounts: { ...counts, ...small.rows },
    facts: providerFactsText(tally.facts()),
    chunks,
  };
}

function requireRoom(chunks: number, providers: number, { network, epoch }: EpochRef): void {
  if (chunks < MOST_CHUNKS) return;
  throw new StoreError(
    'EpochTooLarge',
    `epoch ${epoch} of network ${network} has ${providers} providers with capacity or more: one run settles ${MOST_CHUNKS} chunks of them; give the network's regions networks of their own, or the worker larger chunks`,
  );
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
    rows[table] = (await readTable(client, table, [hash], dispute)).rows;
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
