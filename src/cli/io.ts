import picocolors from 'picocolors';
import type { Colors } from 'picocolors/types';
import { type Account, accountText, type OutputFormat, type Sheet, sheetText } from './output';

/** What the user said about every command: the global options. */
export interface Settings {
  readonly output: OutputFormat | null;
  readonly input: boolean;
  readonly debug: boolean;
}

/**
 * A command's view of the world outside: data to stdout, words to stderr. Commands never touch `process.stdout`,
 * so that whatever is on stdout is data in the format that was asked for.
 */
export interface Io {
  readonly env: NodeJS.ProcessEnv;
  /** `table` on a terminal and `json` elsewhere, unless `-o` says otherwise. */
  readonly format: OutputFormat;
  /** Whether the user named the format, as a script does. */
  readonly formatNamed: boolean;
  /** For stdout; writes none where it should not. */
  readonly colors: Colors;
  /** For stderr. */
  readonly wordColors: Colors;
  /** Width of the terminal, between 60 and 160; 100 elsewhere. */
  readonly width: number;
  /** Whether questions may be asked: both ends are terminals, and neither `--no-input` nor CI is set. */
  readonly asks: boolean;
  /** Whether bars and other moving things may be drawn on stderr. */
  readonly moves: boolean;
  readonly debug: boolean;
  /** Aborted by the first Ctrl-C or SIGTERM: end in order, and with 130 if work was cut short. */
  readonly signal: AbortSignal;
  /** Rows, in the format that was asked for. */
  sheet<Row>(sheet: Sheet<Row>): void;
  /** One thing, in the format that was asked for. */
  account(account: Account): void;
  /** Text that is data already. */
  data(text: string): void;
  /** A sentence for a person, on stderr. */
  say(sentence: string): void;
  /** A line for the log file. */
  log(line: string): void;
  /** Called once the options are known. */
  settle(settings: Settings): void;
}

export interface Streams {
  readonly stdout: NodeJS.WriteStream;
  readonly stderr: NodeJS.WriteStream;
  readonly stdin: NodeJS.ReadStream;
  readonly env: NodeJS.ProcessEnv;
}

const NARROWEST = 60;
const WIDEST = 160;
const WIDTH_ELSEWHERE = 100;

export function createIo(streams: Streams, signal: AbortSignal, log: (line: string) => void): Io {
  const { stdout, stderr, stdin, env } = streams;
  let settings: Settings = { output: null, input: true, debug: false };
  const inCi = isSet(env.CI);
  const format = (): OutputFormat => settings.output ?? (stdout.isTTY ? 'table' : 'json');
  const colors = picocolors.createColors(coloured(stdout, env));
  return {
    env,
    get format() {
      return format();
    },
    get formatNamed() {
      return settings.output !== null;
    },
    colors,
    wordColors: picocolors.createColors(coloured(stderr, env)),
    get width() {
      const columns = stdout.isTTY ? stdout.columns : Number(env.COLUMNS);
      return Math.min(WIDEST, Math.max(NARROWEST, columns || WIDTH_ELSEWHERE));
    },
    get asks() {
      return Boolean(stdin.isTTY && stderr.isTTY) && settings.input && !inCi;
    },
    moves: Boolean(stderr.isTTY) && !inCi && env.TERM !== 'dumb',
    get debug() {
      return settings.debug;
    },
    signal,
    sheet(sheet) {
      stdout.write(sheetText(sheet, format(), colors, this.width));
    },
    account(account) {
      stdout.write(accountText(account, format(), colors));
    },
    data(text) {
      stdout.write(text);
    },
    say(sentence) {
      stderr.write(`${sentence}\n`);
    },
    log,
    settle(chosen) {
      settings = chosen;
    },
  };
}

/** https://no-color.org: any value but the empty one says no. FORCE_COLOR says yes where no terminal is. */
function coloured(stream: NodeJS.WriteStream, env: NodeJS.ProcessEnv): boolean {
  if (isSet(env.NO_COLOR)) return false;
  if (isSet(env.FORCE_COLOR)) return env.FORCE_COLOR !== '0';
  return Boolean(stream.isTTY) && env.TERM !== 'dumb';
}

const isSet = (value: string | undefined): boolean => value !== undefined && value !== '' && value !== 'false';
