import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus, loadavg } from 'node:os';
import { join } from 'node:path';
import type { DecimalReward } from './decimal-reward';
import { type Figures, figuresOf, type Spread, spreadOf } from './figures';
import type { Floor } from './floor';
import type { MerkleTimes } from './merkle';
import type { BenchOptions } from './options';
import { writePage } from './page';
import type { SecondLook } from './second-look';
import type { Settled } from './settling';
import type { SqlReward } from './sql-reward';

export interface RunResult {
  readonly settled: Settled;
  readonly secondLook: SecondLook;
  readonly audit: { readonly seconds: number } | null;
  readonly floor: Floor | null;
  readonly sql: SqlReward | null;
  readonly decimal: DecimalReward | null;
  readonly merkle: MerkleTimes | null;
}

/** What is kept of a bench in bench/results/. */
export interface BenchResult {
  readonly version: string;
  readonly measured: string;
  readonly node: string;
  readonly cores: number;
  readonly processor: string;
  readonly loadAverage: number;
  readonly options: Omit<BenchOptions, 'write' | 'label' | 'pageOnly'>;
  /** Medians over the runs. */
  readonly figures: Figures;
  readonly spread: Spread;
  readonly runs: readonly RunResult[];
}

const ROOT = join(__dirname, '..', '..');
export const RESULTS = join(ROOT, 'bench', 'results');

/** Prints the table, and writes the JSON and the page. */
export function report(options: BenchOptions, runs: readonly RunResult[]): void {
  const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { version: string };
  const { write, label, pageOnly: _, ...kept } = options;
  const figures = figuresOf(options, runs);
  const spread = spreadOf(options, runs);
  const result: BenchResult = {
    version,
    measured: new Date().toISOString(),
    node: process.version,
    cores: cpus().length,
    processor: cpus()[0]?.model ?? 'unknown',
    loadAverage: Math.round((loadavg()[0] ?? 0) * 100) / 100,
    options: kept,
    figures,
    spread,
    // Where the files were is nobody's business afterwards.
    runs: runs.map((run) => ({ ...run, settled: { ...run.settled, folder: '', policyFile: '' } })),
  };
  console.log(`${'figure'.padEnd(36)} ${'median'.padEnd(12)} least to most of ${runs.length}`);
  for (const [name, value] of Object.entries(figures)) {
    console.log(`${name.padEnd(36)} ${String(value).padEnd(12)} ${spread[name]?.join(' to ') ?? ''}`.trimEnd());
  }
  if (!write) return;
  mkdirSync(RESULTS, { recursive: true });
  const name = label ?? `${options.providers}x${options.epochs}`;
  writeFileSync(join(RESULTS, `settle-${version}-${name}.json`), `${JSON.stringify(result, null, 2)}\n`);
  writePage(RESULTS);
}
