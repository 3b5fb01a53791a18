import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { COMMAND_POINTS, statementName, WORKER_POINTS } from './failpoints';
import { faultText, KINDS, onlyFaults, planOf, sweepOf } from './plan';

const all = (seed: number, minutes: number) => planOf(seed, minutes).flatMap(({ faults }) => faults);

test('the same seed gives the same list of moments, faults and targets, as data; another seed another list', () => {
  expect(planOf(7, 10)).toEqual(planOf(7, 10));
  expect(JSON.parse(JSON.stringify(planOf(7, 10)))).toEqual(planOf(7, 10));
  expect(all(7, 10).map(faultText)).not.toEqual(all(8, 10).map(faultText));
});

test('in every process and on every machine: while kinds and failpoints stay, the first faults of seed 1 are these', () => {
  expect(all(1, 1).slice(0, 3).map(faultText)).toEqual([
    '#1 round 0 duplicate-start loop at +0 ms starts=10',
    '#2 round 0 half-close temporal at +4231 ms towards=client',
    '#3 round 0 kill-operator whoever comes at "dispute-approve: after commit"',
  ]);
});

test('a longer run begins with the list of a shorter one', () => {
  expect(planOf(3, 10).slice(0, 8)).toEqual(planOf(3, 1));
});

test('ten minutes have far more than 60 faults, and the first 70 have five of each kind', () => {
  const faults = all(2, 10);
  expect(faults.length).toBeGreaterThan(300);
  expect(faults.map(({ number }) => number)).toEqual(faults.map((_, index) => index + 1));
  const first = faults.slice(0, 70).map(({ harm }) => harm.kind);
  for (const kind of KINDS) expect(first.filter((one) => one === kind)).toHaveLength(5);
});

test('every failpoint has its turn', () => {
  const used = new Set(all(1, 120).flatMap(({ at }) => ('failpoint' in at ? [at.failpoint] : [])));
  expect(used).toEqual(new Set([...WORKER_POINTS, ...COMMAND_POINTS]));
});

test('a sweep kills at every failpoint once', () => {
  const swept = sweepOf(1).flatMap(({ faults }) => faults.map(({ at }) => ('failpoint' in at ? at.failpoint : '')));
  expect([...swept].sort()).toEqual([...WORKER_POINTS, ...COMMAND_POINTS].sort());
});

test('--only keeps the faults that it names, and their rounds as they were', () => {
  const plan = planOf(5, 10);
  const part = onlyFaults(plan, new Set([17, 18]));
  expect(part.flatMap(({ faults }) => faults.map(({ number }) => number))).toEqual([17, 18]);
  for (const { number, faults, ...work } of part) expect(plan[number]).toMatchObject(work);
});

test.each([
  ['begin', 'begin'],
  ['COMMIT', 'commit'],
  ['insert into payment_line (a) values ($1)', 'insert payment_line'],
  ['with x as (select 1)\n  insert into settle.claim select * from x', 'insert claim'],
  ['delete from payout where epoch = $1', 'delete payout'],
  ['select a, b from network where network = $1 for update', 'select network'],
  ['select settle.fold_entitlements($1) as position', 'fold entitlements'],
  ['copy payout (a) from stdin (format csv)', 'copy'],
  ['select a from network where network = $1', null],
  ['copy (select 1) to stdout', null],
])('the statement %j is called %s', (sql, name) => {
  expect(statementName(sql)).toBe(name);
});

test('nothing of the product switches a failpoint on: only a worker that a test makes is handed one', () => {
  const root = join(__dirname, '..', '..');
  const files = [
    'src/worker',
    'src/cli',
    'src/commands',
    'src/stack',
    'src/diagnosis',
    'activities',
    'workflows',
  ].flatMap((room) =>
    readdirSync(join(root, room), { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.ts'))
      .map((file) => join(room, file)),
  );
  const text = (file: string) => readFileSync(join(root, file), 'utf8');
  // Whoever hands a failpoint over writes `reached` as a key or a shorthand; the worker passes its own option on.
  const handing = files.filter((file) => /\breached\s*[:,}]/.test(text(file).replace(/^\s*readonly reached.*$/gm, '')));
  expect(handing).toEqual(['src/worker/worker.ts']);
  expect(text('src/worker/worker.ts')).toContain('reached: options.reached ?? (() => undefined),');
  const makers = files.filter((file) => text(file).includes('createWorker('));
  for (const file of makers) expect(text(file).match(/createWorker\([^)]*reached/)).toBeNull();
  // A witness's command is given a fixed list of names, none of them ours; nothing else there sees the environment.
  expect(
    files.filter((file) => text(file).includes('process.env') && /^(activities|workflows|src.worker)/.test(file)),
  ).toEqual(['src/worker/witnesses/command-witness.ts']);
});
