import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { Client, Connection } from '@temporalio/client';
import { NativeConnection, Runtime, type WorkflowBundleWithSourceMap } from '@temporalio/worker';
import type { Pool } from 'pg';
import type { ActivityDependencies, Witness } from '../../activities/dependencies';
import { SEARCH_ATTRIBUTES } from '../../src/stack/temporal';
import { createWorker } from '../../src/worker/worker';
import { NO_WITNESS } from './in-process';
import { testServers } from './servers';

// Workers log every retry, and these tests are full of them.
const quiet = () => undefined;
Runtime.install({
  shutdownSignals: [],
  telemetryOptions: { logging: { filter: 'ERROR' } },
  logger: { log: quiet, trace: quiet, debug: quiet, info: quiet, warn: quiet, error: quiet },
});

/** A namespace of its own on the shared Temporal, so that no other test's worker takes its tasks. */
export interface TestOrchestrator {
  readonly address: string;
  readonly namespace: string;
  readonly client: Client;
  /** Runs a worker for as long as `work` takes. Several may run at the same time. */
  withWorker<T>(worker: WorkerKnobs, work: () => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

export interface WorkerKnobs {
  readonly pool: Pool;
  readonly witness?: Witness;
  readonly chunkProviders?: number;
  /** Other workflow code than that of the run of tests. */
  readonly bundle?: WorkflowBundleWithSourceMap;
  readonly reached?: ActivityDependencies['reached'];
  /** After so long the work has failed and the worker stops: jest's own time-out would leave it running. Default 120. */
  readonly limitSeconds?: number;
}

// Values of Temporal's IndexedValueType.
const TYPES = { Keyword: 2, Int: 3 } as const;

export async function freshOrchestrator(): Promise<TestOrchestrator> {
  const address = testServers().temporalAddress;
  const connection = await Connection.connect({ address });
  const namespace = `test-${randomBytes(6).toString('hex')}`;
  await connection.workflowService.registerNamespace({
    namespace,
    workflowExecutionRetentionPeriod: { seconds: 86_400 as never },
  });
  const attributes = Object.entries(SEARCH_ATTRIBUTES).map(([name, type]) => [name, TYPES[type]]);
  await connection.operatorService.addSearchAttributes({ namespace, searchAttributes: Object.fromEntries(attributes) });
  await connection.close();
  return openOrchestrator(address, namespace);
}

/** A namespace that is there, of any Temporal. */
export async function openOrchestrator(address: string, namespace: string): Promise<TestOrchestrator> {
  const connection = await Connection.connect({ address });
  const native = await NativeConnection.connect({ address });
  return {
    address,
    namespace,
    client: new Client({ connection, namespace }),
    async withWorker(knobs, work) {
      const worker = await createWorker({
        connection: native,
        namespace,
        bundle: testBundle(),
        witness: NO_WITNESS,
        ...knobs,
      });
      return worker.runUntil(() => within(knobs.limitSeconds ?? 120, work()));
    },
    async close() {
      await native.close();
      await connection.close();
    },
  };
}

async function within<T>(seconds: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`the work of this worker took more than ${seconds} s`)), seconds * 1000);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

export function testBundle(): WorkflowBundleWithSourceMap {
  return { code: readFileSync(testServers().workflows, 'utf8'), sourceMap: '' };
}
