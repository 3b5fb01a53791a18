import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { WorkflowExecutionAlreadyStartedError } from '@temporalio/client';
import { type DisputeAnswer, type DisputeEpochInput, decideDispute, TASK_QUEUE } from '../../workflows/messages';
import { appendAudit } from '../store/audit-log';
import { findEntry, newestRevision } from '../store/chain';
import {
  type Dispute,
  type DisputeKey,
  findProposal,
  getDispute,
  insertDisputeDecision,
  listDisputes,
} from '../store/disputes';
import { StoreError } from '../store/errors';
import { lockNetwork } from '../store/networks';
import { findSameRequest, insertRequest } from '../store/requests';
import { transactionAs } from '../store/rights';
import type { CommandContext, WorkflowContext } from './context';
import { CommandError } from './errors';
import { type DisputeRecord, type NewDispute, recordDispute } from './open-dispute';
import { refusedOnRecord } from './refusals';
import { causeWords, isRunning, runStopped } from './run-epochs';
import { wakeRun } from './wake-run';

export const disputeWorkflowId = ({ network, epoch, dispute }: DisputeKey): string =>
  `dispute/${network}/${epoch}/${dispute}`;

const POLL_MS = 100;
/** Asking Temporal is dearer than asking for a row. */
const POLLS_A_LOOK = 10;

/** Records a dispute, has its revision computed, and returns as soon as there is something to decide on. */
export async function openDispute(
  context: WorkflowContext,
  wanted: NewDispute,
): Promise<DisputeRecord & { readonly dispute: Dispute }> {
  const record = await recordDispute(context, wanted);
  const dispute = await computeDispute(context, record.key);
  return { ...record, dispute };
}

/** Starts or finds the run of a dispute, and waits until its revision is computed or it is closed. */
export async function computeDispute(context: WorkflowContext, key: DisputeKey): Promise<Dispute> {
  const dispute = await getDispute(context.pool, key);
  if (await isComputed(context, dispute)) return dispute;
  await start(context, dispute);
  return waitFor(context, key, (now) => isComputed(context, now));
}

/** Whether there is something to decide on or to look at: a proposal, a decision, a publication with its claims. */
export async function isComputed(context: Pick<CommandContext, 'pool'>, dispute: Dispute): Promise<boolean> {
  if (dispute.state === 'open') return (await findProposal(context.pool, dispute)) !== null;
  return !(await lacksClaims(context, dispute));
}

export interface DisputeDecisionRequest extends DisputeKey {
  readonly outcome: 'approved' | 'rejected';
  readonly reason: string;
  /** The content digest that the person looked at; null: whatever is proposed now. */
  readonly contentDigest: string | null;
  /** Absent or null: a new one. The same again gives the first answer. */
  readonly requestId?: string | null;
}

/**
 * Decides a dispute. The decision is a row first, bound to the content digest that is proposed; then the dispute's run
 * is woken or, whatever became of it, ended and started again: it finds its rows and publishes.
 *
 * @returns the dispute afterwards. `open` with the decision `superseded`: its history changed before it could be
 *   published, it was computed again, and needs another look
 * @throws StoreError `DisputeUnknown`, `DisputeClosed`, `DisputeStale`, `DisputeMismatch`, `DisputeUncomputed`,
 *   `SelfApproval`, `RequestConflict`
 */
export async function decideOnDispute(context: WorkflowContext, decision: DisputeDecisionRequest): Promise<Dispute> {
  const contentDigest = await recordDisputeDecision(context, decision);
  await wake(context, decision, contentDigest);
  if (decision.outcome === 'rejected') return getDispute(context.pool, decision);
  return waitFor(context, decision, async (now) => now.state !== 'approved' && !(await isProving(context, now)));
}

/** The decision's row alone. Returns the content digest that it is bound to. */
export function recordDisputeDecision(
  context: CommandContext,
  decision: DisputeDecisionRequest,
): Promise<string | null> {
  const { network, epoch, dispute, outcome, reason, contentDigest: looked } = decision;
  const requestId = decision.requestId ?? randomUUID();
  const attempt = { network, action: `dispute-${outcome}`, subject: `epoch ${epoch} dispute ${dispute}`, requestId };
  const body = { epoch, dispute, reason, ...(looked === null ? {} : { contentDigest: looked }) };
  return refusedOnRecord(context, attempt, async () => {
    return transactionAs(context.pool, 'settle_approver', async (client) => {
      await lockNetwork(client, network);
      const request = { ...attempt, body, actor: context.actor };
      const known = await findSameRequest(client, request, 'proposed');
      if (known !== null) return known.body.proposed as string | null;
      const now = await getDispute(client, decision);
      requireOpen(now);
      if (now.openedBy === context.actor) throw ownDispute(now, outcome);
      const newest = await newestRevision(client, network, epoch);
      if (newest?.revision !== now.baseRevision) throw staleBy(newest?.revision ?? 0, now);
      const proposal = await findProposal(client, decision);
      const contentDigest = proposal?.contentDigest ?? null;
      if (outcome === 'approved') requireFirst(await listDisputes(client, network, epoch, true), now);
      requireLookedAt(decision, contentDigest);
      await insertRequest(client, { ...request, body: { ...body, proposed: contentDigest } });
      await insertDisputeDecision(client, now, { outcome, contentDigest, actor: context.actor, reason });
      await appendAudit(client, {
        ...attempt,
        actor: context.actor,
        outcome: 'done',
        reason,
        // What would trip is no part of the content: the log keeps what this person was shown.
        detail: { contentDigest, wouldTrip: proposal?.wouldTrip ?? null },
      });
      return contentDigest;
    });
  });
}

