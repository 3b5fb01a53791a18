import { randomUUID } from 'node:crypto';
import {
  type Client,
  WorkflowExecutionAlreadyStartedError,
  WorkflowFailedError,
  type WorkflowHandle,
} from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import { type LoopAnswer, type SettleDueEpochsInput, TASK_QUEUE } from '../../workflows/messages';
import { lastClosedEpoch, nextOpenEpoch } from '../store/due';
import { findNetwork, getNetwork } from '../store/networks';
import { findRequest, insertRequest } from '../store/requests';
import { transactionAs } from '../store/rights';
import type { CommandContext, WorkflowContext } from './context';
import { CommandError } from './errors';
import { refusedOnRecord } from './refusals';

export interface EpochRange {
  readonly first: number;
  readonly last: number;
}

export interface RunRequest {
  readonly network: string;
  /** null: every epoch that is due. */
  readonly range: EpochRange | null;
  /** `system`: nobody in particular asked, as for a tick or the start of the stack. */
  readonly askedBy: string;
  /** With whose rights the request is written: who decides a hold starts the loop behind it. Default: the operator's. */
  readonly role?: 'settle_operator' | 'settle_approver';
}

export type LoopRun = WorkflowHandle<(input: SettleDueEpochsInput) => Promise<LoopAnswer>>;

export const loopId = (network: string): string => `due/${network}`;
export const epochWorkflowId = (network: string, epoch: number): string => `settle/${network}/${epoch}`;

/**
 * Starts the loop over the due epochs of a network. Epochs settle in order, so a range starts at the next open epoch:
 * what is closed before it is skipped, and a range that leaves a gap is refused.
 *
 * @throws CommandError `AlreadyRunning` with run, actor and time; `EpochOutsideCalendar`, `EpochNotDue`
 */
export async function startLoop(context: WorkflowContext, request: RunRequest): Promise<LoopRun> {
  await requireRange(context, request);
  const requestId = randomUUID();
  const body = request.range === null ? {} : { first: request.range.first, last: request.range.last };
  const { network } = request;
  await refusedOnRecord(context, { network, action: 'epoch-run', subject: network, requestId }, () =>
    transactionAs(context.pool, request.role ?? 'settle_operator', (client) =>
      insertRequest(client, { requestId, network, action: 'epoch-run', body, actor: request.askedBy }),
    ),
  );
  const upTo = request.range?.last ?? null;
  return beginLoop(context, { network, requestId, upTo, stopWhenSilent: request.range === null });
}

/** The loop's run alone, for a request that is written. @throws CommandError `AlreadyRunning` */
export async function beginLoop(context: WorkflowContext, input: SettleDueEpochsInput): Promise<LoopRun> {
  const { network, requestId } = input;
  try {
    return await context.temporal.workflow.start<(input: SettleDueEpochsInput) => Promise<LoopAnswer>>(
      'settleDueEpochs',
      {
        workflowId: loopId(network),
        taskQueue: TASK_QUEUE,
        args: [input],
        memo: { requestId },
        workflowIdConflictPolicy: 'FAIL',
        workflowIdReusePolicy: 'ALLOW_DUPLICATE',
        staticSummary: `due epochs of ${network}`,
      },
    );
  } catch (error) {
    if (error instanceof WorkflowExecutionAlreadyStartedError) throw await alreadyRunning(context, loopId(network));
    throw error;
  }
}

/** @throws CommandError `EpochOutsideCalendar`, `EpochNotDue`; StoreError `NetworkUnknown` */
export async function requireRange(
  context: CommandContext,
  { network, range }: Pick<RunRequest, 'network' | 'range'>,
): Promise<void> {
  const calendar = await getNetwork(context.pool, network);
  if (range === null) return;
  if (range.first > range.last) {
    throw new CommandError(
      'EpochOutsideCalendar',
      `${range.first}..${range.last} is no range: write the lower epoch first`,
    );
  }
  const end = calendar.lastEpoch ?? Number.POSITIVE_INFINITY;
  if (range.first < calendar.firstEpoch || range.last > end) {
    throw new CommandError(
      'EpochOutsideCalendar',
      `network ${network} has the epochs ${calendar.firstEpoch} to ${calendar.lastEpoch ?? 'no end'}; ${range.first}..${range.last} is not within them`,
    );
  }
  const next = ((await lastClosedEpoch(context.pool, network)) ?? calendar.firstEpoch - 1) + 1;
  if (range.first > next) {
    throw new CommandError(
      'EpochNotDue',
      `epochs settle in order and epoch ${next} is still open: run \`settle epoch run ${next}..${range.last}\`, or close it with \`settle epoch fail ${next} --reason TEXT\``,
    );
  }
}

