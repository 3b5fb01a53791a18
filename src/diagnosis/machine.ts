import { constants } from 'node:fs';
import { access, statfs } from 'node:fs/promises';
import { type HomePaths, readRecord } from '../stack/home';
import type { PostgresRecord } from '../stack/postgres-place';
import { examined, type Finding, fail, ok, warn } from './findings';

/** Node, the home and the disk. */

const OLDEST_NODE = [20, 19] as const;
const MIB = 2 ** 20;
/** Below this the next epochs may not be written; PostgreSQL stops when a disk is full. */
const DISK_FAIL_MIB = 200;
const DISK_WARN_MIB = 1024;

export async function machineFindings(paths: HomePaths, env: NodeJS.ProcessEnv): Promise<readonly Finding[]> {
  return [nodeFinding(), await homeFinding(paths), ...(await diskFindings(paths, env))];
}

function nodeFinding(): Finding {
  const version = process.versions.node;
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const [oldestMajor, oldestMinor] = OLDEST_NODE;
  if (major > oldestMajor || (major === oldestMajor && minor >= oldestMinor)) return ok('node', version);
  return fail('node', `${version} is too old`, `install Node ${OLDEST_NODE.join('.')} or newer.`);
}

function homeFinding({ root }: HomePaths): Promise<Finding> {
  return examined('home', 'set SETTLE_HOME to a folder that you may write.', async () => {
    await access(root, constants.R_OK | constants.W_OK | constants.X_OK);
    return ok('home', root);
  });
}

async function diskFindings(paths: HomePaths, env: NodeJS.ProcessEnv): Promise<readonly Finding[]> {
  const home = await diskFinding('disk of the home', paths.root);
  if (env.DATABASE_URL) return [home];
  const record = await readRecord<PostgresRecord>(paths.postgresRecord);
  const outside = record?.outside ?? null;
  return outside === null ? [home] : [home, await diskFinding('disk of the data', outside)];
}

function diskFinding(check: string, folder: string): Promise<Finding> {
  return examined(check, 'look whether the folder is there and can be read.', async () => {
    const { bavail, bsize } = await statfs(folder);
    const free = Math.floor((bavail * bsize) / MIB);
    const found = `${free.toLocaleString('en')} MiB free in ${folder}`;
    const todo = 'make room: a full disk stops the database, and nothing can be settled then.';
    if (free < DISK_FAIL_MIB) return fail(check, found, todo);
    return free < DISK_WARN_MIB ? warn(check, found, todo) : ok(check, found);
  });
}
