import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { generateBundle } from '../generate/bundle';

/** The command line as its users have it: a process of its own, built before (`npm test` begins with that). */

const ENTRY = join(__dirname, '..', '..', 'start.mjs');

export interface Ended {
  readonly exit: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Running {
  readonly ended: Promise<Ended>;
  /** Resolves with everything said so far once stderr matches; rejects if the process ends before. */
  says(pattern: RegExp): Promise<string>;
  signal(signal: NodeJS.Signals): void;
}

const running = new Set<ChildProcessByStdio<null, Readable, Readable>>();

/** Variables of the machine that would change what the command line does. */
const NEUTRAL = { CI: '', NO_COLOR: '', FORCE_COLOR: '', DATABASE_URL: '', TEMPORAL_ADDRESS: '', COLUMNS: '100' };

export function settle(args: readonly string[], env: NodeJS.ProcessEnv = {}): Running {
  const child = spawn(process.execPath, [ENTRY, ...args], {
    env: { ...process.env, ...NEUTRAL, SETTLE_SKIP_PREPARE: '1', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  running.add(child);
  const text = { stdout: '', stderr: '' };
  const listeners = new Set<() => void>();
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (piece: string) => {
      text[name] += piece;
      for (const listener of listeners) listener();
    });
  }
  const ended = once(child, 'close').then(([exit]) => {
    running.delete(child);
    return { exit: exit as number | null, ...text };
  });
  const says = (pattern: RegExp) =>
    new Promise<string>((resolve, reject) => {
      const look = () => {
        if (pattern.test(text.stderr)) resolve(text.stderr);
      };
      listeners.add(look);
      look();
      void ended.then(() => reject(new Error(`ended without saying ${pattern}: ${text.stderr}`)));
    });
  return { ended, says, signal: (signal) => child.kill(signal) };
}

/** For `afterAll`: a test that failed in its middle leaves no process behind. */
export async function endAll(): Promise<void> {
  const left = [...running];
  for (const child of left) child.kill('SIGTERM');
  await Promise.all(left.map((child) => (child.exitCode === null ? once(child, 'close') : null)));
}

export interface BundleFiles {
  readonly folder: string;
  readonly policy: string;
}

/**
 * A generated bundle of a few epochs, as files. That of seed 7 has the epochs 17 to 22: 18, 20 and 22 trip breakers,
 * 19 and 21 have no inputs.
 */
export function writeBundle(parent: string, seed = 7, epochs = 6): BundleFiles {
  const { files, policyYaml } = generateBundle(seed, { epochs });
  const folder = join(parent, `bundle ${seed}`);
  mkdirSync(folder, { recursive: true });
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, `${name}.csv`), text);
  const policy = join(parent, `policy-${seed}.yaml`);
  writeFileSync(policy, policyYaml);
  return { folder, policy };
}
