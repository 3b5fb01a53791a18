import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { WorkflowExecutionAlreadyStartedError, WorkflowFailedError, type WorkflowHandle } from '@temporalio/client';
import { type EpochAnswer, type SettleEpochInput, TASK_QUEUE } from '../../workflows/messages';
import { requireAttached } from '../store/archives';
import { appendAudit } from '../store/audit-log';
import { newestRevision } from '../store/chain';
import { StoreError } from '../store/errors';
import { findFailure } from '../store/failures';
import { holdsOf } from '../store/holds';
import { lockNetwork } from '../store/networks';
import type { Queryable } from '../store/pool';
import { AGAIN, findAgainRequest, findRequest, insertRequest } from '../store/requests';
import { transactionAs } from '../store/rights';
import type { CommandContext, WorkflowContext } from './context';
import { refusedOnRecord } from './refusals';
import { alreadyRunning, causeWords, epochWorkflowId, runStopped } from './run-epochs';

export interface AgainRequest {
  readonly network: string;
  readonly epoch: number;
  readonly reason: string;
  /** null: a new one. The same again gives the first answer. */
  readonly requestId: string | null;
}

type EpochRun = WorkflowHandle<(input: SettleEpochInput) => Promise<EpochAnswer>>;

const POLL_MS = 200;

/**
 * Settles an epoch again that had failed (spec §8): on what is published below it now, after the last published one
 * in the chain. Later epochs keep what they were settled on, and are marked.
 *
 * @throws StoreError `EpochNotFailed`; `RequestConflict`
 * @throws CommandError `AlreadyRunning`, `RunStopped`
 */
export async function settleAgain(context: WorkflowContext, wanted: AgainRequest): Promise<EpochAnswer> {
  const { network, epoch } = wanted;
  const requestId = await recordAgain(context, wanted);
  const attempt = { network, action: AGAIN, subject: `epoch ${epoch}`, requestId };
  const run = await refusedOnRecord(context, attempt, () => start(context, network, epoch, requestId));
  return answerOf(context, network, epoch, run);
}

/** The request's row alone: it names the failure that it overrules, so that it settles the epoch again once. */
export async function recordAgain(context: CommandContext, wanted: AgainRequest): Promise<string> {
  const { network, epoch, reason } = wanted;
  const attempt = { network, action: AGAIN, subject: `epoch ${epoch}`, requestId: wanted.requestId };
  return refusedOnRecord(context, attempt, () =>
    transactionAs(context.pool, 'settle_operator', async (client) => {
      await lockNetwork(client, network);
      const known = wanted.requestId === null ? null : await findRequest(client, wanted.requestId);
      const failureNo =
        known?.action === AGAIN && known.network === network && known.body.epoch === epoch
          ? known.body.failureNo
          : await failureToOverrule(client, network, epoch);
      await requireAttached(client, epoch);
      const requestId = wanted.requestId ?? randomUUID();
      const body = { epoch, failureNo, reason };
      await insertRequest(client, { requestId, network, action: AGAIN, body, actor: context.actor });
      if (known !== null) return requestId;
      await appendAudit(client, { ...attempt, actor: context.actor, outcome: 'done', reason, requestId, detail: body });
      return requestId;
    }),
  );
}

async function failureToOverrule(db: Queryable, network: string, epoch: number): Promise<number> {
  const published = await newestRevision(db, network, epoch);
  if (published !== null) {
    throw new StoreError(
      'EpochNotFailed',
      `epoch ${epoch} of ${network} is published, revision ${published.revision}: what is wrong with it is corrected by \`settle dispute open ${epoch}\``,
    );
  }
  const failure = await findFailure(db, network, epoch);
  if (failure !== null) return failure.failureNo;
  throw new StoreError(
    'EpochNotFailed',
    `epoch ${epoch} of ${network} has not failed: settle it in its turn with \`settle epoch run ${epoch}\``,
  );
}

/**
 * Starts the run of an epoch again that was being settled again when its run ended, for the decision on its hold to be
 * taken: the loop looks at the next open epoch only. Does nothing for any other epoch.
 */
export async function resumeAgain(context: WorkflowContext, network: string, epoch: number): Promise<void> {
  const failure = await findFailure(context.pool, network, epoch);
  if (failure === null || (await newestRevision(context.pool, network, epoch)) !== null) return;
  const requestId = await findAgainRequest(context.pool, network, epoch, failure.failureNo);
  if (requestId === null) return;
  await answerOf(context, network, epoch, await start(context, network, epoch, requestId));
}

async function start(context: WorkflowContext, network: string, epoch: number, requestId: string): Promise<EpochRun> {
  const workflowId = epochWorkflowId(network, epoch);
  try {
    return await context.temporal.workflow.start<(input: SettleEpochInput) => Promise<EpochAnswer>>('settleEpoch', {
      workflowId,
      taskQueue: TASK_QUEUE,
      args: [{ network, epoch, requestId, answerTo: null }],
      memo: { requestId },
      workflowIdConflictPolicy: 'FAIL',
      workflowIdReusePolicy: 'ALLOW_DUPLICATE',
      staticSummary: `epoch ${epoch} of ${network}, again`,
    });
  } catch (error) {
    if (error instanceof WorkflowExecutionAlreadyStartedError) throw await alreadyRunning(context, workflowId);
    throw error;
  }
}

/** How the run of an epoch ends, or that it waits for a person. @throws CommandError `RunStopped` */
export async function answerOf(
  context: WorkflowContext,
  network: string,
  epoch: number,
  run: EpochRun,
): Promise<EpochAnswer> {
  let ended = false;
  const result = run.result().finally(() => {
    ended = true;
  });
  const held = async (): Promise<EpochAnswer> => {
    while (!ended) {
      const hold = (await holdsOf(context.pool, network, epoch))[0];
      if (hold !== undefined && hold.decision === null) {
        return { kind: 'held', epoch, contentDigest: hold.contentDigest };
      }
      await delay(POLL_MS);
    }
    return result;
  };
  try {
    return await Promise.race([result, held()]);
  } catch (error) {
    if (!(error instanceof WorkflowFailedError)) throw error;
    throw runStopped(run.workflowId, causeWords(error), 'The epoch stays as it is, and can be run again');
  }
}
