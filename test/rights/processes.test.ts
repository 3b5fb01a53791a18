import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { endAll, settle } from '../cli/settle-process';
import { freshDatabase, type TestDatabase } from '../harness/databases';
import { activitiesOn, settleAllInProcess } from '../harness/in-process';
import { makeNetwork } from '../harness/networks';
import { type Person, person } from './logins';

// The command line as processes of people, each with a login of its own on a server that is not ours.
let database: TestDatabase;
let folder: string;
let network: string;
/** A second one, for a story of its own. */
let other: string;
let operator: Person;
let approver: Person;
let auditor: Person;

beforeAll(async () => {
  database = await freshDatabase();
  folder = await mkdtemp(join(tmpdir(), 'settle-test-people-'));
  network = await makeNetwork({ pool: database.viewer, actor: 'olivia' });
  await settleAllInProcess(await activitiesOn(database.worker), network);
  other = await makeNetwork({ pool: database.viewer, actor: 'olivia' });
  await settleAllInProcess(await activitiesOn(database.worker), other);
  operator = await person(database, ['settle_operator']);
  approver = await person(database, ['settle_approver']);
  auditor = await person(database, ['settle_auditor']);
});
afterAll(async () => {
  await endAll();
  for (const one of [operator, approver, auditor]) await one.leave();
  await rm(folder, { recursive: true });
  await database.close();
});

const run = (by: Person, ...args: string[]) =>
  settle([...args, '--network', network], { DATABASE_URL: by.url, SETTLE_HOME: join(folder, 'home') }).ended;

test('a batch from its making to its confirmation, by two people, and what each may not do', async () => {
  const created = await run(operator, 'payment', 'create', '--request-id', 'batch-of-may');
  expect(created).toMatchObject({ exit: 0 });
  const [batch] = JSON.parse(created.stdout) as { batch: number; total: string; created_by: string }[];
  expect(batch).toMatchObject({ batch: 1, created_by: operator.actor });
  expect((await run(operator, 'payment', 'create', '--request-id', 'batch-of-may')).stdout).toBe(created.stdout);
  const second = await run(operator, 'payment', 'create');
  expect(second).toMatchObject({ exit: 3, stderr: expect.stringContaining(`batch 1, made by ${operator.actor} at `) });

  const own = await run(operator, 'payment', 'approve', '1', '--reason', 'mine');
  expect(own).toMatchObject({ exit: 1, stderr: expect.stringContaining('takes the role settle_approver') });
  expect(await run(operator, 'payment', 'export', '1')).toMatchObject({ exit: 6 });
  const shown = await run(approver, 'payment', 'show', '1');
  const { lines_digest: digest, lines: held } = JSON.parse(shown.stdout) as { lines_digest: string; lines: unknown[] };
  expect(shown).toMatchObject({ exit: 0, stderr: expect.stringContaining(`Digest of its lines: ${digest}`) });
  expect(held).toHaveLength(2);
  const approve = (...more: string[]) => run(approver, 'payment', 'approve', '1', '--reason', 'compared', ...more);
  expect(await approve('--digest', 'f'.repeat(64))).toMatchObject({ exit: 6, stderr: expect.stringContaining(digest) });
  expect(await approve('--digest', digest)).toMatchObject({ exit: 0, stdout: expect.stringContaining(digest) });
  expect((await run(operator, 'payment', 'list')).stdout).toContain(digest);
  expect(await run(approver, 'payment', 'approve', '1', '--reason', 'again')).toMatchObject({ exit: 3 });

  const exported = await run(operator, 'payment', 'export', '1', '-o', 'csv');
  const [header, ...lines] = exported.stdout.trim().split('\n');
  expect(header).toBe('provider,payee,amount');
  const file = join(folder, 'confirmations.csv');
  const rows = lines.map((line) => line.split(',')).map(([provider, , amount]) => `${provider},0xabc,${amount}`);
  await writeFile(file, ['provider,reference,amount', ...rows, ''].join('\n'));
  const confirmed = await run(operator, 'payment', 'confirm', '1', file);
  expect(JSON.parse(confirmed.stdout)).toEqual({ batch: 1, booked: 2, repeated: 0, amount: batch!.total });
  expect(JSON.parse((await run(operator, 'payment', 'confirm', '1', file)).stdout)).toMatchObject({
    booked: 0,
    repeated: 2,
  });
  await writeFile(file, 'provider,reference,amount\np0,0xabc,1\n');
  const conflict = await run(operator, 'payment', 'confirm', '1', file);
  expect(conflict).toMatchObject({ exit: 3, stderr: expect.stringContaining('booked before with') });
  await writeFile(file, 'provider,reference,amount\np0,0xabc,1.5\n');
  const wrong = await run(operator, 'payment', 'confirm', '1', file);
  expect(wrong).toMatchObject({ exit: 2, stderr: expect.stringContaining('confirmations.csv:2:') });
  expect(await run(auditor, 'ledger', 'check')).toMatchObject({ exit: 0 });
}, 120_000);

