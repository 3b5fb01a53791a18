import { spawn } from 'node:child_process';
import { closeSync, openSync, statSync } from 'node:fs';
import { appendFile, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type HomePaths } from './home';
import { endProcess, type ProcessIdentity } from './processes';

const KEEP_LOG_BYTES = 5_000_000;

/** The path of a log in the home; a long one is put aside as `.1` first, so that logs stay bounded. */
export async function logFile(paths: HomePaths, name: string): Promise<string> {
  const file = join(paths.logs, name);
  const size = statSync(file, { throwIfNoEntry: false })?.size ?? 0;
  if (size > KEEP_LOG_BYTES) await rename(file, `${file}.1`);
  return file;
}

/** The last lines a log got after its first `from` bytes, for an error message. */
export async function lastLines(file: string, from = 0): Promise<string> {
  const text = await readFile(file).then(
    (bytes) => bytes.subarray(from).toString('utf8'),
    () => '',
  );
  return text.trimEnd().split('\n').slice(-12).join('\n');
}

interface ServerProcess {
  /** Undefined when the program could not be started at all. */
  readonly pid: number | undefined;
  /** Why it is not running any more; null while it runs. */
  failure(): string | null;
  /** Resolves when the system has told us of its end: from then on not even its entry in the process table is left. */
  readonly ended: Promise<void>;
  /** What it wrote since this start. */
  words(): Promise<string>;
}

interface ServerProcessOptions {
  readonly program: string;
  readonly args: readonly string[];
  readonly cwd: string;
  readonly env?: NodeJS.ProcessEnv;
  readonly uid?: number;
  readonly gid?: number;
  readonly logPath: string;
}

/**
 * Starts a server that writes to a log file rather than to a pipe, so that it can outlive us without breaking, and in
 * a process group of its own: Ctrl-C in the terminal is for us, and we stop the servers after the worker.
 */
export async function spawnServer(options: ServerProcessOptions): Promise<ServerProcess> {
  const { program, args, logPath, ...place } = options;
  await appendFile(logPath, `${new Date().toISOString()} starting ${program} ${args.join(' ')}\n`, { mode: 0o600 });
  const logStart = statSync(logPath).size;
  const output = openSync(logPath, 'a');
  const child = spawn(program, args, { ...place, detached: true, stdio: ['ignore', output, output] });
  closeSync(output);
  // A script that ends without closing the stack ends all the same; the exit hook in stack.ts stops the servers.
  child.unref();
  let failure: string | null = null;
  const ended = new Promise<void>((resolve) => {
    child.once('error', (error) => {
      failure = error.message;
      resolve();
    });
    child.once('exit', (code, signal) => {
      failure = `it ended with ${signal ?? `code ${code}`}`;
      resolve();
    });
  });
  return { pid: child.pid, failure: () => failure, ended, words: () => lastLines(logPath, logStart) };
}

/** A server that serves: one that we started, or one of an earlier process that we took over. */
export interface RunningServer {
  readonly process: ProcessIdentity;
  /** See {@link ServerProcess.ended}; resolved from the start for one that is not our child. */
  readonly ended: Promise<void>;
}

/**
 * Stops a server by ever harder signals, each with its time.
 * @param log told when the first, orderly signal was not enough
 */
export async function stopServer(
  name: string,
  server: RunningServer,
  steps: ReadonlyArray<readonly [signal: NodeJS.Signals, waitMs: number]>,
  log: (line: string) => void,
): Promise<void> {
  const signal = await endProcess(server.process, steps);
  if (signal !== null && signal !== steps[0]?.[0]) log(`${name} did not stop in time and was ended with ${signal}`);
  let ended = false;
  void server.ended.then(() => {
    ended = true;
  });
  for (let waited = 0; !ended && waited < 100; waited++) await sleep(10);
}
