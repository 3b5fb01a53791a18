/**
 * How fast epochs are settled and audited: the whole sample through the real system, then all of it audited, replays
 * included, and beside it the same number of workflows with as many empty activities through the same server.
 * `npm run bench:epochs` prints them and their ratios, and writes them to bench/results/epochs.json.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { cpus, loadavg } from 'node:os';
import { dirname, join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { bundleWorkflowCode, NativeConnection, Runtime, Worker } from '@temporalio/worker';
import type { Pool } from 'pg';
import type { CheckOutcome } from '../src/audit/outcomes';
import { auditEpochs } from '../src/commands/audit-epochs';
import { readPolicyFile } from '../src/commands/create-network';
import { importBundle } from '../src/commands/import-bundle';
import { epochWorkflowId, loopAnswer, startLoop } from '../src/commands/run-epochs';
import { nodeHashes } from '../src/hashing/node-hashes';
import { openTemporaryStack } from '../src/stack/temporary-home';
import { ensureLogin } from '../src/store/logins';
import { migrate } from '../src/store/migrate';
import { openPool } from '../src/store/pool';
import { bundleAside } from '../src/worker/bundle-aside';
import { replayAside } from '../src/worker/replay-aside';
import { headsLog } from '../src/worker/witnesses/heads-log';
import { createWorker } from '../src/worker/worker';

const ROOT = join(__dirname, '..');
const NETWORK = 'bench';
const EMPTY_QUEUE = 'bench-empty';

type Stack = Awaited<ReturnType<typeof openTemporaryStack>>;

interface Settled {
  readonly epochs: number;
  readonly seconds: number;
  /** Activities of one epoch's own workflow; the loop has one more for each epoch. */
  readonly activitiesEach: number;
  readonly audited: Audited;
}

interface Audited {
  readonly seconds: number;
  readonly checks: number;
}

const quiet = { log() {}, trace() {}, debug() {}, info() {}, warn() {}, error: console.error };

async function timed(work: () => Promise<unknown>): Promise<number> {
  const begun = process.hrtime.bigint();
  await work();
  return Number(process.hrtime.bigint() - begun) / 1e9;
}

async function settleSample(stack: Stack, temporal: Client, connection: NativeConnection): Promise<Settled> {
  await migrate(stack.postgres.url, () => undefined);
  const url = await ensureLogin(stack.postgres.superuserUrl, stack.postgres.url);
  const onIdleError = (error: Error) => console.error(error.message);
  const open = (role: 'settle_worker' | 'settle_operator' | 'settle_auditor') =>
    openPool({ url, role, applicationName: role, onIdleError });
  const [pool, workerPool] = [open('settle_operator'), open('settle_worker')];
  try {
    const context = { pool, temporal, actor: 'bench' };
    await importBundle(context, join(ROOT, 'samples', 'swarm-week'), {
      network: NETWORK,
      dryRun: false,
      outsideCalendar: 'refuse',
      create: {
        policy: await readPolicyFile(join(ROOT, 'policies', 'swarm-default.yaml')),
        epochs: null,
        holds: 'wait',
      },
    });
    const worker = await createWorker({
      connection,
      namespace: stack.temporal.namespace,
      pool: workerPool,
      witness: headsLog(join(stack.home, 'heads.log'), workerPool),
      bundle: await bundleAside(),
    });
    return await worker.runUntil(async () => {
      let closed = 0;
      const seconds = await timed(async () => {
        const loop = await startLoop(context, { network: NETWORK, range: null, askedBy: 'system' });
        closed = (await loopAnswer(loop)).closed;
      });
      const { events } = await temporal.workflow.getHandle(epochWorkflowId(NETWORK, 1)).fetchHistory();
      const scheduled = (events ?? []).filter((event) => event.activityTaskScheduledEventAttributes != null);
      return { epochs: closed, seconds, activitiesEach: scheduled.length, audited: await auditSample(open, stack) };
    });
  } finally {
    await Promise.all([pool.end(), workerPool.end()]);
  }
}

