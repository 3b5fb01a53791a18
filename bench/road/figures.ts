import type { BenchOptions } from './options';
import type { RunResult } from './report';

/** Named figures; null: not measured. */
export type Figures = Readonly<Record<string, number | null>>;
/** From the least to the most of a figure over the runs. */
export type Spread = Readonly<Record<string, readonly [least: number, most: number]>>;

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

const rounded = (x: number): number => Number(x.toPrecision(4));

export function spreadOf(options: BenchOptions, runs: readonly RunResult[]): Spread {
  const each = runs.map((run) => figuresOf(options, [run]));
  return Object.fromEntries(
    Object.keys(each[0]!).flatMap((name) => {
      const values = each.map((figures) => figures[name] ?? null);
      if (values.some((value) => value === null)) return [];
      return [[name, [Math.min(...(values as number[])), Math.max(...(values as number[]))] as const]];
    }),
  );
}

/** Medians over the runs. */
export function figuresOf(options: BenchOptions, runs: readonly RunResult[]): Figures {
  const of = (value: (run: RunResult) => number | null): number | null => {
    const values = runs.map(value);
    return values.some((one) => one === null) ? null : rounded(median(values as number[]));
  };
  const rows = options.providers;
  const step = (run: RunResult, name: string) => median(run.settled.epochs.map(({ steps }) => steps[name] ?? 0));
  const named = (name: string) => of((run) => step(run, name));
  const each = (value: (run: RunResult) => number) => of((run) => rows / value(run));
  const bytes = (run: RunResult) => Object.values(run.settled.tableBytes).reduce((sum, one) => sum + one, 0);
  const epochSeconds = (run: RunResult) => run.settled.epochs.map(({ startToEnd }) => startToEnd);
  const sealToPublished = (run: RunResult) => median(run.settled.epochs.map((epoch) => epoch.sealToPublished));
  const sealToProved = (run: RunResult) => median(run.settled.epochs.map((epoch) => epoch.sealToProved));
  return {
    importSeconds: of((run) => run.settled.importSeconds),
    importRowsPerSecond: of((run) => (rows * (1 + 2 * options.epochs)) / run.settled.importSeconds),
    ...Object.fromEntries(
      ['gather', 'seal', 'derive', 'reward', 'check', 'publish', 'prove'].flatMap((name) => [
        [`${name}Seconds`, named(name)],
        [`${name}ProvidersPerSecond`, each((run) => step(run, name))],
      ]),
    ),
    sealToPublishedSeconds: of(sealToPublished),
    sealToProvedSeconds: of(sealToProved),
    workerCpuSeconds: of((run) => medianOf(run.settled.epochs.map((epoch) => epoch.workerCpuSeconds))),
    postgresCpuSeconds: of((run) => medianOf(run.settled.epochs.map((epoch) => epoch.postgresCpuSeconds))),
    floorCpuSeconds: of((run) => run.floor?.settleCpuSeconds ?? null),
    startToPublishedSeconds: of((run) => median(run.settled.epochs.map((epoch) => epoch.startToPublished))),
    startToEndSeconds: of((run) => median(epochSeconds(run))),
    firstEpochSeconds: of((run) => epochSeconds(run)[0]!),
    lastEpochSeconds: of((run) => epochSeconds(run).at(-1)!),
    lastOverFirstEpoch: of((run) => epochSeconds(run).at(-1)! / epochSeconds(run)[0]!),
    floorSeconds: of((run) => run.floor?.settleSeconds ?? null),
    floorReadSeconds: of((run) => run.floor?.readSeconds ?? null),
    floorWriteSeconds: of((run) => run.floor?.writeSeconds ?? null),
    floorClaimsSeconds: of((run) => run.floor?.claimsSeconds ?? null),
    floorImportSeconds: of((run) => run.floor?.importSeconds ?? null),
    sqlSeconds: of((run) => run.sql?.seconds ?? null),
    sqlDifferingRows: of((run) => run.sql?.differing ?? null),
    decimalProvidersPerSecond: of((run) => (run.decimal === null ? null : run.decimal.providers / run.decimal.seconds)),
    merkleOursMicrosecondsPerLeaf: of((run) => perLeaf(run.merkle?.ourSeconds, run.merkle?.ourLeaves)),
    merkleTheirsMicrosecondsPerLeaf: of((run) => perLeaf(run.merkle?.theirSeconds, run.merkle?.theirLeaves)),
    settleOverFloor: of((run) => run.floor && sealToPublished(run) / run.floor.settleSeconds),
    claimedOverFloor: of((run) => run.floor && sealToProved(run) / run.floor.claimedSeconds),
    auditSeconds: of((run) => run.audit?.seconds ?? null),
    auditOverSettling: of((run) => run.audit && run.audit.seconds / sealToProved(run)),
    rewardOverSql: of((run) => run.sql && step(run, 'reward') / run.sql.seconds),
    importOverFloor: of((run) => run.floor && run.settled.importSeconds / run.floor.importSeconds),
    claimsBytesPerPayee: of((run) => run.merkle?.ourBytesPerLeaf ?? null),
    merkleOverOpenZeppelin: of(
      (run) =>
        run.merkle && run.merkle.ourSeconds / run.merkle.ourLeaves / (run.merkle.theirSeconds / run.merkle.theirLeaves),
    ),
    // Of the first epoch until it was published: what follows holds the claims, too.
    workerPeakMegabytes: of(
      (run) => run.settled.epochs[0]!.workerPeakBytes && megabytes(run.settled.epochs[0]!.workerPeakBytes),
    ),
    workerPeakWithClaimsMegabytes: of((run) =>
      megabytes(Math.max(...run.settled.workerPeakBytes.map((one) => one ?? 0))),
    ),
    postgresPeakMegabytes: of((run) => megabytes(run.settled.postgresPeakBytes)),
    historyEvents: of((run) => Math.max(...run.settled.epochs.map(({ historyEvents }) => historyEvents))),
    historyBytes: of((run) => Math.max(...run.settled.epochs.map(({ historyBytes }) => historyBytes))),
    databaseBytesPerProviderAndEpoch: of((run) => bytes(run) / rows / options.epochs),
    secondLookSample: of((run) => run.secondLook.sampled),
  };
}

function medianOf(values: readonly (number | null)[]): number | null {
  return values.some((value) => value === null) ? null : median(values as number[]);
}

function perLeaf(seconds: number | undefined, leaves: number | undefined): number | null {
  return seconds === undefined || leaves === undefined ? null : (seconds / leaves) * 1e6;
}

const megabytes = (bytes: number): number => bytes / 1024 / 1024;
