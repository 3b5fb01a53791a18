#!/usr/bin/env node
/**
 * The one way in: `npm start`, `npx settle` and the container all run this file, and `npm test` begins with
 * `node start.mjs --prepare`. It sees to it that the packages are installed and the sources built (prepare.mjs), and
 * then becomes the command line. It says nothing when nothing has to be done, and its words go to stderr, since stdout
 * belongs to the commands. Node built-ins only: it runs before anything is installed.
 *
 * SETTLE_SKIP_PREPARE=1 skips the preparation, for an image that was built complete and may not be written to.
 */
import { createRequire } from 'node:module';
import process from 'node:process';

const OLDEST_NODE = [20, 19];

/** True when this Node is new enough; otherwise says so. Nothing newer is loaded before. */
function nodeIsNewEnough() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major > OLDEST_NODE[0] || (major === OLDEST_NODE[0] && minor >= OLDEST_NODE[1])) return true;
  const needed = OLDEST_NODE.join('.');
  process.stderr.write(
    `Node ${process.versions.node} is too old: ${needed} or newer is needed (this one is ${process.execPath}).\n`,
  );
  return false;
}

/**
 * npm runs its scripts through a shell. A SIGTERM to npm ends npm and that shell but never reaches us, and nobody would
 * stop what we run; so losing our parent counts as the signal that it got.
 */
function endWithNpm() {
  if (!process.env.npm_lifecycle_event || process.platform === 'win32') return;
  const parent = process.ppid;
  const watch = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(watch);
    process.kill(process.pid, 'SIGTERM');
  }, 500);
  watch.unref();
}

async function becomeCommandLine() {
  endWithNpm();
  // In this process, not in a child: signals, terminal, exit code and memory limits are then the command line's own,
  // and there is nobody in between whom a kill -9 could leave without its child, or its child without it.
  const { main } = createRequire(import.meta.url)('./dist/src/cli/main.js');
  return main(process.argv.slice(2));
}

async function run() {
  if (!nodeIsNewEnough()) return 1;
  if (process.env.SETTLE_SKIP_PREPARE !== '1') {
    const { prepare } = await import('./prepare.mjs');
    const failed = await prepare();
    if (failed) return failed;
  }
  const onlyPrepare = process.argv.length === 3 && process.argv[2] === '--prepare';
  return onlyPrepare ? 0 : becomeCommandLine();
}

process.exitCode = await run();
