import { randomUUID } from 'node:crypto';
import type { LoopAnswer } from '../../workflows/messages';
import { appendAudit } from '../store/audit-log';
import { nextOpenEpoch, nextOpenEpochAt } from '../store/due';
import { findRequest, insertRequest } from '../store/requests';
import { transactionAs } from '../store/rights';
import type { CommandContext, WorkflowContext } from './context';
import { CommandError } from './errors';
import { refusedOnRecord } from './refusals';
import {
  alreadyRunning,
  beginLoop,
  type EpochRange,
  isRunning,
  type LoopRun,
  loopAnswer,
  loopId,
  requireRange,
} from './run-epochs';

export interface RangeRequest {
  readonly network: string;
  readonly range: EpochRange;
  readonly reason: string;
  /** null: a new one. The same again gives the first answer. */
  readonly requestId: string | null;
}

export interface RangeRun {
  /** The first epoch that was open when it was asked for: what is before it was closed already. */
  readonly firstOpen: number;
  /** As `loopAnswer`. */
  readonly answer: () => Promise<LoopAnswer>;
}

/**
 * Starts the run of a range that a person asked for. The same request again joins the run that it started; where that
 * ended before its range was closed, it goes on, and where the range is closed the rows are its answer.
 *
 * @throws CommandError as `startLoop`; StoreError `NetworkUnknown`, `RequestConflict`; a refused attempt is on record
 */
export function startRange(context: WorkflowContext, wanted: RangeRequest): Promise<RangeRun> {
  const { network, range } = wanted;
  const { first, last } = range;
  const requestId = wanted.requestId ?? randomUUID();
  const subject = first === last ? `epoch ${first}` : `epochs ${first}..${last}`;
  const attempt = { network, action: 'epoch-run', subject, requestId };
  return refusedOnRecord(context, attempt, async () => {
    if ((await findRequest(context.pool, requestId)) === null) {
      await requireRange(context, { network, range });
      if (await isRunning(context.temporal, loopId(network))) throw await alreadyRunning(context, loopId(network));
    }
    const isNew = await record(context, attempt, wanted);
    const firstOpen = await nextOpenEpochAt(context.pool, network, requestId);
    if (!isNew && (await nextOpenEpoch(context.pool, network)) > last) {
      return {
        firstOpen,
        answer: async () => ({ reason: 'finished', closed: Math.max(0, last - firstOpen + 1), epoch: null }),
      };
    }
    const loop = await beginOrJoin(context, network, requestId, last);
    return { firstOpen, answer: () => loopAnswer(loop) };
  });
}

/** Returns whether the request is new. */
function record(
  context: CommandContext,
  attempt: { readonly network: string; readonly action: string; readonly subject: string; readonly requestId: string },
  { range, reason }: RangeRequest,
): Promise<boolean> {
  const { network, action, requestId } = attempt;
  const { actor } = context;
  return transactionAs(context.pool, 'settle_operator', async (client) => {
    const body = { first: range.first, last: range.last, reason };
    if (!(await insertRequest(client, { requestId, network, action, body, actor }))) return false;
    await appendAudit(client, { ...attempt, actor, outcome: 'done', reason });
    return true;
  });
}

async function beginOrJoin(
  context: WorkflowContext,
  network: string,
  requestId: string,
  upTo: number,
): Promise<LoopRun> {
  try {
    return await beginLoop(context, { network, requestId, upTo, stopWhenSilent: false });
  } catch (error) {
    if (!(error instanceof CommandError) || error.id !== 'AlreadyRunning') throw error;
    const running: LoopRun = context.temporal.workflow.getHandle(loopId(network));
    if ((await running.describe()).memo?.requestId === requestId) return running;
    throw error;
  }
}
