import { statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Connection } from '@temporalio/client';
import { StackError } from './errors';
import { type FindTemporalOptions, findTemporal, type TemporalExecutable } from './find-temporal';
import { type HomePaths, readRecord, writeRecord } from './home';
import { choosePort, isListening, LOOPBACK } from './ports';
import { endProcess, identify, isRunning, type ProcessIdentity } from './processes';
import { logFile, type RunningServer, spawnServer, stopServer } from './server-process';

/** What our workflows are found by in the UI and in lists. */
export const SEARCH_ATTRIBUTES = {
  SettleNetwork: 'Keyword',
  SettleEpoch: 'Int',
  SettlePhase: 'Keyword',
  SettleOutcome: 'Keyword',
} as const;

export const NAMESPACE = 'default';

const START_LIMIT_MS = 60_000;
const STOP_STEPS = [
  ['SIGINT', 10_000],
  ['SIGKILL', 5_000],
] as const;
/** An orderly stop takes more than a second, which nobody waits for when the data are thrown away. */
const STOP_AT_ONCE = [['SIGKILL', 5_000]] as const;

export interface EmbeddedTemporal {
  readonly process: ProcessIdentity;
  readonly address: string;
  readonly uiUrl: string;
  readonly how: string;
  stop(): Promise<void>;
}

interface TemporalPorts {
  readonly port: number;
  readonly uiPort: number;
}

/** `temporal.json`: the dev server that was started last. */
export interface TemporalRecord extends TemporalPorts {
  readonly process: ProcessIdentity;
  readonly how: string;
  /** Tells whether the server still works on the file that is in the home, or on one that was deleted. */
  readonly databaseInode: number;
}

type RunningTemporal = TemporalRecord & RunningServer;

const databaseFile = (paths: HomePaths): string => join(paths.temporal, 'temporal.db');

const inodeOf = (file: string): number => statSync(file, { throwIfNoEntry: false })?.ino ?? 0;

/** Null when the server answers, its namespace is there and our search attributes are known. */
async function complaintAbout(port: number, limitMs: number): Promise<string | null> {
  // Loaded here, not above: it takes a quarter of a second, which passes while the server starts.
  const client = await import('@temporalio/client');
  // Asking by gRPC too early costs a second: its connection waits that long before it tries again.
  if (!(await isListening(port))) return 'it does not listen';
  const address = `${LOOPBACK}:${port}`;
  let connection: Connection | undefined;
  try {
    connection = await client.Connection.connect({ address, connectTimeout: limitMs });
    const { workflowService, operatorService } = connection;
    return await connection.withDeadline(Date.now() + limitMs, async () => {
      await workflowService.describeNamespace({ namespace: NAMESPACE });
      const { customAttributes } = await operatorService.listSearchAttributes({ namespace: NAMESPACE });
      const missing = Object.keys(SEARCH_ATTRIBUTES).filter((name) => !(name in customAttributes));
      return missing.length === 0 ? null : `it does not know ${missing.join(', ')}`;
    });
  } catch (error) {
    return (error as Error).message;
  } finally {
    await connection?.close().catch(() => undefined);
  }
}

/**
 * What the dev server waits for, and need not here. Reads of the task queue are limited to 20 a second by default, so
 * every step of a workflow takes 50 ms; and every write is forced to disk, though all that matters is in PostgreSQL:
 * NORMAL keeps the file whole through a power cut, which may only cost its last moments.
 */
const SPEED = [
  ...['--dynamic-config-value', 'history.transferProcessorMaxPollRPS=2000'],
  ...['--dynamic-config-value', 'history.timerProcessorMaxPollRPS=2000'],
  ...['--sqlite-pragma', 'journal_mode=WAL', '--sqlite-pragma', 'synchronous=NORMAL'],
];

function serverArguments(executable: TemporalExecutable, paths: HomePaths, ports: TemporalPorts): string[] {
  const attributes = Object.entries(SEARCH_ATTRIBUTES).flatMap(([name, type]) => [
    '--search-attribute',
    `${name}=${type}`,
  ]);
  return [
    ...['server', 'start-dev', '--ip', LOOPBACK, '--port', String(ports.port), '--ui-port', String(ports.uiPort)],
    // Relative to its working folder: a path would be read as an address, in which # and ? mean something.
    ...['--db-filename', basename(databaseFile(paths)), '--namespace', NAMESPACE, '--log-level', 'warn'],
    ...attributes,
    ...SPEED,
    // Nothing in the browser asks a server outside; older releases have neither the news nor the switch.
    ...(Number(executable.release.split('.')[1]) >= 9 ? ['--ui-disable-news-fetch'] : []),
  ];
}

