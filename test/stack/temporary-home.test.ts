import { readdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { openTemporaryDatabase, temporaryHome } from '../../src/stack/temporary-home';
import { ask, inOtherProcess, leaveNothing, processesMentioning, testFolder } from './processes-of-test';

const parent = testFolder();
// The homes of other tests are none of ours.
const env = { ...process.env, DATABASE_URL: '', TMPDIR: parent };

afterAll(() => leaveNothing(parent));

test('a temporary database works and leaves nothing behind', async () => {
  const stack = await openTemporaryDatabase({ env });
  expect(dirname(stack.home)).toBe(parent);
  expect(await ask(stack.postgres.url, 'SHOW fsync')).toBe('off');
  await stack.close();
  expect(readdirSync(parent)).toEqual([]);
});

test('a start that fails leaves nothing behind either', async () => {
  await expect(openTemporaryDatabase({ env: { ...env, DATABASE_URL: 'nonsense' } })).rejects.toThrow(/DATABASE_URL/);
  expect(readdirSync(parent)).toEqual([]);
});

test('what a killed process left is removed at the next use, servers and all, and what a living one has is not', async () => {
  const living = await inOtherProcess('temporary', '-', { env });
  const killed = await inOtherProcess('temporary', '-', { env });
  await killed.end('SIGKILL');
  expect(processesMentioning(killed.said.home)).not.toEqual([]);
  const home = await temporaryHome({ env });
  expect(processesMentioning(killed.said.home)).toEqual([]);
  expect(readdirSync(parent).sort()).toEqual(
    [living.said.home, home.folder].map((path) => path.slice(parent.length + 1)).sort(),
  );
  expect(await ask(living.said.postgres.url, 'SELECT 1')).toBe(1);
  await home.remove();
  await living.end('SIGTERM');
  expect(readdirSync(parent)).toEqual([]);
});
