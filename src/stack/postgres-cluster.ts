import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, openSync } from 'node:fs';
import { chmod, chown, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { StackError } from './errors';
import { type PostgresPlace } from './postgres-place';
import { lastLines } from './server-process';

/** The name of the only database user that initdb makes. */
export const SUPERUSER = 'postgres';

export const clusterFolder = (place: PostgresPlace): string => join(place.folder, 'cluster');

/**
 * Only what the programs need: PGPORT, PGDATA and the like from the user's shell must not steer our server, and its
 * messages are read by us.
 */
export function serverEnvironment(): NodeJS.ProcessEnv {
  const { PATH, SYSTEMROOT, TEMP, TMPDIR } = process.env;
  const env: NodeJS.ProcessEnv = { LC_ALL: 'C', TZ: 'UTC' };
  for (const [name, value] of Object.entries({ PATH, SYSTEMROOT, TEMP, TMPDIR })) if (value) env[name] = value;
  return env;
}

/** uid and gid for spawn; nothing when the current user runs the server. */
export const asServerUser = (place: PostgresPlace): { uid?: number; gid?: number } =>
  place.user === null ? {} : { uid: place.user.uid, gid: place.user.gid };

function runInitdb(place: PostgresPlace, data: string, passwordFile: string, logPath: string): Promise<void> {
  const args = [
    `--pgdata=${data}`,
    `--username=${SUPERUSER}`,
    `--pwfile=${passwordFile}`,
    '--auth=scram-sha-256',
    '--encoding=UTF8',
    // Byte order for every comparison, the same on every machine; case mapping by Unicode without a system library.
    '--locale=C',
    '--locale-provider=builtin',
    '--builtin-locale=C.UTF-8',
    '--data-checksums',
  ];
  const output = openSync(logPath, 'a', 0o600);
  return new Promise((resolve, reject) => {
    const child = spawn(join(place.binaries, 'bin', 'initdb'), args, {
      ...asServerUser(place),
      cwd: dirname(data),
      env: serverEnvironment(),
      // Not of the terminal's group: Ctrl-C must not cut it short.
      detached: true,
      stdio: ['ignore', output, output],
    });
    child.once('error', reject);
    child.once('exit', (code, signal) =>
      code === 0 ? resolve() : reject(new Error(`initdb ended with ${signal ?? `code ${code}`}`)),
    );
  });
}

/** Leftovers of starts that were killed in the middle of initdb. Best effort: an orphaned initdb may still write. */
async function removeDrafts(place: PostgresPlace): Promise<number> {
  const parent = dirname(place.folder);
  const drafts = (await readdir(parent)).filter((name) => name.startsWith(`${basename(place.folder)}.new-`));
  for (const draft of drafts) await rm(join(parent, draft), { recursive: true, force: true }).catch(() => undefined);
  return drafts.length;
}

/**
 * Makes the cluster if it is missing. It is made under another name and renamed when it is complete, password and all,
 * so that a cluster either is whole or is not there.
 */
export async function ensureCluster(place: PostgresPlace, logPath: string, log: (line: string) => void): Promise<void> {
  const cluster = clusterFolder(place);
  if (existsSync(join(cluster, 'PG_VERSION'))) return;
  if ((await removeDrafts(place)) > 0) log('a start was killed while it made the database: making it anew');
  const draft = `${place.folder}.new-${process.pid}-${randomBytes(4).toString('hex')}`;
  const data = join(draft, 'cluster');
  const password = randomBytes(24).toString('hex');
  const passwordFile = join(draft, 'password');
  await mkdir(data, { recursive: true });
  await chmod(draft, place.user === null ? 0o700 : 0o711);
  await chmod(data, 0o700);
  await writeFile(passwordFile, `${password}\n`, { mode: 0o600 });
  if (place.user !== null) {
    await chown(data, place.user.uid, place.user.gid);
    await chown(passwordFile, place.user.uid, place.user.gid);
  }
  try {
    await runInitdb(place, data, passwordFile, logPath);
    if (place.user !== null) await chown(passwordFile, 0, 0);
    await mkdir(place.folder, { recursive: true });
    await chmod(place.folder, place.user === null ? 0o700 : 0o711);
    await rename(passwordFile, join(place.folder, 'password'));
    await rename(data, cluster);
  } catch (error) {
    throw new StackError('PostgresNotStarted', {
      what: `The database could not be made: ${(error as Error).message}.\n${await lastLines(logPath)}`,
      where: draft,
      todo: `read ${logPath}; when the disk is full, make room and start again.`,
      cause: error,
    });
  } finally {
    await rm(draft, { recursive: true, force: true }).catch(() => undefined);
  }
}

export async function readPassword(place: PostgresPlace): Promise<string> {
  const file = join(place.folder, 'password');
  try {
    return (await readFile(file, 'utf8')).trim();
  } catch (error) {
    throw new StackError('PostgresDataUnusable', {
      what: `The password of the embedded database cannot be read: ${(error as Error).message}.`,
      where: file,
      todo: 'run as the user who made this home, or put the file back.',
      cause: error,
    });
  }
}

/** Refuses data of another major release before the server does so in its own words. */
export async function checkClusterVersion(place: PostgresPlace, major: string): Promise<void> {
  const file = join(clusterFolder(place), 'PG_VERSION');
  const found = (await readFile(file, 'utf8')).trim();
  if (found === major) return;
  throw new StackError('PostgresDataUnusable', {
    what: `These data were written by PostgreSQL ${found}, and the installed release is ${major}.`,
    where: clusterFolder(place),
    todo: `dump them with the release of the program that wrote them and load them into a new home.`,
  });
}
