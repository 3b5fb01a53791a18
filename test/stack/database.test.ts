import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { dropDatabase, ensureDatabase } from '../../src/stack/databases';
import { homePaths } from '../../src/stack/home';
import { readPostmaster } from '../../src/stack/postgres-pidfile';
import { endProcess } from '../../src/stack/processes';
import { joinDatabase, joinStack, openDatabase } from '../../src/stack/stack';
import { ask, inOtherProcess, leaveNothing, processesMentioning, testFolder } from './processes-of-test';

const root = testFolder();
const env = { ...process.env, DATABASE_URL: '', TEMPORAL_ADDRESS: '' };
let count = 0;
const freshHome = () => join(root, `home ${++count}`);
const postmasterOf = (home: string) => readPostmaster(join(homePaths(home).postgres, 'cluster'));

afterAll(() => leaveNothing(root));

test('a fresh home becomes a database that forces commits to disk, listens on loopback only and asks for a password', async () => {
  const home = freshHome();
  const stack = await openDatabase({ home, env });
  const { url, superuserUrl, port } = stack.postgres;
  expect(await ask(url, 'SELECT current_database()')).toBe('settle');
  const settings = ['fsync', 'synchronous_commit', 'listen_addresses', 'unix_socket_directories', 'TimeZone'];
  const values = await Promise.all(settings.map((name) => ask(url, `SHOW ${name}`)));
  expect(values).toEqual(['on', 'on', '127.0.0.1', '', 'UTC']);
  expect(await ask(url, "SELECT 'a' COLLATE \"default\" > 'B'")).toBe(true);
  await expect(ask(`postgresql://postgres:wrong@127.0.0.1:${port}/settle`, 'SELECT 1')).rejects.toThrow(/password/);
  const another = await ensureDatabase(superuserUrl, 'trial "run"');
  expect(await ensureDatabase(superuserUrl, 'trial "run"')).toBe(another);
  expect(await ask(another, 'SELECT current_database()')).toBe('trial "run"');
  await dropDatabase(superuserUrl, 'trial "run"');
  await stack.close();
  await stack.close();
  expect(processesMentioning(home)).toEqual([]);
  expect(statSync(join(home, 'postgres', 'password')).mode & 0o077).toBe(0);
  expect(readdirSync(home).sort()).toEqual(['logs', 'postgres', 'postgres.json', 'temporal']);
});

test('a second start on the same home continues with its data and its port', async () => {
  const home = freshHome();
  const first = await openDatabase({ home, env });
  await ask(first.postgres.url, 'CREATE TABLE kept AS SELECT 42 AS value');
  await first.close();
  const second = await openDatabase({ home, env });
  expect(await ask(second.postgres.url, 'SELECT value FROM kept')).toBe(42);
  expect(second.postgres.port).toBe(first.postgres.port);
  await second.close();
});

test('while a process has the home, a second is refused, and a third may join', async () => {
  const home = freshHome();
  await expect(joinDatabase(home, env)).rejects.toMatchObject({ code: 'StackNotRunning' });
  const other = await inOtherProcess('database', home);
  const second = await inOtherProcess('database', home);
  expect(second.said).toMatchObject({ error: 'HomeInUse' });
  expect(second.said.message).toContain(`process ${other.child.pid} has been using this home since 20`);
  expect(await second.ended).toBe(3);
  expect((await joinDatabase(home, env)).url).toBe(other.said.postgres.url);
  await expect(joinStack(home, env)).rejects.toThrow(/runs the database only/);
  expect(await other.end('SIGTERM')).toBe(0);
  await expect(joinDatabase(home, env)).rejects.toMatchObject({ code: 'StackNotRunning' });
});

test('the server of a process killed with -9 is taken over, and stopped at the end', async () => {
  const home = freshHome();
  const other = await inOtherProcess('database', home);
  const before = postmasterOf(home);
  await other.end('SIGKILL');
  await expect(joinDatabase(home, env)).rejects.toThrow(/died/);
  const lines: string[] = [];
  const stack = await openDatabase({ home, env, log: (line) => lines.push(line) });
  expect(lines.join('\n')).toContain(`process ${other.child.pid}, which had this home`);
  expect(lines.join('\n')).toContain('taken over');
  expect(postmasterOf(home)?.process).toEqual(before?.process);
  await stack.close();
  expect(processesMentioning(home)).toEqual([]);
});

