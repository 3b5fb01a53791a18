import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { SERVERS_FILE } from '../harness/servers';
import type { NamedTest } from './seeded-bug';

/** How a named test ended; a title with several cases failed if one of them did. `not run`: its file did not load. */
export type Outcome = 'passed' | 'failed' | 'not run';

export interface NamedResult extends NamedTest {
  readonly outcome: Outcome;
}

/** What jest writes of a run, as far as it is read here. */
interface JestReport {
  readonly testResults: readonly {
    readonly name: string;
    readonly message: string;
    readonly assertionResults: readonly { readonly title: string; readonly status: string }[];
  }[];
}

/** However a bug makes a test hang, it ends. */
const MOST_MS = 180_000;

const pattern = (title: string): string => `${title.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}$`;

export interface RunOptions {
  readonly workers: number;
  /** Ends the run. */
  readonly signal: AbortSignal;
  /** With servers of its own, set up by the code of the tree; else with those that were started for all runs. */
  readonly ownServers: boolean;
  readonly mostMs?: number;
}

/** Runs exactly the named tests in a tree with jest, in a process of its own. */
export async function runNamed(
  tree: string,
  wanted: readonly NamedTest[],
  options: RunOptions,
): Promise<readonly NamedResult[]> {
  const report = join(tree, 'results', 'report.json');
  const files = [...new Set(wanted.map(({ file }) => join(tree, file)))];
  const titles = [...new Set(wanted.map(({ title }) => pattern(title)))].join('|');
  const args = ['--json', '--outputFile', report, '--testNamePattern', titles, '--maxWorkers', String(options.workers)];
  await ended(tree, [...args, '--silent', '--runTestsByPath', ...files], options);
  const { testResults } = JSON.parse(await readFile(report, 'utf8')) as JestReport;
  return wanted.map((test) => {
    const found = testResults
      .filter(({ name }) => name.endsWith(`/${test.file}`))
      .flatMap(({ assertionResults }) => assertionResults)
      .filter(({ title, status }) => title === test.title && (status === 'passed' || status === 'failed'));
    const failed = found.some(({ status }) => status === 'failed');
    return { ...test, outcome: failed ? 'failed' : found.length > 0 ? 'passed' : 'not run' };
  });
}

function ended(tree: string, args: readonly string[], { signal, ownServers, mostMs }: RunOptions): Promise<void> {
  const env: NodeJS.ProcessEnv = { ...process.env, CI: 'true' };
  if (ownServers) delete env[SERVERS_FILE];
  return new Promise((resolve, reject) => {
    const jest = spawn(process.execPath, [join(tree, 'node_modules', 'jest', 'bin', 'jest.js'), ...args], {
      cwd: tree,
      stdio: 'ignore',
      env,
    });
    const stop = () => jest.kill('SIGINT');
    const timer = setTimeout(stop, mostMs ?? MOST_MS);
    signal.addEventListener('abort', stop, { once: true });
    jest.on('error', reject);
    // Its exit code says only that something failed; the report says what.
    jest.on('close', () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', stop);
      resolve();
    });
  });
}
