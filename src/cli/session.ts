import { mkdir } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import type { NativeConnection, NativeConnectionOptions } from '@temporalio/worker';
import type { Pool } from 'pg';
import type { BroughtScope } from '../commands/attach-archive';
import type { WorkflowContext } from '../commands/context';
import { StackError, StackNotRunning } from '../stack/errors';
import { externalTemporal } from '../stack/external';
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
import { ensureLogin, loginUrl } from '../store/logins';
import { assertSchema, hasSchema, migrate } from '../store/migrate';
import { type DatabaseRole, openPool } from '../store/pool';
import { readingRole } from '../store/rights';
import { configuredWitnesses } from '../worker/witnesses/configuration';
import { openWitnesses } from '../worker/witnesses/index';

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
  /** true: Temporal is ours alone, so runs that are open were left by a process that is gone. */
  readonly alone: boolean;
}

export interface WorkerSession {
  readonly temporalAddress: TemporalAddress;
  close(): Promise<void>;
}

export interface SessionOptions
  extends Pick<OpenStackOptions, 'home' | 'env' | 'log' | 'progress' | 'signal' | 'durable' | 'onLost'> {
  /** false: this process has to have the home for itself, and starts what is not external. Default: true. */
  readonly join?: boolean;
  /** What it reads with; a command that changes something takes its own role. Default: the fewest that the login has. */
  readonly role?: DatabaseRole;
  /** Folders of archives whose rows are there for this command alone, and which of them it needs. */
  readonly archives?: { readonly folders: readonly string[]; readonly scope: BroughtScope };
  /** false: what is started needs no worker. Default: true. */
  readonly works?: boolean;
  /** Writes a witness's line to standard output; absent: that is for the command's data alone. */
  readonly witnessLine?: (text: string) => void;
}

/** Opens the database alone: joins a running stack, or starts the embedded server for the time of the command. */
export async function openDatabaseSession(options: SessionOptions = {}): Promise<Session> {
  return orClosed(async (closers) => {
    const address = await joinedDatabase(options, closers);
    return databaseSession(address, await preparedUrl(address, options), options, closers);
  });
}

/**
 * Opens the database and Temporal. Joins a running stack, whose worker does the work; otherwise starts what is not
 * external, and a worker in this process. The worker gets ready while the command begins: workflows may be started
 * before anybody works on them.
 */
export async function openWorkflowSession(options: SessionOptions = {}): Promise<WorkflowSession> {
  return orClosed(async (closers) => {
    const joined = options.join === false ? null : await runningStack(options);
    const addresses = joined ?? (await ownStack(options, closers));
    const url = await preparedUrl(addresses.postgres, options);
    const opening = import('./temporal-client.js').then(({ openClient }) => openClient(addresses.temporal));
    opening.catch(() => undefined);
    closers.push(async () => (await opening.catch(() => null))?.close());
    const base = await databaseSession(addresses.postgres, url, options, closers);
    const { client: temporal } = await opening;
    // Whether it fails to start, or later, is told by `onLost`.
    const worksHere = joined === null && options.works !== false;
    if (worksHere) startWorker(addresses.temporal, url, base.home, options, closers).catch(() => undefined);
    const alone = joined === null && (await externalTemporal(options.env ?? process.env)) === null;
    return { ...base, temporal, temporalAddress: addresses.temporal, worksHere, alone };
  });
}

/** The worker alone, with the rights of a worker and no others. */
export async function openWorkerSession(options: SessionOptions = {}): Promise<WorkerSession> {
  return orClosed(async (closers) => {
    const addresses = await ownStack(options, closers);
    const url = await preparedUrl(addresses.postgres, options);
    const pool = rolePool(url, 'settle_worker', options);
    closers.push(() => pool.end());
    await assertSchema(pool);
    await startWorker(addresses.temporal, url, options.home ?? defaultHome(options.env), options, closers);
    return { temporalAddress: addresses.temporal, close: () => closeAll(closers) };
  });
}

async function ownStack(options: SessionOptions, closers: Closers): Promise<Addresses> {
  const stack = await openStack(options);
  closers.push(() => stack.close());
  options.log?.(`servers are up: PostgreSQL ${stack.postgres.how}; Temporal ${stack.temporal.how}`);
  return stack;
}

