import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { Client } from 'pg';
import { StoreError } from './errors';
import type { Queryable } from './pool';
import { PERSON_ROLES } from './rights';

const MIGRATIONS = join(__dirname, 'migrations');

/** Name of the newest migration that this version of the code brings and expects. */
export const SCHEMA_VERSION = readdirSync(MIGRATIONS)
  .filter((file) => file.endsWith('.sql'))
  .sort()
  .at(-1)!
  .replace(/\.sql$/, '');

/**
 * Brings the schema to this version. Needs a login that may create schemas and roles. Two processes at once are
 * serialised by the migration tool's advisory lock.
 */
export async function migrate(url: string, log: (line: string) => void): Promise<readonly string[]> {
  const { runner } = await import('node-pg-migrate');
  const applied = await runner({
    databaseUrl: url,
    dir: MIGRATIONS,
    direction: 'up',
    migrationsTable: 'schema_migration',
    migrationsSchema: 'settle_schema',
    createMigrationsSchema: true,
    checkOrder: true,
    singleTransaction: true,
    log: () => undefined,
    logger: { debug: () => undefined, info: () => undefined, warn: log, error: log },
  });
  if (applied.length > 0) await grantVersionTable(url);
  return applied.map((migration) => migration.name);
}

async function grantVersionTable(url: string): Promise<void> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    const readers = ['settle_worker', ...PERSON_ROLES].join(', ');
    await client.query(`grant usage on schema settle_schema to ${readers}`);
    await client.query(`grant select on settle_schema.schema_migration to ${readers}`);
  } finally {
    await client.end();
  }
}

/** Whether this login finds the schema of this version; false also where it cannot log in. Takes one short connection. */
export async function hasSchema(url: string): Promise<boolean> {
  const client = new Client({
    connectionString: url,
    connectionTimeoutMillis: 10_000,
    options: '-c role=settle_viewer',
  });
  client.on('error', () => undefined);
  try {
    await client.connect();
    await assertSchema(client);
    return true;
  } catch {
    return false;
  } finally {
    await client.end().catch(() => undefined);
  }
}

/** Throws SchemaOutdated unless the database has exactly the schema that this code was written for, or a newer one. */
export async function assertSchema(db: Queryable): Promise<string> {
  const found = await db
    .query<{ name: string }>('select name from settle_schema.schema_migration order by id desc')
    .catch((error: { code?: string }) => {
      if (error.code === '42P01' || error.code === '3F000') return { rows: [] };
      throw error;
    });
  if (!found.rows.some((row) => row.name === SCHEMA_VERSION)) {
    throw new StoreError(
      'SchemaOutdated',
      `the database has schema ${found.rows[0]?.name ?? '(none)'}, this version needs ${SCHEMA_VERSION}: run \`settle database migrate\` with a login that may create tables`,
    );
  }
  return found.rows[0]!.name;
}
