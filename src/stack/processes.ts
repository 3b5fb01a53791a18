import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

/**
 * A process as it can be recognised later: a pid alone is reused, a pid together with the moment the kernel started
 * it is not.
 */
export interface ProcessIdentity {
  readonly pid: number;
  /** Opaque text that names the moment of the start; null where the system does not tell. */
  readonly startMark: string | null;
}

const hasProc = existsSync('/proc/self/stat');

/**
 * The boot and the clock tick at which a process started (field 22 of /proc/<pid>/stat); the tick alone would repeat
 * after a reboot. Null when there is no such process, or it is a zombie: one that only waits for its parent to notice
 * holds nothing any more.
 */
function startMarkOf(pid: number): string | null {
  if (!hasProc) return startMarkFromPs(pid);
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The name in parentheses may itself hold spaces and parentheses: count the fields after its last one.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    if (fields[0] === 'Z' || fields[0] === 'X') return null;
    return `${readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()}/${fields[19]}`;
  } catch {
    return null;
  }
}

/**
 * Whether anything has this number: a process, a stranger, or one that has ended and only waits for its parent.
 * This is what other programs ask. Being forbidden to send a signal means that there is somebody to send it to.
 */
export function isTaken(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

function startMarkFromPs(pid: number): string | null {
  try {
    const line = execFileSync('ps', ['-o', 'stat=,lstart=', '-p', String(pid)], { encoding: 'utf8' }).trim();
    return line === '' || line.startsWith('Z') ? null : line.replace(/^\S+\s+/, '');
  } catch {
    return isTaken(pid) ? 'unknown' : null;
  }
}

export function identify(pid: number): ProcessIdentity {
  return { pid, startMark: startMarkOf(pid) };
}

/** Whether exactly this process still runs; a stranger that got its pid does not count. */
export function isRunning(process_: ProcessIdentity): boolean {
  return process_.startMark !== null && startMarkOf(process_.pid) === process_.startMark;
}

/** The command line of a process, its arguments separated by spaces; '' when it cannot be read. */
export function commandLineOf(pid: number): string {
  try {
    return hasProc
      ? readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').join(' ').trim()
      : execFileSync('ps', ['-o', 'command=', '-p', String(pid)], { encoding: 'utf8' }).trim();
  } catch {
    return '';
  }
}

/** The folder a process works in; null where the system does not tell us. */
export function workingFolderOf(pid: number): string | null {
  try {
    return readlinkSync(`/proc/${pid}/cwd`);
  } catch {
    return null;
  }
}

/** The processes that work in a folder, as far as the system tells us. */
export function processesWorkingIn(folder: string): ProcessIdentity[] {
  if (!hasProc) return [];
  const pids = readdirSync('/proc').map(Number).filter(Number.isInteger);
  return pids.filter((pid) => workingFolderOf(pid) === folder).map(identify);
}

/** Waits until the process is gone; false when it still runs after `limitMs`. */
export async function waitForEnd(process_: ProcessIdentity, limitMs: number): Promise<boolean> {
  const deadline = Date.now() + limitMs;
  while (isRunning(process_)) {
    if (Date.now() > deadline) return false;
    await sleep(10);
  }
  return true;
}

/** Sends a signal to exactly this process; a process that is gone already is no error. */
export function signalTo(process_: ProcessIdentity, signal: NodeJS.Signals): void {
  if (!isRunning(process_)) return;
  try {
    process.kill(process_.pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/**
 * Ends a process by a series of ever harder signals, each with its time.
 * Returns the signal that it took, or null when the process was gone already.
 */
export async function endProcess(
  process_: ProcessIdentity,
  steps: ReadonlyArray<readonly [signal: NodeJS.Signals, waitMs: number]>,
): Promise<NodeJS.Signals | null> {
  if (!isRunning(process_)) return null;
  for (const [signal, waitMs] of steps) {
    signalTo(process_, signal);
    if (await waitForEnd(process_, waitMs)) return signal;
  }
  throw new Error(`process ${process_.pid} is still running after ${steps.map(([signal]) => signal).join(', ')}`);
}
