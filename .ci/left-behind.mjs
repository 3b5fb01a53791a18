/**
 * Fails if a process that was started from this run still lives, or if the run changed the clone.
 *   node .ci/left-behind.mjs <the run's TMPDIR> <changed files now> <changed files before>
 */
import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

const [work, changedNow, changedBefore] = process.argv.slice(2);

const read = (file) => {
  try {
    return readFileSync(file, 'utf8').replaceAll('\0', ' ').trim();
  } catch {
    return ''; // gone, or not ours to look at
  }
};

const parentOf = (pid) => /^PPid:\s*(\d+)/m.exec(read(`/proc/${pid}/status`))?.[1] ?? '0';

/** This process and the shell above it belong to the run, too. */
function ourselves() {
  const own = new Set();
  for (let pid = String(process.pid); pid !== '0'; pid = parentOf(pid)) own.add(pid);
  return own;
}

/** A zombie has ended; nobody has fetched its exit code yet. */
const lives = (pid) => !/^State:\s*Z/m.test(read(`/proc/${pid}/status`));

function survivors() {
  const own = ourselves();
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && !own.has(name) && lives(name))
    .filter(
      (pid) =>
        `${read(`/proc/${pid}/environ`)} `.includes(`TMPDIR=${work} `) || read(`/proc/${pid}/cmdline`).includes(work),
    );
}

// A server that was told to stop a moment ago may still be on its way.
let left = survivors();
for (let waited = 0; left.length > 0 && waited < 20; waited += 1) {
  await sleep(250);
  left = survivors();
}
for (const pid of left) console.log(`left behind: process ${pid}: ${read(`/proc/${pid}/cmdline`).slice(0, 200)}`);

const files = readdirSync(work).filter((name) => name.startsWith('swarm-settlement-home-'));
for (const name of files) console.log(`left behind: the home ${name}`);

if (changedNow !== changedBefore)
  console.log(`the run changed the clone: ${changedBefore} changed files before, ${changedNow} now`);
process.exitCode = left.length > 0 || files.length > 0 || changedNow !== changedBefore ? 1 : 0;
