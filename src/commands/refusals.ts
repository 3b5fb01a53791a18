import { ArchiveError } from '../archives/errors';
import { PolicyFileError } from '../inputs/policy-file';
import { BundleError } from '../inputs/refusals';
import { RulesetError } from '../rulesets/1/errors';
import { appendAudit } from '../store/audit-log';
import { isDatabaseRefusal, StoreError } from '../store/errors';
import type { CommandContext } from './context';
import { CommandError } from './errors';

export interface Attempt {
  /** null: it is about all networks of the database. */
  readonly network: string | null;
  readonly action: string;
  readonly subject: string;
  /** null: none was given. */
  readonly requestId?: string | null;
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

/** What says no to an attempt, by the rules or by what was handed in; everything else is a fault of the surroundings. */
const REFUSALS = [StoreError, CommandError, BundleError, PolicyFileError, ArchiveError, RulesetError] as const;

const isRefusal = (error: unknown): error is Error =>
  REFUSALS.some((kind) => error instanceof kind) || isDatabaseRefusal(error);
