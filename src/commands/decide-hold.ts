import { setTimeout as delay } from 'node:timers/promises';
import { decide } from '../../workflows/messages';
import { appendAudit } from '../store/audit-log';
import { StoreError } from '../store/errors';
import { type Hold, holdsOf, insertDecision } from '../store/holds';
import { lockNetwork } from '../store/networks';
import { transaction } from '../store/pool';
import type { CommandContext, WorkflowContext } from './context';
import { CommandError } from './errors';
import { epochWorkflowId, isRunning, loopAnswer, startLoop } from './run-epochs';

export interface HoldDecision {
  readonly network: string;
  readonly epoch: number;
  readonly outcome: 'approved' | 'rejected';
  readonly reason: string;
  /** The content digest that the person looked at; null: whatever is held now. */
  readonly contentDigest: string | null;
}

/** A run that does not answer an update in this time cannot be used any more. */
const UPDATE_SECONDS = 20;

/**
 * Decides a hold. The decision is a row first, bound to the content digest that is held; then the epoch's run is
 * woken or, whatever became of it, ended and started again: it finds its rows and goes on behind the hold.
 *
 * @throws StoreError `HoldUnknown`, `HoldClosed`, `HoldMismatch`, `SelfApproval`
 */
export async function decideHold(context: WorkflowContext, decision: HoldDecision): Promise<Hold> {
  const hold = await recordDecision(context, decision);
  await wake(context, hold, decision.outcome);
  return hold;
}

async function recordDecision(context: CommandContext, decision: HoldDecision): Promise<Hold> {
  const refused = (id: ConstructorParameters<typeof StoreError>[0], message: string) => new StoreError(id, message);
  try {
    return await transaction(context.pool, async (client) => {
      await lockNetwork(client, decision.network);
      const hold = (await holdsOf(client, decision.network, decision.epoch))[0];
      if (hold === undefined) {
        throw refused(
          'HoldUnknown',
          `epoch ${decision.epoch} of ${decision.network} is not on hold: see \`settle hold list\``,
        );
      }
      if (hold.decision !== null) {
        throw refused(
          'HoldClosed',
          `the hold of epoch ${decision.epoch} is ${hold.decision} already, by ${hold.decidedBy} at ${hold.decidedAt}`,
        );
      }
      if (hold.overdue) throw refused('HoldClosed', `the hold of epoch ${decision.epoch} expired at ${hold.deadline}`);
      if (decision.contentDigest !== null && decision.contentDigest !== hold.contentDigest) {
        throw refused(
          'HoldMismatch',
          `epoch ${decision.epoch} is held with the content digest ${hold.contentDigest}, not ${decision.contentDigest}`,
        );
      }
      if (decision.outcome === 'approved' && hold.askedBy === context.actor) {
        throw refused(
          'SelfApproval',
          `${context.actor} asked for the run of epoch ${decision.epoch}: somebody else has to approve it`,
        );
      }
      await insertDecision(client, hold, {
        outcome: decision.outcome,
        contentDigest: hold.contentDigest,
        actor: context.actor,
        reason: decision.reason,
      });
      await appendAudit(client, {
        network: decision.network,
        actor: context.actor,
        action: `hold-${decision.outcome}`,
        subject: `epoch ${decision.epoch}`,
        outcome: 'done',
        reason: decision.reason,
        detail: { contentDigest: hold.contentDigest },
      });
      return hold;
    });
  } catch (error) {
    if (!(error instanceof StoreError)) throw error;
    // A refused attempt is on record too; the refusing transaction itself is rolled back.
    await appendAudit(context.pool, {
      network: decision.network,
      actor: context.actor,
      action: `hold-${decision.outcome}`,
      subject: `epoch ${decision.epoch}`,
      outcome: 'refused',
      reason: error.message,
      detail: { id: error.id },
    });
    throw error;
  }
}

async function wake(context: WorkflowContext, hold: Hold, outcome: HoldDecision['outcome']): Promise<void> {
  const workflowId = epochWorkflowId(hold.network, hold.epoch);
  if (await isRunning(context.temporal, workflowId)) {
    const handle = context.temporal.workflow.getHandle(workflowId);
    const update = handle.executeUpdate(decide, { args: [{ contentDigest: hold.contentDigest, outcome }] });
    const answered = await Promise.race([
      update.then(
        () => true,
        () => false,
      ),
      delay(UPDATE_SECONDS * 1000, false),
    ]);
    if (answered) {
      await handle.result().catch(() => undefined);
    } else {
      await handle.terminate(`the hold was ${outcome}, but this run did not take the decision`);
    }
  }
  // The rows tell whether anything is left to do, for this epoch and for those that waited behind it.
  try {
    await loopAnswer(await startLoop(context, { network: hold.network, range: null, askedBy: 'system' }));
  } catch (error) {
    if (!(error instanceof CommandError) || error.id !== 'AlreadyRunning') throw error;
  }
}