/** Starts the dev server and waits until it serves; null when a port was taken in the meantime. */
async function launch(
  executable: TemporalExecutable,
  options: FindTemporalOptions,
  ports: TemporalPorts,
): Promise<RunningTemporal | null> {
  const { paths } = options;
  const logPath = await logFile(paths, 'temporal.log');
  const server = await spawnServer({
    program: executable.path,
    args: serverArguments(executable, paths, ports),
    cwd: paths.temporal,
    logPath,
  });
  const record = { process: identify(server.pid ?? 0), ...ports, how: executable.how };
  // Before it is ready: killed right now, the next start must find it.
  await writeRecord(paths.temporalRecord, { ...record, databaseInode: 0 } satisfies TemporalRecord);
  const started = Date.now();
  let complaint: string | null = null;
  while (server.failure() === null && Date.now() - started < START_LIMIT_MS) {
    complaint = await complaintAbout(ports.port, 2_000);
    if (complaint === null && server.failure() === null) {
      const ready: TemporalRecord = { ...record, databaseInode: inodeOf(databaseFile(paths)) };
      await writeRecord(paths.temporalRecord, ready);
      return { ...ready, ended: server.ended };
    }
    await sleep(10);
  }
  await endProcess(record.process, STOP_STEPS);
  const words = await server.words();
  if (/address already in use|can't set frontend port/i.test(words)) return null;
  throw new StackError('TemporalNotStarted', {
    what: `The Temporal dev server did not start: ${server.failure() ?? complaint}.\n${words}`,
    where: `${executable.path} on ${databaseFile(paths)}`,
    todo: `read ${logPath}; every fact is in PostgreSQL, so ${databaseFile(paths)} may be removed for a fresh start.`,
  });
}

/** The dev server of an earlier process: taken over when it is well, stopped when it is not. */
async function adoptOrStop(paths: HomePaths, log: (line: string) => void): Promise<RunningTemporal | null> {
  const found = await readRecord<TemporalRecord>(paths.temporalRecord);
  if (!found?.process || !isRunning(found.process)) return null;
  const { pid } = found.process;
  const sameFile = found.databaseInode === inodeOf(databaseFile(paths));
  const complaint = sameFile ? await complaintAbout(found.port ?? 0, 3_000) : 'its database file was removed';
  if (complaint === null) {
    log(`Temporal (process ${pid}, port ${found.port}) of an earlier start still runs on this home: taken over`);
    return { ...(found as TemporalRecord), ended: Promise.resolve() };
  }
  log(`Temporal (process ${pid}) of an earlier start is not usable (${complaint}): stopping it`);
  await endProcess(found.process, STOP_STEPS);
  return null;
}

async function launchOnSomePorts(options: FindTemporalOptions): Promise<RunningTemporal> {
  const { paths } = options;
  const executable = await findTemporal(options);
  const last = await readRecord<TemporalRecord>(paths.temporalRecord);
  let preferred = { port: last?.port ?? null, uiPort: last?.uiPort ?? null };
  for (let attempt = 0; attempt < 5; attempt++) {
    const ports = { port: await choosePort(preferred.port), uiPort: await choosePort(preferred.uiPort) };
    const server = await launch(executable, options, ports);
    if (server !== null) return server;
    preferred = { port: null, uiPort: null };
  }
  throw new StackError('TemporalNotStarted', {
    what: 'The Temporal dev server did not start: five times its port was taken by another program.',
    where: LOOPBACK,
    todo: 'start again when the machine is calmer.',
  });
}

interface StartTemporalOptions extends FindTemporalOptions {
  /** False only for a home that is thrown away. */
  readonly durable: boolean;
}

/** Brings up the Temporal dev server of a home on loopback. The caller holds the home's lock. */
export async function startTemporal(options: StartTemporalOptions): Promise<EmbeddedTemporal> {
  const { paths, log, durable } = options;
  const adopted = await adoptOrStop(paths, log);
  const server = adopted ?? (await launchOnSomePorts(options));
  return {
    process: server.process,
    address: `${LOOPBACK}:${server.port}`,
    uiUrl: `http://${LOOPBACK}:${server.uiPort}`,
    how: adopted === null ? server.how : `${server.how}, taken over from an earlier start`,
    stop: () => stopServer('Temporal', server, durable ? STOP_STEPS : STOP_AT_ONCE, log),
  };
}
