import { appendAudit } from '../store/audit-log';
import { StoreError } from '../store/errors';
import type { CommandContext } from './context';

/** Runs an act and, where a rule of the store refuses it, puts the refused attempt on record: its own transaction is rolled back. */
export async function refusedOnRecord<T>(
  context: CommandContext,
  attempt: { readonly network: string; readonly action: string; readonly subject: string },
  act: () => Promise<T>,
): Promise<T> {
  try {
    return await act();
  } catch (error) {
    if (error instanceof StoreError) {
      await appendAudit(context.pool, {
        ...attempt,
        actor: context.actor,
        outcome: 'refused',
        reason: error.message,
        detail: { id: error.id },
      });
    }
    throw error;
  }
}
