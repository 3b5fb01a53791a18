/** One worker process of the bench, so that its memory is its own: started by bench/settle.ts with its addresses. */
import { NativeConnection, Runtime } from '@temporalio/worker';
import { openPool } from '../src/store/pool';
import { bundleAside } from '../src/worker/bundle-aside';
import { headsLog } from '../src/worker/witnesses/heads-log';
import { createWorker } from '../src/worker/worker';

const quiet = { log() {}, trace() {}, debug() {}, info() {}, warn() {}, error: console.error };

async function main(): Promise<void> {
  const { BENCH_DATABASE, BENCH_TEMPORAL, BENCH_NAMESPACE, BENCH_WITNESS } = process.env;
  Runtime.install({ logger: quiet });
  const connection = await NativeConnection.connect({ address: BENCH_TEMPORAL! });
  const pool = openPool({
    url: BENCH_DATABASE!,
    role: 'settle_worker',
    applicationName: 'bench-worker',
    onIdleError: (error) => console.error(error.message),
    statementTimeoutMs: 600_000,
  });
  const worker = await createWorker({
    connection,
    namespace: BENCH_NAMESPACE!,
    pool,
    witness: headsLog(BENCH_WITNESS!, pool),
    bundle: await bundleAside(),
  });
  // The connection to the parent is the leash: without it the worker ends.
  process.on('disconnect', () => worker.shutdown());
  process.send?.('ready');
  await worker.run();
  await pool.end();
  await connection.close();
}

main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
