import { existsSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'pg';
import { StackError } from './errors';
import { type HomePaths, readRecord, writeRecord } from './home';
import { choosePort, LOOPBACK } from './ports';
import {
  asServerUser,
  checkClusterVersion,
  clusterFolder,
  ensureCluster,
  readPassword,
  SUPERUSER,
  serverEnvironment,
} from './postgres-cluster';
import { clearPidFile, isServerOf, readPostmaster } from './postgres-pidfile';
import { findPostgresPlace, type PostgresPlace, type PostgresRecord } from './postgres-place';
import { endProcess, identify, isRunning, type ProcessIdentity } from './processes';
import { logFile, type RunningServer, spawnServer, stopServer } from './server-process';

const MAJOR = '18';
/** Recovery after a crash reads up to `max_wal_size` of log; on a slow disk that takes minutes. */
const START_LIMIT_MS = 300_000;
/** A fast stop writes all changed pages (up to shared_buffers) before it ends. */
const STOP_STEPS = [
  ['SIGINT', 30_000],
  ['SIGQUIT', 5_000],
  ['SIGKILL', 5_000],
] as const;

/** For a server that does not answer: it has had its chance. */
const STOP_UNWELL_STEPS = [
  ['SIGINT', 3_000],
  ['SIGQUIT', 2_000],
  ['SIGKILL', 5_000],
] as const;

export interface EmbeddedPostgres {
  readonly process: ProcessIdentity;
  readonly host: string;
  readonly port: number;
  readonly superuserUrl: string;
  readonly how: string;
  stop(): Promise<void>;
}

interface StartPostgresOptions {
  readonly paths: HomePaths;
  /** False only for a home that is thrown away: nothing is forced to disk. */
  readonly durable: boolean;
  readonly log: (line: string) => void;
}

/** Settings that hold whatever postgresql.conf says, so that every start of one release behaves alike. */
function settings(durable: boolean): string[] {
  const always = {
    listen_addresses: LOOPBACK,
    unix_socket_directories: '',
    max_connections: '50',
    shared_buffers: '256MB',
    work_mem: '16MB',
    maintenance_work_mem: '256MB',
    // Rows arrive by the million at the end of an epoch: room for them without a checkpoint in between.
    max_wal_size: '4GB',
    checkpoint_timeout: '15min',
    wal_compression: 'pglz',
    random_page_cost: '1.1',
    jit: 'off',
    timezone: 'UTC',
    log_timezone: 'UTC',
    log_line_prefix: '%m [%p] ',
    log_checkpoints: 'off',
    // The queries of a worker that was killed end within seconds instead of holding their locks to the end.
    client_connection_check_interval: '2s',
  };
  // These are payouts: what was committed survives a power cut.
  const onDisk = durable ? 'on' : 'off';
  const safety = { fsync: onDisk, synchronous_commit: onDisk, full_page_writes: onDisk };
  return Object.entries({ ...always, ...safety }).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
}

const connectionUrl = (port: number, password: string): string =>
  `postgresql://${SUPERUSER}:${password}@${LOOPBACK}:${port}/postgres`;

/** Null when the server at this address answers and serves this folder; otherwise what is wrong with it. */
async function complaintAbout(url: string, cluster: string): Promise<string | null> {
  const client = new Client({ connectionString: url, connectionTimeoutMillis: 3_000, query_timeout: 3_000 });
  // Without a listener a connection that is cut takes the process down.
  client.on('error', () => undefined);
  try {
    await client.connect();
    const { rows } = await client.query<{ folder: string }>("SELECT current_setting('data_directory') AS folder");
    const folder = rows[0]?.folder ?? '';
    return existsSync(folder) && realpathSync(folder) === realpathSync(cluster) ? null : `it serves ${folder}`;
  } catch (error) {
    return (error as Error).message;
  } finally {
    await client.end().catch(() => undefined);
  }
}

/** Starts the server and waits until it accepts connections, or says why another try is worth it. */
async function launch(place: PostgresPlace, port: number, logPath: string, options: StartPostgresOptions) {
  const cluster = clusterFolder(place);
  const server = await spawnServer({
    program: join(place.binaries, 'bin', 'postgres'),
    args: ['-D', cluster, '-p', String(port), ...settings(options.durable)],
    ...asServerUser(place),
    cwd: place.folder,
    env: serverEnvironment(),
    logPath,
  });
  const started = Date.now();
  let announced = false;
  while (server.failure() === null) {
    const postmaster = readPostmaster(cluster);
    if (postmaster?.process.pid === server.pid && postmaster?.status === 'ready') {
      return { process: postmaster.process, ended: server.ended };
    }
    if (!announced && Date.now() - started > 5_000) {
      options.log('PostgreSQL is still starting: it reads its log after a crash, which may take minutes');
      announced = true;
    }
    if (Date.now() - started > START_LIMIT_MS) {
      if (server.pid !== undefined) await endProcess(identify(server.pid), STOP_STEPS);
      break;
    }
    await sleep(10);
  }
  const words = await server.words();
  if (/Address already in use|could not bind/.test(words)) return 'port taken' as const;
  // The last server was killed and its children are still leaving.
  if (/pre-existing shared memory block/.test(words)) return 'predecessor leaving' as const;
  throw new StackError('PostgresNotStarted', {
    what: `PostgreSQL did not start: ${server.failure() ?? `not ready after ${START_LIMIT_MS / 1000} s`}.\n${words}`,
    where: cluster,
    todo: `read ${logPath}; when the disk is full, make room and start again.`,
  });
}

interface ServerOnPort extends RunningServer {
  readonly port: number;
}

async function launchOnSomePort(place: PostgresPlace, options: StartPostgresOptions): Promise<ServerOnPort> {
  const { paths } = options;
  const logPath = await logFile(paths, 'postgres.log');
  let preferred = (await readRecord<PostgresRecord>(paths.postgresRecord))?.port ?? null;
  for (let attempt = 0; attempt < 20; attempt++) {
    const port = await choosePort(preferred);
    const outside = place.folder === paths.postgres ? null : place.folder;
    await writeRecord(paths.postgresRecord, { outside, port } satisfies PostgresRecord);
    const launched = await launch(place, port, logPath, options);
    if (typeof launched === 'object') return { ...launched, port };
    if (launched === 'port taken') preferred = null;
    else await sleep(250);
  }
  throw new StackError('PostgresNotStarted', {
    what: 'PostgreSQL did not start after 20 tries: its port was taken or an old server did not leave.',
    where: clusterFolder(place),
    todo: `read ${logPath}, end what still uses this folder, and start again.`,
  });
}

/**
 * The server of an earlier process that still runs on this folder: taken over when it is well, stopped when it is not.
 * After one that died the new server recovers by itself.
 */
async function adoptOrClear(
  place: PostgresPlace,
  password: string,
  log: (line: string) => void,
): Promise<ServerOnPort | null> {
  const cluster = clusterFolder(place);
  let found = readPostmaster(cluster);
  if (found === null) return null;
  const { pid } = found.process;
  if (!isServerOf(found, cluster)) {
    log(`PostgreSQL (process ${pid}) was not stopped in order: it recovers what was committed from its log`);
    await clearPidFile(found, cluster);
    return null;
  }
  if (found.status !== 'ready') {
    log(`PostgreSQL (process ${pid}) of an earlier start is ${found.status || 'starting'}: waiting for it`);
    const deadline = Date.now() + (found.status === 'stopping' ? STOP_STEPS[0][1] : START_LIMIT_MS);
    while (found.status !== 'ready' && Date.now() < deadline) {
      await sleep(20);
      found = readPostmaster(cluster);
      if (found === null) return null;
      if (!isRunning(found.process)) break;
    }
  }
  const complaint = isRunning(found.process)
    ? await complaintAbout(connectionUrl(found.port, password), cluster)
    : 'it ended just now';
  if (complaint === null) {
    log(`PostgreSQL (process ${pid}, port ${found.port}) of an earlier start still runs on this home: taken over`);
    return { process: found.process, ended: Promise.resolve(), port: found.port };
  }
  log(`PostgreSQL (process ${pid}) of an earlier start does not answer (${complaint}): stopping it`);
  await endProcess(found.process, STOP_UNWELL_STEPS);
  await clearPidFile(found, cluster);
  return null;
}

/**
 * Brings up the database of a home: makes the cluster at the first start, takes over or clears away what an earlier
 * process left, and starts the server on loopback. The caller holds the home's lock.
 */
export async function startPostgres(options: StartPostgresOptions): Promise<EmbeddedPostgres> {
  const { paths, log } = options;
  const place = await findPostgresPlace(paths, log);
  await ensureCluster(place, await logFile(paths, 'initdb.log'), log);
  await checkClusterVersion(place, MAJOR);
  const password = await readPassword(place);
  const adopted = await adoptOrClear(place, password, log);
  const server = adopted ?? (await launchOnSomePort(place, options));
  const superuserUrl = connectionUrl(server.port, password);
  const stop = () => stopServer('PostgreSQL', server, STOP_STEPS, log);
  const complaint = adopted === null ? await complaintAbout(superuserUrl, clusterFolder(place)) : null;
  if (complaint !== null) {
    await stop();
    throw new StackError('PostgresDataUnusable', {
      what: `PostgreSQL started, but does not let us in: ${complaint}.`,
      where: clusterFolder(place),
      todo: `check that ${join(place.folder, 'password')} is the one that belongs to these data.`,
    });
  }
  const how = adopted === null ? 'embedded, started' : 'embedded, taken over from an earlier start';
  return { process: server.process, host: LOOPBACK, port: server.port, superuserUrl, how, stop };
}
