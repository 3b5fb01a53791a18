// A worker in a process of its own, which dies by SIGKILL at the point that it is told, if any.
//   node worker.cjs '{"url","address","namespace","workflows","heads","diesAt","clockAheadMs"}'
const { clockAheadMs = 0 } = JSON.parse(process.argv[2]);
if (clockAheadMs !== 0) {
  const now = Date.now;
  const RealDate = Date;
  Date.now = () => now() + clockAheadMs;
  globalThis.Date = class extends RealDate {
    constructor(...args) {
      super(...(args.length === 0 ? [Date.now()] : args));
    }
  };
}
require('../stack/typescript-in-node.cjs');
const { readFileSync } = require('node:fs');
const { NativeConnection, Runtime } = require('@temporalio/worker');
const { openPool } = require('../../src/store/pool.ts');
const { headsLog } = require('../../src/worker/witnesses/heads-log.ts');
const { createWorker } = require('../../src/worker/worker.ts');

const { url, address, namespace, workflows, heads, diesAt, chunkProviders = 2 } = JSON.parse(process.argv[2]);
const quiet = () => undefined;
Runtime.install({
  telemetryOptions: { logging: { filter: 'ERROR' } },
  logger: { log: quiet, trace: quiet, debug: quiet, info: quiet, warn: quiet, error: quiet },
});

function reached(point) {
  if (point !== diesAt) return;
  process.kill(process.pid, 'SIGKILL');
  // The signal comes from the kernel at once, but not before this line.
  return new Promise(() => undefined);
}

async function main() {
  const connection = await NativeConnection.connect({ address });
  const pool = openPool({ url, role: 'settle_worker', applicationName: 'worker that dies', onIdleError: quiet });
  const bundle = { code: readFileSync(workflows, 'utf8'), sourceMap: '' };
  const worker = await createWorker({
    connection,
    namespace,
    pool,
    bundle,
    witness: headsLog(heads, pool),
    chunkProviders,
    reached,
  });
  process.stdout.write('running\n');
  await worker.run();
  await pool.end();
  await connection.close();
}

main().catch((error) => {
  process.stderr.write(`${error.stack}\n`);
  process.exit(1);
});
