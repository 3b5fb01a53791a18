import { randomUUID } from 'node:crypto';
import type { Queryable } from './pool';

export interface AuditEntry {
  readonly network: string | null;
  readonly actor: string;
  readonly action: string;
  /** What was acted on: an epoch, a hold, a file. */
  readonly subject: string;
  readonly outcome: 'done' | 'refused';
  readonly reason: string;
  /** Absent: the act had none of its own, and is given one. */
  readonly requestId?: string | null;
  readonly detail?: Readonly<Record<string, unknown>>;
}

/** Appends one row to the hash-chained audit log, in the caller's transaction. */
export async function appendAudit(db: Queryable, entry: AuditEntry): Promise<void> {
  await db.query('select settle.append_audit($1, $2, $3, $4, $5, $6, $7, $8)', [
    entry.network,
    entry.actor,
    entry.action,
    entry.subject,
    entry.outcome,
    entry.reason,
    entry.requestId ?? randomUUID(),
    JSON.stringify(entry.detail ?? {}),
  ]);
}
