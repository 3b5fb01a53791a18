/**
 * `npm run bugs [-- --only ID,ID] [--lanes N]`: makes every seeded bug, one at a time, in a throw-away copy of the
 * sources, and runs the tests that are named to catch it. Prints the table; exit code 1 if a bug survives, does not
 * load, or if a named test fails without any bug.
 */
import { parseArgs } from 'node:util';
import Table from 'cli-table3';
import startServers from '../harness/start-servers';
import stopServers from '../harness/stop-servers';
import { SEEDED_BUGS } from './catalogue';
import { type NamedResult, runNamed } from './named-tests';
import type { SeededBug } from './seeded-bug';
import { type SeededTree, seededTree } from './seeded-tree';

const { values } = parseArgs({
  options: { only: { type: 'string' }, lanes: { type: 'string', default: '2' } },
});

const say = (sentence: string) => process.stderr.write(`${sentence}\n`);

/** Named tests that did not fail with the bug; none: it is caught. */
interface Verdict {
  readonly bug: SeededBug;
  readonly missed: readonly NamedResult[];
  readonly seconds: number;
}

const stopped = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stopped.abort());

function chosen(): readonly SeededBug[] {
  if (values.only === undefined) return SEEDED_BUGS;
  return values.only.split(',').map((id) => {
    const bug = SEEDED_BUGS.find((one) => one.id === id);
    if (bug !== undefined) return bug;
    throw new Error(`no bug is called ${id}; there are ${SEEDED_BUGS.map((one) => one.id).join(', ')}`);
  });
}

/** Every named test has to pass without a bug, or its failing says nothing. */
async function withoutBug(tree: SeededTree, bugs: readonly SeededBug[], workers: number): Promise<number> {
  const begun = Date.now();
  const named = new Map(bugs.flatMap(({ caughtBy }) => caughtBy.map((test) => [`${test.file} ${test.title}`, test])));
  const results = await runNamed(tree.folder, [...named.values()], {
    workers,
    signal: stopped.signal,
    ownServers: false,
    mostMs: 600_000,
  });
  const wrong = results.filter(({ outcome }) => outcome !== 'passed');
  for (const { file, title, outcome } of wrong) say(`without any bug: ${outcome}: ${file}: ${title}`);
  say(`${results.length} tests without any bug: ${wrong.length} not passed, ${seconds(begun)} s`);
  return wrong.length;
}

/** What the servers of the tests are set up from: migrations make the template, workflows are bundled. */
const SETS_UP_SERVERS = /^(src\/store\/migrations|workflows)\//;

async function hunt(tree: SeededTree, queue: SeededBug[], verdicts: Verdict[]): Promise<void> {
  for (let bug = queue.shift(); bug !== undefined && !stopped.signal.aborted; bug = queue.shift()) {
    const begun = Date.now();
    const ownServers = SETS_UP_SERVERS.test(bug.file);
    const results = await tree.withBug(bug, () =>
      runNamed(tree.folder, bug.caughtBy, { workers: 1, signal: stopped.signal, ownServers }),
    );
    const missed = results.filter(({ outcome }) => outcome !== 'failed');
    verdicts.push({ bug, missed, seconds: seconds(begun) });
    say(`${missed.length === 0 ? 'caught' : 'SURVIVED'} ${bug.id} (${seconds(begun)} s)`);
    for (const { file, title, outcome } of missed) say(`  ${outcome}: ${file}: ${title}`);
  }
}

const seconds = (begun: number): number => Math.round((Date.now() - begun) / 1000);

function printTable(bugs: readonly SeededBug[], verdicts: readonly Verdict[]): void {
  const table = new Table({ head: ['bug', 'file', 'tests', 'caught', 's'], style: { head: [], border: [] } });
  for (const bug of bugs) {
    const verdict = verdicts.find((one) => one.bug === bug);
    if (verdict === undefined) continue;
    const files = [...new Set(bug.caughtBy.map(({ file }) => file))];
    const tests = files.map((file) => `${file} (${bug.caughtBy.filter((test) => test.file === file).length})`);
    table.push([bug.id, bug.file, tests.join('\n'), verdict.missed.length === 0 ? 'yes' : 'NO', verdict.seconds]);
  }
  process.stdout.write(`${table.toString()}\n`);
}

async function main(): Promise<number> {
  const bugs = chosen();
  const begun = Date.now();
  const lanes = Number(values.lanes);
  const trees = await Promise.all(Array.from({ length: lanes }, seededTree));
  const verdicts: Verdict[] = [];
  let wrong = 0;
  try {
    await startServers();
    wrong = await withoutBug(trees[0]!, bugs, lanes);
    const queue = [...bugs];
    await Promise.all(trees.map((tree) => hunt(tree, queue, verdicts)));
  } finally {
    await Promise.all([stopServers(), ...trees.map((tree) => tree.remove())]);
  }
  printTable(bugs, verdicts);
  const caught = verdicts.filter(({ missed }) => missed.length === 0).length;
  process.stdout.write(
    `${caught} of ${bugs.length} seeded bugs caught by the tests named for them; ${wrong} of those tests fail without a bug; ${seconds(begun)} s\n`,
  );
  return caught === bugs.length && wrong === 0 ? 0 : 1;
}

main().then(
  (code) => {
    process.exitCode = stopped.signal.aborted ? 130 : code;
  },
  (error: Error) => {
    say(error.stack ?? error.message);
    process.exitCode = 1;
  },
);
