import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { temporal } from '@temporalio/proto';
import { createNetwork } from '../../src/commands/create-network';
import { importBundle } from '../../src/commands/import-bundle';
import { epochWorkflowId, loopAnswer, startLoop } from '../../src/commands/run-epochs';
import { cpuOf, cpuOfServer, type Watch, watch } from './cpu';
import { writeBundle } from './inputs';
import { watchServer } from './memory';
import type { BenchOptions } from './options';
import type { BenchWorker, Servers } from './servers';

export const NETWORK = 'bench';
const ROOT = join(__dirname, '..', '..');

/** Seconds of each step of one epoch: from its first activity being scheduled to its last one being completed. */
export type Steps = Readonly<Record<string, number>>;

export interface EpochTimes {
  readonly epoch: number;
  readonly steps: Steps;
  /** From the first activity of sealing to the end of publishing. */
  readonly sealToPublished: number;
  readonly sealToProved: number;
  /** From the start of the run to the end of publishing, and to its own. */
  readonly startToPublished: number;
  readonly startToEnd: number;
  /** CPU seconds from seal to published; null: unknown. */
  readonly workerCpuSeconds: number | null;
  readonly postgresCpuSeconds: number | null;
  /** Most resident bytes of a worker until it was published, that is, without claims; null: unknown. */
  readonly workerPeakBytes: number | null;
  readonly historyEvents: number;
  readonly historyBytes: number;
  /** Chunk activities by the worker process that completed them. */
  readonly chunks: Readonly<Record<string, number>>;
}

export interface Settled {
  readonly generateSeconds: number;
  readonly importSeconds: number;
  readonly settleSeconds: number;
  readonly epochs: readonly EpochTimes[];
  readonly workerPeakBytes: readonly (number | null)[];
  /** Chunk activities of all epochs that each worker process completed. */
  readonly chunksByWorker: readonly number[];
  readonly postgresPeakBytes: number;
  /** Database bytes of each table's rows and indexes. */
  readonly tableBytes: Readonly<Record<string, number>>;
  readonly folder: string;
  readonly policyFile: string;
}

export async function timed<T>(work: () => Promise<T>): Promise<{ readonly seconds: number; readonly result: T }> {
  const begun = process.hrtime.bigint();
  const result = await work();
  return { seconds: Number(process.hrtime.bigint() - begun) / 1e9, result };
}

/** Imports a generated bundle and settles all of its epochs. */
export async function settleBundle(
  servers: Servers,
  options: BenchOptions,
  say: (line: string) => void,
): Promise<Settled> {
  const folder = join(servers.home, 'bundle');
  const policyFile = join(servers.home, 'policy.yaml');
  const template = readFileSync(join(ROOT, 'policies', 'swarm-default.yaml'), 'utf8');
  const generated = await timed(async () => writeBundle(folder, policyFile, template, options));
  say(`inputs written in ${generated.seconds.toFixed(1)} s`);
  const context = { pool: servers.pool, temporal: servers.temporal, actor: 'bench' };
  const calendar = { firstEpoch: 0, lastEpoch: options.epochs - 1, holds: 'release' } as const;
  await createNetwork({ pool: servers.owner, actor: 'bench' }, { network: NETWORK, policyFile, ...calendar });
  const imported = await timed(() =>
    importBundle(context, folder, { network: NETWORK, dryRun: false, outsideCalendar: 'refuse' }),
  );
  say(`imported in ${imported.seconds.toFixed(1)} s`);
  // What autovacuum does by itself while inputs arrive over an hour; it would else run in the middle of a step.
  await servers.owner.query('vacuum (analyze)');
  await servers.owner.query('checkpoint');
  const workers: BenchWorker[] = [];
  for (let n = 0; n < options.workers; n += 1) workers.push(await servers.startWorker());
  const { postgresPid } = servers;
  const server = postgresPid === null ? null : watchServer(postgresPid);
  const watches: Watches = {
    workers: watch(() => workers.reduce((sum, { pid }) => sum + (cpuOf(pid) ?? 0), 0)),
    postgres: watch(() => (postgresPid === null ? null : cpuOfServer(postgresPid))),
    peak: watch(() => Math.max(...workers.map((worker) => worker.peak() ?? 0))),
  };
  const settled = await timed(async () => {
    const loop = await startLoop(context, { network: NETWORK, range: null, askedBy: 'bench' });
    return loopAnswer(loop);
  });
  say(`settled ${settled.result.closed} epochs in ${settled.seconds.toFixed(1)} s`);
  for (const one of Object.values(watches)) one.stop();
  const workerPeakBytes = workers.map((worker) => worker.peak());
  const epochs: EpochTimes[] = [];
  for (let epoch = 0; epoch < options.epochs; epoch += 1) epochs.push(await epochTimes(servers, epoch, watches));
  for (const worker of workers) await worker.stop();
  return {
    generateSeconds: generated.seconds,
    importSeconds: imported.seconds,
    settleSeconds: settled.seconds,
    epochs,
    workerPeakBytes,
    chunksByWorker: byWorker(epochs),
    postgresPeakBytes: server?.stop() ?? 0,
    tableBytes: await tableBytes(servers),
    folder,
    policyFile,
  };
}

