import type { WorkflowContext } from '../../src/commands/context';
import { type EpochRange, loopAnswer, startLoop } from '../../src/commands/run-epochs';
import type { LoopAnswer } from '../../workflows/messages';
import { freshDatabase, type TestDatabase } from './databases';
import { makeNetwork, type NetworkKnobs } from './networks';
import { freshOrchestrator, type TestOrchestrator, type WorkerKnobs } from './orchestrators';

/** A database and a Temporal namespace of their own, and the commands of an operator on both. */
export interface World {
  readonly database: TestDatabase;
  readonly orchestrator: TestOrchestrator;
  readonly context: WorkflowContext;
  /** The same, acting as somebody else. */
  as(actor: string): WorkflowContext;
  makeNetwork(knobs?: NetworkKnobs, name?: string): Promise<string>;
  withWorker<T>(knobs: Omit<WorkerKnobs, 'pool'>, work: () => Promise<T>): Promise<T>;
  /** Starts the loop and waits for its answer; a worker must be running. */
  settle(network: string, askedBy?: string, range?: EpochRange): Promise<LoopAnswer>;
  close(): Promise<void>;
}

export async function freshWorld(): Promise<World> {
  const [database, orchestrator] = await Promise.all([freshDatabase(), freshOrchestrator()]);
  return worldOf(database, orchestrator);
}

export function worldOf(database: TestDatabase, orchestrator: TestOrchestrator): World {
  const as = (actor: string): WorkflowContext => ({ pool: database.operator, actor, temporal: orchestrator.client });
  const context = as('olivia');
  return {
    database,
    orchestrator,
    context,
    as,
    makeNetwork: (knobs, name) => makeNetwork(context, knobs, name),
    withWorker: (knobs, work) => orchestrator.withWorker({ pool: database.worker, ...knobs }, work),
    settle: async (network, askedBy = 'olivia', range) =>
      loopAnswer(await startLoop(context, { network, range: range ?? null, askedBy })),
    async close() {
      // The database too if the orchestrator cannot be closed: what stays open keeps jest from ending.
      try {
        await orchestrator.close();
      } finally {
        await database.close();
      }
    },
  };
}

/** One row of a published epoch, as much as tests compare. */
export interface PublishedRow {
  readonly epoch: number;
  readonly revision: number;
  readonly contentDigest: string;
}

export async function publishedEpochs(database: TestDatabase, network: string): Promise<readonly PublishedRow[]> {
  const found = await database.viewer.query<PublishedRow>(
    `select epoch, revision, content_digest as "contentDigest" from chain_entry
     where network = $1 and kind = 'revision' order by position`,
    [network],
  );
  return found.rows;
}

export async function failedEpochs(
  database: TestDatabase,
  network: string,
): Promise<readonly { epoch: number; failure: string }[]> {
  const found = await database.viewer.query<{ epoch: number; failure: string }>(
    'select epoch, failure from epoch_failure where network = $1 order by epoch, failure_no',
    [network],
  );
  return found.rows;
}

export async function count(database: TestDatabase, table: string, network: string): Promise<number> {
  const found = await database.superuser.query<{ n: number }>(
    `select count(*) as n from settle.${table} where network = $1`,
    [network],
  );
  return found.rows[0]!.n;
}

/**
 * Waits until something holds; fails with `what` after so many seconds. Long, since a task that Temporal gave to a worker
 * that just stopped is given out again only when its time is up.
 */
export async function until(what: string, holds: () => Promise<boolean>, seconds = 100): Promise<void> {
  const end = Date.now() + seconds * 1000;
  while (!(await holds())) {
    if (Date.now() > end) throw new Error(`waited ${seconds} s in vain until ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
