import { Pool, type PoolClient, type PoolConfig, types } from 'pg';

/** What a query needs: a pool or one of its clients. */
export type Queryable = Pick<PoolClient, 'query'>;

/** Groups of rights that the migrations make; a login role must be a member of the one it asks for. */
export type DatabaseRole =
  | 'settle_worker'
  | 'settle_operator'
  | 'settle_viewer'
  | 'settle_approver'
  | 'settle_auditor'
  | 'settle_policy_admin';

export interface PoolOptions {
  readonly url: string;
  /** null: as the login role itself, for migrations only. */
  readonly role: DatabaseRole | null;
  readonly applicationName: string;
  /** Told of connections that break while idle; without a listener such an error would end the process. */
  readonly onIdleError: (error: Error) => void;
  readonly max?: number;
  /** After so long an idle connection is closed; 0: never. Default: that of the driver. */
  readonly idleTimeoutMs?: number;
  /** Below the time-out of the activity that waits for it, so that a slow attempt is over before its retry begins. */
  readonly statementTimeoutMs?: number;
}

const INT8_OID = 20;

/** Opens a pool whose sessions use the `settle` schema in UTC with the rights of `role`. Connects on first use. */
export function openPool(options: PoolOptions): Pool {
  const settings = [
    'search_path=settle,pg_catalog',
    'timezone=UTC',
    'datestyle=ISO',
    `statement_timeout=${options.statementTimeoutMs ?? 60_000}`,
    'idle_in_transaction_session_timeout=120000',
    'lock_timeout=30000',
    ...(options.role === null ? [] : [`role=${options.role}`]),
  ];
  const config: PoolConfig = {
    connectionString: options.url,
    application_name: options.applicationName,
    options: settings.map((setting) => `-c ${setting}`).join(' '),
    max: options.max ?? 8,
    ...(options.idleTimeoutMs === undefined ? {} : { idleTimeoutMillis: options.idleTimeoutMs }),
    connectionTimeoutMillis: 10_000,
    keepAlive: true,
    // A network that swallows everything says nothing: without this it is noticed after the system's default of hours.
    keepAliveInitialDelayMillis: 10_000,
    types: {
      getTypeParser: (oid, format) => (oid === INT8_OID ? countOf : types.getTypeParser(oid, format)),
    } as NonNullable<PoolConfig['types']>,
  };
  const pool = new Pool(config);
  pool.on('error', options.onIdleError);
  // A client that is checked out reports a broken connection on itself as well as on its query; the query's error is
  // the one that is handled.
  pool.on('connect', (client) => client.on('error', () => undefined));
  return pool;
}

/** bigint columns are counts and identities here, never money; one past 2^53 is a defect and is not rounded. */
function countOf(text: string): number {
  const count = Number(text);
  if (!Number.isSafeInteger(count)) throw new RangeError(`the database returned the count ${text}, which is past 2^53`);
  return count;
}

/** Runs `work` in one transaction: committed when it resolves, rolled back when it throws. */
export async function transaction<T>(pool: Pool, work: (client: PoolClient) => Promise<T>): Promise<T> {
  const client = await pool.connect();
  let broken: Error | undefined;
  try {
    await client.query('begin');
    const result = await work(client);
    await client.query('commit');
    return result;
  } catch (error) {
    await client.query('rollback').catch((rollbackError: Error) => {
      broken = rollbackError;
    });
    throw error;
  } finally {
    client.release(broken);
  }
}

/**
 * Runs `work` on another connection that sees exactly what `client` sees, so that two long reads of one transaction go
 * on at the same time. `client` must be in a transaction at repeatable read.
 */
export async function beside<T>(pool: Pool, client: PoolClient, work: (other: PoolClient) => Promise<T>): Promise<T> {
  const exported = await client.query<{ id: string }>('select pg_export_snapshot() as id');
  return transaction(pool, async (other) => {
    await other.query('set transaction isolation level repeatable read read only');
    // A statement without parameters; the server's own identifiers are digits of base 16 and dashes.
    const { id } = exported.rows[0]!;
    if (!/^[0-9A-F-]+$/.test(id)) throw new RangeError(`the server named a snapshot ${id}`);
    await other.query(`set transaction snapshot '${id}'`);
    return work(other);
  });
}

/** Runs `work` on one unchanging view of the database, however long it takes. */
export async function unchangingView<T>(pool: Pool, work: (client: PoolClient) => Promise<T>): Promise<T> {
  return withClient(pool, async (client) => {
    await client.query('begin isolation level repeatable read read only');
    await client.query('set local statement_timeout = 0');
    const result = await work(client);
    await client.query('commit');
    return result;
  });
}

/** Checks a client out for the time of `work`, for COPY streams that need a connection of their own. */
export async function withClient<T>(pool: Pool, work: (client: PoolClient) => Promise<T>): Promise<T> {
  const client = await pool.connect();
  let failed: Error | undefined;
  try {
    return await work(client);
  } catch (error) {
    // A COPY that was left in its middle leaves the connection unusable: it is closed, not returned.
    failed = error instanceof Error ? error : new Error(String(error));
    throw error;
  } finally {
    client.release(failed);
  }
}
