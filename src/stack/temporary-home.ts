import { lstatSync } from 'node:fs';
import { chmod, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { type HomePaths, homePaths, readRecord, runsAsRoot, writeRecord } from './home';
import { isServerOf, readPostmaster } from './postgres-pidfile';
import { isOutsideFolderOf, type PostgresRecord } from './postgres-place';
import { endProcess, identify, isRunning, type ProcessIdentity } from './processes';
import { type DatabaseStack, type OpenStackOptions, openDatabase, openStack, type Stack } from './stack';
import { type TemporalRecord } from './temporal';

const PREFIX = 'swarm-settlement-home-';

/** Nothing here is kept, so nobody waits for an orderly stop. */
const AT_ONCE = [
  ['SIGQUIT', 2_000],
  ['SIGKILL', 5_000],
] as const;

interface TemporaryHome {
  readonly folder: string;
  /** Ends what still runs on it and removes it, with what the database keeps outside of it. */
  remove(): Promise<void>;
}

const ownerFile = (folder: string): string => join(folder, 'owner.json');

/** Ends the servers of a home whose process is gone; only those that are certainly of this home. */
async function endServers(paths: HomePaths, folders: readonly string[]): Promise<void> {
  for (const folder of folders) {
    const cluster = join(folder, 'cluster');
    const postmaster = readPostmaster(cluster);
    if (postmaster !== null && isServerOf(postmaster, cluster)) await endProcess(postmaster.process, AT_ONCE);
  }
  const temporal = await readRecord<TemporalRecord>(paths.temporalRecord);
  if (temporal?.process) await endProcess(temporal.process, AT_ONCE);
}

async function removeHome(folder: string): Promise<void> {
  const paths = homePaths(folder);
  const outside = (await readRecord<PostgresRecord>(paths.postgresRecord))?.outside ?? null;
  const removable = outside !== null && (await isOutsideFolderOf(outside, folder)) ? [outside] : [];
  await endServers(paths, [paths.postgres, ...removable]);
  for (const path of [...removable, folder]) await rm(path, { recursive: true, force: true, maxRetries: 3 });
}

/** Whether the process that made this home is gone. */
async function isLeftover(folder: string): Promise<boolean> {
  if (lstatSync(folder).uid !== (process.getuid?.() ?? lstatSync(folder).uid)) return false;
  const owner = await readRecord<ProcessIdentity>(ownerFile(folder));
  if (owner?.pid !== undefined) return !isRunning(owner as ProcessIdentity);
  // Killed before it could sign: the folder bears its number.
  const pid = Number(basename(folder).slice(PREFIX.length).split('-')[0]);
  return Number.isInteger(pid) && identify(pid).startMark === null;
}

/** Removes the homes that killed processes left, and ends the servers that still run on them. */
async function removeLeftoverHomes(parent: string, log: (line: string) => void): Promise<void> {
  for (const name of (await readdir(parent)).filter((entry) => entry.startsWith(PREFIX))) {
    const folder = join(parent, name);
    try {
      if (!(await isLeftover(folder))) continue;
      log(`removing ${folder}, left by a process that was killed`);
      await removeHome(folder);
    } catch (error) {
      // Another process may be removing the same one; what stays is tried again next time.
      log(`${folder} could not be removed yet: ${(error as Error).message}`);
    }
  }
}

/**
 * A fresh home below the folder for temporary files (TMPDIR, or the system's). Those that killed processes left there
 * are removed first.
 */
export async function temporaryHome(options: Pick<OpenStackOptions, 'env' | 'log'> = {}): Promise<TemporaryHome> {
  const parent = options.env?.TMPDIR || tmpdir();
  await removeLeftoverHomes(parent, options.log ?? (() => undefined));
  const folder = await mkdtemp(join(parent, `${PREFIX}${process.pid}-`));
  // As in prepareHome: root's server user passes through.
  await chmod(folder, runsAsRoot() ? 0o711 : 0o700);
  await writeRecord(ownerFile(folder), identify(process.pid));
  return { folder, remove: () => removeHome(folder) };
}

async function thrownAway<T extends { close(): Promise<void> }>(
  options: Omit<OpenStackOptions, 'home' | 'durable'>,
  opened: (options: OpenStackOptions) => Promise<T>,
): Promise<T> {
  const home = await temporaryHome(options);
  try {
    const stack = await opened({ ...options, home: home.folder, durable: false });
    return { ...stack, close: () => stack.close().finally(() => home.remove()) };
  } catch (error) {
    await home.remove();
    throw error;
  }
}

/** A stack on a home that is removed when it is closed; it forces nothing to disk. For tests and trials. */
export const openTemporaryStack = (options: Omit<OpenStackOptions, 'home' | 'durable'> = {}): Promise<Stack> =>
  thrownAway(options, openStack);

/** The same with the database alone. */
export const openTemporaryDatabase = (
  options: Omit<OpenStackOptions, 'home' | 'durable'> = {},
): Promise<DatabaseStack> => thrownAway(options, openDatabase);
