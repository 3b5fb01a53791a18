/**
 * What start.mjs does before it becomes the command line: packages, build, one start at a time.
 * Node built-ins only.
 */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  accessSync,
  constants,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const ROOT = dirname(realpathSync(fileURLToPath(import.meta.url)));
const at = (...parts) => join(ROOT, ...parts);
const say = (sentence) => process.stderr.write(`${sentence}\n`);

/** An end that is no defect of ours: the message says what to do, so no stack trace. */
class CannotStart extends Error {
  constructor(message, exitCode = 1) {
    super(message);
    this.exitCode = exitCode;
  }
}

const readText = (path) => (existsSync(path) ? readFileSync(path, 'utf8') : null);
const readJson = (path) => {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    return null;
  }
};

// --- packages ---------------------------------------------------------------------------------------------------

const INSTALL_STAMP = at('node_modules', '.settle-stamp');

/** Packages with native parts differ by platform and by Node's binary interface, so those belong to the key. */
function installKey() {
  const hash = createHash('sha256').update(readFileSync(at('package-lock.json')));
  return hash.update(`\n${process.platform} ${process.arch} ${process.versions.modules}`).digest('hex');
}

/** The packages that every complete installation has, by folder. Optional ones depend on the platform. */
function requiredPackages() {
  const { packages } = JSON.parse(readFileSync(at('package-lock.json'), 'utf8'));
  return Object.entries(packages).filter(
    ([folder, entry]) => folder !== '' && !entry.optional && !entry.devOptional && !entry.link,
  );
}

/**
 * Whether node_modules is what package-lock.json says. A stamp alone proves little: folders may have been removed since.
 * Without a stamp, npm's own record counts, which npm writes last: whoever ran `npm ci` need not wait for a second one.
 */
function isInstalled() {
  const required = requiredPackages();
  if (!required.every(([folder]) => existsSync(at(folder, 'package.json')))) return false;
  if (readText(INSTALL_STAMP) === installKey()) return true;
  if (existsSync(INSTALL_STAMP)) return false;
  const record = readJson(at('node_modules', '.package-lock.json'))?.packages ?? {};
  return required.every(([folder, { version, integrity }]) => {
    const found = record[folder];
    return found !== undefined && found.version === version && found.integrity === integrity;
  });
}

/** npm as the one that runs us, the one beside this node, or the one on PATH. */
function npmCommand() {
  const beside = join(dirname(process.execPath), '..', 'lib', 'node_modules', 'npm', 'bin', 'npm-cli.js');
  const running = process.env.npm_execpath ?? '';
  const script = [running, beside].find((path) => basename(path) === 'npm-cli.js' && existsSync(path));
  return script ? [process.execPath, script] : [process.platform === 'win32' ? 'npm.cmd' : 'npm'];
}

function mayWrite(folder) {
  try {
    accessSync(folder, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

/**
 * What an outer npm tells its scripts about itself would point the inner one to another folder. A user without a home
 * of their own (a service account) has no place for npm's cache either: `cache` is one that is thrown away.
 */
function environmentForNpm(cache) {
  const outer = /^npm_(lifecycle|package|command|config_(local_prefix|global_prefix|prefix)$)/;
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !outer.test(name)));
  return mayWrite(homedir()) || mayWrite(join(homedir(), '.npm')) ? env : { npm_config_cache: cache, ...env };
}

async function install(lock) {
  say('Installing packages (once for each change of package-lock.json) …');
  const [program, ...script] = npmCommand();
  // The build needs the development packages also where NODE_ENV=production would leave them out.
  const args = [...script, 'ci', '--include=dev', '--no-audit', '--no-fund', '--loglevel=error'];
  const cache = mkdtempSync(join(tmpdir(), 'settle-npm-'));
  const { code, words } = await run(lock, program, args, environmentForNpm(cache)).finally(() =>
    rmSync(cache, { recursive: true, force: true }),
  );
  if (code === 0) return;
  if (code === 'ENOENT') throw new CannotStart(`npm is missing: ${program} was not found. It comes with Node.`);
  if (!mayWrite(ROOT)) throw notWritable();
  if (/ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|EHOSTUNREACH|ENOTCACHED/.test(words)) {
    throw new CannotStart('The packages cannot be fetched: the package registry cannot be reached (see above).');
  }
  throw new CannotStart(`\`npm ci\` failed (${code}); its words are above.`);
}

const notWritable = () =>
  new CannotStart(
    `There is something to install or build, and ${ROOT} is not yours to write.\n` +
      'Run `node start.mjs --prepare` there once as the user it belongs to.',
  );

// --- build ------------------------------------------------------------------------------------------------------

const BUILD_STAMP = at('dist', '.settle-stamp');
const SOURCE_FOLDERS = ['src', 'workflows', 'activities'];

function filesBelow(folder) {
  if (!existsSync(at(folder))) return [];
  return readdirSync(at(folder), { withFileTypes: true }).flatMap((entry) => {
    const path = `${folder}/${entry.name}`;
    return entry.isDirectory() ? filesBelow(path) : [path];
  });
}

/** By content, not by time: a checkout changes the times of files that it does not change. */
function buildKey() {
  const hash = createHash('sha256');
  const settings = ['package-lock.json', 'tsconfig.json', 'tsconfig.build.json'];
  for (const file of [...settings, ...SOURCE_FOLDERS.flatMap(filesBelow).sort()]) {
    const bytes = readFileSync(at(file));
    hash.update(`${file} ${bytes.length}\n`).update(bytes);
  }
  return hash.digest('hex');
}

const isBuilt = (key) => readText(BUILD_STAMP) === key && existsSync(at('dist', 'src', 'cli', 'main.js'));

/** Builds beside the old build and swaps them when all is well: dist/ is whole at any time, with nothing stale in it. */
async function build(lock, key) {
  say('Building …');
  const draft = at('dist.new');
  rmSync(draft, { recursive: true, force: true });
  const compiler = at('node_modules', 'typescript', 'bin', 'tsc');
  const args = [compiler, '-p', 'tsconfig.build.json', '--outDir', draft];
  const { code } = await run(lock, process.execPath, args, process.env);
  if (code !== 0) {
    rmSync(draft, { recursive: true, force: true });
    throw new CannotStart('The build failed: the compiler has said why above.');
  }
  // Whatever is not TypeScript (migrations, templates) is read at run time from the same place.
  for (const file of SOURCE_FOLDERS.flatMap(filesBelow).filter((name) => !/\.[cm]?tsx?$/.test(name))) {
    mkdirSync(dirname(join(draft, file)), { recursive: true });
    cpSync(at(file), join(draft, file));
  }
  writeFileSync(join(draft, basename(BUILD_STAMP)), key);
  rmSync(at('dist.old'), { recursive: true, force: true });
  if (existsSync(at('dist'))) renameSync(at('dist'), at('dist.old'));
  renameSync(draft, at('dist'));
  rmSync(at('dist.old'), { recursive: true, force: true });
}

// --- one at a time ----------------------------------------------------------------------------------------------

const LOCK = at('.settle-prepare.lock');
const WRITE_REFUSED = ['EACCES', 'EROFS', 'EPERM'];

/** When the kernel started this process: a pid alone is reused. Null for one that is gone; '' where nobody tells. */
function startOf(pid) {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if (error.code !== 'EPERM') return null;
  }
  const stat = readText(`/proc/${pid}/stat`);
  const fields = stat?.slice(stat.lastIndexOf(')') + 2).split(' ') ?? [];
  return fields[0] === 'Z' ? null : (fields[19] ?? '');
}

