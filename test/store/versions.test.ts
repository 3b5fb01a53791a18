import { randomBytes } from 'node:crypto';
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';
import { nodeHashes } from '../../src/hashing/node-hashes';
import { linesDigest } from '../../src/ledger/lines-digest';
import { ensureDatabase } from '../../src/stack/databases';
import { ensureLogin } from '../../src/store/logins';
import { assertSchema, hasSchema, migrate, SCHEMA_VERSION } from '../../src/store/migrate';
import { endAll, settle } from '../cli/settle-process';
import { freshDatabase, openTestDatabase, type TestDatabase } from '../harness/databases';
import { pauseAt } from '../harness/gates';
import { activitiesOn, settleAllInProcess } from '../harness/in-process';
import { makeNetwork } from '../harness/networks';
import { testServers } from '../harness/servers';
import { settledState } from '../harness/settled-state';

const MIGRATIONS = join(__dirname, '..', '..', 'src', 'store', 'migrations');
const FILES = readdirSync(MIGRATIONS)
  .filter((file) => file.endsWith('.sql'))
  .sort();

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'settle-test-versions-'));
});
afterAll(async () => {
  await endAll();
  rmSync(folder, { recursive: true });
});

/** A database as the release left it whose newest migration has that place. */
async function databaseAt(level: number): Promise<TestDatabase> {
  const { superuserUrl } = testServers();
  const name = `old_${randomBytes(6).toString('hex')}`;
  const url = await ensureDatabase(superuserUrl, name);
  const dir = join(folder, name);
  mkdirSync(dir);
  for (const file of FILES.slice(0, level)) copyFileSync(join(MIGRATIONS, file), join(dir, file));
  const { runner } = await import('node-pg-migrate');
  await runner({
    databaseUrl: url,
    dir,
    direction: 'up',
    migrationsTable: 'schema_migration',
    migrationsSchema: 'settle_schema',
    createMigrationsSchema: true,
    checkOrder: true,
    singleTransaction: true,
    log: () => undefined,
  });
  await letEverybodySeeTheVersion(url);
  return openTestDatabase(name, await ensureLogin(superuserUrl, url), superuserUrl);
}

/** What every release does after its migrations. */
async function letEverybodySeeTheVersion(url: string): Promise<void> {
  const client = new Client({ connectionString: url });
  await client.connect();
  await client.query('grant usage on schema settle_schema to settle_viewer, settle_operator');
  await client.query('grant select on settle_schema.schema_migration to settle_viewer, settle_operator');
  await client.end();
}

const urlOf = (database: TestDatabase): string => {
  const url = new URL(testServers().superuserUrl);
  url.pathname = `/${database.name}`;
  return url.toString();
};

async function undisturbed() {
  const database = await freshDatabase();
  try {
    await makeNetwork({ pool: database.operator, actor: 'olivia' }, {}, 'swarm');
    await settleAllInProcess(await activitiesOn(database.worker), 'swarm');
    return await settledState(database, 'swarm');
  } finally {
    await database.close();
  }
}

test.each([1, Math.floor(FILES.length / 2), FILES.length - 1])(
  'F45: new code on the schema of migration %i refuses it by name, brings it up, and settles as on a new one',
  async (level) => {
    const database = await databaseAt(level);
    try {
      const old = FILES[level - 1]!.replace('.sql', '');
      const refused = await assertSchema(database.superuser).then(
        () => null,
        (error: Error) => error,
      );
      expect(refused).toMatchObject({ id: 'SchemaOutdated' });
      expect(refused?.message).toContain(`the database has schema ${old}, this version needs ${SCHEMA_VERSION}`);
      expect(await hasSchema(urlOf(database))).toBe(false);
      await migrate(urlOf(database), () => undefined);
      expect(await assertSchema(database.superuser)).toBe(SCHEMA_VERSION);
      await makeNetwork({ pool: database.operator, actor: 'olivia' }, {}, 'swarm');
      await settleAllInProcess(await activitiesOn(database.worker), 'swarm');
      expect(await settledState(database, 'swarm')).toEqual(await undisturbed());
    } finally {
      await database.close();
    }
  },
);

test('F45: decisions on batches of before they were bound to lines are bound to those that are there', async () => {
  const database = await databaseAt(FILES.findIndex((file) => file.startsWith('0016')));
  try {
    await database.tamper(`insert into settle.payment_batch values ('n', 1, 1, 1, 'olivia', 'r')`);
    const lines = [
      { provider: 'P9', payee: `0x${'a'.repeat(40)}`, amount: '70' },
      { provider: 'p1', payee: `0x${'b'.repeat(40)}`, amount: '5' },
    ];
    for (const { provider, payee, amount } of lines) {
      await database.tamper('insert into settle.payment_line values ($1, 1, $2, $3, $4)', [
        'n',
        provider,
        payee,
        amount,
      ]);
    }
    await database.tamper(`insert into settle.payment_decision values ('n', 1, 'approved', 'anton', 'compared')`);
    await migrate(urlOf(database), () => undefined);
    const found = await database.superuser.query('select lines_digest from settle.payment_decision');
    expect(found.rows).toEqual([{ lines_digest: linesDigest(await nodeHashes(), lines) }]);
    await expect(database.superuser.query(`update settle.payment_decision set reason = 'x'`)).rejects.toThrow(
      'append-only',
    );
  } finally {
    await database.close();
  }
});

test('F45: the command line on an old schema of somebody else says so, and what to run', async () => {
  const database = await databaseAt(FILES.length - 1);
  try {
    const env = { DATABASE_URL: database.url, SETTLE_HOME: join(folder, 'home') };
    const { exit, stderr } = await settle(['network', 'list'], env).ended;
    expect(stderr).toMatch(/settle database migrate/);
    expect(exit).toBe(1);
  } finally {
    await database.close();
  }
});

test('F45: code that runs while a newer release adds to the schema goes on in the middle of its epoch', async () => {
  const database = await freshDatabase();
  const gate = pauseAt('check:computed');
  try {
    await makeNetwork({ pool: database.operator, actor: 'olivia' }, {}, 'swarm');
    const old = settleAllInProcess(await activitiesOn(database.worker, { reached: gate.reached }), 'swarm');
    await gate.arrived;
    const client = new Client({ connectionString: urlOf(database) });
    await client.connect();
    // What a release may do beside running workers: add.
    await client.query('alter table settle.payout add column of_the_future text');
    await client.query('alter table settle.result add column of_the_future integer not null default 0');
    await client.query('create table settle.of_the_future (network text primary key)');
    await client.query(
      `insert into settle_schema.schema_migration (name, run_on) values ('9999_of-the-future', now())`,
    );
    await client.end();
    gate.release();
    await old;
    expect(await settledState(database, 'swarm')).toEqual(await undisturbed());
    expect(await assertSchema(database.viewer)).toBe('9999_of-the-future');
  } finally {
    gate.release();
    await database.close();
  }
});

/** What a function does when it is called is no part of the migration that makes it. */
const FUNCTION_BODY = /\bas \$(\w*)\$[\s\S]*?\$\1\$/gi;

test('F45: a migration takes no table, no column and no name away from the code that runs beside it', () => {
  const upwards = FILES.map((file) => [
    file,
    readFileSync(join(MIGRATIONS, file), 'utf8').split('-- Down Migration')[0]!.replace(FUNCTION_BODY, ''),
  ]);
  const taking = upwards.filter(([, sql]) =>
    /\b(drop (table|column)|rename (to|column)|alter column \w+ type)\b/i.test(sql!),
  );
  expect(taking.map(([file]) => file)).toEqual([]);
});
