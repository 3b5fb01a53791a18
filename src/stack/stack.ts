import type { ConnectionOptions } from '@temporalio/client';
import { ensureDatabase } from './databases';
import { StackError, StackNotRunning } from './errors';
import { externalTemporal } from './external';
import { defaultHome, type HomePaths, homeNotUsable, homePaths, prepareHome, readRecord, writeRecord } from './home';
import { type HomeOwner, lockHome, readOwner } from './home-lock';
import { Keeper, type Kept } from './keeper';
import { type EmbeddedPostgres, startPostgres } from './postgres';
import { isRunning } from './processes';
import { type EmbeddedTemporal, NAMESPACE, startTemporal } from './temporal';

/** The database of the system: ours in the embedded server, or the one that DATABASE_URL names. */
export interface DatabaseAddress {
  /** Connection string of the database to settle in. */
  readonly url: string;
  /** Connection string of a user who may create databases; the same as `url` when DATABASE_URL is set. */
  readonly superuserUrl: string;
  readonly host: string;
  readonly port: number;
  readonly how: string;
}

export interface TemporalAddress {
  readonly address: string;
  readonly namespace: string;
  /** Null when the service is not ours: we do not know where its UI is. */
  readonly uiUrl: string | null;
  /** For `Connection.connect` and `NativeConnection.connect`. */
  readonly connection: ConnectionOptions & { address: string };
  readonly how: string;
}

/** What other terminals need to use a stack. */
export interface Addresses {
  readonly postgres: DatabaseAddress;
  readonly temporal: TemporalAddress;
}

interface Closable {
  /** What this process started or took over, and will stop: for the user. */
  readonly started: readonly string[];
  /** Stops what is in `started` and nothing else, within a bounded time, and gives the home back. Safe to repeat. */
  close(): Promise<void>;
}

export interface Stack extends Addresses, Closable {
  readonly home: string;
}

export interface DatabaseStack extends Closable {
  readonly home: string;
  readonly postgres: DatabaseAddress;
}

export interface OpenStackOptions {
  /** Default: SETTLE_HOME, or `.settle` in the project. */
  readonly home?: string;
  readonly env?: NodeJS.ProcessEnv;
  /** Lines for a log. */
  readonly log?: (line: string) => void;
  /** Sentences for a person who waits. */
  readonly progress?: (sentence: string) => void;
  /** Ends the start: what was started is stopped again, and the promise rejects with `StartAborted`. */
  readonly signal?: AbortSignal;
  /** Called once when a server of ours ends while the stack is open. */
  readonly onLost?: (error: StackError) => void;
  /** False only for a home that is thrown away: PostgreSQL does not force anything to disk. */
  readonly durable?: boolean;
}

/** The name of the database in the embedded server. */
const DATABASE = 'settle';

/** `state.json`: the addresses of the running stack. A database-only stack has no Temporal. */
interface StateRecord {
  readonly owner: HomeOwner;
  readonly postgres: DatabaseAddress;
  readonly temporal: TemporalAddress | null;
}

function externalDatabase(env: NodeJS.ProcessEnv): DatabaseAddress | null {
  const url = env.DATABASE_URL;
  if (!url) return null;
  if (!URL.canParse(url)) {
    throw new StackError('PostgresNotStarted', {
      what: 'DATABASE_URL is not a connection string.',
      where: 'DATABASE_URL',
      todo: 'write it as postgresql://user:password@host:5432/database, or unset it to use the embedded server.',
    });
  }
  const { hostname, port } = new URL(url);
  return { url, superuserUrl: url, host: hostname, port: Number(port || 5432), how: 'yours, named by DATABASE_URL' };
}

async function embeddedDatabase(server: EmbeddedPostgres): Promise<DatabaseAddress> {
  const { superuserUrl, host, port, how } = server;
  return { url: await ensureDatabase(superuserUrl, DATABASE), superuserUrl, host, port, how };
}

function embeddedTemporal({ address, uiUrl, how }: EmbeddedTemporal): TemporalAddress {
  return { address, namespace: NAMESPACE, uiUrl, connection: { address }, how };
}

interface Opened {
  readonly postgres: DatabaseAddress;
  readonly temporal: TemporalAddress | null;
  readonly keeper: Keeper;
  readonly home: string;
}

const silent = () => undefined;

