import type { Queryable } from './pool';

/** The server behind a pool, and what its login may do. */
export interface ServerReport {
  readonly version: string;
  readonly versionNumber: number;
  readonly database: string;
  readonly login: string;
  readonly superuser: boolean;
  /** Of our roles, those that the login may take. */
  readonly roles: readonly string[];
  /** Logins that have the rights of one of our roles without taking it. */
  readonly inheriting: readonly string[];
  readonly megabytes: number;
  /** Milliseconds since 1970, by the server's clock. */
  readonly nowMs: number;
}

export async function serverReport(db: Queryable): Promise<ServerReport> {
  const found = await db.query<ServerReport>(
    `select current_setting('server_version') as version,
       current_setting('server_version_num')::integer as "versionNumber", current_database() as database,
       session_user as login, (select rolsuper from pg_roles where rolname = session_user) as superuser,
       array(select rolname::text from pg_roles where rolname like 'settle\\_%' and rolname <> session_user
         and pg_has_role(session_user, oid, 'member') order by rolname) as roles,
       array(select l.rolname::text from pg_roles l where l.rolcanlogin and not l.rolsuper and exists (
           select from pg_roles r where r.rolname like 'settle\\_%' and not r.rolcanlogin and pg_has_role(l.oid, r.oid, 'usage'))
         order by 1) as inheriting,
       pg_database_size(current_database()) / 1000000 as megabytes,
       floor(extract(epoch from clock_timestamp()) * 1000)::bigint as "nowMs"`,
  );
  return found.rows[0]!;
}

/** The newest request of a network and when it was written: just before its run was started. */
export async function requestedAtMs(db: Queryable, requestId: string): Promise<number | null> {
  const found = await db.query<{ at: number }>(
    'select floor(extract(epoch from requested_at) * 1000)::bigint as at from request where request_id = $1',
    [requestId],
  );
  return found.rows[0]?.at ?? null;
}
