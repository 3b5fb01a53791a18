import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { plotOf } from './plot';
import type { BenchResult } from './report';

const ROOT = join(__dirname, '..', '..');

/** The targets of the road, by the figure that they bound. */
const TARGETS: readonly (readonly [label: string, figure: string, most: number, unit: string])[] = [
  ['seal to published over the floor', 'settleOverFloor', 1.6, 'x'],
  ['the same with claims, over the floor with its payee rows', 'claimedOverFloor', 2.6, 'x'],
  ['the reward step over the SQL numeric statement', 'rewardOverSql', 1, 'x'],
  ['import over a bare COPY of the same files', 'importOverFloor', 2, 'x'],
  ['claims tree over @openzeppelin/merkle-tree, a leaf', 'merkleOverOpenZeppelin', 0.05, 'x'],
  ['audit by recomputation over settling', 'auditOverSettling', 1, 'x'],
  ['peak resident memory of the worker without claims', 'workerPeakMegabytes', 400, 'MB'],
  ['claims, additional memory a payee', 'claimsBytesPerPayee', 150, 'bytes'],
  ["events in the epoch's history", 'historyEvents', 1000, ''],
  ["bytes of the epoch's history", 'historyBytes', 1_000_000, ''],
];

const STEPS = ['import', 'gather', 'seal', 'derive', 'reward', 'check', 'publish', 'prove'] as const;

/** Every kept result, the smallest first. */
function keptResults(folder: string): readonly BenchResult[] {
  return readdirSync(folder)
    .filter((name) => name.startsWith('settle-') && name.endsWith('.json'))
    .map((name) => JSON.parse(readFileSync(join(folder, name), 'utf8')) as BenchResult)
    .sort((a, b) => a.options.providers - b.options.providers || a.options.epochs - b.options.epochs);
}

/** Writes docs/performance.md and its plot from the kept results. */
export function writePage(folder: string): void {
  const results = keptResults(folder);
  const single = results.filter(({ options }) => options.epochs === 1 && options.workers === 1);
  const notes = readFileSync(join(ROOT, 'bench', 'notes.md'), 'utf8');
  const parts = [
    '# Performance',
    '',
    'Made by `npm run bench` from the results that it keeps in `bench/results/`; what is said in words comes from',
    '`bench/notes.md`. Every run settles generated inputs through the real Temporal server and PostgreSQL, both on the',
    'same machine and forced to disk, and measures in the same run, on the same rows, what it is compared with. After',
    'every run the amounts are added up in the database, and a sample of them is computed again by the second',
    'implementation.',
    '',
    ...measuredSection(single),
    ...epochSection(results),
    ...workerSection(results),
    notes,
  ];
  writeFileSync(join(ROOT, 'docs', 'performance.md'), parts.join('\n'));
  if (single.length > 0) writeFileSync(join(ROOT, 'docs', 'performance.svg'), plotOf(single));
}

function measuredSection(results: readonly BenchResult[]): string[] {
  const last = results.at(-1);
  if (last === undefined) return ['No result of this version is kept yet: `npm run bench` makes one.', ''];
  return [
    `Machine: ${last.cores} cores (${last.processor}), Node ${last.node}.`,
    '',
    '![Seconds over providers](performance.svg)',
    '',
    '## Figures against their targets',
    '',
    ...targetTable(results),
    '',
    '## Seconds of each step',
    '',
    ...stepTable(results),
    '',
  ];
}