async function orClosed<T>(open: (closers: Closers) => Promise<T>): Promise<T> {
  const closers: Closers = [];
  try {
    return await open(closers);
  } catch (error) {
    await closeAll(closers).catch(() => undefined);
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

async function databaseSession(
  address: DatabaseAddress,
  url: string,
  options: SessionOptions,
  closers: Closers,
): Promise<Session> {
  const fewest = isExternal(options) ? await readingRole(url) : 'settle_viewer';
  const pool = rolePool(url, options.role ?? fewest, options);
  closers.push(() => pool.end());
  if (options.archives !== undefined) {
    const { bringArchives } = await import('../commands/attach-archive.js');
    options.progress?.('Reading the archive …');
    await bringArchives(pool, options.archives.folders, options.archives.scope);
  }
  const schema = await assertSchema(pool);
  options.log?.(`the database has schema ${schema}`);
  const actor = await actorOf(pool, address, options);
  return { pool, actor, home: options.home ?? defaultHome(options.env), close: () => closeAll(closers) };
}

/** Our own server is migrated, and used through a login without rights of its own; another's is used as it is. */
async function preparedUrl(address: DatabaseAddress, options: SessionOptions): Promise<string> {
  if (isExternal(options)) return address.url;
  // Mostly all is in place, and one look is less than a migration that finds nothing to do.
  const login = loginUrl(address.url);
  if (await hasSchema(login)) return login;
  await migrate(address.url, options.log ?? (() => undefined));
  return ensureLogin(address.superuserUrl, address.url);
}

function rolePool(url: string, role: DatabaseRole, options: SessionOptions): Pool {
  return openPool({
    url,
    role,
    applicationName: `settle ${role}`,
    // What an archive brings is there on the connection that brought it, and on no other.
    ...(options.archives === undefined ? {} : { max: 1, idleTimeoutMs: 0 }),
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

/** Starts a worker and leaves it running until the session is closed; resolves once it works. */
function startWorker(
  temporal: TemporalAddress,
  url: string,
  home: string,
  options: SessionOptions,
  closers: Closers,
): Promise<void> {
  // Before anything is started: who misspells a witness should learn it at once.
  const outside = configuredWitnesses(options.env ?? process.env, options.witnessLine ?? null);
  const pool = rolePool(url, 'settle_worker', options);
  closers.push(() => pool.end());
  // A home of our own servers is there by now; beside others' it only holds the witness.
  const witnesses = mkdir(home, { recursive: true }).then(() =>
    openWitnesses({ pool, headsLog: join(home, 'heads.log'), outside, log: options.log ?? (() => undefined) }),
  );
  witnesses.catch(() => undefined);
  // After the worker, whose last publication they are told, and before the pool.
  closers.push(async () => (await witnesses.catch(() => null))?.close());
  // The worker's library takes half a second to load, which commands that only read need not wait for.
  const connection = connectWorker(temporal);
  connection.catch(() => undefined);
  closers.push(async () => (await connection.catch(() => null))?.close());
  const worker = (async () => {
    const [{ createWorker }, { bundleAside }] = await Promise.all([
      import('../worker/worker.js'),
      import('../worker/bundle-aside.js'),
    ]);
    return createWorker({
      connection: await connection,
      namespace: temporal.namespace,
      pool,
      bundle: await bundleAside(),
      witness: await witnesses,
    });
  })();
  const running = worker.then((ready) => {
    options.log?.('the worker is ready');
    return ready.run();
  });
  running.catch((error: Error) => {
    options.log?.(`the worker stopped: ${error.stack ?? error.message}`);
    options.onLost?.(workerLost(error));
  });
  closers.push(async () => {
    const ready = await worker.catch(() => null);
    if (ready?.getState() === 'RUNNING') ready.shutdown();
    await running.catch(() => undefined);
  });
  return worker.then(() => undefined);
}

function workerLost(cause: Error): StackError {
  return new StackError('TemporalNotStarted', {
    what: `The worker ended: ${cause.message}.`,
    where: 'this process',
    todo: 'start again: whatever was committed is kept, and the rest is done again.',
    cause,
  });
}

/** The worker's library traps SIGTERM and SIGINT by itself, unless told before that this process closes in its own order. */
async function connectWorker(temporal: TemporalAddress): Promise<NativeConnection> {
  const library = await import('@temporalio/worker');
  const quiet = () => undefined;
  library.Runtime.install({
    shutdownSignals: [],
    logger: { log: quiet, trace: quiet, debug: quiet, info: quiet, warn: quiet, error: quiet },
  });
  return library.NativeConnection.connect(temporal.connection as NativeConnectionOptions);
}
