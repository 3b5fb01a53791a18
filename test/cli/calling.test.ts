import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { leaveNothing, testFolder } from '../stack/processes-of-test';
import { endAll, settle, writeBundle } from './settle-process';

// Whole stacks come and go here, on machines that do other things as well.
jest.setTimeout(240_000);

const folder = testFolder();
const home = join(folder, 'home');
const { policy, folder: bundle } = writeBundle(folder);

afterAll(async () => {
  await endAll();
  await leaveNothing(folder);
});

const ended = (...args: string[]) => settle(args, { SETTLE_HOME: home }).ended;

describe('settle --help', () => {
  it('begins with examples, on stdout', async () => {
    const { exit, stdout, stderr } = await ended('--help');
    expect(exit).toBe(0);
    expect(stdout).toMatch(/^Examples:\n {2}settle /);
    expect(stderr).toBe('');
  });
});

test('a reader that leaves early is no error', async () => {
  const entry = join(__dirname, '..', '..', 'start.mjs');
  const env = { ...process.env, SETTLE_SKIP_PREPARE: '1', SETTLE_HOME: home };
  const child = spawn(process.execPath, [entry, '--help'], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  child.stdout.destroy();
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (piece: string) => {
    said += piece;
  });
  const [exit] = await once(child, 'close');
  expect({ exit, said }).toEqual({ exit: 0, said: '' });
});

describe('options of every command', () => {
  it('may stand before the command, and without one they mean `start`', async () => {
    expect((await ended('-o', 'json', '--debug', 'epoch', 'run', 'x')).stderr).toMatch(
      /epochs are written 42 or 10\.\.42/,
    );
    expect((await ended('--no-input', '--policy', policy)).stderr).toMatch(/--policy needs --input/);
    expect(await ended('--version')).toMatchObject({ exit: 0, stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/) });
  });
});

describe('a wrong call', () => {
  it.each([
    ['an unknown command', ['setle']],
    ['an unknown option', ['--ones']],
    ['a missing argument', ['import']],
    ['a range the wrong way round', ['epoch', 'run', '9..3']],
    ['a reason that says nothing', ['hold', 'approve', '3', '--reason', ' ']],
    ['an unknown format', ['network', 'list', '-o', 'xml']],
    ['--policy without --input', ['--once', '--policy', policy]],
    ['--input without --policy', ['--once', '--input', bundle]],
    ['--holds release outside a throw-away home', ['--once', '--holds', 'release']],
    ['a worker without a database', ['worker']],
  ])('exits with 2 for %s, says why on stderr, and starts nothing', async (_, args) => {
    const { exit, stdout, stderr } = await ended(...args);
    expect({ exit, stdout }).toEqual({ exit: 2, stdout: '' });
    expect(stderr).toMatch(/error: .+/);
    expect(existsSync(home)).toBe(false);
  });
});

test('what is wrong about an argument is said in our words, with where to read more', async () => {
  const { stderr } = await ended('epoch', 'show', 'abc');
  expect(stderr).toBe(
    "error: 'abc' is not understood as <epoch>: an epoch is a whole number from 0 to 2147483647, like 42.\n" +
      '  next:  add --help to see how it is called.\n',
  );
  expect((await ended('audti')).stderr).toMatch(/unknown command 'audti'\n\(Did you mean audit\?\)\n {2}next: {2}/);
});

describe('a policy that cannot be used', () => {
  it('is refused with file, line and key before anything is started', async () => {
    const bad = join(folder, 'bad.yaml');
    writeFileSync(bad, 'ruleset: 1\nname: x\nsurprise: 1\n');
    const { exit, stderr } = await ended('--once', '--input', bundle, '--policy', bad);
    expect(exit).toBe(1);
    expect(stderr).toMatch(/bad\.yaml:3: surprise/);
    expect(stderr).not.toMatch(/ {4}at /);
    expect(existsSync(home)).toBe(false);
  });

  it('is said to be missing where it is', async () => {
    const { exit, stderr } = await ended('--once', '--input', bundle, '--policy', join(folder, 'none.yaml'));
    expect(exit).toBe(1);
    expect(stderr).toMatch(/There is no such file.*none\.yaml/s);
  });
});
