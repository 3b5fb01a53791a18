import { spawn } from 'node:child_process';
import { basename } from 'node:path';
import { type HeadWitness, headLine, WitnessError } from './telling';

export interface CommandWitnessOptions {
  /** The program and its arguments; no shell looks at them. */
  readonly argv: readonly [string, ...string[]];
  readonly timeoutMs: number;
}

/** What a command may know of our environment: nothing of databases and secrets. */
const PASSED_ON = ['PATH', 'HOME', 'LANG', 'LC_ALL', 'TZ', 'TMPDIR', 'SystemRoot'];
const ERROR_CHARS = 300;

/** A witness that is a command: each head is a line of JSON on its standard input, and exit 0 says that it has it. */
export function commandWitness({ argv, timeoutMs }: CommandWitnessOptions): HeadWitness {
  const [program, ...args] = argv;
  const env = Object.fromEntries(PASSED_ON.flatMap((name) => (process.env[name] ? [[name, process.env[name]]] : [])));
  return {
    name: `command ${basename(program)}`,
    tell(head, signal) {
      return new Promise((resolve, reject) => {
        const child = spawn(program, args, { env, stdio: ['pipe', 'ignore', 'pipe'], shell: false });
        let said = '';
        const kill = () => child.kill('SIGKILL');
        const timer = setTimeout(kill, timeoutMs);
        signal.addEventListener('abort', kill, { once: true });
        const done = (error: string | null) => {
          clearTimeout(timer);
          signal.removeEventListener('abort', kill);
          if (error === null) resolve();
          else reject(new WitnessError(error));
        };
        child.stderr.on('data', (part: Buffer) => {
          said = (said + part.toString('utf8')).slice(-ERROR_CHARS);
        });
        child.on('error', (error) => done(`it could not be started: ${error.message}`));
        child.on('close', (code, killedBy) => {
          if (code === 0) done(null);
          else if (killedBy !== null) done(`it was ended by ${killedBy}, after at most ${timeoutMs} ms`);
          else done(`it ended with exit code ${code}${said.trim() === '' ? '' : `: ${said.trim()}`}`);
        });
        // One that does not read its input may still end well: its exit code decides.
        child.stdin.on('error', () => undefined);
        child.stdin.end(`${headLine(head)}\n`);
      });
    },
  };
}
