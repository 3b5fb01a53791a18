import { failureOf } from './errors';
import { EXIT } from './exit-codes';
import { createIo, type Io } from './io';
import { type Log, openLog } from './log';
import { safeLines } from './output';
import { createProgram } from './program';

/** Runs one command line and returns its exit code. Called by start.mjs, once per process. */
export async function main(argv: readonly string[]): Promise<number> {
  const stop = new AbortController();
  const forget = onSignals(stop);
  for (const stream of [process.stdout, process.stderr]) stream.on('error', unlessNobodyReads);
  const log = openLog(process.env);
  const io = createIo(process, stop.signal, log.line);
  try {
    await createProgram(io).parseAsync([...withDefault(argv)], { from: 'user' });
    return EXIT.done;
  } catch (error) {
    return report(io, error, log);
  } finally {
    forget();
    log.close();
  }
}

/** Whoever read the output has gone (`settle … | head`): the command ends in order all the same, servers included. */
function unlessNobodyReads(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EPIPE') throw error;
}

const GLOBAL_FLAGS: ReadonlySet<string> = new Set(['--no-input', '--debug']);
const ABOUT_THE_PROGRAM: ReadonlySet<string> = new Set(['-h', '--help', '-V', '--version']);

/**
 * No command means `start`, so that `npm start` and `npm start -- --once` are all that a newcomer has to know. Options
 * of every command may stand before the command's name.
 */
function withDefault(argv: readonly string[]): readonly string[] {
  let at = 0;
  while (argv[at]?.startsWith('-')) {
    const option = argv[at] ?? '';
    if (option === '-o' || option === '--output') at += 2;
    else if (GLOBAL_FLAGS.has(option) || option.startsWith('--output=')) at += 1;
    else break;
  }
  const next = argv[at];
  if (next !== undefined && (!next.startsWith('-') || ABOUT_THE_PROGRAM.has(next))) return argv;
  return [...argv.slice(0, at), 'start', ...argv.slice(at)];
}

function report(io: Io, error: unknown, log: Log): number {
  const failure = failureOf(error);
  if (failure.message !== null) io.say(`${io.wordColors.red('error:')} ${safeLines(failure.message)}`);
  const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
  if (failure.defect) {
    io.log(stack);
    io.say('  This is a defect of settle, not of your input.');
    io.say(`  next:  report it with the stack, which is in ${log.file ?? 'no log: repeat the command with --debug'}.`);
  }
  if (io.debug && failure.exit !== EXIT.done) io.say(safeLines(stack));
  return failure.exit;
}

/** The first signal asks for an orderly end; the second one ends at once, and the servers with it. */
function onSignals(stop: AbortController): () => void {
  const handle = () => {
    if (stop.signal.aborted) process.exit(EXIT.interrupted);
    stop.abort();
  };
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  for (const signal of signals) process.on(signal, handle);
  return () => {
    for (const signal of signals) process.removeListener(signal, handle);
  };
}
