import { readFileSync, realpathSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import {
  commandLineOf,
  endProcess,
  identify,
  isRunning,
  isTaken,
  type ProcessIdentity,
  processesWorkingIn,
  waitForEnd,
  workingFolderOf,
} from './processes';

/** `postmaster.pid`, which a running server keeps in its data folder. */
interface Postmaster {
  readonly process: ProcessIdentity;
  readonly port: number;
  /** `starting`, `ready`, `stopping`, or '' when it is not written yet. */
  readonly status: string;
}

/** What the file says; null when there is none. */
export function readPostmaster(cluster: string): Postmaster | null {
  let lines: string[];
  try {
    lines = readFileSync(join(cluster, 'postmaster.pid'), 'utf8').split('\n');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
  const pid = Number(lines[0]);
  if (!Number.isInteger(pid) || pid <= 0) return null;
  return { process: identify(pid), port: Number(lines[3] ?? 0), status: (lines[7] ?? '').trim() };
}

/**
 * Whether the process of the pid file lives and is the server of exactly this data folder. A pid is reused, so the
 * number alone proves nothing; the server works in its data folder and was started with its path.
 */
export function isServerOf(postmaster: Postmaster, cluster: string): boolean {
  if (!isRunning(postmaster.process)) return false;
  const { pid } = postmaster.process;
  const workingFolder = workingFolderOf(pid);
  if (workingFolder !== null) return workingFolder === realpathSync(cluster);
  const command = commandLineOf(pid);
  return command.includes('postgres') && command.includes(cluster);
}

/**
 * Clears away the pid file of a server that has ended, where its number is taken all the same: by a stranger, or by
 * the server itself until its parent has noticed its end. PostgreSQL would refuse to start. Otherwise the file stays,
 * since PostgreSQL finds by it whether children of the dead server still work on the data; here we look ourselves.
 */
export async function clearPidFile(postmaster: Postmaster, cluster: string): Promise<void> {
  if (!isTaken(postmaster.process.pid)) return;
  for (const child of processesWorkingIn(realpathSync(cluster))) {
    // They leave by themselves when they notice that their server is gone.
    if (!(await waitForEnd(child, 5_000))) await endProcess(child, [['SIGKILL', 5_000]]);
  }
  rmSync(join(cluster, 'postmaster.pid'), { force: true });
}
