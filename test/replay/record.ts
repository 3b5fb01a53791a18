/**
 * Records the histories of test/histories again, by the workflows as they are now:
 *
 *   node --require ./test/stack/typescript-in-node.cjs test/replay/record.ts
 *
 * To be run when a workflow was changed on purpose: an old run that new code cannot replay is ended and started again
 * (docs/architecture.md), and these histories are then those of the new code.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { historyToJSON } from '@temporalio/common/lib/proto-utils';
import type { WorkflowContext } from '../../src/commands/context';
import { decideHold } from '../../src/commands/decide-hold';
import { decideOnDispute, disputeWorkflowId, openDispute } from '../../src/commands/run-dispute';
import { epochWorkflowId, loopId } from '../../src/commands/run-epochs';
import type { DisputeKey } from '../../src/store/disputes';
import { approver, rows, withCorrections } from '../disputes/disputing';
import startServers from '../harness/start-servers';
import stopServers from '../harness/stop-servers';
import { freshWorld, type World } from '../harness/worlds';

const FOLDER = join(__dirname, '..', 'histories');

async function record(): Promise<void> {
  await startServers();
  const world = await freshWorld();
  try {
    await mkdir(FOLDER, { recursive: true });
    await world.withWorker({}, async () => {
      const network = await world.makeNetwork({ epochs: 3, held: [1], missing: { 2: 'token' } }, 'recorded');
      await world.settle(network);
      await keep(world, loopId(network), 'loop-held');
      await decide(world, network, 1, 'approved');
      await keep(world, epochWorkflowId(network, 0), 'epoch-published');
      await keep(world, epochWorkflowId(network, 1), 'epoch-held-approved');
      await keep(world, epochWorkflowId(network, 2), 'epoch-failed');
      await keep(world, loopId(network), 'loop-finished');
    });
    await world.withWorker({}, async () => {
      const network = await world.makeNetwork({ epochs: 2, held: [1] }, 'recorded-rejected');
      await world.settle(network);
      await decide(world, network, 1, 'rejected');
      await keep(world, epochWorkflowId(network, 1), 'epoch-held-rejected');
    });
    await world.withWorker({ chunkProviders: 2 }, async () => {
      const network = await world.makeNetwork({ epochs: 2, providers: 5, pool: '10' }, 'recorded-in-chunks');
      await world.settle(network);
      await keep(world, epochWorkflowId(network, 0), 'epoch-in-chunks');
    });
    await world.withWorker({}, async () => {
      const network = await world.makeNetwork({ epochs: 2 }, 'recorded-disputed');
      await world.settle(network);
      const [published, stale] = [
        await dispute(world, network, '1,p0,gpu,10,9'),
        await dispute(world, network, '1,p1,gpu,11,9'),
      ];
      await decideOnDispute(approving(world), {
        ...published,
        outcome: 'approved',
        reason: 'looked at',
        contentDigest: null,
      });
      await world.context.temporal.workflow.getHandle(disputeWorkflowId(stale)).result();
      await keep(world, disputeWorkflowId(published), 'dispute-published');
      await keep(world, disputeWorkflowId(stale), 'dispute-stale');
    });
  } finally {
    await world.close();
    await stopServers();
  }
}

async function decide(world: World, network: string, epoch: number, outcome: 'approved' | 'rejected'): Promise<void> {
  await decideHold(world.as('paul'), { network, epoch, outcome, reason: 'looked at', contentDigest: null });
}

/** Opens a dispute of epoch 1 that replaces a row of its capacity, and waits until it is computed. */
async function dispute(world: World, network: string, row: string): Promise<DisputeKey> {
  const wanted = { network, epoch: 1, derive: 'pinned', revision: null, reason: 'recorded', late: false } as const;
  const { key } = await withCorrections(rows('capacity', row), (corrections) =>
    openDispute(world.context, { ...wanted, corrections, requestId: null }),
  );
  return key;
}

const approving = (world: World): WorkflowContext => ({
  ...world.context,
  actor: 'paul',
  pool: approver(world.database),
});

async function keep(world: World, workflowId: string, name: string): Promise<void> {
  const history = await world.orchestrator.client.workflow.getHandle(workflowId).fetchHistory();
  await writeFile(join(FOLDER, `${name}.json`), `${historyToJSON(history)}\n`);
  process.stdout.write(`${name}: ${history.events?.length} events\n`);
}

record().catch((error: Error) => {
  process.stderr.write(`${error.stack}\n`);
  process.exitCode = 1;
});
