import { accessSync, constants, existsSync, mkdirSync, readFileSync } from 'node:fs';
import { chmod, mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { StackError } from './errors';

/**
 * One folder keeps everything of one embedded stack. Its layout:
 *
 *   lock.json       who uses the home now (home-lock.ts)
 *   state.json      addresses of the running stack, for other terminals (stack.ts)
 *   postgres.json   where the cluster is, and its port
 *   postgres/       cluster/ (the data) and password; elsewhere when root's server user may not enter here
 *   temporal.json   the running dev server and its ports
 *   temporal/       temporal.db
 *   logs/           postgres.log, initdb.log, temporal.log
 *   cache/          the Temporal executable, only when the user has no writable cache folder
 */
export interface HomePaths {
  readonly root: string;
  readonly lock: string;
  readonly state: string;
  readonly postgresRecord: string;
  readonly postgres: string;
  readonly temporalRecord: string;
  readonly temporal: string;
  readonly logs: string;
  readonly cache: string;
}

export function homePaths(home: string): HomePaths {
  const root = resolve(home);
  return {
    root,
    lock: join(root, 'lock.json'),
    state: join(root, 'state.json'),
    postgresRecord: join(root, 'postgres.json'),
    postgres: join(root, 'postgres'),
    temporalRecord: join(root, 'temporal.json'),
    temporal: join(root, 'temporal'),
    logs: join(root, 'logs'),
    cache: join(root, 'cache'),
  };
}

/** The folder with our package.json above this file, whether it runs from src/ or from dist/src/. */
export function projectRoot(): string {
  for (let folder = __dirname; folder !== dirname(folder); folder = dirname(folder)) {
    const manifest = join(folder, 'package.json');
    if (existsSync(manifest) && JSON.parse(readFileSync(manifest, 'utf8')).name === 'swarm-settlement') return folder;
  }
  throw new Error(`no package.json of swarm-settlement above ${__dirname}`);
}

/** SETTLE_HOME, relative to the current folder, or `.settle` in the project. */
export function defaultHome(env: NodeJS.ProcessEnv = process.env): string {
  return env.SETTLE_HOME ? resolve(env.SETTLE_HOME) : join(projectRoot(), '.settle');
}

export const runsAsRoot = (): boolean => process.getuid?.() === 0;

/**
 * Makes the home if it is missing. Root's database server runs as another user, who must be able to pass through the
 * home (but not to list it); for everybody else it is closed. Secrets in it are files of mode 0600 either way.
 */
export async function prepareHome(home: string): Promise<HomePaths> {
  const paths = homePaths(home);
  try {
    if (!existsSync(paths.root)) {
      mkdirSync(paths.root, { recursive: true });
      await chmod(paths.root, runsAsRoot() ? 0o711 : 0o700);
    }
    accessSync(paths.root, constants.R_OK | constants.W_OK | constants.X_OK);
    await mkdir(paths.logs, { recursive: true, mode: 0o700 });
    await mkdir(paths.temporal, { recursive: true, mode: 0o700 });
  } catch (error) {
    throw homeNotUsable(paths, error);
  }
  return paths;
}

/** For a home that belongs to another user, or lies where nothing can be made. */
export const homeNotUsable = (paths: HomePaths, cause: unknown): StackError =>
  new StackError('HomeNotUsable', {
    what: `The folder for the data cannot be used: ${(cause as Error).message}.`,
    where: paths.root,
    todo: 'set SETTLE_HOME to a folder that you may write, or run as the user who made this one.',
    cause,
  });

/** Writes a record whole or not at all; only its owner may read it. */
export async function writeRecord(file: string, record: object): Promise<void> {
  const draft = `${file}.${process.pid}`;
  await writeFile(draft, `${JSON.stringify(record, null, 2)}\n`, { mode: 0o600 });
  await rename(draft, file);
}

/** A record as written by {@link writeRecord}; null when it is missing or unreadable as JSON. */
export async function readRecord<T extends object>(file: string): Promise<Partial<T> | null> {
  try {
    const record: unknown = JSON.parse(await readFile(file, 'utf8'));
    return typeof record === 'object' && record !== null ? (record as Partial<T>) : null;
  } catch (error) {
    // A record cut short by a full disk is as good as none: everything in it can be found out again.
    if (error instanceof SyntaxError || (error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}
