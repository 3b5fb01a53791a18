import { userInfo } from 'node:os';
import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { NativeConnection, type NativeConnectionOptions, Runtime, type Worker } from '@temporalio/worker';
import type { Pool } from 'pg';
import type { WorkflowContext } from '../commands/context';
import { StackNotRunning } from '../stack/errors';
import { defaultHome } from '../stack/home';
import {
  type Addresses,
  type DatabaseAddress,
  joinDatabase,
  joinStack,
  type OpenStackOptions,
  openDatabase,
  openStack,
  type TemporalAddress,
} from '../stack/stack';
import { ensureLogin } from '../store/logins';
import { assertSchema, migrate } from '../store/migrate';
import { type DatabaseRole, openPool } from '../store/pool';
import { fileWitness } from '../worker/witness';
import { bundleWorkflows, createWorker } from '../worker/worker';

/** What a command of this process works with; `close` ends whatever the process opened or started. */
export interface Session {
  readonly pool: Pool;
  readonly actor: string;
  readonly home: string;
  close(): Promise<void>;
}

export interface WorkflowSession extends Session, WorkflowContext {
  readonly temporalAddress: TemporalAddress;
  /** true: this process runs a worker; false: another one does. */
  readonly worksHere: boolean;
}

export interface SessionOptions
  extends Pick<OpenStackOptions, 'home' | 'env' | 'log' | 'progress' | 'signal' | 'durable' | 'onLost'> {
  /** false: this process has to have the home for itself, and starts what is not external. Default: true. */
  readonly join?: boolean;
  /** The rights that the command needs. Default: those of an operator. */
  readonly role?: DatabaseRole;
}

/** Opens the database alone: joins a running stack, or starts the embedded server for the time of the command. */
export async function openDatabaseSession(options: SessionOptions = {}): Promise<Session> {
  const closers: Closers = [];
  try {
    const address = await joinedDatabase(options, closers);
    return await databaseSession(address, options, closers);
  } catch (error) {
    await closeAll(closers);
    throw error;
  }
}

/**
 * Opens the database and Temporal. Joins a running stack, whose worker does the work; otherwise starts what is not
 * external, and a worker in this process.
 */
export async function openWorkflowSession(options: SessionOptions = {}): Promise<WorkflowSession> {
  const closers: Closers = [];
  try {
    const joined = options.join === false ? null : await runningStack(options);
    if (joined !== null) return await workflowSession(joined, options, closers, null);
    const bundle = bundleWorkflows();
    // Awaited only after the servers are up; a failure before that must not count as unhandled.
    bundle.catch(() => undefined);
    const stack = await openStack(options);
    closers.push(() => stack.close());
    return await workflowSession(stack, options, closers, bundle);
  } catch (error) {
    await closeAll(closers);
    throw error;
  }
}

async function runningStack(options: SessionOptions): Promise<Addresses | null> {
  try {
    return await joinStack(options.home, options.env);
  } catch (error) {
    if (error instanceof StackNotRunning) return null;
    throw error;
  }
}

type Closers = (() => Promise<unknown>)[];

/** Closes in the reverse order of opening; one that fails does not keep the others open. */
async function closeAll(closers: Closers): Promise<void> {
  const failures: unknown[] = [];
  for (const close of closers.splice(0).reverse()) await close().catch((error: unknown) => failures.push(error));
  if (failures.length > 0) throw failures[0];
}

async function joinedDatabase(options: SessionOptions, closers: Closers): Promise<DatabaseAddress> {
  try {
    return await joinDatabase(options.home, options.env);
  } catch (error) {
    if (!(error instanceof StackNotRunning)) throw error;
  }
  const stack = await openDatabase(options);
  closers.push(() => stack.close());
  return stack.postgres;
}

async function databaseSession(address: DatabaseAddress, options: SessionOptions, closers: Closers): Promise<Session> {
  const url = await preparedUrl(address, options);
  const pool = rolePool(url, options.role ?? 'settle_operator', options);
  closers.push(() => pool.end());
  await assertSchema(pool);
  const actor = await actorOf(pool, address, options);
  return { pool, actor, home: options.home ?? defaultHome(options.env), close: () => closeAll(closers) };
}

/** Our own server is migrated, and used through a login without rights of its own; another's is used as it is. */
async function preparedUrl(address: DatabaseAddress, options: SessionOptions): Promise<string> {
  if (isExternal(options)) return address.url;
  await migrate(address.url, options.log ?? (() => undefined));
  return ensureLogin(address.superuserUrl, address.url);
}

function rolePool(url: string, role: DatabaseRole, options: SessionOptions): Pool {
  return openPool({
    url,
    role,
    applicationName: `settle ${role}`,
    onIdleError: (error) => options.log?.(`database connection lost while idle: ${error.message}`),
  });
}

const isExternal = ({ env = process.env }: SessionOptions): boolean => Boolean(env.DATABASE_URL);

/** The login role; in the embedded default, where everybody has the same one, the operating system's user. */
async function actorOf(pool: Pool, address: DatabaseAddress, options: SessionOptions): Promise<string> {
  if (!isExternal(options)) return `asserted:${userInfo().username}`;
  const found = await pool.query<{ session_user: string }>('select session_user');
  return found.rows[0]?.session_user ?? address.host;
}

async function workflowSession(
  addresses: Addresses,
  options: SessionOptions,
  closers: Closers,
  bundle: ReturnType<typeof bundleWorkflows> | null,
): Promise<WorkflowSession> {
  const base = await databaseSession(addresses.postgres, options, closers);
  const connection = await Connection.connect(addresses.temporal.connection);
  closers.push(() => connection.close());
  const temporal = new Client({ connection, namespace: addresses.temporal.namespace });
  if (bundle !== null) await startWorker(addresses, options, closers, await bundle, base.home);
  return { ...base, temporal, temporalAddress: addresses.temporal, worksHere: bundle !== null };
}

async function startWorker(
  addresses: Addresses,
  options: SessionOptions,
  closers: Closers,
  bundle: Awaited<ReturnType<typeof bundleWorkflows>>,
  home: string,
): Promise<void> {
  const connection = await NativeConnection.connect(addresses.temporal.connection as NativeConnectionOptions);
  closers.push(() => connection.close());
  const pool = rolePool(await preparedUrl(addresses.postgres, options), 'settle_worker', options);
  closers.push(() => pool.end());
  const worker: Worker = await createWorker({
    connection,
    namespace: addresses.temporal.namespace,
    pool,
    bundle,
    witness: fileWitness(join(home, 'heads.log')),
  });
  const running = worker.run();
  running.catch((error: Error) => options.log?.(`the worker stopped: ${error.message}`));
  closers.push(async () => {
    if (worker.getState() === 'RUNNING') worker.shutdown();
    await running;
  });
}

/** The SDK's runtime traps SIGTERM and SIGINT by itself; this process has its own order of closing. */
export function installRuntime(): void {
  Runtime.install({
    shutdownSignals: [],
    logger: { log() {}, trace() {}, debug() {}, info() {}, warn() {}, error() {} },
  });
}
