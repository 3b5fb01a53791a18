import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { PoolClient } from 'pg';
import { readManifest } from '../../src/archives/manifest';
import { endAll, type Running, settle } from '../cli/settle-process';
import { freshDatabase, type TestDatabase } from '../harness/databases';
import { type Person, person } from '../rights/logins';
import { FIRST, networkAcross, settleEpochs } from './archived-networks';

// The command line as processes of people, killed where it hurts.
const NETWORK = 'killed';
let database: TestDatabase;
let operator: Person;
let auditor: Person;
let folder: string;

beforeAll(async () => {
  database = await freshDatabase();
  folder = await mkdtemp(join(tmpdir(), 'settle-test-archive-'));
  await networkAcross(database, {}, NETWORK);
  await settleEpochs(database, NETWORK, FIRST, FIRST + 2);
  operator = await person(database, ['settle_operator']);
  auditor = await person(database, ['settle_auditor']);
});
afterAll(async () => {
  await endAll();
  await operator.leave();
  await auditor.leave();
  await rm(folder, { recursive: true });
  await database.close();
});

const start = (by: Person, ...args: string[]): Running =>
  settle(args, { DATABASE_URL: by.url, SETTLE_HOME: join(folder, 'home') });
const run = (by: Person, ...args: string[]) => start(by, ...args).ended;

const out = () => join(folder, 'archives');
const archive = () => start(operator, 'archive', '0..255', '--out', out(), '--reason', 'a year old', '--detach');

/** Rows of the first range in the database, and whether it counts as archived. */
async function standing(): Promise<{ readonly rows: number; readonly archived: number }> {
  const found = await database.superuser.query<{ rows: number; archived: number }>(
    `select (select count(*) from capacity where epoch < 256) + (select count(*) from payout where epoch < 256) as rows,
       (select count(*) from settle.archived_ranges()) as archived`,
  );
  return found.rows[0]!;
}

/** Somebody else's transaction, in which `statement` was run, for as long as `work` takes. */
async function during(statement: string, work: () => Promise<void>): Promise<void> {
  const client: PoolClient = await database.superuser.connect();
  try {
    await client.query('begin');
    await client.query(statement);
    await work();
  } finally {
    await client.query('rollback');
    client.release();
  }
}

async function killed(running: Running, saying: RegExp): Promise<void> {
  await running.says(saying);
  running.signal('SIGKILL');
  await running.ended;
}

test('an archive that is killed in any phase leaves the rows or the whole of itself, and goes on', async () => {
  const looked = await run(operator, 'archive', '0..255');
  expect(looked).toMatchObject({ exit: 0, stderr: expect.stringContaining('Nothing was done') });
  expect(JSON.parse(looked.stdout)).toMatchObject([{ state: 'here', networks: NETWORK, obstacle: null }]);
  const { rows } = await standing();
  expect(rows).toBeGreaterThan(0);

  // Its COPY waits: nothing but a draft is there.
  await during('lock table only settle.payout in access exclusive mode', async () => {
    const writing = archive();
    await writing.says(/Writing/);
    while (!(await readdir(out()).catch((): string[] => [])).includes('.epochs-0-255.part'))
      await new Promise(setImmediate);
    writing.signal('SIGKILL');
    await writing.ended;
  });
  expect(await readdir(out())).toEqual(['.epochs-0-255.part']);
  expect(await standing()).toEqual({ rows, archived: 0 });

  // From here on the archive may be complete; its dropping waits for a reader, so that no kill comes too late.
  const reader = 'select from settle.payout limit 1';
  await during(reader, () => killed(archive(), /back/));
  expect(await standing()).toEqual({ rows, archived: 0 });
  await during(reader, () => killed(archive(), /Dropping/));
  expect(await readdir(out())).toEqual(['epochs-0-255']);
  expect(await standing()).toEqual({ rows, archived: 0 });

  const done = await archive().ended;
  expect(done).toMatchObject({ exit: 0, stderr: expect.not.stringContaining('Writing') });
  expect(await standing()).toEqual({ rows: 0, archived: 1 });
  expect(await archive().ended).toMatchObject({ exit: 0 });
  const { hash } = await readManifest(join(out(), 'epochs-0-255'));
  const logged = await database.superuser.query(
    `select actor, reason, detail ->> 'manifest' as manifest from settle.audit_log where action = 'partition-archive' and outcome = 'done'`,
  );
  expect(logged.rows).toEqual([{ actor: operator.actor, reason: 'a year old', manifest: hash }]);
});