test('after a crash of the server itself every committed row is there', async () => {
  const home = freshHome();
  const other = await inOtherProcess('database', home);
  await ask(other.said.postgres.url, 'CREATE TABLE paid AS SELECT generate_series(1, 1000) AS payout');
  const server = postmasterOf(home);
  await other.end('SIGKILL');
  await endProcess(server!.process, [['SIGKILL', 5_000]]);
  const lines: string[] = [];
  const stack = await openDatabase({ home, env, log: (line) => lines.push(line) });
  expect(await ask(stack.postgres.url, 'SELECT count(*)::int FROM paid')).toBe(1000);
  expect(lines.join('\n')).toContain('recovers what was committed');
  await stack.close();
});

test('a server that hangs is ended and replaced', async () => {
  const home = freshHome();
  const other = await inOtherProcess('database', home);
  const server = postmasterOf(home)!.process;
  await other.end('SIGKILL');
  process.kill(server.pid, 'SIGSTOP');
  const lines: string[] = [];
  const stack = await openDatabase({ home, env, log: (line) => lines.push(line) });
  expect(lines.join('\n')).toContain('does not answer');
  expect(postmasterOf(home)?.process.pid).not.toBe(server.pid);
  await stack.close();
});

test('a pid file that names a stranger is removed, and the stranger is left alone', async () => {
  const home = freshHome();
  await (await openDatabase({ home, env })).close();
  const stranger = await inOtherProcess('database', freshHome());
  const pidFile = join(home, 'postgres', 'cluster', 'postmaster.pid');
  const cluster = join(home, 'postgres', 'cluster');
  writeFileSync(pidFile, `${stranger.child.pid}\n${cluster}\n1\n1\n\n127.0.0.1\n0\nready\n`);
  const stack = await openDatabase({ home, env });
  await stack.close();
  expect(await stranger.end('SIGTERM')).toBe(0);
});

test('a start that is killed in the middle of initdb leaves nothing that the next one believes', async () => {
  const home = freshHome();
  const starting = inOtherProcess('database', home);
  const isHalfMade = () => existsSync(home) && readdirSync(home).some((name) => name.startsWith('postgres.new-'));
  while (!isHalfMade()) await sleep(5);
  const { pid } = JSON.parse(readFileSync(homePaths(home).lock, 'utf8')) as { pid: number };
  process.kill(pid, 'SIGKILL');
  await starting;
  expect(existsSync(join(home, 'postgres', 'cluster'))).toBe(false);
  const stack = await openDatabase({ home, env });
  expect(await ask(stack.postgres.url, 'SELECT 1')).toBe(1);
  await stack.close();
});

test('when its port is taken the server gets another', async () => {
  const home = freshHome();
  const first = await openDatabase({ home, env });
  await first.close();
  const taker = await inOtherProcess('database', freshHome());
  const record = join(home, 'postgres.json');
  writeFileSync(record, JSON.stringify({ outside: null, port: taker.said.postgres.port }));
  const second = await openDatabase({ home, env });
  expect(second.postgres.port).not.toBe(taker.said.postgres.port);
  await second.close();
  await taker.end('SIGTERM');
});

test('data of another major release are refused in words', async () => {
  const home = freshHome();
  const cluster = join(home, 'postgres', 'cluster');
  mkdirSync(cluster, { recursive: true });
  writeFileSync(join(cluster, 'PG_VERSION'), '17\n');
  await expect(openDatabase({ home, env })).rejects.toMatchObject({ code: 'PostgresDataUnusable', where: cluster });
  await expect(openDatabase({ home, env })).rejects.toThrow(/written by PostgreSQL 17/);
});

test('a home that cannot be made is refused in words', async () => {
  writeFileSync(join(root, 'a file'), '');
  const refused = openDatabase({ home: join(root, 'a file', 'home'), env });
  await expect(refused).rejects.toMatchObject({ code: 'HomeNotUsable' });
});

(process.getuid?.() === 0 ? test : test.skip)('a home of another user is refused in words', async () => {
  const home = freshHome();
  await (await openDatabase({ home, env })).close();
  const stranger = await inOtherProcess('database', home, { userId: 65_534 });
  expect(await stranger.ended).toBe(1);
  expect(stranger.said.error).toBe('HomeNotUsable');
});

test('DATABASE_URL replaces the embedded server, and no home is made', async () => {
  const home = freshHome();
  const url = 'postgresql://me@db.example:5433/payouts';
  const stack = await openDatabase({ home, env: { ...env, DATABASE_URL: url } });
  expect(stack.postgres).toMatchObject({ url, host: 'db.example', port: 5433 });
  expect(stack.started).toEqual([]);
  expect(existsSync(home)).toBe(false);
  await stack.close();
});
