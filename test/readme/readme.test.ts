import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/**
 * Runs every `sh` block of the README, line by line and in order, in one throw-away home, as somebody would who types
 * them. Not a part of `npm test`, since it settles the sample with a worker and a disk of its own: `npm run test:readme`.
 *
 * A comment `<!-- ci: stays up; ready when it says "WORDS" -->` before a block says that its command goes on; the rest
 * are run beside it, and it is ended with Ctrl-C.
 */

const ROOT = join(__dirname, '..', '..');

interface Command {
  readonly text: string;
  /** What it says on stderr once it is ready; null: it ends by itself. */
  readonly readyWords: string | null;
}

function commandsOf(markdown: string): Command[] {
  const blocks = markdown.matchAll(/(?:<!-- ci: stays up; ready when it says "([^"]+)" -->\s*)?```sh\n([\s\S]*?)```/g);
  return [...blocks].flatMap(([, readyWords, body]) =>
    (body ?? '')
      .split('\n')
      .filter((line) => line.trim() !== '')
      .map((text) => ({ text, readyWords: readyWords ?? null })),
  );
}

interface Ended {
  readonly exit: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

describe('the README', () => {
  const commands = commandsOf(readFileSync(join(ROOT, 'README.md'), 'utf8'));
  const home = mkdtempSync(join(tmpdir(), 'settle-readme-'));
  const exported = join(ROOT, 'export');
  const { SETTLE_HOME, DATABASE_URL, TEMPORAL_ADDRESS, ...env } = process.env;
  const started: ChildProcess[] = [];

  function run({ text, readyWords }: Command): Promise<Ended> {
    // A process group of its own, as a terminal gives it: Ctrl-C goes to all of its processes.
    const child = spawn('bash', ['-c', text], {
      cwd: ROOT,
      env: { ...env, SETTLE_HOME: join(home, 'home') },
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    });
    let stdout = '';
    let stderr = '';
    return new Promise((resolve, reject) => {
      child.stdout.on('data', (bytes) => {
        stdout += bytes;
      });
      child.stderr.on('data', (bytes) => {
        stderr += bytes;
        if (readyWords === null || !stderr.includes(readyWords) || started.includes(child)) return;
        started.push(child);
        resolve({ exit: 0, stdout, stderr });
      });
      child.once('error', reject);
      child.once('close', (exit) => resolve({ exit, stdout, stderr }));
    });
  }

  /** As a terminal does it; resolves once every process of the group has closed its output. */
  async function interrupt(child: ChildProcess): Promise<void> {
    const ended = new Promise((resolve) => child.once('close', resolve));
    process.kill(-(child.pid ?? 0), 'SIGINT');
    await ended;
  }

  const lives = ({ exitCode, signalCode }: ChildProcess) => exitCode === null && signalCode === null;

  beforeAll(() => {
    if (existsSync(exported)) throw new Error(`${exported} is there already: move it away, this test writes to it`);
  });

  afterAll(async () => {
    for (const child of started.filter(lives)) await interrupt(child);
    rmSync(home, { recursive: true, force: true });
    rmSync(exported, { recursive: true, force: true });
  });

  test('has commands, and one of them stays up', () => {
    expect(commands.length).toBeGreaterThan(10);
    expect(commands.filter(({ readyWords }) => readyWords !== null)).toHaveLength(1);
  });

  test.each(commands)('$text', async (command) => {
    const { exit, stderr, stdout } = await run(command);
    expect({ exit, words: exit === 0 ? '' : `${stdout.slice(-2000)}\n${stderr.slice(-2000)}` }).toEqual({
      exit: 0,
      words: '',
    });
  });

  test('Ctrl-C ends what stayed up, and all that it started', async () => {
    const [child] = started;
    if (child === undefined) throw new Error('nothing stayed up');
    let words = '';
    child.stderr?.on('data', (bytes) => {
      words += bytes;
    });
    await interrupt(child);
    expect(words).toContain('Stopping');
    expect(() => process.kill(-(child.pid ?? 0), 0)).toThrow('ESRCH');
  });
});
