import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import {
  CancellationScope,
  type ChildWorkflowHandle,
  condition,
  continueAsNew,
  ParentClosePolicy,
  setCurrentDetails,
  setHandler,
  sleep,
  startChild,
  upsertSearchAttributes,
  WorkflowIdReusePolicy,
  workflowInfo,
} from '@temporalio/workflow';
import { answered, type EpochAnswer, type LoopAnswer, loopStatus, type SettleDueEpochsInput } from './messages';
import { keep, read } from './road';
import type { settleEpoch } from './settle-epoch';

/** About 15 events an epoch: well below what the server suggests, so that a replay of the loop stays short. */
const EPOCHS_A_RUN = 100;

/** Epochs whose histories are archived together: 3 events for so many, while the next ones settle. */
const ARCHIVED_TOGETHER = 16;

/** How long the loop looks at an epoch that somebody else's run is settling, before it leaves it to the next tick. */
const LOOKS_AT_A_NEIGHBOUR = 8;

/**
 * Settles the due epochs of a network in order, one after the other, and ends. A tick of the schedule, a range that a
 * person asked for, a missed tick and a long outage are all this: it asks the rows what is next until nothing is.
 *
 * A child that is held, or waits for inputs, is its answer too: the loop ends, and whoever ends the hold, or the next
 * tick, starts it again. Children are abandoned and started in a scope of their own, so that neither the end nor the
 * cancellation of the loop stops an epoch. It continues as new between two children, never with one open.
 *
 * The histories of what was closed are archived beside the next epochs, and the last of them before it ends.
 */
export async function settleDueEpochs(input: SettleDueEpochsInput): Promise<LoopAnswer> {
  const archives = new Archives(input.network);
  const ended = await settleNext(input, archives);
  await archives.end();
  if ('reason' in ended) return ended;
  return continueAsNew<typeof settleDueEpochs>({ ...input, closedBefore: ended.closed });
}

class Archives {
  private readonly underWay: Promise<unknown>[] = [];
  private waiting = 0;

  constructor(private readonly network: string) {}

  closedOne(): void {
    this.waiting += 1;
    if (this.waiting >= ARCHIVED_TOGETHER) this.start();
  }

  /** Also where this loop closed nothing: disputes and epochs settled again are published by runs of their own. */
  async end(): Promise<void> {
    this.start();
    await Promise.all(this.underWay);
  }

  private start(): void {
    this.waiting = 0;
    // The settlement does not depend on it, and the next loop finds what was left.
    this.underWay.push(keep.archiveHistories(this.network).catch(() => undefined));
  }
}

/** Settles until there is nothing to do, or until the loop has to continue as new. */
async function settleNext(
  input: SettleDueEpochsInput,
  archives: Archives,
): Promise<LoopAnswer | Pick<LoopAnswer, 'closed'>> {
  let closed = input.closedBefore ?? 0;
  let current: number | null = null;
  let latest: EpochAnswer | null = null;
  setHandler(loopStatus, () => ({ epoch: current, closed }));
  setHandler(answered, (answer) => {
    latest = answer;
  });
  upsertSearchAttributes({ SettleNetwork: [input.network] });

  let neighbourLooks = 0;
  for (let settled = 0; settled < (input.epochsARun ?? EPOCHS_A_RUN); ) {
    const due = await read.nextDue({ network: input.network, upTo: input.upTo, stopWhenSilent: input.stopWhenSilent });
    if (due.kind === 'finished') return { reason: 'finished', closed, epoch: null };
    if (due.kind !== 'due') return { reason: due.kind, closed, epoch: due.epoch };
    current = due.epoch;
    latest = null;
    setCurrentDetails(`settling epoch ${due.epoch}; ${closed} closed so far`);
    const child = await start(input, due.epoch);
    if (child === null) {
      // Another run of the same epoch is open: started by a person, or left by a loop that ended. The rows tell when it
      // is through; one that is on hold is not worth waiting for.
      if (due.held) return { reason: 'held', closed, epoch: due.epoch };
      neighbourLooks += 1;
      if (neighbourLooks > LOOKS_AT_A_NEIGHBOUR) return { reason: 'running', closed, epoch: due.epoch };
      await sleep(neighbourLooks * 1000);
      continue;
    }
    neighbourLooks = 0;
    const answer = await answerOf(child, () => latest);
    if (answer.kind === 'held' || answer.kind === 'waiting') return { reason: answer.kind, closed, epoch: due.epoch };
    closed += 1;
    settled += 1;
    archives.closedOne();
  }
  return { closed };
}

/** Starts the workflow of an epoch; null: one is running already. */
async function start(
  input: SettleDueEpochsInput,
  epoch: number,
): Promise<ChildWorkflowHandle<typeof settleEpoch> | null> {
  try {
    return await CancellationScope.nonCancellable(() =>
      startChild<typeof settleEpoch>('settleEpoch', {
        workflowId: `settle/${input.network}/${epoch}`,
        args: [{ network: input.network, epoch, requestId: input.requestId, answerTo: workflowInfo().workflowId }],
        parentClosePolicy: ParentClosePolicy.ABANDON,
        workflowIdReusePolicy: WorkflowIdReusePolicy.ALLOW_DUPLICATE,
        // A child whose id is running fails to start; there is no other policy for children.
        staticSummary: `epoch ${epoch} of ${input.network}`,
      }),
    );
  } catch (error) {
    if (error instanceof WorkflowExecutionAlreadyStartedError) return null;
    throw error;
  }
}

/** What the child ends with, or tells before it waits. */
async function answerOf(
  child: ChildWorkflowHandle<typeof settleEpoch>,
  told: () => EpochAnswer | null,
): Promise<EpochAnswer> {
  return Promise.race([child.result(), condition(() => told() !== null).then(() => told() as EpochAnswer)]);
}
