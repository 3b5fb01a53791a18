import { appendAudit } from '../store/audit-log';
import { isDatabaseRefusal, StoreError } from '../store/errors';
import type { CommandContext } from './context';
import { CommandError } from './errors';

export interface Attempt {
  /** null: it is about all networks of the database. */
  readonly network: string | null;
  readonly action: string;
  readonly subject: string;
  readonly requestId?: string;
}

/**
 * Runs an act and, where a rule or a missing right refuses it, puts the refused attempt on record: its own transaction
 * is rolled back.
 */
export async function refusedOnRecord<T>(context: CommandContext, attempt: Attempt, act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (error) {
    if (isRefusal(error)) {
      await appendAudit(context.pool, {
        ...attempt,
        actor: context.actor,
        outcome: 'refused',
        reason: error.message,
        detail: { id: 'id' in error ? error.id : (error as { code?: string }).code },
      });
    }
    throw error;
  }
}

const isRefusal = (error: unknown): error is Error =>
  error instanceof StoreError || error instanceof CommandError || isDatabaseRefusal(error);
