import { setTimeout as delay } from 'node:timers/promises';
import { type Client, WorkflowUpdateFailedError } from '@temporalio/client';
import { ApplicationFailure, type UpdateDefinition } from '@temporalio/common';
import { type Decision, lookAgain } from '../../workflows/messages';
import { isRunning } from './run-epochs';

/** A run that does not answer an update in this time cannot be used any more. */
const UPDATE_SECONDS = 20;

/**
 * Wakes a waiting run after a decision was written to the rows. One that refuses it is alive: it is not as far as to wait
 * yet, or has seen the rows already and goes on; ending it would cut off a publication. One that gives no answer is ended.
 *
 * @returns whether a run is at it; `gone`: whoever wants the decision taken starts another
 */
export async function wakeRun(
  temporal: Client,
  workflowId: string,
  update: UpdateDefinition<string, [Decision]>,
  decision: Decision,
): Promise<'woken' | 'gone'> {
  if (!(await isRunning(temporal, workflowId))) return 'gone';
  const handle = temporal.workflow.getHandle(workflowId);
  const answer = await Promise.race([
    handle.executeUpdate(update, { args: [decision] }).then(() => 'taken' as const, refusal),
    delay(UPDATE_SECONDS * 1000, 'none' as const, { ref: false }),
  ]);
  if (answer === 'taken') return 'woken';
  if (answer === 'refused' && (await unlessEnded(handle.signal(lookAgain)))) return 'woken';
  if (answer === 'none') await unlessEnded(handle.terminate(`${decision.outcome}, but this run gave no answer`));
  return 'gone';
}

/** `refused`: the run's own answer; `none`: anybody else's. */
function refusal(error: unknown): 'refused' | 'none' {
  const refused = error instanceof WorkflowUpdateFailedError && error.cause instanceof ApplicationFailure;
  return refused ? 'refused' : 'none';
}

/** false: the run had ended by itself in this moment. */
async function unlessEnded(said: Promise<unknown>): Promise<boolean> {
  try {
    await said;
    return true;
  } catch (error) {
    if (error instanceof Error && error.name === 'WorkflowNotFoundError') return false;
    throw error;
  }
}
