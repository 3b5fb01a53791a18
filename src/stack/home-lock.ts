import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { HomeInUse, StackError } from './errors';
import { type HomePaths } from './home';
import { identify, isRunning, type ProcessIdentity } from './processes';

/** Who holds a home. */
export interface HomeOwner extends ProcessIdentity {
  /** ISO time, UTC. */
  readonly since: string;
  readonly command: string;
}

export interface HomeLock {
  readonly owner: HomeOwner;
  /** The owner that died without giving the lock back, if there was one. */
  readonly predecessor: HomeOwner | null;
  release(): void;
}

export function readOwner(lockFile: string): HomeOwner | null {
  try {
    const owner = JSON.parse(readFileSync(lockFile, 'utf8')) as HomeOwner;
    return Number.isInteger(owner.pid) ? owner : null;
  } catch (error) {
    // An empty or cut lock file: its writer died (or the disk filled up) in the middle of the one write.
    if (error instanceof SyntaxError || (error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}

/** Creates the file with this owner in it; false when it exists. */
function claim(file: string, owner: HomeOwner): boolean {
  try {
    writeFileSync(file, JSON.stringify(owner), { flag: 'wx', mode: 0o600 });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

/**
 * Removes the lock of a dead owner. Two processes may find the same dead owner; the second must not remove the lock
 * that the first has just taken, so removal happens under a claim of its own and only after looking again.
 */
function removeDeadLock(lockFile: string, dead: HomeOwner | null, self: HomeOwner): void {
  const takeover = `${lockFile}.takeover`;
  if (!claim(takeover, self)) {
    const other = readOwner(takeover);
    if (other === null || !isRunning(other)) rmSync(takeover, { force: true });
    return;
  }
  try {
    const now = readOwner(lockFile);
    if (now?.pid === dead?.pid && now?.startMark === dead?.startMark) rmSync(lockFile, { force: true });
  } finally {
    rmSync(takeover, { force: true });
  }
}

/** As the user typed it: whatever way in was taken, it ends in start.mjs. */
function currentCommand(): string {
  const program = basename(process.argv[1] ?? process.argv0);
  return [program === 'start.mjs' ? 'settle' : program, ...process.argv.slice(2)].join(' ');
}

/**
 * Takes the home for this process.
 * @throws HomeInUse when a live process has it. The lock of a dead one (kill -9, power cut, pid reused) is taken over.
 */
export async function lockHome(paths: HomePaths): Promise<HomeLock> {
  const owner: HomeOwner = {
    ...identify(process.pid),
    since: new Date().toISOString(),
    command: currentCommand(),
  };
  let predecessor: HomeOwner | null = null;
  for (let attempt = 0; attempt < 100; attempt++) {
    if (claim(paths.lock, owner)) {
      const release = () => {
        const holder = readOwner(paths.lock);
        if (holder?.pid === owner.pid && holder.startMark === owner.startMark) rmSync(paths.lock, { force: true });
      };
      return { owner, predecessor, release };
    }
    const holder = readOwner(paths.lock);
    if (holder !== null && isRunning(holder)) throw new HomeInUse(paths.root, holder.pid, holder.since, holder.command);
    // An unreadable lock may be one that is being written this very moment: give its writer the time to finish.
    if (holder === null && attempt < 10) {
      await sleep(20);
      continue;
    }
    predecessor = holder;
    removeDeadLock(paths.lock, holder, owner);
    await sleep(5);
  }
  throw new StackError('HomeNotUsable', {
    what: 'The lock of this home could not be taken: other processes keep taking and leaving it.',
    where: paths.lock,
    todo: 'wait until they are done, or remove the file when no such process runs.',
  });
}
