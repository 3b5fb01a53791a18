import { getExternalWorkflowHandle, isCancellation, log } from '@temporalio/workflow';
import { lookAgain } from './messages';

/**
 * Tells another run that its rows changed. It saves that run its wait, and nothing rests on it: one that is not running
 * reads the rows when it starts, and one that does not hear of it looks by itself (workflows/looks.ts).
 */
export async function tell(workflowId: string): Promise<void> {
  try {
    await getExternalWorkflowHandle(workflowId).signal(lookAgain);
  } catch (error) {
    if (isCancellation(error)) throw error;
    log.info('a run could not be told that its rows changed', { workflowId, error: (error as Error).message });
  }
}
