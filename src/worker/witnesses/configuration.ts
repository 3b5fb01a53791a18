import { readFileSync } from 'node:fs';
import { commandWitness } from './command-witness';
import { httpsWitness } from './https-witness';
import { type HeadWitness, headLine } from './telling';

/** A witness is named in the environment in a way that cannot be meant. The command line exits with 2. */
export class WitnessMisconfigured extends Error {
  override readonly name = 'WitnessMisconfigured';
  readonly id = 'witness-misconfigured';

  constructor(
    readonly what: string,
    readonly where: string,
    readonly todo: string,
  ) {
    super(`${what}\n  where: ${where}\n  next:  ${todo}`);
  }
}

const TIMEOUT_MS = 10_000;

/**
 * The witnesses that the environment names (docs/operations.md, Witnesses). `line` writes to standard output; null: that
 * belongs to the data of the command which runs the worker.
 *
 * @throws WitnessMisconfigured
 */
export function configuredWitnesses(
  env: NodeJS.ProcessEnv,
  line: ((text: string) => void) | null,
): readonly HeadWitness[] {
  return [
    ...(isSet(env.SETTLE_WITNESS_STDOUT) && line !== null ? [stdoutWitness(line)] : []),
    ...(env.SETTLE_WITNESS_URL ? [urlWitness(env.SETTLE_WITNESS_URL, env)] : []),
    ...(env.SETTLE_WITNESS_COMMAND ? [ofCommand(env.SETTLE_WITNESS_COMMAND)] : []),
  ];
}

const isSet = (value: string | undefined): boolean => value !== undefined && !['', '0', 'false'].includes(value);

function stdoutWitness(line: (text: string) => void): HeadWitness {
  return {
    name: 'standard output',
    tell: async (head) => line(`${headLine(head)}\n`),
  };
}

function urlWitness(text: string, env: NodeJS.ProcessEnv): HeadWitness {
  const url = URL.canParse(text) ? new URL(text) : null;
  const bad = (what: string, todo: string) => new WitnessMisconfigured(what, 'SETTLE_WITNESS_URL', todo);
  if (url === null) throw bad('This is no address.', 'write it like https://witness.example/heads.');
  if (url.username !== '' || url.password !== '') {
    throw bad('It has a name or password in it.', 'put the secret into SETTLE_WITNESS_SECRET_FILE.');
  }
  const local = ['localhost', '127.0.0.1', '[::1]'].includes(url.hostname);
  if (url.protocol !== 'https:' && !(url.protocol === 'http:' && local)) {
    throw bad('A head and its secret only travel by https, or by http within this machine.', 'use an https address.');
  }
  return httpsWitness({
    url,
    secret: secretOf(env),
    authority: fileOf(env, 'SETTLE_WITNESS_CA_FILE'),
    timeoutMs: TIMEOUT_MS,
  });
}

function secretOf(env: NodeJS.ProcessEnv): string | null {
  const secret = (fileOf(env, 'SETTLE_WITNESS_SECRET_FILE') ?? env.SETTLE_WITNESS_SECRET ?? '').trim();
  if (secret === '') return null;
  if (/^[\x21-\x7e]+$/.test(secret)) return secret;
  const where = env.SETTLE_WITNESS_SECRET_FILE ? 'SETTLE_WITNESS_SECRET_FILE' : 'SETTLE_WITNESS_SECRET';
  throw new WitnessMisconfigured(
    'A secret is one word of printable ASCII.',
    where,
    'write the token and nothing else.',
  );
}

function fileOf(env: NodeJS.ProcessEnv, name: string): string | null {
  const path = env[name];
  if (!path) return null;
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new WitnessMisconfigured(
      `It cannot be read: ${(error as Error).message}.`,
      name,
      'name a file that the worker may read.',
    );
  }
}

function ofCommand(text: string): HeadWitness {
  const argv = argvOf(text);
  if (argv !== null) return commandWitness({ argv, timeoutMs: TIMEOUT_MS });
  throw new WitnessMisconfigured(
    'This is no list of a program and its arguments.',
    'SETTLE_WITNESS_COMMAND',
    'write a JSON list of texts, like ["/usr/local/bin/keep-head","--log","heads"]; no shell looks at it.',
  );
}

function argvOf(text: string): [string, ...string[]] | null {
  try {
    const list = JSON.parse(text) as unknown;
    const texts = Array.isArray(list) && list.every((one) => typeof one === 'string') ? (list as string[]) : [];
    const [program, ...args] = texts;
    return program === undefined || program === '' ? null : [program, ...args];
  } catch {
    return null;
  }
}
