/**
 * `npm run mutation [-- --rooms numbers,ledger]`: mutates the pure rooms with Stryker, each against its own tests, and
 * writes docs/mutation.md. What did not change since the last run on this machine is not run again (reports/mutation).
 * Exit code 1 if a room scores under 90 %, a survivor is not explained, or an explanation is of none.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { type Measured, mutationPage } from './page';
import { type MutationReport, type RoomResult, roomResult, scoreOf } from './results';
import { mutatedFiles, ROOMS, type Room } from './rooms';

const ROOT = join(__dirname, '..', '..');
const RESULTS = join(__dirname, 'measured.json');
const REPORTS = join('reports', 'mutation');
const LOWEST_SCORE = 90;

function mutated(room: Room): RoomResult {
  const report = join(REPORTS, `${room}.json`);
  const stryker = spawnSync(
    process.execPath,
    [
      join(ROOT, 'node_modules', '@stryker-mutator', 'core', 'bin', 'stryker.js'),
      'run',
      join('test', 'mutation', 'stryker.config.mjs'),
      ...['--mutate', mutatedFiles(room), '--incrementalFile', report],
    ],
    { cwd: ROOT, stdio: 'inherit', env: { ...process.env, MUTATION_ROOM: room } },
  );
  if (stryker.status !== 0) throw new Error(`Stryker ended with ${stryker.status ?? stryker.signal} in room ${room}`);
  return roomResult(room, JSON.parse(readFileSync(join(ROOT, report), 'utf8')) as MutationReport);
}

/** What is wrong with a room, in words; nothing is. */
function faultsOf({ room, files, unexplained, stale }: RoomResult): string[] {
  const score = scoreOf(files);
  return [
    ...(score < LOWEST_SCORE ? [`${room}: ${score.toFixed(1)} % is under ${LOWEST_SCORE} %`] : []),
    ...unexplained.map(
      ({ file, lineNumber, line, mutator, replacement }) =>
        `${file}:${lineNumber}: ${mutator} survives: ${line} -> ${replacement}: kill it with a test, or explain it in test/mutation/explained-survivors.json`,
    ),
    ...stale.map(
      ({ file, line }) => `${file}: ${line}: explained, and no survivor: take it out of explained-survivors.json`,
    ),
  ];
}

function main(): void {
  const { values } = parseArgs({ options: { rooms: { type: 'string', default: ROOMS.join(',') } } });
  const names = values.rooms.split(',');
  const rooms = ROOMS.filter((room) => names.includes(room));
  const unknown = names.filter((name) => !ROOMS.includes(name as Room));
  if (unknown.length > 0)
    throw new Error(`no pure room is called ${unknown.join(', ')}; there are ${ROOMS.join(', ')}`);
  mkdirSync(join(ROOT, REPORTS), { recursive: true });
  let measured = JSON.parse(readFileSync(RESULTS, 'utf8')) as Measured;
  const faults: string[] = [];
  for (const room of rooms) {
    const result = mutated(room);
    measured = { ...measured, [room]: result.files };
    faults.push(...faultsOf(result));
    writeFileSync(RESULTS, `${JSON.stringify(measured, null, 2)}\n`);
    writeFileSync(join(ROOT, 'docs', 'mutation.md'), mutationPage(measured));
    process.stdout.write(`${room}: ${scoreOf(result.files).toFixed(1)} %\n`);
  }
  for (const fault of faults) process.stdout.write(`${fault}\n`);
  process.exitCode = faults.length === 0 ? 0 : 1;
}

main();
