import type { Pool, PoolClient } from 'pg';
import type { LoadOptions, LoadReport, RowSource } from './load-source';
import { transactionAs } from './rights';
import { loadStaged } from './staged-load';
import { loadStraight, NotStraight } from './straight-load';

/** Thrown to leave a dry run's transaction without a trace. */
class DryRunDone extends Error {
  constructor(readonly report: LoadReport) {
    super('dry run');
  }
}

/**
 * Loads one input bundle whole or not at all, in one transaction (spec §3). Rows that are all new and all right, which
 * is what nearly every bundle has, go straight to their tables; if a single one turns out not to be, nothing of that
 * transaction is kept, and the load begins again by way of staging tables, which can say of each row what it is.
 *
 * @throws RowsRefused with file, line and reason of the rows that break a rule across rows.
 */
export async function loadBundle(pool: Pool, source: RowSource, options: LoadOptions): Promise<LoadReport> {
  try {
    return await inTransaction(pool, source, options, loadStraight);
  } catch (error) {
    if (!(error instanceof NotStraight)) throw error;
    return inTransaction(pool, source, options, loadStaged);
  }
}

async function inTransaction(
  pool: Pool,
  source: RowSource,
  options: LoadOptions,
  road: typeof loadStraight,
): Promise<LoadReport> {
  try {
    return await transactionAs(pool, 'settle_operator', async (client) => {
      // A bundle larger than a minute's COPY is legitimate, and so is one that waits for another load of the same rows;
      // the connection's keepalive ends a dead one.
      await client.query('set local statement_timeout = 0; set local lock_timeout = 0');
      const report = await givenUp(client, options.signal, () => road(pool, client, source, options));
      if (options.dryRun) throw new DryRunDone(report);
      return report;
    });
  } catch (error) {
    if (error instanceof DryRunDone) return error.report;
    throw error;
  }
}

/** Cuts the connection, and so the statement that is under way, when the signal comes: COMMIT is then never sent. */
async function givenUp<T>(client: PoolClient, signal: AbortSignal | undefined, work: () => Promise<T>): Promise<T> {
  if (signal === undefined) return work();
  signal.throwIfAborted();
  const cut = () => void client.end();
  signal.addEventListener('abort', cut, { once: true });
  try {
    return await work();
  } catch (error) {
    throw signal.aborted ? signal.reason : error;
  } finally {
    signal.removeEventListener('abort', cut);
  }
}