async function open(options: OpenStackOptions, needTemporal: boolean): Promise<Opened> {
  const { env = process.env, log = silent, progress = silent, signal, durable = true } = options;
  const given = { postgres: externalDatabase(env), temporal: needTemporal ? await externalTemporal(env) : null };
  const startsSomething = given.postgres === null || (needTemporal && given.temporal === null);
  const paths = startsSomething
    ? await prepareHome(options.home ?? defaultHome(env))
    : homePaths(options.home ?? defaultHome(env));
  // A stack of services that others run needs no home, and many processes may use it at once.
  const lock = startsSomething ? await lockHome(paths) : null;
  if (lock?.predecessor) {
    log(`process ${lock.predecessor.pid}, which had this home since ${lock.predecessor.since}, died: recovering`);
  }
  const keeper = new Keeper(paths, lock);
  const keep = <T extends Omit<Kept, 'name'>>(name: string, server: T): T => {
    keeper.kept.push({ name, process: server.process, stop: () => server.stop() });
    return server;
  };
  const shared = { paths, log, progress, env, durable, ...(signal ? { signal } : {}) };
  const postgres = async () => given.postgres ?? embeddedDatabase(keep('PostgreSQL', await startPostgres(shared)));
  const temporal = async () => {
    if (!needTemporal) return null;
    return given.temporal
      ? { ...given.temporal, uiUrl: null }
      : embeddedTemporal(keep('Temporal', await startTemporal(shared)));
  };
  // Both are awaited whatever happens to the other: a start that is still under way could not be stopped.
  const [database, orchestrator] = await Promise.allSettled([postgres(), temporal()]);
  const failed = [database, orchestrator].find((result) => result.status === 'rejected');
  if (failed?.status === 'rejected' || signal?.aborted) {
    await keeper.close();
    if (!signal?.aborted) throw (failed as PromiseRejectedResult).reason;
    throw new StackError('StartAborted', {
      what: 'The start was interrupted; what had been started is stopped again.',
      where: paths.root,
      todo: 'start again when you like.',
    });
  }
  const opened = {
    postgres: (database as PromiseFulfilledResult<DatabaseAddress>).value,
    temporal: (orchestrator as PromiseFulfilledResult<TemporalAddress | null>).value,
  };
  if (lock !== null) await writeRecord(paths.state, { owner: lock.owner, ...opened } satisfies StateRecord);
  keeper.watchFor(options.onLost ?? silent);
  return { ...opened, keeper, home: paths.root };
}

const closable = (keeper: Keeper): Closable => ({
  started: keeper.kept.map(({ name, process: { pid } }) => `${name} (process ${pid})`).sort(),
  close: () => keeper.close(),
});

/**
 * Everything a worker needs: PostgreSQL and Temporal, found or started, at the same time.
 * DATABASE_URL and TEMPORAL_ADDRESS each replace the embedded server of their kind.
 * @throws HomeInUse when another process has this home; StackError for everything else.
 */
export async function openStack(options: OpenStackOptions = {}): Promise<Stack> {
  const { keeper, home, postgres, temporal } = await open(options, true);
  return { home, postgres, temporal: temporal as TemporalAddress, ...closable(keeper) };
}

/** The database alone, for commands that only read or verify. */
export async function openDatabase(options: OpenStackOptions = {}): Promise<DatabaseStack> {
  const { keeper, home, postgres } = await open(options, false);
  return { home, postgres, ...closable(keeper) };
}

async function runningState(home: string): Promise<StateRecord> {
  const paths = homePaths(home);
  try {
    return await stateOf(paths);
  } catch (error) {
    throw (error as NodeJS.ErrnoException).code === 'EACCES' ? homeNotUsable(paths, error) : error;
  }
}

async function stateOf(paths: HomePaths): Promise<StateRecord> {
  const owner = readOwner(paths.lock);
  if (owner === null) throw new StackNotRunning(paths.root, 'Nothing runs on this home.');
  if (!isRunning(owner)) {
    throw new StackNotRunning(
      paths.root,
      `Process ${owner.pid}, which ran the stack of this home, died.`,
      'start it again with `npm start`: it recovers by itself.',
    );
  }
  const state = (await readRecord<StateRecord>(paths.state)) as StateRecord | null;
  if (state?.owner.pid !== owner.pid || state.owner.startMark !== owner.startMark) {
    throw new StackNotRunning(
      paths.root,
      `Process ${owner.pid} is starting or stopping the stack of this home just now.`,
      'try again in a few seconds.',
    );
  }
  return state;
}

/**
 * The addresses of a stack that another process keeps running on this home. Starts and locks nothing.
 * @throws StackNotRunning when there is none.
 */
export async function joinStack(home?: string, env: NodeJS.ProcessEnv = process.env): Promise<Addresses> {
  const given = { postgres: externalDatabase(env), temporal: await externalTemporal(env) };
  if (given.postgres && given.temporal)
    return { postgres: given.postgres, temporal: { ...given.temporal, uiUrl: null } };
  const state = await runningState(home ?? defaultHome(env));
  const temporal = given.temporal ? { ...given.temporal, uiUrl: null } : state.temporal;
  if (temporal === null) {
    throw new StackNotRunning(home ?? defaultHome(env), `Process ${state.owner.pid} runs the database only.`);
  }
  return { postgres: given.postgres ?? state.postgres, temporal };
}

/** The database of a stack that another process keeps running on this home; see {@link joinStack}. */
export async function joinDatabase(home?: string, env: NodeJS.ProcessEnv = process.env): Promise<DatabaseAddress> {
  return externalDatabase(env) ?? (await runningState(home ?? defaultHome(env))).postgres;
}
