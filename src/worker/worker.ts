import { createHash } from 'node:crypto';
import { type NativeConnection, Worker, type WorkflowBundleWithSourceMap } from '@temporalio/worker';
import type { Pool } from 'pg';
import { createActivities } from '../../activities';
import type { ActivityDependencies, Witness } from '../../activities/dependencies';
import { TASK_QUEUE } from '../../workflows/messages';
import { buildIdOf } from '../audit/workflow-history';
import { nodeHashes } from '../hashing/node-hashes';
import { scratchFile } from './scratch';

/** Providers in one chunk of the reward step: some megabytes in memory, and a transaction of a second or two. */
const CHUNK_PROVIDERS = 20_000;

export interface WorkerOptions {
  readonly connection: NativeConnection;
  readonly namespace: string;
  /** With the rights of `settle_worker`; ended by the caller after the worker. */
  readonly pool: Pool;
  readonly witness: Witness;
  readonly bundle: WorkflowBundleWithSourceMap;
  readonly chunkProviders?: number;
  readonly reached?: ActivityDependencies['reached'];
}

/** Creates the worker; run it with `worker.run()` or `worker.runUntil(…)`. */
export async function createWorker(options: WorkerOptions): Promise<Worker> {
  const deps: ActivityDependencies = {
    pool: options.pool,
    hashes: await nodeHashes(),
    witness: options.witness,
    scratch: scratchFile(),
    workflowCode: options.bundle.code,
    chunkProviders: options.chunkProviders ?? CHUNK_PROVIDERS,
    reached: options.reached ?? (() => undefined),
  };
  return Worker.create({
    connection: options.connection,
    namespace: options.namespace,
    taskQueue: TASK_QUEUE,
    workflowBundle: options.bundle,
    // Stands in every history, so that a run names the code that it has to be replayed with.
    buildId: buildIdOf(createHash('sha256').update(options.bundle.code, 'utf8').digest('hex')),
    activities: createActivities(deps),
    // One connection for each activity, and one to spare, so that no activity waits for another's connection.
    maxConcurrentActivityTaskExecutions: Math.max(1, (options.pool.options.max ?? 8) - 1),
    // A deploy lets activities that are under way end; what takes longer is retried by another worker.
    shutdownGraceTime: '10s',
    shutdownForceTime: '20s',
    // By default a heartbeat may wait for most of its time-out to be sent, and one late beat would be a dead worker.
    maxHeartbeatThrottleInterval: '3s',
  });
}