function row(cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |`;
}

function count(n: number): string {
  return String(n).replace(/\B(?=(\d{3})+$)/g, ',');
}

function shown(value: number | null | undefined): string {
  if (value === null || value === undefined) return '-';
  return value >= 1000 ? count(Math.round(value)) : String(Number(value.toPrecision(3)));
}

/** The median, and in brackets from the least to the most where there were several runs. */
function withSpread({ figures, spread, runs }: BenchResult, figure: string): string {
  const range = spread[figure];
  const median = shown(figures[figure]);
  return range === undefined || runs.length === 1 ? median : `${median} (${shown(range[0])} to ${shown(range[1])})`;
}

function headings(results: readonly BenchResult[]): string[] {
  return results.map(
    ({ options, runs }) => `${count(options.providers)} providers, ${runs.length} run${runs.length === 1 ? '' : 's'}`,
  );
}

function targetTable(results: readonly BenchResult[]): string[] {
  const lines = TARGETS.map(([label, figure, most, unit]) =>
    row([label, `${count(most)} ${unit}`.trim(), ...results.map((result) => withSpread(result, figure))]),
  );
  const tenfold = results.map((result) => {
    const tenth = results.find(({ options }) => options.providers * 10 === result.options.providers);
    const [own, less] = [result.figures.startToEndSeconds, tenth?.figures.startToEndSeconds];
    return own && less ? shown(own / less) : '-';
  });
  return [
    row(['figure', 'at most', ...headings(results)]),
    row(['---', '---', ...results.map(() => '---')]),
    ...lines,
    row(['time over the time for a tenth of the providers', '11 x', ...tenfold]),
    row([
      'start to published, of 1,500 providers',
      '1.5 s',
      ...results.map((result) =>
        result.options.providers === 1500 ? withSpread(result, 'startToPublishedSeconds') : '-',
      ),
    ]),
    row(['load average of the machine at the end', '', ...results.map(({ loadAverage }) => shown(loadAverage))]),
  ];
}

function stepTable(results: readonly BenchResult[]): string[] {
  const line = (label: string, figure: string) => row([label, ...results.map(({ figures }) => shown(figures[figure]))]);
  return [
    row(['step', ...headings(results)]),
    row(['---', ...results.map(() => '---')]),
    ...STEPS.map((step) => line(step, `${step}Seconds`)),
    line('seal to published', 'sealToPublishedSeconds'),
    line('CPU seconds of the worker in that time', 'workerCpuSeconds'),
    line('CPU seconds of PostgreSQL in that time', 'postgresCpuSeconds'),
    line('start to published', 'startToPublishedSeconds'),
    line('start to end', 'startToEndSeconds'),
    line('rows imported a second', 'importRowsPerSecond'),
    line('providers rewarded a second', 'rewardProvidersPerSecond'),
    line('floor: rows out twice, payouts in', 'floorSeconds'),
    line('CPU seconds of PostgreSQL in that floor', 'floorCpuSeconds'),
    line('floor: payee rows in', 'floorClaimsSeconds'),
    line('floor: files in by bare COPY', 'floorImportSeconds'),
    line('one SQL statement with numeric', 'sqlSeconds'),
    line('decimal.js row by row, providers a second', 'decimalProvidersPerSecond'),
    line('claims tree, microseconds a leaf', 'merkleOursMicrosecondsPerLeaf'),
    line('@openzeppelin/merkle-tree, microseconds a leaf', 'merkleTheirsMicrosecondsPerLeaf'),
    line('the worker, peak MB with the claims', 'workerPeakWithClaimsMegabytes'),
    line('PostgreSQL, peak MB (shared pages once)', 'postgresPeakMegabytes'),
    line('database bytes a provider and epoch', 'databaseBytesPerProviderAndEpoch'),
  ];
}

function epochSection(results: readonly BenchResult[]): string[] {
  const many = results.filter(({ options }) => options.epochs > 1);
  if (many.length === 0) return [];
  return [
    '## Many epochs',
    '',
    row(['providers', 'epochs', 'first epoch, s', 'last epoch, s', 'last over first', 'median epoch, s']),
    row(['---', '---', '---', '---', '---', '---']),
    ...many.map(({ options, figures }) =>
      row([
        count(options.providers),
        count(options.epochs),
        shown(figures.firstEpochSeconds),
        shown(figures.lastEpochSeconds),
        shown(figures.lastOverFirstEpoch),
        shown(figures.startToEndSeconds),
      ]),
    ),
    '',
  ];
}

function workerSection(results: readonly BenchResult[]): string[] {
  const shared = results.filter(({ options }) => options.workers > 1);
  if (shared.length === 0) return [];
  return [
    '## Several worker processes on one epoch',
    '',
    row(['providers', 'workers', 'reward, s', 'seal to published, s', 'chunks each worker took']),
    row(['---', '---', '---', '---', '---']),
    ...shared.map(({ options, figures, runs }) =>
      row([
        count(options.providers),
        count(options.workers),
        shown(figures.rewardSeconds),
        shown(figures.sealToPublishedSeconds),
        runs.map((run) => run.settled.chunksByWorker.join(' and ')).join('; '),
      ]),
    ),
    '',
  ];
}