test('what is outside is asked for by name with exit code 7, and worked on from the folder', async () => {
  const { hash } = await readManifest(join(out(), 'epochs-0-255'));
  const told = { exit: 7, stdout: '', stderr: expect.stringContaining(hash) };
  const of = ['--network', NETWORK];
  expect(await run(auditor, 'audit', String(FIRST), ...of)).toMatchObject(told);
  expect(await run(operator, 'explain', String(FIRST), 'p1', ...of)).toMatchObject(told);
  expect(await run(operator, 'payout', 'list', '--epoch', String(FIRST), ...of)).toMatchObject(told);

  const brought = ['--archive', out(), ...of];
  const audited = await run(auditor, 'audit', String(FIRST), ...brought);
  expect(audited).toMatchObject({ exit: 0 });
  expect(JSON.parse(audited.stdout)).toMatchObject({ holds: true });
  const explained = await run(operator, 'explain', String(FIRST), 'p1', ...brought);
  expect(JSON.parse(explained.stdout)).toMatchObject({ epoch: FIRST, provider: 'p1' });
  expect(await run(operator, 'ledger', 'check', ...brought)).toMatchObject({ exit: 0 });
  const listed = await run(operator, 'payout', 'list', '--provider', 'p1', ...of);
  expect(listed).toMatchObject({
    exit: 0,
    stderr: expect.stringContaining('Epochs 0 to 255 are archived and left out'),
  });
  expect(JSON.parse((await run(operator, 'archive', 'list')).stdout)).toMatchObject([
    { first: 0, last: 255, state: 'outside', manifest_sha256: hash, written_to: join(out(), 'epochs-0-255') },
  ]);
  const shown = JSON.parse((await run(operator, 'epoch', 'show', String(FIRST), ...of)).stdout);
  expect(shown).toMatchObject({ state: 'published', largest_payouts: null, archive: { manifest_sha256: hash } });
});

test('putting rows back is all or nothing, too', async () => {
  const attach = () => start(operator, 'archive', 'attach', join(out(), 'epochs-0-255'), '--reason', 'a dispute');
  expect(await run(auditor, 'archive', 'attach', join(out(), 'epochs-0-255'), '--reason', 'x')).toMatchObject({
    exit: 1,
    stderr: expect.stringContaining('settle_operator'),
  });
  await during(`select pg_advisory_xact_lock(hashtext('settle.ensure_partitions'))`, async () => {
    const attaching = attach();
    const waits = `select from pg_locks where locktype = 'advisory' and not granted and database = (select oid from pg_database where datname = current_database())`;
    while ((await database.superuser.query(waits)).rowCount === 0)
      await new Promise((resolve) => setTimeout(resolve, 50));
    attaching.signal('SIGKILL');
    await attaching.ended;
  });
  expect(await standing()).toEqual({ rows: 0, archived: 1 });
  expect(await attach().ended).toMatchObject({ exit: 0 });
  expect((await standing()).archived).toBe(0);
  expect(await attach().ended).toMatchObject({ exit: 0, stderr: '' });
  const again = await run(auditor, 'audit', String(FIRST), '--network', NETWORK);
  expect(again).toMatchObject({ exit: 0 });
});

test('nonsense is answered with what would be right', async () => {
  const cases: readonly (readonly [RegExp, number, ...string[]])[] = [
    [/settle archive 0\.\.255/, 1, 'archive', '3'],
    [/nothing is written without --out/, 2, 'archive', '0..255', '--detach'],
    [/--out needs --reason/, 2, 'archive', '0..255', '--out', folder],
    [/no rows: there is nothing to archive/, 1, 'archive', '1024..1279', '--out', folder, '--reason', 'x'],
    [/--out belongs to/, 2, 'archive', 'list', '--out', folder],
    [/--detach belongs to/, 2, 'archive', 'attach', folder, '--detach', '--reason', 'x'],
    [/--reason TEXT is missing/, 2, 'archive', 'attach', folder],
    [/There is no archive/, 1, 'archive', 'attach', folder, '--reason', 'x'],
    [/There is no archive in this folder/, 1, 'audit', String(FIRST), '--network', NETWORK, '--archive', folder],
  ];
  for (const [said, exit, ...args] of cases) {
    expect(await run(auditorOr(args), ...args)).toMatchObject({ exit, stderr: expect.stringMatching(said) });
  }
});

const auditorOr = (args: readonly string[]): Person => (args[0] === 'audit' ? auditor : operator);
