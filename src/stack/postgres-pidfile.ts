import { readFileSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import { commandLineOf, identify, isRunning, type ProcessIdentity, workingFolderOf } from './processes';

/** `postmaster.pid`, which a running server keeps in its data folder. */
export interface Postmaster {
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
