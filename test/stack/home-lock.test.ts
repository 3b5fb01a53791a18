import { readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { HomeInUse } from '../../src/stack/errors';
import { type HomePaths, prepareHome } from '../../src/stack/home';
import { lockHome, readOwner } from '../../src/stack/home-lock';
import { identify } from '../../src/stack/processes';
import { testFolder } from './processes-of-test';

const root = testFolder();
afterAll(() => rmSync(root, { recursive: true }));

let count = 0;
const freshHome = (): Promise<HomePaths> => prepareHome(join(root, `home ${++count}`));

const leaveLock = (paths: HomePaths, owner: { pid: number; startMark: string | null }): void =>
  writeFileSync(paths.lock, JSON.stringify({ ...owner, since: '2026-01-01T00:00:00.000Z', command: 'settle run' }));

test('the lock tells who has the home, and is gone when it is released', async () => {
  const paths = await freshHome();
  const lock = await lockHome(paths);
  expect(readOwner(paths.lock)).toEqual({
    ...identify(process.pid),
    since: lock.owner.since,
    command: lock.owner.command,
  });
  lock.release();
  expect(readdirSync(paths.root)).not.toContain('lock.json');
});

test('a living owner keeps its home: the second is told who it is', async () => {
  const paths = await freshHome();
  leaveLock(paths, identify(process.pid));
  const refused = await lockHome(paths).catch((error: unknown) => error);
  expect(refused).toBeInstanceOf(HomeInUse);
  expect(refused).toMatchObject({ pid: process.pid, since: '2026-01-01T00:00:00.000Z', command: 'settle run' });
});

test('the lock of a dead process is taken over, and its owner is reported', async () => {
  const paths = await freshHome();
  leaveLock(paths, { pid: 2 ** 22 + 1, startMark: 'boot/1' });
  const lock = await lockHome(paths);
  expect(lock.predecessor?.pid).toBe(2 ** 22 + 1);
  expect(readOwner(paths.lock)?.pid).toBe(process.pid);
});

test('a stranger that got the number of the dead owner does not keep the home', async () => {
  const paths = await freshHome();
  leaveLock(paths, { pid: process.pid, startMark: 'another boot/1' });
  await expect(lockHome(paths)).resolves.toMatchObject({ owner: identify(process.pid) });
});

test('a lock that was cut short while it was written does not lock for ever', async () => {
  const paths = await freshHome();
  writeFileSync(paths.lock, '{"pid":');
  await expect(lockHome(paths)).resolves.toMatchObject({ predecessor: null });
});

test('of many that find the same dead owner exactly one gets the home', async () => {
  const paths = await freshHome();
  leaveLock(paths, { pid: 2 ** 22 + 1, startMark: 'boot/1' });
  const results = await Promise.allSettled(Array.from({ length: 20 }, () => lockHome(paths)));
  const refusals = results.filter((result) => result.status === 'rejected').map((result) => result.reason);
  expect(refusals).toHaveLength(19);
  for (const refusal of refusals) expect(refusal).toBeInstanceOf(HomeInUse);
});

test('releasing does not remove the lock of somebody else', async () => {
  const paths = await freshHome();
  const lock = await lockHome(paths);
  leaveLock(paths, { pid: process.pid + 1, startMark: 'x/1' });
  lock.release();
  expect(readOwner(paths.lock)?.pid).toBe(process.pid + 1);
});
