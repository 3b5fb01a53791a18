import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, lstatSync, mkdirSync, readFileSync, realpathSync, statSync } from 'node:fs';
import { chmod, mkdir } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { StackError } from './errors';
import { type HomePaths, readRecord, runsAsRoot, writeRecord } from './home';
import { completeLinks, copyBinaries, packagedBinaries } from './postgres-binaries';

/** The user the server runs as when we are root, since PostgreSQL refuses to run as root. */
interface ServerUser {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
}

/** Where the server's programs and its data are, and who runs it. */
export interface PostgresPlace {
  /** Null: the current user. */
  readonly user: ServerUser | null;
  readonly binaries: string;
  /** Holds cluster/ and password. */
  readonly folder: string;
}

/** What the home remembers about its database: `postgres.json`. */
export interface PostgresRecord {
  /** The folder of the data when it is not the one in the home. */
  readonly outside: string | null;
  readonly port: number;
}

/** In a folder outside the home: whose it is. */
interface OutsideOwner {
  readonly home: string;
}

/** initdb looks its user up by number, so it must be one of the system's own list. */
function knownUsers(): ServerUser[] {
  return readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .map((line) => line.split(':'))
    .map(([name, , uid, gid]) => ({ name: name ?? '', uid: Number(uid), gid: Number(gid) }))
    .filter((user) => user.name !== '' && user.uid > 0);
}

/**
 * An existing unprivileged user; none is created, for that would change the machine. Data that exist already decide:
 * a cluster can be run by its owner only.
 */
function serverUser(existing: string | null): ServerUser | null {
  if (!runsAsRoot()) return null;
  const users = knownUsers();
  const owner = existing === null ? 0 : statSync(existing).uid;
  const found =
    owner > 0
      ? users.find((user) => user.uid === owner)
      : ['postgres', 'nobody', 'daemon'].map((name) => users.find((user) => user.name === name)).find(Boolean);
  if (found) return found;
  throw new StackError('PostgresNotStarted', {
    what: 'PostgreSQL refuses to run as root, and there is no user to run it as.',
    where: owner > 0 ? `${existing} belongs to uid ${owner}, which /etc/passwd does not name` : '/etc/passwd',
    todo: 'run as a plain user, add a user `postgres`, or set DATABASE_URL to a server of your own.',
  });
}

/** Runs a shell test as that user: the only question that counts access lists and mount options in. */
function userCan(user: ServerUser, test: string, folder: string): boolean {
  const { uid, gid } = user;
  return spawnSync('/bin/sh', ['-c', test, 'sh', folder], { uid, gid, cwd: '/', stdio: 'ignore' }).status === 0;
}

const MAY_RUN = '"$1/bin/postgres" --version && test -x "$1/bin/initdb" && test -r "$1/share/postgresql/postgres.bki"';
const MAY_ENTER = 'cd "$1"';

/** A folder outside the clone that the server's user may enter and that nobody but root may change. */
async function outsideParent(user: ServerUser): Promise<string> {
  const tried: string[] = [];
  for (const base of ['/var/lib', '/opt', '/srv', '/var/tmp']) {
    const parent = join(base, 'swarm-settlement');
    try {
      await mkdir(parent, { mode: 0o755 }).catch((error: NodeJS.ErrnoException) => {
        if (error.code !== 'EEXIST') throw error;
      });
      const found = lstatSync(parent);
      if (!found.isDirectory() || found.uid !== 0 || (found.mode & 0o022) !== 0) throw new Error('belongs to others');
      if (userCan(user, MAY_ENTER, parent)) return parent;
      tried.push(`${parent} (closed to ${user.name})`);
    } catch (error) {
      tried.push(`${parent} (${(error as Error).message})`);
    }
  }
  throw new StackError('PostgresNotStarted', {
    what: `PostgreSQL runs as ${user.name} when we are root, and ${user.name} may not enter any folder we tried.`,
    where: tried.join('; '),
    todo: 'set SETTLE_HOME to a folder that everybody may pass through, run as a plain user, or set DATABASE_URL.',
  });
}