/** Every check of every epoch, as `settle audit` makes them. @throws Error for a check that fails or was skipped */
async function auditSample(open: (role: 'settle_auditor') => Pool, stack: Stack): Promise<Audited> {
  const pool = open('settle_auditor');
  const aside = replayAside();
  try {
    const witness = await readFile(join(stack.home, 'heads.log'), 'utf8');
    const tools = { hashes: await nodeHashes(), witness, replay: aside.replay };
    let outcomes: readonly CheckOutcome[] = [];
    const seconds = await timed(async () => {
      outcomes = await auditEpochs({ pool }, NETWORK, { first: 0, last: 168 }, tools);
    });
    const other = outcomes.find(({ outcome }) => outcome !== 'ok');
    if (other !== undefined)
      throw new Error(`${other.check} of epoch ${other.epoch}: ${other.outcome}, ${other.detail}`);
    return { seconds, checks: outcomes.length };
  } finally {
    aside.close();
    await pool.end();
  }
}

async function runEmpty(stack: Stack, temporal: Client, connection: NativeConnection, like: Settled): Promise<number> {
  const bundle = await bundleWorkflowCode({
    workflowsPath: join(__dirname, 'workflows', 'empty.ts'),
    logger: quiet,
  });
  const worker = await Worker.create({
    connection,
    namespace: stack.temporal.namespace,
    taskQueue: EMPTY_QUEUE,
    workflowBundle: bundle,
    activities: { nothing: async () => undefined },
  });
  return worker.runUntil(() =>
    timed(() =>
      temporal.workflow.execute('emptyLoop', {
        workflowId: 'bench-empty',
        taskQueue: EMPTY_QUEUE,
        args: [like.epochs, like.activitiesEach],
      }),
    ),
  );
}

function report(settled: Settled, emptySeconds: number): void {
  const round = (x: number) => Math.round(x * 1000) / 1000;
  const result = {
    measured: new Date().toISOString(),
    node: process.version,
    cores: cpus().length,
    processor: cpus()[0]?.model ?? 'unknown',
    // Above the number of cores, something else was running as well.
    loadAverage: round(loadavg()[0] ?? 0),
    epochs: settled.epochs,
    activitiesEach: settled.activitiesEach + 1,
    settleSeconds: round(settled.seconds),
    settleEpochsPerSecond: round(settled.epochs / settled.seconds),
    emptySeconds: round(emptySeconds),
    emptyEpochsPerSecond: round(settled.epochs / emptySeconds),
    ratio: round(settled.seconds / emptySeconds),
    auditChecks: settled.audited.checks,
    auditSeconds: round(settled.audited.seconds),
    auditRatio: round(settled.audited.seconds / settled.seconds),
  };
  const file = join(__dirname, 'results', 'epochs.json');
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, `${JSON.stringify(result, null, 2)}\n`);
  console.log(
    `settled: ${result.epochs} epochs in ${result.settleSeconds} s, ${result.settleEpochsPerSecond} a second`,
  );
  console.log(
    `empty:   ${result.epochs} workflows of ${result.activitiesEach} empty activities in ${result.emptySeconds} s, ${result.emptyEpochsPerSecond} a second`,
  );
  console.log(`ratio:   settling takes ${result.ratio} times as long as doing nothing`);
  console.log(`audited: ${result.auditChecks} checks in ${result.auditSeconds} s, ${result.auditRatio} of settling`);
}

async function main(): Promise<void> {
  Runtime.install({ logger: quiet });
  const stack = await openTemporaryStack({ env: { ...process.env, DATABASE_URL: '', TEMPORAL_ADDRESS: '' } });
  try {
    const client = await Connection.connect(stack.temporal.connection);
    const native = await NativeConnection.connect({ address: stack.temporal.address });
    try {
      const temporal = new Client({ connection: client, namespace: stack.temporal.namespace });
      const settled = await settleSample(stack, temporal, native);
      report(settled, await runEmpty(stack, temporal, native, settled));
    } finally {
      await native.close();
      await client.close();
    }
  } finally {
    await stack.close();
  }
}

main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
