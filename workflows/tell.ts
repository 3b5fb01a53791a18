import { getExternalWorkflowHandle, isCancellation } from '@temporalio/workflow';
import { lookAgain } from './messages';

/** Tells another run that its rows changed. One that is not running is not missed: its next run reads the rows. */
export async function tell(workflowId: string): Promise<void> {
  try {
    await getExternalWorkflowHandle(workflowId).signal(lookAgain);
  } catch (error) {
    if (isCancellation(error)) throw error;
  }
}
