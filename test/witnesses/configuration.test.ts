import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { failureOf } from '../../src/cli/errors';
import { configuredWitnesses, WitnessMisconfigured } from '../../src/worker/witnesses/configuration';

const folder = mkdtempSync(join(tmpdir(), 'settle-witness-settings-'));
const secretFile = join(folder, 'secret');
writeFileSync(secretFile, 'a-secret\n');
afterAll(() => rmSync(folder, { recursive: true }));

const names = (env: NodeJS.ProcessEnv, line: ((text: string) => void) | null = () => undefined) =>
  configuredWitnesses(env, line).map(({ name }) => name);

test('each witness is named without anything secret', () => {
  const env = {
    SETTLE_WITNESS_STDOUT: '1',
    SETTLE_WITNESS_URL: 'https://witness.example/heads?token=hidden',
    SETTLE_WITNESS_SECRET_FILE: secretFile,
    SETTLE_WITNESS_COMMAND: '["/usr/local/bin/keep-head","--password","hidden"]',
  };
  expect(names(env)).toEqual(['standard output', 'https://witness.example/heads', 'command keep-head']);
  // Standard output belongs to the data of whatever command is not a worker alone.
  expect(names(env, null)).toEqual(['https://witness.example/heads', 'command keep-head']);
  expect(names({})).toEqual([]);
});

test('standard output gets one line of JSON for each head', async () => {
  const lines: string[] = [];
  const [witness] = configuredWitnesses({ SETTLE_WITNESS_STDOUT: '1' }, (text) => lines.push(text));
  const head = {
    network: 'n',
    epoch: 3,
    revision: 2,
    head: 'a'.repeat(64),
    position: 8,
    publishedAt: '2026-01-01T00:00:00Z',
  };
  await witness!.tell(head, new AbortController().signal);
  expect(lines).toHaveLength(1);
  expect(lines[0]).toMatch(/^\{.*\}\n$/);
  expect(JSON.parse(lines[0]!)).toEqual({
    network: 'n',
    epoch: 3,
    revision: 2,
    head: 'a'.repeat(64),
    position: 8,
    published_at: '2026-01-01T00:00:00Z',
    idempotency_key: `n/3/2/${'a'.repeat(64)}`,
  });
});

test.each([
  [{ SETTLE_WITNESS_URL: 'witness.example' }, 'SETTLE_WITNESS_URL', /no address/],
  [{ SETTLE_WITNESS_URL: 'http://witness.example/heads' }, 'SETTLE_WITNESS_URL', /only travel by https/],
  [{ SETTLE_WITNESS_URL: 'ftp://localhost/heads' }, 'SETTLE_WITNESS_URL', /only travel by https/],
  [{ SETTLE_WITNESS_URL: 'https://me:pass@witness.example' }, 'SETTLE_WITNESS_URL', /password in it/],
  [
    { SETTLE_WITNESS_URL: 'https://w.example', SETTLE_WITNESS_SECRET: 'two words' },
    'SETTLE_WITNESS_SECRET',
    /one word/,
  ],
  [
    { SETTLE_WITNESS_URL: 'https://w.example', SETTLE_WITNESS_SECRET: 'a\r\nx: y' },
    'SETTLE_WITNESS_SECRET',
    /one word/,
  ],
  [
    { SETTLE_WITNESS_URL: 'https://w.example', SETTLE_WITNESS_SECRET_FILE: join(folder, 'none') },
    'SETTLE_WITNESS_SECRET_FILE',
    /cannot be read/,
  ],
  [
    { SETTLE_WITNESS_URL: 'https://w.example', SETTLE_WITNESS_CA_FILE: join(folder, 'none') },
    'SETTLE_WITNESS_CA_FILE',
    /cannot be read/,
  ],
  [{ SETTLE_WITNESS_COMMAND: 'keep-head --log' }, 'SETTLE_WITNESS_COMMAND', /no list/],
  [{ SETTLE_WITNESS_COMMAND: '[]' }, 'SETTLE_WITNESS_COMMAND', /no list/],
  [{ SETTLE_WITNESS_COMMAND: '["x",1]' }, 'SETTLE_WITNESS_COMMAND', /no list/],
])('%j is refused by name, with the exit code of a wrong call and without its value', (env, where, what) => {
  let caught: unknown;
  try {
    configuredWitnesses(env as NodeJS.ProcessEnv, null);
  } catch (error) {
    caught = error;
  }
  expect(caught).toBeInstanceOf(WitnessMisconfigured);
  expect(caught).toMatchObject({ where, what: expect.stringMatching(what) });
  const { exit, message } = failureOf(caught);
  expect(exit).toBe(2);
  expect(message).not.toMatch(/two words|me:pass/);
});

test('plain http stays within this machine', () => {
  for (const url of ['http://localhost:1/x', 'http://127.0.0.1:1/x', 'http://[::1]:1/x']) {
    expect(names({ SETTLE_WITNESS_URL: url })).toEqual([url]);
  }
});