function requireOpen(dispute: Dispute): void {
  const { epoch, state, decidedBy, decidedAt, decidedReason } = dispute;
  if (state === 'open') return;
  const by = `by ${decidedBy} at ${decidedAt}: ${decidedReason}`;
  throw new StoreError(
    state === 'stale' ? 'DisputeStale' : 'DisputeClosed',
    `dispute ${dispute.dispute} of epoch ${epoch} is ${state} already, ${by}`,
  );
}

function ownDispute({ epoch, dispute, openedBy }: Dispute, outcome: string): StoreError {
  const verb = outcome === 'approved' ? 'approve' : 'reject';
  return new StoreError(
    'SelfApproval',
    `${openedBy} opened dispute ${dispute} of epoch ${epoch}: somebody else has to ${verb} it`,
  );
}

function staleBy(newest: number, { epoch, dispute, baseRevision }: Dispute): StoreError {
  return new StoreError(
    'DisputeStale',
    `dispute ${dispute} is on revision ${baseRevision} of epoch ${epoch}, and revision ${newest} is published: open it again on that one`,
  );
}

/** The first that is approved wins; a second approval beside it could never be published. */
function requireFirst(open: readonly Dispute[], own: Dispute): void {
  const first = open.find((other) => other.state === 'approved' && other.dispute !== own.dispute);
  if (first === undefined) return;
  throw new StoreError(
    'DisputeStale',
    `dispute ${first.dispute} of epoch ${own.epoch} was approved first, by ${first.decidedBy} at ${first.decidedAt}: open dispute ${own.dispute} again on its revision`,
  );
}

function requireLookedAt({ epoch, dispute, outcome, contentDigest }: DisputeDecisionRequest, now: string | null): void {
  if (outcome === 'approved' && now === null) {
    throw new StoreError(
      'DisputeUncomputed',
      `dispute ${dispute} of epoch ${epoch} is still being computed: look at \`settle dispute preview ${epoch} ${dispute}\` first`,
    );
  }
  if (contentDigest === null || contentDigest === now) return;
  throw new StoreError(
    'DisputeMismatch',
    `dispute ${dispute} of epoch ${epoch} proposes the content digest ${now}, not ${contentDigest}: look at its preview again`,
  );
}

async function start(context: WorkflowContext, { network, epoch, dispute, requestId }: Dispute): Promise<void> {
  try {
    await context.temporal.workflow.start<(input: DisputeEpochInput) => Promise<DisputeAnswer>>('disputeEpoch', {
      workflowId: disputeWorkflowId({ network, epoch, dispute }),
      taskQueue: TASK_QUEUE,
      args: [{ network, epoch, dispute, requestId }],
      memo: { requestId },
      workflowIdConflictPolicy: 'FAIL',
      workflowIdReusePolicy: 'ALLOW_DUPLICATE',
      staticSummary: `dispute ${dispute} of epoch ${epoch} of ${network}`,
    });
  } catch (error) {
    // Somebody else's start of the same dispute does the same work from the same rows.
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
  }
}

async function wake(
  context: WorkflowContext,
  decision: DisputeDecisionRequest,
  contentDigest: string | null,
): Promise<void> {
  const { outcome } = decision;
  const told = { contentDigest: contentDigest ?? '', outcome };
  if ((await wakeRun(context.temporal, disputeWorkflowId(decision), decideDispute, told)) === 'woken') return;
  if (outcome === 'approved') await start(context, await getDispute(context.pool, decision));
}

/** Published, but without its claims yet: its run is at them, or ended before. */
async function lacksClaims(
  { pool }: Pick<CommandContext, 'pool'>,
  { network, epoch, state, revision }: Dispute,
): Promise<boolean> {
  if (state !== 'published' || revision === null) return false;
  return (await findEntry(pool, network, epoch, revision, 'claims')) === null;
}

/** Published, but its run has not ended: this process may be the worker that it needs. */
async function isProving(context: WorkflowContext, dispute: Dispute): Promise<boolean> {
  if (dispute.state !== 'published') return false;
  return (await lacksClaims(context, dispute)) || isRunning(context.temporal, disputeWorkflowId(dispute));
}

/** Looks at the rows until they are as wanted. @throws CommandError `RunStopped` if the run ends before they are */
async function waitFor(
  context: WorkflowContext,
  key: DisputeKey,
  isThere: (dispute: Dispute) => Promise<boolean>,
): Promise<Dispute> {
  for (let polls = 1; ; polls += 1) {
    const dispute = await getDispute(context.pool, key);
    if (await isThere(dispute)) return dispute;
    await delay(POLL_MS);
    if (polls % POLLS_A_LOOK !== 0 || (await isRunning(context.temporal, disputeWorkflowId(key)))) continue;
    const last = await getDispute(context.pool, key);
    if (await isThere(last)) return last;
    throw await stopped(context, key);
  }
}

async function stopped(context: WorkflowContext, key: DisputeKey): Promise<CommandError> {
  const workflowId = disputeWorkflowId(key);
  let why = 'it is not running';
  try {
    await context.temporal.workflow.getHandle(workflowId).result();
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    why = causeWords(error);
  }
  return runStopped(
    workflowId,
    why,
    `The dispute stays as it is; \`settle dispute preview ${key.epoch} ${key.dispute}\` starts it again`,
  );
}
