import { randomBytes } from 'node:crypto';
import { Client, Pool } from 'pg';
import { type DatabaseRole, openPool } from '../../src/store/pool';
import { testServers } from './servers';

/** A migrated database that no other test sees. */
export interface TestDatabase {
  readonly name: string;
  /** Of the login without rights of its own. */
  readonly url: string;
  readonly worker: Pool;
  readonly operator: Pool;
  readonly viewer: Pool;
  /** For looking and for tampering: nothing is refused to it. */
  readonly superuser: Pool;
  /** Another pool with the rights of a role. */
  open(role: DatabaseRole, max?: number): Pool;
  /** Runs statements as a superuser whom no trigger and no foreign key stops. */
  tamper(sql: string, values?: readonly unknown[]): Promise<void>;
  close(): Promise<void>;
}

/** Copies the template; `close` drops the copy, whoever is still connected. */
export async function freshDatabase(): Promise<TestDatabase> {
  const servers = testServers();
  const name = `test_${randomBytes(6).toString('hex')}`;
  await asSuperuser(servers.superuserUrl, `create database ${name} template ${servers.template}`);
  return openTestDatabase(name, servers.loginUrl, servers.superuserUrl);
}

/** A migrated database of any server; both URLs may name another database of it. */
export function openTestDatabase(name: string, loginUrl: string, serverUrl: string): TestDatabase {
  const url = withDatabase(loginUrl, name);
  const superuserUrl = withDatabase(serverUrl, name);
  const pools: Pool[] = [];
  const kept = (pool: Pool): Pool => {
    pools.push(pool);
    return pool;
  };
  const open = (role: DatabaseRole, max = 8) => kept(openRolePool(url, role, max));
  const superuser = kept(openRolePool(superuserUrl, null, 4));
  return {
    name,
    url,
    superuser,
    worker: open('settle_worker'),
    operator: open('settle_operator'),
    viewer: open('settle_viewer'),
    open,
    tamper: (sql, values) => tamper(superuser, sql, values),
    async close() {
      const ended = Promise.all(pools.filter((pool) => !pool.ended).map((pool) => pool.end()));
      // A test that failed may have left a client checked out, for which a pool waits for ever.
      await Promise.race([ended, new Promise((resolve) => setTimeout(resolve, 5_000).unref())]);
      await asSuperuser(serverUrl, `drop database ${name} with (force)`);
    },
  };
}

function openRolePool(url: string, role: DatabaseRole | null, max: number): Pool {
  return openPool({ url, role, max, applicationName: `test ${role ?? 'superuser'}`, onIdleError: () => undefined });
}

async function tamper(pool: Pool, sql: string, values: readonly unknown[] = []): Promise<void> {
  const client = await pool.connect();
  try {
    await client.query('set session_replication_role = replica');
    await client.query(sql, [...values]);
  } finally {
    await client.query('set session_replication_role = origin');
    client.release();
  }
}

async function asSuperuser(url: string, statement: string): Promise<void> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}

function withDatabase(url: string, name: string): string {
  const other = new URL(url);
  other.pathname = `/${name}`;
  return other.toString();
}