/** A name of its own for each home, that a person can still recognise. */
function outsideName(home: string): string {
  const label = basename(home) === '.settle' ? basename(dirname(home)) : basename(home);
  const digest = createHash('sha256').update(home).digest('hex').slice(0, 12);
  return `${label.replace(/[^A-Za-z0-9-]+/g, '-').replace(/^-+/, '') || 'home'}-${digest}`;
}

/** Whether this folder outside was made for that home. */
export async function isOutsideFolderOf(folder: string, home: string): Promise<boolean> {
  return (await readRecord<OutsideOwner>(join(folder, 'home.json')))?.home === realpathSync(home);
}

/** Makes sure that a folder outside belongs to this home: a copied home must not share the original's data. */
async function claimOutside(folder: string, home: string): Promise<string> {
  const mark = join(folder, 'home.json');
  const owner = (await readRecord<OutsideOwner>(mark))?.home;
  if (owner !== undefined && owner !== home) {
    const theirs = await readRecord<PostgresRecord>(join(owner, 'postgres.json'));
    if (theirs?.outside === folder) {
      throw new StackError('PostgresDataUnusable', {
        what: `This home was copied from ${owner}, whose database lies outside of it and was not copied.`,
        where: folder,
        todo: `remove postgres.json from ${home} to begin with an empty database, or use SETTLE_HOME=${owner}.`,
      });
    }
  }
  mkdirSync(folder, { recursive: true });
  await chmod(folder, 0o711);
  await writeRecord(mark, { home } satisfies OutsideOwner);
  return folder;
}

const hasCluster = (folder: string): boolean => existsSync(join(folder, 'cluster'));

async function dataFolder(paths: HomePaths, user: ServerUser | null, recorded: string | null): Promise<string> {
  const home = realpathSync(paths.root);
  const inside = hasCluster(paths.postgres);
  const reachable = user === null || userCan(user, MAY_ENTER, paths.root);
  if (inside && !reachable) {
    throw new StackError('PostgresDataUnusable', {
      what: `PostgreSQL runs as ${user.name} when we are root, and a folder above its data is closed to ${user.name}.`,
      where: paths.postgres,
      todo: 'let others pass through the folders above it (chmod o+x), or move the home and set SETTLE_HOME.',
    });
  }
  if (!inside && recorded !== null && hasCluster(recorded)) return claimOutside(recorded, home);
  if (reachable) return paths.postgres;
  const parent = await outsideParent(user);
  // A home that was removed and made again begins afresh: what the removed one left outside is kept, but not used.
  const names = (function* () {
    yield outsideName(home);
    for (let copy = 2; ; copy++) yield `${outsideName(home)}-${copy}`;
  })();
  for (const name of names) if (!hasCluster(join(parent, name))) return claimOutside(join(parent, name), home);
  return parent;
}

/**
 * Decides user, programs and data folder. As root, the other user must be able to reach both: in a clone below a
 * folder of mode 0700 it cannot, so a copy of the programs and the data are kept outside, and the home remembers where.
 */
export async function findPostgresPlace(paths: HomePaths, log: (line: string) => void): Promise<PostgresPlace> {
  const original = packagedBinaries();
  const recorded = (await readRecord<PostgresRecord>(paths.postgresRecord))?.outside ?? null;
  const existing = [paths.postgres, ...(recorded ? [recorded] : [])].find(hasCluster);
  const user = serverUser(existing === undefined ? null : join(existing, 'cluster'));
  const folder = await dataFolder(paths, user, recorded);
  if (folder !== paths.postgres) log(`the database of this home is kept in ${folder}`);
  completeLinks(original.folder);
  if (user === null || userCan(user, MAY_RUN, original.folder)) return { user, binaries: original.folder, folder };
  const binaries = await copyBinaries(original, await outsideParent(user));
  log(`PostgreSQL runs as ${user.name}, who may not enter ${original.folder}: its programs are used from ${binaries}`);
  return { user, binaries, folder };
}
