import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { Client } from 'pg';
import { endProcess, identify } from '../../src/stack/processes';

/** A folder of its own for a test file, with spaces in its name as a user's folders have. */
export function testFolder(): string {
  const folder = mkdtempSync(join(realpathSync(tmpdir()), 'settle stack test '));
  // mkdtemp closes it, and root's database server, which runs as another user, would have to go elsewhere.
  chmodSync(folder, 0o755);
  return folder;
}

/** What keep-open.cjs says once it is open. */
export interface Announcement {
  readonly home: string;
  readonly postgres: { readonly url: string; readonly superuserUrl: string; readonly port: number };
  readonly temporal?: { readonly address: string; readonly how: string };
  readonly started: readonly string[];
  readonly log: readonly string[];
  readonly error?: string;
  readonly message?: string;
}

export interface OtherProcess {
  readonly child: ChildProcess;
  readonly said: Announcement;
  /** The exit code of a process that ends by itself. */
  readonly ended: Promise<number | null>;
  /** Ends it with this signal and waits for that; the exit code, or null when the signal ended it. */
  end(signal: NodeJS.Signals): Promise<number | null>;
}

export async function inOtherProcess(
  kind: 'stack' | 'database' | 'temporary',
  home: string,
  { userId, env = {} }: { readonly userId?: number; readonly env?: NodeJS.ProcessEnv } = {},
): Promise<OtherProcess> {
  const asUser = userId === undefined ? [] : [JSON.stringify({ userId, env })];
  const child = spawn(process.execPath, [join(__dirname, 'keep-open.cjs'), kind, home, ...asUser], {
    env: userId === undefined ? { ...process.env, ...env } : process.env,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = once(child, 'exit').then(([code]) => code as number | null);
  const line = await Promise.race([once(createInterface(child.stdout), 'line'), ended.then(() => ['{}'])]);
  const end = (signal: NodeJS.Signals) => {
    child.kill(signal);
    return ended;
  };
  return { child, said: JSON.parse(line[0] as string) as Announcement, ended, end };
}

/** Command lines of all living processes that mention the folder or work in it. Zombies have none. */
export function processesMentioning(folder: string): string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((pid) => {
      try {
        const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').join(' ');
        return command === '' ? '' : `${pid} ${command} in ${readlinkSync(`/proc/${pid}/cwd`)}`;
      } catch {
        return '';
      }
    })
    .filter((line) => line.includes(folder));
}

/** For `afterAll`: ends what a failed test left, removes the folder, and fails if there was anything to end. */
export async function leaveNothing(folder: string): Promise<void> {
  const left = processesMentioning(folder);
  for (const line of left) await endProcess(identify(Number.parseInt(line, 10)), [['SIGKILL', 5_000]]);
  rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
  expect(left).toEqual([]);
}

/** One value from one query. */
export async function ask(url: string, sql: string): Promise<unknown> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    const { rows } = await client.query({ text: sql, rowMode: 'array' });
    return rows[0]?.[0];
  } finally {
    await client.end();
  }
}