/** Who runs what is running already: the row that the start wrote before it began. */
export async function alreadyRunning(context: WorkflowContext, workflowId: string): Promise<CommandError> {
  const running = await context.temporal.workflow.getHandle(workflowId).describe();
  const requestId = running.memo?.requestId;
  const request = typeof requestId === 'string' ? await findRequest(context.pool, requestId) : null;
  return new CommandError(
    'AlreadyRunning',
    `${workflowId} is running already: run ${running.runId}, asked for by ${request?.actor ?? 'system'}, since ${running.startTime.toISOString()}`,
  );
}

/** Waits for the loop's answer. @throws CommandError `RunStopped`, `DatabaseBehind` if the run ended without one */
export async function loopAnswer(handle: LoopRun): Promise<LoopAnswer> {
  try {
    return await handle.result();
  } catch (error) {
    if (!(error instanceof WorkflowFailedError)) throw error;
    throw runStopped(
      handle.workflowId,
      causeWords(error),
      'Its epochs stay as they are; what was asked for can be run again',
    );
  }
}

/**
 * Ends the runs that a process left which had Temporal for itself and is gone. What they were doing would be noticed
 * as dead only after its time-out, up to minutes later; the rows lose nothing by it, and the next loop goes on from
 * them. Only for a process that has Temporal for itself now.
 */
export async function endLeftRuns(context: WorkflowContext, network: string): Promise<void> {
  // Whoever names a network that is not there is told so by the command itself, on record.
  if ((await findNetwork(context.pool, network)) === null) return;
  const next = await nextOpenEpoch(context.pool, network);
  for (const workflowId of [loopId(network), epochWorkflowId(network, next)]) {
    if (!(await isRunning(context.temporal, workflowId))) continue;
    await context.temporal.workflow
      .getHandle(workflowId)
      .terminate('left by a process that ended')
      .catch((error: Error) => {
        // It may have ended by itself in this moment.
        if (error.name !== 'WorkflowNotFoundError') throw error;
      });
  }
}

/**
 * Runs the loop and waits for its answer; behind one that is under way, if there is one: a tick's, or one that somebody
 * else asked for.
 *
 * @throws CommandError as `startLoop` and `loopAnswer`, but for `AlreadyRunning`
 */
export async function settleBehind(context: WorkflowContext, request: RunRequest): Promise<LoopAnswer> {
  for (;;) {
    try {
      return await loopAnswer(await startLoop(context, request));
    } catch (error) {
      if (!(error instanceof CommandError) || error.id !== 'AlreadyRunning') throw error;
    }
    const other: LoopRun = context.temporal.workflow.getHandle(loopId(request.network));
    await loopAnswer(other).catch((error: Error) => {
      // However it ended, the rows say what is left to do.
      if (!(error instanceof CommandError) && error.name !== 'WorkflowNotFoundError') throw error;
    });
  }
}

/** The first cause of an error, by the name that the documentation has it under. */
export function causeWords(error: Error): string {
  const known = error instanceof ApplicationFailure ? error.type : null;
  if (typeof known === 'string') return `${known}: ${error.message}`;
  return error.cause instanceof Error ? causeWords(error.cause) : `${error.name}: ${error.message}`;
}

/** That a run ended without an answer, why (`causeWords`), and what that leaves. */
export function runStopped(workflowId: string, why: string, left: string): CommandError {
  const id = why.startsWith('DatabaseBehind: ') ? 'DatabaseBehind' : 'RunStopped';
  return new CommandError(id, `${workflowId} ended without an answer: ${why}. ${left}`);
}

/** Whether a workflow of that id is running now. */
export async function isRunning(temporal: Client, workflowId: string): Promise<boolean> {
  try {
    return (await temporal.workflow.getHandle(workflowId).describe()).status.name === 'RUNNING';
  } catch (error) {
    if (error instanceof Error && error.name === 'WorkflowNotFoundError') return false;
    throw error;
  }
}
