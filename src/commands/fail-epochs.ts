import { randomUUID } from 'node:crypto';
import type { PoolClient } from 'pg';
import { appendAudit } from '../store/audit-log';
import { newestRevision } from '../store/chain';
import { lastClosedEpoch } from '../store/due';
import { StoreError } from '../store/errors';
import { findFailure, insertRejections } from '../store/failures';
import { holdsOf, insertDecision } from '../store/holds';
import { lockNetwork, type Network } from '../store/networks';
import { findAgainRequest, findSameRequest, insertRequest } from '../store/requests';
import { transactionAs } from '../store/rights';
import { databaseClock } from '../store/seals';
import type { WorkflowContext } from './context';
import { CommandError } from './errors';
import { refusedOnRecord } from './refusals';
import { type EpochRange, epochWorkflowId, isRunning } from './run-epochs';

export interface FailRequest {
  readonly network: string;
  readonly range: EpochRange;
  readonly reason: string;
  /** Absent or null: a new one. The same again gives the first answer. */
  readonly requestId?: string | null;
}

export interface FailReport {
  /** What was closed now; null: everything was closed before. */
  readonly closed: EpochRange | null;
  /** Epochs of the range that were closed before. */
  readonly skipped: number;
  /** This request had closed them before: it is its first answer. */
  readonly repeated: boolean;
}

/**
 * Closes open epochs on purpose, as `failed(rejected)`, in order: nobody is paid for them, and the epochs after them
 * can be settled. A hold of one of them is rejected with it, and a run of it is ended.
 *
 * @throws CommandError `EpochOutsideCalendar`, `EpochNotDue`; StoreError `NetworkUnknown`, `EpochClosed`, `RequestConflict`
 */
export async function failEpochs(context: WorkflowContext, request: FailRequest): Promise<FailReport> {
  const { first, last } = request.range;
  const subject = first === last ? `epoch ${first}` : `epochs ${first}..${last}`;
  const requestId = request.requestId ?? randomUUID();
  const attempt = { network: request.network, action: 'epoch-fail', subject, requestId };
  const report = await refusedOnRecord(context, attempt, () =>
    transactionAs(context.pool, 'settle_approver', (client) =>
      failOnce(client, context.actor, { ...request, requestId }),
    ),
  );
  if (report.closed !== null && !(report.repeated && (await isAskedForAgain(context, request, report.closed.first)))) {
    await endRun(context, request, report.closed.first);
  }
  return report;
}

/** Then a run of it is another one than the command ended, or was to end. */
async function isAskedForAgain({ pool }: WorkflowContext, { network }: FailRequest, epoch: number): Promise<boolean> {
  const failure = await findFailure(pool, network, epoch);
  return failure !== null && (await findAgainRequest(pool, network, epoch, failure.failureNo)) !== null;
}

type AskedFailure = FailRequest & { readonly requestId: string };

async function failOnce(client: PoolClient, actor: string, asked: AskedFailure): Promise<FailReport> {
  const network = await lockNetwork(client, asked.network);
  const body = { ...asked.range, reason: asked.reason };
  const request = { requestId: asked.requestId, network: asked.network, action: 'epoch-fail', body, actor };
  const known = await findSameRequest(client, request, 'answer');
  if (known !== null) return { ...(known.body.answer as FailReport), repeated: true };
  const answer = await closeOpenPart(client, network, actor, asked);
  await insertRequest(client, { ...request, body: { ...body, answer } });
  return answer;
}

async function closeOpenPart(
  client: PoolClient,
  network: Network,
  actor: string,
  request: AskedFailure,
): Promise<FailReport> {
  const open = await openPart(client, network, request.range);
  if (open === null) return { closed: null, skipped: request.range.last - request.range.first + 1, repeated: false };
  await requireUnpublished(client, request.network, open.first);
  await rejectHolds(client, actor, request, open);
  await insertRejections(client, request.network, open, actor, request.reason);
  await appendAudit(client, {
    network: request.network,
    actor,
    action: 'epoch-fail',
    subject: open.first === open.last ? `epoch ${open.first}` : `epochs ${open.first}..${open.last}`,
    outcome: 'done',
    reason: request.reason,
    requestId: request.requestId,
  });
  return { closed: open, skipped: open.first - request.range.first, repeated: false };
}

/** The part of the range that is open; epochs close in order, so it is its end. */
async function openPart(client: PoolClient, network: Network, range: EpochRange): Promise<EpochRange | null> {
  const { first, last } = range;
  if (first < network.firstEpoch || last > (network.lastEpoch ?? Number.POSITIVE_INFINITY)) {
    throw new CommandError(
      'EpochOutsideCalendar',
      `network ${network.network} has the epochs ${network.firstEpoch} to ${network.lastEpoch ?? 'no end'}; ${first}..${last} is not within them`,
    );
  }
  const next = ((await lastClosedEpoch(client, network.network)) ?? network.firstEpoch - 1) + 1;
  if (last < next) return null;
  if (first > next) {
    throw new CommandError(
      'EpochNotDue',
      `epochs close in order and epoch ${next} is still open: settle it with \`settle epoch run ${next}\`, or begin with it here`,
    );
  }
  const { nowSeconds } = await databaseClock(client);
  const over = Math.floor((nowSeconds - network.genesisSeconds) / network.lengthSeconds) - 1;
  if (last > over) {
    throw new CommandError(
      'EpochNotDue',
      `epoch ${last} of ${network.network} is not over yet, the last one that is has the number ${over}: only the past can be closed`,
    );
  }
  return { first: next, last };
}

/** An epoch is open until its claims are made; but what its revision pays is due from its publication on. */
async function requireUnpublished(client: PoolClient, network: string, epoch: number): Promise<void> {
  const published = await newestRevision(client, network, epoch);
  if (published === null) return;
  throw new StoreError(
    'EpochClosed',
    `epoch ${epoch} of ${network} is published, and nothing but its claims is missing: \`settle epoch run ${epoch}\` makes them`,
  );
}

/** Only the first open epoch can be on hold. */
async function rejectHolds(client: PoolClient, actor: string, request: FailRequest, open: EpochRange): Promise<void> {
  for (const hold of await holdsOf(client, request.network, open.first)) {
    if (hold.decision !== null) continue;
    const decided = await insertDecision(client, hold, {
      outcome: 'rejected',
      contentDigest: hold.contentDigest,
      actor,
      reason: request.reason,
    });
    if (!decided) throw new StoreError('HoldClosed', `the hold of epoch ${open.first} was decided at the same moment`);
  }
}

/** The row closes the epoch; its run, if there is one, has nothing left to do. */
async function endRun(context: WorkflowContext, request: FailRequest, epoch: number): Promise<void> {
  const workflowId = epochWorkflowId(request.network, epoch);
  if (!(await isRunning(context.temporal, workflowId))) return;
  await context.temporal.workflow
    .getHandle(workflowId)
    .terminate(`epoch ${epoch} was closed by ${context.actor}: ${request.reason}`)
    // It may end by itself in this moment.
    .catch((error: Error) => {
      if (error.name !== 'WorkflowNotFoundError') throw error;
    });
}
