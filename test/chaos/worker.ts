import { readFileSync } from 'node:fs';
import { Context } from '@temporalio/activity';
import { NativeConnection, Runtime } from '@temporalio/worker';
import { openPool } from '../../src/store/pool';
import { headsLog } from '../../src/worker/witnesses/heads-log';
import { createWorker } from '../../src/worker/worker';
import { Traps, tell, watchStatements } from './dying';

export interface WorkerOrders {
  readonly databaseUrl: string;
  readonly temporalAddress: string;
  readonly workflows: string;
  readonly heads: string;
}

const activity = (): string | null => {
  try {
    return Context.current().info.activityType;
  } catch {
    return null;
  }
};

/** A worker as `settle worker` runs it: stopped by SIGTERM, it ends what it has begun. */
export async function runWorker({ databaseUrl, temporalAddress, workflows, heads }: WorkerOrders): Promise<void> {
  const say = (level: string) => (message: string) => process.stderr.write(`${level} ${message}\n`);
  const quiet = () => undefined;
  Runtime.install({
    telemetryOptions: { logging: { filter: 'ERROR' } },
    logger: { log: quiet, trace: quiet, debug: quiet, info: quiet, warn: say('WARN'), error: say('ERROR') },
  });
  const traps = new Traps();
  const onIdleError = (error: Error) => process.stderr.write(`idle connection: ${error.message}\n`);
  const pool = openPool({ url: databaseUrl, role: 'settle_worker', applicationName: 'chaos worker', onIdleError });
  watchStatements(pool, activity, traps.visit);
  // Not watched: what the witness asks is no step of the settlement.
  const asking = openPool({
    url: databaseUrl,
    role: 'settle_worker',
    applicationName: 'chaos witness',
    onIdleError,
    max: 1,
  });
  const connection = await NativeConnection.connect({ address: temporalAddress });
  const worker = await createWorker({
    connection,
    namespace: 'default',
    pool,
    bundle: { code: readFileSync(workflows, 'utf8'), sourceMap: '' },
    witness: headsLog(heads, asking),
    chunkProviders: 2,
    // `publish:committed` is called like the statements: `publish: committed`.
    reached: (point) => traps.visit(named(point)),
  });
  tell({ said: 'ready' });
  await worker.run();
  await pool.end();
  await asking.end();
  await connection.close();
  process.exit(0);
}

/** Points bear the name of their step; where one activity has the step of another, its own. */
function named(point: string): string {
  const [, place] = point.split(':') as [string, string];
  return `${activity()}: ${place}`;
}
