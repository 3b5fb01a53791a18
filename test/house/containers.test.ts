import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Client } from 'pg';
import { openTemporaryDatabase } from '../../src/stack/temporary-home';
import { migrate } from '../../src/store/migrate';
import { type DatabaseRole, openPool } from '../../src/store/pool';

/**
 * No container is run here, but what the database's container does when it is new can be: its init file, and the
 * migration with a login that may neither create roles nor databases.
 */
const ROOT = join(__dirname, '..', '..');
const PASSWORD = 'of this test';

/** psql reads the secrets and substitutes them; every statement goes on its own, since a database cannot be created in a transaction. */
function statements(): string[] {
  const file = readFileSync(join(ROOT, 'docker', 'postgres-init.sql'), 'utf8');
  return file
    .split('\n')
    .filter((line) => !line.startsWith('\\') && !line.startsWith('--'))
    .join('\n')
    .replaceAll(/:'\w+_password'/g, `'${PASSWORD}'`)
    .split(';')
    .filter((statement) => statement.trim() !== '');
}

function addressOf(superuserUrl: string, login: string): string {
  const url = new URL(superuserUrl);
  url.username = login;
  url.password = encodeURIComponent(PASSWORD);
  url.pathname = '/settle';
  return url.toString();
}

async function mayWorkAs(superuserUrl: string, login: string, role: DatabaseRole): Promise<boolean> {
  const pool = openPool({
    url: addressOf(superuserUrl, login),
    role,
    applicationName: 'containers test',
    onIdleError: () => undefined,
  });
  try {
    await pool.query('select count(*) from settle.network');
    return true;
  } catch (error) {
    if ((error as { code?: string }).code === '42501') return false;
    throw error;
  } finally {
    await pool.end();
  }
}

describe('docker/postgres-init.sql', () => {
  let database: Awaited<ReturnType<typeof openTemporaryDatabase>>;

  beforeAll(async () => {
    database = await openTemporaryDatabase({ env: { ...process.env, DATABASE_URL: '' } });
    const client = new Client({ connectionString: new URL('/postgres', database.postgres.superuserUrl).toString() });
    await client.connect();
    try {
      // The embedded server comes with a database of the name that the init file gives to its own.
      await client.query('drop database settle');
      for (const statement of statements()) await client.query(statement);
    } finally {
      await client.end();
    }
    await migrate(addressOf(database.postgres.superuserUrl, 'migrate_login'), () => undefined);
  });

  afterAll(() => database.close());

  const LOGINS: readonly (readonly [login: string, roles: readonly DatabaseRole[]])[] = [
    ['worker_login', ['settle_worker']],
    ['operator_login', ['settle_viewer', 'settle_auditor', 'settle_operator']],
    ['approver_login', ['settle_viewer', 'settle_auditor', 'settle_approver']],
    ['policy_login', ['settle_viewer', 'settle_policy_admin']],
  ];
  const ROLES: readonly DatabaseRole[] = [
    'settle_worker',
    'settle_viewer',
    'settle_auditor',
    'settle_operator',
    'settle_approver',
    'settle_policy_admin',
  ];

  test.each(LOGINS)('%s may work as %p and as nobody else', async (login, roles) => {
    const granted: DatabaseRole[] = [];
    for (const role of ROLES) {
      if (await mayWorkAs(database.postgres.superuserUrl, login, role)) granted.push(role);
    }
    expect(granted.sort()).toEqual([...roles].sort());
  });

  test.each([
    ['operator_login', 'settle_operator'],
    ['operator_login', 'settle_viewer'],
    ['approver_login', 'settle_auditor'],
  ] as const)('%s makes a temporary table as %s: an import stages its rows in some', async (login, role) => {
    const pool = openPool({
      url: addressOf(database.postgres.superuserUrl, login),
      role,
      applicationName: 'containers test',
      onIdleError: () => undefined,
    });
    try {
      await pool.query('create temp table staged (line integer)');
    } finally {
      await pool.end();
    }
  });

  test('no login has a right without asking for a role', async () => {
    const client = new Client({ connectionString: addressOf(database.postgres.superuserUrl, 'operator_login') });
    await client.connect();
    try {
      await expect(client.query('select count(*) from settle.network')).rejects.toMatchObject({ code: '42501' });
    } finally {
      await client.end();
    }
  });
});

describe('the Dockerfile', () => {
  /** What it copies from this folder, in any of its stages. */
  const copied = [...readFileSync(join(ROOT, 'Dockerfile'), 'utf8').matchAll(/^COPY (?!--from)(.+) \S+$/gm)].flatMap(
    ([, sources]) => (sources ?? '').split(' '),
  );
  const allowed = readFileSync(join(ROOT, '.dockerignore'), 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('!'))
    .map((line) => line.slice(1));

  test('copies what is there, and what .dockerignore lets through', () => {
    expect(copied).toContain('start.mjs');
    expect(copied.filter((path) => !existsSync(join(ROOT, path)))).toEqual([]);
    expect(copied.filter((path) => !allowed.includes(path))).toEqual([]);
  });

  test('copies every script that a copied script imports', () => {
    const imported = copied
      .filter((path) => path.endsWith('.mjs'))
      .flatMap((path) => [
        ...readFileSync(join(ROOT, path), 'utf8').matchAll(/(?:from |import\()'\.\/([\w.-]+\.mjs)'/g),
      ])
      .map(([, path]) => path ?? '');
    expect(imported).toContain('prepare.mjs');
    expect(imported.filter((path) => !copied.includes(path))).toEqual([]);
  });
});