type HistoryEvent = temporal.api.history.v1.IHistoryEvent;

const secondsOf = (event: HistoryEvent): number =>
  Number(event.eventTime?.seconds ?? 0) + Number(event.eventTime?.nanos ?? 0) / 1e9;

interface Watches {
  /** CPU seconds. */
  readonly workers: Watch;
  readonly postgres: Watch;
  /** Most resident bytes of a worker so far. */
  readonly peak: Watch;
}

async function epochTimes(servers: Servers, epoch: number, watches: Watches): Promise<EpochTimes> {
  const handle = servers.temporal.workflow.getHandle(epochWorkflowId(NETWORK, epoch));
  const { events } = await handle.fetchHistory();
  const all = events ?? [];
  const description = await handle.describe();
  const scheduled = new Map<string, string>();
  const first = new Map<string, number>();
  const last = new Map<string, number>();
  const chunks: Record<string, number> = {};
  for (const event of all) {
    const begun = event.activityTaskScheduledEventAttributes;
    if (begun) {
      const name = begun.activityType?.name ?? '';
      scheduled.set(String(event.eventId), name);
      if (!first.has(name)) first.set(name, secondsOf(event));
    }
    const ended = event.activityTaskCompletedEventAttributes;
    if (!ended) continue;
    const name = scheduled.get(String(ended.scheduledEventId)) ?? '';
    last.set(name, secondsOf(event));
    if (!CHUNK_STEPS.has(name)) continue;
    const worker = ended.identity ?? '';
    chunks[worker] = (chunks[worker] ?? 0) + 1;
  }
  const sealToPublished = [first.get('seal') ?? 0, last.get('publish') ?? 0] as const;
  const span = (from: string, to: string): number => (last.get(to) ?? 0) - (first.get(from) ?? 0);
  return {
    epoch,
    steps: {
      ...Object.fromEntries([...first.keys()].map((name) => [name, span(name, name)])),
      // From the first sum of a chunk, where sums were taken first.
      reward: span(first.has('sumChunk') ? 'sumChunk' : 'reward', 'reward'),
    },
    sealToPublished: span('seal', 'publish'),
    sealToProved: span('seal', 'prove'),
    startToPublished: (last.get('publish') ?? 0) - secondsOf(all[0]!),
    startToEnd: secondsOf(all.at(-1)!) - secondsOf(all[0]!),
    workerCpuSeconds: watches.workers.between(...sealToPublished),
    postgresCpuSeconds: watches.postgres.between(...sealToPublished),
    workerPeakBytes: watches.peak.at(sealToPublished[1]),
    historyEvents: all.length,
    historyBytes: Number(description.raw.workflowExecutionInfo?.historySizeBytes ?? 0),
    chunks,
  };
}

const CHUNK_STEPS = new Set(['sumChunk', 'reward']);

function byWorker(epochs: readonly EpochTimes[]): number[] {
  const sums: Record<string, number> = {};
  for (const { chunks } of epochs) {
    for (const [worker, n] of Object.entries(chunks)) sums[worker] = (sums[worker] ?? 0) + n;
  }
  return Object.values(sums);
}

async function tableBytes(servers: Servers): Promise<Record<string, number>> {
  const found = await servers.owner.query<{ name: string; bytes: number }>(
    `select regexp_replace(c.relname, '_[0-9]+$', '') as name, sum(pg_total_relation_size(c.oid))::bigint as bytes
     from pg_class c join pg_namespace n on n.oid = c.relnamespace
     where n.nspname = 'settle' and c.relkind = 'r' group by 1 having sum(pg_total_relation_size(c.oid)) > 200000`,
  );
  return Object.fromEntries(found.rows.map(({ name, bytes }) => [name, bytes]));
}
