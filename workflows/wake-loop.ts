import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import { ParentClosePolicy, startChild, WorkflowIdReusePolicy, workflowInfo } from '@temporalio/workflow';
import type { settleDueEpochs } from './settle-due-epochs';

/**
 * What the schedule of a network starts at every tick: it sees to it that the loop runs, and ends.
 *
 * A schedule appends the tick's time to the id of what it starts, so it cannot start `due/<network>` itself, and two
 * loops of one network would get in each other's way. A loop that runs already is what the tick wanted.
 */
export async function wakeLoop({ network }: { readonly network: string }): Promise<'started' | 'running'> {
  try {
    await startChild<typeof settleDueEpochs>('settleDueEpochs', {
      workflowId: `due/${network}`,
      args: [{ network, requestId: `tick/${workflowInfo().runId}`, upTo: null, stopWhenSilent: true }],
      parentClosePolicy: ParentClosePolicy.ABANDON,
      workflowIdReusePolicy: WorkflowIdReusePolicy.ALLOW_DUPLICATE,
      staticSummary: `due epochs of ${network}`,
    });
    return 'started';
  } catch (error) {
    if (error instanceof WorkflowExecutionAlreadyStartedError) return 'running';
    throw error;
  }
}
