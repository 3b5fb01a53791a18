import { chmodSync, copyFileSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Connection } from '@temporalio/client';
import { findTemporal } from '../../src/stack/find-temporal';
import { homePaths, prepareHome } from '../../src/stack/home';
import { endProcess, identify } from '../../src/stack/processes';
import { joinStack, openStack } from '../../src/stack/stack';
import { cachedExecutable } from '../../src/stack/temporal-fetch';
import { ask, inOtherProcess, leaveNothing, processesMentioning, testFolder } from './processes-of-test';

const root = testFolder();
const env = { ...process.env, DATABASE_URL: '', TEMPORAL_ADDRESS: '' };
const asRoot = process.getuid?.() === 0;
let count = 0;
const freshHome = () => join(root, `home ${++count}`);
const silent = () => undefined;

afterAll(() => leaveNothing(root));

const temporalPid = (home: string) =>
  (JSON.parse(readFileSync(homePaths(home).temporalRecord, 'utf8')) as { process: { pid: number } }).process.pid;

async function startWorkflow(address: string, id: string): Promise<void> {
  const connection = await Connection.connect({ address });
  await connection.workflowService.startWorkflowExecution({
    namespace: 'default',
    workflowId: id,
    requestId: id,
    workflowType: { name: 'settleEpoch' },
    taskQueue: { name: 'nobody' },
  });
  await connection.close();
}

async function knowsWorkflow(address: string, workflowId: string): Promise<boolean> {
  const connection = await Connection.connect({ address });
  try {
    await connection.workflowService.describeWorkflowExecution({ namespace: 'default', execution: { workflowId } });
    return true;
  } catch {
    return false;
  } finally {
    await connection.close();
  }
}

test('a fresh home becomes a stack: both servers, our search attributes, the UI; joined from elsewhere; closed whole', async () => {
  const home = freshHome();
  const stack = await openStack({ home, env });
  const { address, uiUrl, namespace } = stack.temporal;
  expect(stack.started).toEqual([
    expect.stringMatching(/^PostgreSQL \(process \d+\)$/),
    expect.stringMatching(/^Temporal \(process \d+\)$/),
  ]);
  const connection = await Connection.connect({ address });
  const { customAttributes } = await connection.operatorService.listSearchAttributes({ namespace });
  await connection.close();
  expect(Object.keys(customAttributes).sort()).toEqual([
    'SettleEpoch',
    'SettleNetwork',
    'SettleOutcome',
    'SettlePhase',
  ]);
  expect((await fetch(uiUrl as string)).status).toBe(200);
  const { postgres, temporal } = await joinStack(home, env);
  expect({ postgres, temporal }).toEqual({ postgres: stack.postgres, temporal: stack.temporal });
  await stack.close();
  expect(processesMentioning(home)).toEqual([]);
});

test('after kill -9 both servers are taken over with what they know', async () => {
  const home = freshHome();
  const other = await inOtherProcess('stack', home);
  await startWorkflow(other.said.temporal!.address, 'settle/swarm/1');
  await other.end('SIGKILL');
  const lines: string[] = [];
  const stack = await openStack({ home, env, log: (line) => lines.push(line) });
  expect(lines.filter((line) => line.endsWith('taken over'))).toHaveLength(2);
  expect(stack.temporal.address).toBe(other.said.temporal!.address);
  expect(await knowsWorkflow(stack.temporal.address, 'settle/swarm/1')).toBe(true);
  // Killed as well: the next start finds nothing to take over, and the same history.
  await endProcess(identify(temporalPid(home)), [['SIGKILL', 5_000]]);
  await stack.close();
  const next = await openStack({ home, env });
  expect(await knowsWorkflow(next.temporal.address, 'settle/swarm/1')).toBe(true);
  // Its file removed under a living server: a start must not take over a server whose history is lost at its end.
  await next.close();
  const third = await inOtherProcess('stack', home);
  await third.end('SIGKILL');
  rmSync(join(homePaths(home).temporal, 'temporal.db'));
  const fresh = await openStack({ home, env });
  expect(await knowsWorkflow(fresh.temporal.address, 'settle/swarm/1')).toBe(false);
  await fresh.close();
});

test('a server that ends under us is reported once', async () => {
  const lost: string[] = [];
  const home = freshHome();
  let tell: () => void = silent;
  const told = new Promise<void>((resolve) => {
    tell = resolve;
  });
  const onLost = (error: Error) => {
    lost.push(error.message);
    tell();
  };
  const stack = await openStack({ home, env, onLost });
  await endProcess(identify(temporalPid(home)), [['SIGKILL', 5_000]]);
  await told;
  await stack.close();
  expect(lost).toEqual([expect.stringContaining('Temporal (process')]);
});

test('a start that is interrupted stops what it started', async () => {
  const home = freshHome();
  const interrupt = new AbortController();
  const opening = openStack({ home, env, signal: interrupt.signal });
  interrupt.abort();
  await expect(opening).rejects.toMatchObject({ code: 'StartAborted' });
  expect(processesMentioning(home)).toEqual([]);
});

test('when Temporal cannot be found, the database that had been started is stopped again', async () => {
  const home = freshHome();
  const opening = openStack({ home, env: { ...env, TEMPORAL_CLI_PATH: join(root, 'nowhere') } });
  await expect(opening).rejects.toMatchObject({ code: 'TemporalNotFound' });
  expect(processesMentioning(home)).toEqual([]);
});

(asRoot ? test : test.skip)(
  'root below a folder of mode 0700: programs and data are kept where the server may go',
  async () => {
    const closed = join(root, 'closed');
    mkdirSync(closed, { mode: 0o700 });
    const home = join(closed, 'clone', '.settle');
    const stack = await openStack({ home, env });
    const folder = (await ask(stack.postgres.superuserUrl, 'SHOW data_directory')) as string;
    await ask(stack.postgres.url, 'CREATE TABLE kept AS SELECT 7 AS value');
    await stack.close();
    const { outside } = JSON.parse(readFileSync(homePaths(home).postgresRecord, 'utf8')) as { outside: string };
    expect(dirname(folder)).toBe(outside);
    expect(folder.startsWith(closed)).toBe(false);
    const again = await openStack({ home, env });
    expect(await ask(again.postgres.url, 'SELECT value FROM kept')).toBe(7);
    await again.close();
    rmSync(outside, { recursive: true });
  },
);

(asRoot ? test : test.skip)('a plain user without a home of their own gets the whole stack', async () => {
  const cache = join(root, 'cache');
  const found = await findTemporal({ env, paths: await prepareHome(freshHome()), log: silent, progress: silent });
  mkdirSync(dirname(cachedExecutable(cache)), { recursive: true });
  copyFileSync(found.path, cachedExecutable(cache));
  const parent = join(root, 'of nobody');
  mkdirSync(parent);
  chmodSync(parent, 0o777);
  const user = { userId: 65_534, env: { HOME: '/nonexistent', SETTLE_CACHE: cache, PATH: '/usr/bin:/bin' } };
  const other = await inOtherProcess('stack', join(parent, 'home'), user);
  expect(other.said.message).toBeUndefined();
  expect(await ask(other.said.postgres.url, 'SELECT 1')).toBe(1);
  expect(await other.end('SIGTERM')).toBe(0);
});
