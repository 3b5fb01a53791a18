import type { Queryable } from './pool';

/** One row of the audit log, as an auditor reads it. */
export interface AuditLogRow {
  readonly entry: number;
  readonly at: string;
  readonly network: string | null;
  readonly actor: string;
  readonly action: string;
  readonly subject: string;
  readonly outcome: 'done' | 'refused';
  readonly reason: string;
  readonly requestId: string | null;
  readonly detail: Readonly<Record<string, unknown>>;
  readonly hash: string;
}

/** Rows of a network, newest first. With the rights of an auditor. */
export async function listAuditLog(
  db: Queryable,
  network: string,
  { refusedOnly, limit }: { readonly refusedOnly: boolean; readonly limit: number },
): Promise<readonly AuditLogRow[]> {
  const found = await db.query<AuditLogRow>(
    `select entry, to_char(at, 'YYYY-MM-DD"T"HH24:MI:SS"Z"') as at, network, actor, action, subject, outcome, reason,
       request_id as "requestId", detail, hash
     from audit_log where network = $1 and (not $2::boolean or outcome = 'refused') order by entry desc limit $3`,
    [network, refusedOnly, limit],
  );
  return found.rows;
}

/** The first entry whose hash the database's own function does not give, or that does not follow; null: none. */
export async function firstUnchained(db: Queryable): Promise<number | null> {
  const found = await db.query<{ entry: number }>(
    `select entry from (
       select *, lag(hash, 1, repeat('0', 64)) over w as before, row_number() over w as place
       from audit_log window w as (order by entry)) a
     where entry <> place or previous_hash <> before
       or hash <> settle.audit_hash(entry, at, network, actor, action, subject, outcome, reason, request_id, detail, previous_hash)
     order by entry limit 1`,
  );
  return found.rows[0]?.entry ?? null;
}
