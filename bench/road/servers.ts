import { type ChildProcess, fork } from 'node:child_process';
import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import type { Pool } from 'pg';
import { readPostmaster } from '../../src/stack/postgres-pidfile';
import { openStack } from '../../src/stack/stack';
import { temporaryHome } from '../../src/stack/temporary-home';
import { ensureLogin } from '../../src/store/logins';
import { migrate } from '../../src/store/migrate';
import { openPool } from '../../src/store/pool';
import { peakResident } from './memory';

/** The servers of one run: a home of their own, forced to disk as in earnest, removed at the end. */
export interface Servers {
  readonly home: string;
  /** With the rights of the operator. */
  readonly pool: Pool;
  /** As the database's owner, for what is compared with. */
  readonly owner: Pool;
  readonly temporal: Client;
  readonly postgresPid: number | null;
  startWorker(): Promise<BenchWorker>;
  close(): Promise<void>;
}

export interface BenchWorker {
  readonly pid: number;
  /** Peak resident memory so far, in bytes; null: unknown. */
  peak(): number | null;
  stop(): Promise<void>;
}

const NO_STATEMENT_TIMEOUT = 0;

export async function openServers(): Promise<Servers> {
  const env = { ...process.env, DATABASE_URL: '', TEMPORAL_ADDRESS: '' };
  const home = await temporaryHome({ env });
  const stack = await openStack({ home: home.folder, env, durable: true });
  await migrate(stack.postgres.url, () => undefined);
  const url = await ensureLogin(stack.postgres.superuserUrl, stack.postgres.url);
  const shared = { applicationName: 'bench', statementTimeoutMs: NO_STATEMENT_TIMEOUT };
  let closing = false;
  const onIdleError = (error: Error) => {
    if (!closing) console.error(error.message);
  };
  const pool = openPool({ ...shared, url, role: 'settle_operator', onIdleError });
  const owner = openPool({ ...shared, url: stack.postgres.url, role: null, onIdleError });
  const connection = await Connection.connect(stack.temporal.connection);
  const { address, namespace } = stack.temporal;
  const workers: BenchWorker[] = [];
  const environment = {
    ...process.env,
    BENCH_DATABASE: url,
    BENCH_TEMPORAL: address,
    BENCH_NAMESPACE: namespace,
    BENCH_WITNESS: join(home.folder, 'heads.log'),
  };
  return {
    home: home.folder,
    pool,
    owner,
    temporal: new Client({ connection, namespace }),
    postgresPid: await serverPid(owner),
    async startWorker() {
      const worker = await forkWorker(environment);
      workers.push(worker);
      return worker;
    },
    async close() {
      closing = true;
      for (const worker of workers) await worker.stop();
      await connection.close();
      await Promise.all([pool.end(), owner.end()]);
      await stack.close();
      await home.remove();
    },
  };
}

async function serverPid(owner: Pool): Promise<number | null> {
  const found = await owner.query<{ folder: string }>(`select current_setting('data_directory') as folder`);
  return readPostmaster(found.rows[0]!.folder)?.process.pid ?? null;
}

async function forkWorker(env: NodeJS.ProcessEnv): Promise<BenchWorker> {
  const root = join(__dirname, '..', '..');
  const child: ChildProcess = fork(join(root, 'bench', 'worker.ts'), {
    env,
    execArgv: [...profiling(env), '--require', join(root, 'test', 'stack', 'typescript-in-node.cjs')],
  });
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  await new Promise<void>((resolve, reject) => {
    child.once('message', () => resolve());
    child.once('exit', (code) => reject(new Error(`the worker ended with ${code} before it was ready`)));
  });
  return {
    pid: child.pid!,
    peak: () => peakResident(child.pid!),
    async stop() {
      if (child.connected) child.disconnect();
      await ended;
    },
  };
}

/** BENCH_PROFILE=FOLDER writes a CPU profile of the worker there. */
function profiling(env: NodeJS.ProcessEnv): string[] {
  return env.BENCH_PROFILE ? ['--cpu-prof', `--cpu-prof-dir=${env.BENCH_PROFILE}`] : [];
}
