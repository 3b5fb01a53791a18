import { randomUUID } from 'node:crypto';
import type { PoolClient } from 'pg';
import { decide } from '../../workflows/messages';
import { appendAudit } from '../store/audit-log';
import { StoreError } from '../store/errors';
import { type Hold, holdsOf, insertDecision } from '../store/holds';
import { lockNetwork } from '../store/networks';
import { findSameRequest, insertRequest } from '../store/requests';
import { transactionAs } from '../store/rights';
import type { CommandContext, WorkflowContext } from './context';
import { refusedOnRecord } from './refusals';
import { epochWorkflowId, settleBehind } from './run-epochs';
import { answerOf, resumeAgain } from './settle-again';
import { wakeRun } from './wake-run';

export interface HoldDecision {
  readonly network: string;
  readonly epoch: number;
  readonly outcome: 'approved' | 'rejected';
  readonly reason: string;
  /** The content digest that the person looked at; null: whatever is held now. */
  readonly contentDigest: string | null;
  /** Absent or null: a new one. The same again gives the first answer. */
  readonly requestId?: string | null;
}

/**
 * Decides a hold. The decision is a row first, bound to the content digest that is held; then the epoch's run is
 * woken or, whatever became of it, ended and started again: it finds its rows and goes on behind the hold.
 *
 * @throws StoreError `HoldUnknown`, `HoldClosed`, `HoldMismatch`, `SelfApproval`, `RequestConflict`
 */
export async function decideHold(context: WorkflowContext, decision: HoldDecision): Promise<Hold> {
  const hold = await recordDecision(context, decision);
  // A decision that is repeated later may be one on a hold that another has followed: that one waits for its own.
  const [newest] = await holdsOf(context.pool, hold.network, hold.epoch);
  if (newest?.computation === hold.computation) await wake(context, hold, decision.outcome);
  return hold;
}

function recordDecision(context: CommandContext, decision: HoldDecision): Promise<Hold> {
  const { network, epoch, outcome, reason } = decision;
  const requestId = decision.requestId ?? randomUUID();
  const attempt = { network, action: `hold-${outcome}`, subject: `epoch ${epoch}`, requestId };
  return refusedOnRecord(context, attempt, () =>
    transactionAs(context.pool, 'settle_approver', async (client) => {
      await lockNetwork(client, network);
      const request = { ...attempt, body: bodyOf(decision), actor: context.actor };
      const answered = await decidedBefore(client, request, decision);
      if (answered !== null) return answered;
      const hold = (await holdsOf(client, network, epoch))[0];
      requireDecidable(hold, context.actor, decision);
      await insertRequest(client, { ...request, body: { ...request.body, held: hold.contentDigest } });
      await insertDecision(client, hold, { outcome, contentDigest: hold.contentDigest, actor: context.actor, reason });
      await appendAudit(client, {
        ...attempt,
        actor: context.actor,
        outcome: 'done',
        reason,
        detail: { contentDigest: hold.contentDigest },
      });
      return hold;
    }),
  );
}

const bodyOf = ({ epoch, reason, contentDigest }: HoldDecision) => ({
  epoch,
  reason,
  ...(contentDigest === null ? {} : { contentDigest }),
});

/** The hold that the same request decided; null: the request is new. */
async function decidedBefore(
  client: PoolClient,
  request: Parameters<typeof findSameRequest>[1],
  { network, epoch, outcome }: HoldDecision,
): Promise<Hold | null> {
  const known = await findSameRequest(client, request, 'held');
  if (known === null) return null;
  const holds = await holdsOf(client, network, epoch);
  return holds.find((one) => one.decision === outcome && one.contentDigest === known.body.held) ?? null;
}

function requireDecidable(hold: Hold | undefined, actor: string, decision: HoldDecision): asserts hold is Hold {
  const { network, epoch, outcome, contentDigest } = decision;
  if (hold === undefined) {
    throw new StoreError('HoldUnknown', `epoch ${epoch} of ${network} is not on hold: see \`settle hold list\``);
  }
  if (hold.decision !== null) {
    const by = `by ${hold.decidedBy} at ${hold.decidedAt}`;
    throw new StoreError('HoldClosed', `the hold of epoch ${epoch} is ${hold.decision} already, ${by}`);
  }
  if (hold.overdue) throw new StoreError('HoldClosed', `the hold of epoch ${epoch} expired at ${hold.deadline}`);
  if (contentDigest !== null && contentDigest !== hold.contentDigest) {
    throw new StoreError(
      'HoldMismatch',
      `epoch ${epoch} is held with the content digest ${hold.contentDigest}, not ${contentDigest}`,
    );
  }
  if (outcome === 'approved' && hold.askedBy === actor) {
    throw new StoreError(
      'SelfApproval',
      `${actor} asked for the run of epoch ${epoch}: somebody else has to approve it`,
    );
  }
}

async function wake(context: WorkflowContext, hold: Hold, outcome: HoldDecision['outcome']): Promise<void> {
  const workflowId = epochWorkflowId(hold.network, hold.epoch);
  const told = { contentDigest: hold.contentDigest, outcome };
  if ((await wakeRun(context.temporal, workflowId, decide, told)) === 'woken') {
    // What it read may have changed meanwhile: then it is computed anew, and may be held anew.
    await answerOf(context, hold.network, hold.epoch, context.temporal.workflow.getHandle(workflowId)).catch(
      () => undefined,
    );
  }
  await resumeAgain(context, hold.network, hold.epoch);
  // The rows tell whether anything is left to do, for this epoch and for those that waited behind it.
  await settleBehind(context, { network: hold.network, range: null, askedBy: 'system', role: 'settle_approver' });
}
