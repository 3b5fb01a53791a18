import type { Pool, PoolClient } from 'pg';
import { insertLoad, recordLoad } from './load-record';
import {
  copyInto,
  type LoadOptions,
  type LoadReport,
  type RowBatch,
  type RowSource,
  type TableCounts,
} from './load-source';
import { LoadedEpochs } from './loaded-epochs';
import { findNetwork, getNetwork, lockInputs } from './networks';
import { addProviders, hasRegistry, stageProviders } from './registry-load';
import { stageMarkets } from './row-problems';
import { INPUT_TABLES, type InputTable, type SourceTable } from './staging';
import { hasProblem } from './straight-problems';

/** A row is not new, or not right, or may be so: which of them, and what becomes of it, only staged rows can tell. */
export class NotStraight extends Error {
  override readonly name = 'NotStraight';
}

/**
 * Loads a bundle straight into the tables that keep its rows: a COPY of each file, whose keys and triggers refuse what
 * is there already or sealed, and then one question to each table for the rules across rows. Only the registry is
 * staged, where the network has one: most of its rows are no news.
 *
 * Rows are written before the inputs' lock is taken, so that a long load does not stop the network from sealing; under
 * the lock it is asked whether an epoch was sealed meanwhile.
 *
 * @throws NotStraight; the transaction must then be rolled back, and the bundle loaded by way of staging tables.
 */
export async function loadStraight(
  pool: Pool,
  client: PoolClient,
  source: RowSource,
  options: LoadOptions,
): Promise<LoadReport> {
  const find = options.prepare === undefined ? getNetwork : findNetwork;
  const known = await find(client, options.network);
  const epochs = new LoadedEpochs(pool, client, options.network, known, notStraight);
  const registry = (await hasRegistry(client, options.network)) ? 'staged' : 'stored';
  if (registry === 'staged') await stageProviders(client, source);
  const added: Record<string, TableCounts> = {};
  for (const table of INPUT_TABLES) {
    const n = await copyTable(client, table, source, options.network, epochs);
    added[table.name] = allNew(n);
  }
  await options.prepare?.(client, epochs.span);
  epochs.requireWithin(await getNetwork(client, options.network));
  await lockInputs(client, options.network, 'shared');
  await epochs.requireOpen();

  const loadId = await insertLoad(client, source, options);
  const providers =
    registry === 'staged'
      ? await addProviders(client, options.network, loadId)
      : allNew(await copyProviders(client, source, options.network, loadId));
  await stageMarkets(client, options.network);
  if (await hasProblem(client, options.network, epochs.all, registry)) notStraight();
  const counts = { providers, ...added };
  await recordLoad(client, source, options, loadId, counts);
  const { first, last } = epochs.span;
  return { dryRun: options.dryRun, counts, firstEpoch: first, lastEpoch: last };
}

const allNew = (n: number): TableCounts => ({ read: n, added: n, repeated: 0, late: 0, outside: 0 });

function notStraight(): never {
  throw new NotStraight('the bundle has rows that are not new or not right');
}

/** One COPY for the file, and one more wherever an epoch comes up of which too little is known yet. */
async function copyTable(
  client: PoolClient,
  table: InputTable,
  source: RowSource,
  network: string,
  epochs: LoadedEpochs,
): Promise<number> {
  const columns = [...table.key, ...table.values].join(', ');
  const statement = `copy ${table.target} (network, ${columns}) from stdin (format csv)`;
  return taking(source, table.name, async (batches) => {
    let stored = 0;
    for (let head = await batches.head(); head !== null; head = await batches.head()) {
      await epochs.learn(table, head.epochs);
      const lines = batches.linesWhile([network], (batch) => epochs.admits(table, batch.epochs));
      stored += await copyInto(client, statement, lines);
    }
    return stored;
  });
}

/** The registry of a network that has none yet: each row is a provider's first version. */
function copyProviders(client: PoolClient, source: RowSource, network: string, loadId: number): Promise<number> {
  const columns = 'network, load_id, provider, joined_epoch, status, payee';
  const statement = `copy provider_version (${columns}) from stdin (format csv)`;
  return taking(source, 'providers', (batches) =>
    copyInto(
      client,
      statement,
      batches.linesWhile([network, String(loadId)], () => true),
    ),
  );
}

/** Runs COPYs of a table's batches; every row that was taken has to be stored. */
async function taking(
  source: RowSource,
  table: SourceTable,
  store: (batches: Batches) => Promise<number>,
): Promise<number> {
  const batches = new Batches(source.batches(table));
  try {
    const stored = await store(batches);
    if (stored === batches.taken) return stored;
    throw new RangeError(`${batches.taken} rows of ${table} were sent and ${stored} stored`);
  } catch (error) {
    throw isNotStraight(error) ? new NotStraight((error as Error).message, { cause: error }) : error;
  } finally {
    await batches.close();
  }
}

/** A key that is there; a sealed epoch; two loads of the same rows that wait for each other. */
function isNotStraight(error: unknown): boolean {
  return ['23505', '55000', '40P01'].includes(String((error as { code?: unknown }).code));
}

/** The batches of one table, taken by as many COPYs as it takes. */
class Batches {
  /** Rows that were handed out. */
  taken = 0;
  private readonly batches: AsyncIterator<RowBatch>;
  private next: RowBatch | null = null;

  constructor(source: AsyncIterable<RowBatch>) {
    this.batches = source[Symbol.asyncIterator]();
  }

  /** The first batch that was not handed out; null: all of them were. */
  async head(): Promise<RowBatch | null> {
    if (this.next === null) {
      const { done, value } = await this.batches.next();
      this.next = done === true ? null : value;
    }
    return this.next;
  }

  async *linesWhile(
    first: readonly string[],
    wanted: (batch: RowBatch) => boolean,
  ): AsyncGenerator<string, void, undefined> {
    for (let batch = await this.head(); batch !== null && wanted(batch); batch = await this.head()) {
      this.next = null;
      this.taken += batch.count;
      yield batch.copyLines(first);
    }
  }

  async close(): Promise<void> {
    await this.batches.return?.();
  }
}
