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

/** One row of the audit log: the text that its hash is of, and what an audit reads of it. */
export interface LoggedRow {
  readonly entry: number;
  readonly previousHash: string;
  readonly hash: string;
  readonly hashed: string;
  readonly network: string | null;
  readonly actor: string;
  readonly action: string;
  readonly subject: string;
  readonly outcome: string;
  readonly reason: string;
  readonly detail: Readonly<Record<string, unknown>>;
}

/**
 * Rows of the audit log after entry `after`, in order. The text is put together here and not by settle.audit_hash: who
 * can rewrite rows can rewrite a function of the database.
 */
export async function auditRows(db: Queryable, after: number, limit: number): Promise<readonly LoggedRow[]> {
  const found = await db.query<LoggedRow>(
    `select entry, previous_hash as "previousHash", hash, network, actor, action, subject, outcome, reason, detail,
       jsonb_build_array(entry, to_char(at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), network, actor, action,
         subject, outcome, reason, request_id, detail, previous_hash)::text as hashed
     from audit_log where entry > $1 order by entry limit $2`,
    [after, limit],
  );
  return found.rows;
}