const identity = (pid) => ({ pid, start: startOf(pid) });
const lives = (someone) => someone != null && someone.start !== null && startOf(someone.pid) === someone.start;

/**
 * Takes the lock; waits as long as its holder lives, or the npm or compiler that the holder had started: killed with
 * -9, it leaves them running.
 */
async function takeLock() {
  const self = identity(process.pid);
  for (let announced = false; ; ) {
    try {
      writeFileSync(LOCK, JSON.stringify({ holder: self }), { flag: 'wx' });
      return {
        started: (pid) => writeFileSync(LOCK, JSON.stringify({ holder: self, child: identity(pid) })),
        release: () => rmSync(LOCK, { force: true }),
      };
    } catch (error) {
      if (error.code !== 'EEXIST') throw error;
    }
    const text = readText(LOCK);
    const { holder, child } = readJson(LOCK) ?? {};
    const busy = [holder, child].find(lives);
    if (busy === undefined) {
      // Looked at twice, so that the lock of somebody who took it in between, or is just writing it, is left alone.
      await sleep(100);
      if (text !== null && readText(LOCK) === text) rmSync(LOCK, { force: true });
      continue;
    }
    if (!announced) say(`Another start (process ${busy.pid}) is installing or building: waiting for it …`);
    announced = true;
    await sleep(200);
  }
}

/** Runs a program with its words on stderr, and ends it with us. `code` is a number, a signal or a system error. */
function run(lock, program, args, env) {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { cwd: ROOT, env, stdio: ['ignore', 'pipe', 'pipe'] });
    if (child.pid !== undefined) lock.started(child.pid);
    let words = '';
    let interrupted = null;
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (bytes) => {
        words = (words + bytes).slice(-20_000);
        process.stderr.write(bytes);
      });
    }
    // From a terminal the child has the signal already, a second one does no harm; from `kill` it has not.
    const forward = (signal) => {
      interrupted = signal;
      child.kill(signal);
    };
    const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'];
    for (const signal of signals) process.on(signal, forward);
    const finish = (code) => {
      for (const signal of signals) process.removeListener(signal, forward);
      const number = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 }[interrupted];
      if (number) reject(new CannotStart('Interrupted; the next start goes on from here.', number));
      else resolve({ code, words });
    };
    child.once('error', (error) => finish(error.code));
    child.once('close', (code, signal) => finish(code ?? signal));
  });
}

/**
 * Installs the packages when package-lock.json changed or node_modules is damaged, and builds when the sources changed.
 * Returns 0, or the exit code after it has said what is wrong.
 */
export async function prepare() {
  try {
    if (isInstalled() && isBuilt(buildKey())) return 0;
    const lock = await takeLock();
    try {
      if (!isInstalled()) await install(lock);
      if (readText(INSTALL_STAMP) !== installKey()) writeFileSync(INSTALL_STAMP, installKey());
      const key = buildKey();
      if (!isBuilt(key)) await build(lock, key);
      return 0;
    } finally {
      lock.release();
    }
  } catch (error) {
    const told = WRITE_REFUSED.includes(error.code) ? notWritable() : error;
    if (!(told instanceof CannotStart)) throw told;
    say(told.message);
    return told.exitCode;
  }
}