test('a line that was given up and paid after all: booked on purpose only, and told what would pay twice', async () => {
  const of = ['--network', other];
  const on = (by: Person, ...args: string[]) =>
    settle([...args, ...of], { DATABASE_URL: by.url, SETTLE_HOME: join(folder, 'home') }).ended;
  for (const batch of ['1', '2']) {
    expect(await on(operator, 'payment', 'create')).toMatchObject({ exit: 0 });
    expect(await on(approver, 'payment', 'approve', batch, '--reason', 'compared')).toMatchObject({ exit: 0 });
    if (batch === '1') await on(operator, 'payment', 'fail', '1', 'p0', '--reason', 'the wallet refused');
  }
  const exported = await on(operator, 'payment', 'export', '2', '-o', 'csv');
  expect(exported.stderr).not.toContain('Warning');
  const amount = /^p0,.*,([0-9]+)$/m.exec(exported.stdout)![1]!;
  const file = join(folder, 'late.csv');
  await writeFile(file, `provider,reference,amount\np0,0xlate,${amount}\n`);
  const confirm = ['payment', 'confirm', '1', file];
  expect(await on(operator, ...confirm)).toMatchObject({ exit: 3, stderr: expect.stringContaining('--late --reason') });
  expect(await on(operator, ...confirm, '--late')).toMatchObject({ exit: 2 });
  expect(await on(operator, ...confirm, '--reason', 'found in a block')).toMatchObject({ exit: 2 });
  const late = [...confirm, '--late', '--reason', 'found in a block'];
  expect(await on(approver, ...late)).toMatchObject({ exit: 1, stderr: expect.stringContaining('settle_operator') });
  const booked = await on(operator, ...late);
  expect(booked).toMatchObject({
    exit: 0,
    stderr: expect.stringContaining('Warning: batch 2 would pay p0 more than is due'),
  });
  expect(booked.stderr).toContain('settle payment fail 2 p0 --reason TEXT');
  const overpaying = [{ batch: 2, provider: 'p0', open: amount, approved: true, owed: amount }];
  expect(JSON.parse(booked.stdout)).toEqual({ batch: 1, booked: 1, repeated: 0, amount, overpaying });
  expect(JSON.parse((await on(operator, ...late)).stdout)).toMatchObject({ booked: 0, repeated: 1 });
  // Whoever has the file for the wallet made again is told too.
  expect((await on(operator, 'payment', 'export', '2', '-o', 'csv')).stderr).toContain('would pay p0 more than is due');
  expect(await on(auditor, 'ledger', 'check')).toMatchObject({
    exit: 0,
    stdout: expect.stringContaining(`1 confirmations came late, with ${amount} base units`),
  });
}, 120_000);

test('S4: lines that were changed after their approval leave by no command', async () => {
  const on = (...args: string[]) =>
    settle([...args, '--network', other], { DATABASE_URL: operator.url, SETTLE_HOME: join(folder, 'home') }).ended;
  await database.tamper('update settle.payment_line set amount = amount + 1 where network = $1 and batch = 2', [other]);
  const exported = await on('payment', 'export', '2', '-o', 'csv');
  expect(exported).toMatchObject({ exit: 5, stdout: '', stderr: expect.stringContaining('does not have the lines') });
  expect(await on('payment', 'show', '2')).toMatchObject({ exit: 5, stderr: expect.stringContaining('Warning') });
  expect(await on('ledger', 'check')).toMatchObject({ exit: 5, stdout: expect.stringContaining('decided-lines') });
}, 60_000);

test('the auditor reads who did what; nobody else does', async () => {
  const listed = await run(auditor, 'audit-log', 'list');
  expect(listed.exit).toBe(0);
  const rows = JSON.parse(listed.stdout) as { actor: string; action: string; outcome: string; request_id: string }[];
  expect(rows).toContainEqual(
    expect.objectContaining({ actor: operator.actor, action: 'payment-approved', outcome: 'refused' }),
  );
  expect(rows.every((row) => row.request_id !== '' && row.request_id !== null)).toBe(true);
  const other = await run(operator, 'audit-log', 'list');
  expect(other).toMatchObject({ exit: 1, stderr: expect.stringContaining('takes the role settle_auditor') });
  const verified = settle(['audit-log', 'verify'], { DATABASE_URL: auditor.url, SETTLE_HOME: join(folder, 'home') });
  expect(await verified.ended).toMatchObject({ exit: 0, stdout: expect.stringContaining('"holds": true') });
}, 60_000);
