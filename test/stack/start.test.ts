import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, existsSync, mkdirSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { leaveNothing, testFolder } from './processes-of-test';

/**
 * A clone in small: start.mjs, a command line of a few lines, and a compiler (a local package, so that nothing is
 * fetched) that only copies. What start.mjs does with npm, stamps, locks and signals is the real thing.
 */
const root = testFolder();
const clone = join(root, 'my clone');
const at = (...parts: string[]) => join(clone, ...parts);

const COMPILER = `#!/usr/bin/env node
const { cpSync } = require('node:fs');
const out = process.argv[process.argv.indexOf('--outDir') + 1];
cpSync('src/cli/main.ts', out + '/src/cli/main.js', { recursive: true });
`;

const mainSaying = (word: string) => `
exports.main = async (args) => {
  const asked = new Promise((resolve) => process.once('SIGTERM', () => resolve(130)));
  console.log(JSON.stringify({ word: '${word}', args, folder: process.cwd() }));
  if (args[0] !== 'wait') return Number(args[0] ?? 0);
  const alive = setInterval(() => {}, 1000);
  return asked.finally(() => clearInterval(alive));
};
`;

beforeAll(() => {
  const compiler = join(root, 'compiler');
  mkdirSync(join(compiler, 'bin'), { recursive: true });
  writeFileSync(join(compiler, 'bin', 'tsc'), COMPILER);
  writeFileSync(
    join(compiler, 'package.json'),
    '{ "name": "typescript", "version": "1.0.0", "bin": { "tsc": "bin/tsc" } }',
  );
  const [packed] = JSON.parse(execFileSync('npm', ['pack', '--json'], { cwd: compiler, encoding: 'utf8' })) as [
    { filename: string; integrity: string },
  ];
  mkdirSync(at('src', 'cli'), { recursive: true });
  mkdirSync(at('src', 'store', 'migrations'), { recursive: true });
  copyFileSync(join(compiler, packed.filename), at('compiler.tgz'));
  for (const file of ['start.mjs', 'prepare.mjs']) copyFileSync(join(__dirname, '..', '..', file), at(file));
  const manifest = { name: 'small', version: '1.0.0', devDependencies: { typescript: 'file:compiler.tgz' } };
  const entry = { version: '1.0.0', resolved: 'file:compiler.tgz', integrity: packed.integrity, dev: true };
  const lock = { ...manifest, lockfileVersion: 3, requires: true };
  writeFileSync(at('package.json'), JSON.stringify(manifest));
  writeFileSync(
    at('package-lock.json'),
    JSON.stringify({ ...lock, packages: { '': manifest, 'node_modules/typescript': entry } }),
  );
  for (const name of ['tsconfig.json', 'tsconfig.build.json']) writeFileSync(at(name), '{}');
  writeFileSync(at('src', 'store', 'migrations', '001.sql'), 'SELECT 1;\n');
  writeFileSync(at('src', 'cli', 'main.ts'), mainSaying('first'));
});

afterAll(() => leaveNothing(root));

function start(args: string[], { file = at('start.mjs'), folder = root, env = {} } = {}) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [file, ...args], {
    cwd: folder,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    encoding: 'utf8',
  });
  return { status, words: stderr, said: stdout === '' ? null : (JSON.parse(stdout) as object) };
}

test('a fresh clone is installed and built, also with NODE_ENV=production, and then handed over to', () => {
  const { status, words, said } = start(['5', 'a b'], { env: { NODE_ENV: 'production' } });
  expect(said).toEqual({ word: 'first', args: ['5', 'a b'], folder: root });
  expect(status).toBe(5);
  expect(words).toMatch(/^Installing packages[\s\S]*Building …\n$/);
  expect(existsSync(at('dist', 'src', 'store', 'migrations', '001.sql'))).toBe(true);
  expect(readdirSync(clone).filter((name) => /lock$|\.new$|\.old$/.test(name))).toEqual([]);
});

test('when nothing has to be done it says nothing, through a link and from any folder', () => {
  symlinkSync(at('start.mjs'), join(root, 'settle'));
  expect(start(['0'], { file: join(root, 'settle'), folder: '/' })).toEqual({
    status: 0,
    words: '',
    said: { word: 'first', args: ['0'], folder: '/' },
  });
});

test('--prepare alone hands over to nobody', () => {
  expect(start(['--prepare'])).toEqual({ status: 0, words: '', said: null });
});

test('changed sources are built anew, and nothing stale stays', () => {
  writeFileSync(at('dist', 'stale.js'), '');
  writeFileSync(at('src', 'cli', 'main.ts'), mainSaying('second'));
  const { words, said } = start([]);
  expect(words).toBe('Building …\n');
  expect(said).toMatchObject({ word: 'second' });
  expect(existsSync(at('dist', 'stale.js'))).toBe(false);
});

test('a half-made node_modules is repaired, stamp or no stamp', () => {
  rmSync(at('node_modules', 'typescript', 'package.json'));
  expect(start(['--prepare']).words).toMatch(/^Installing packages/);
  rmSync(at('node_modules', '.settle-stamp'));
  rmSync(at('node_modules', '.package-lock.json'));
  expect(start(['--prepare']).words).toMatch(/^Installing packages/);
});

test('packages that the user installed with npm ci are believed', () => {
  rmSync(at('node_modules', '.settle-stamp'));
  expect(start(['--prepare'])).toMatchObject({ status: 0, words: '' });
});

test('the lock of a start that died is taken over', () => {
  writeFileSync(at('.settle-prepare.lock'), JSON.stringify({ holder: { pid: 2 ** 22 + 1, start: '1' } }));
  rmSync(at('dist'), { recursive: true });
  expect(start(['--prepare'])).toMatchObject({ status: 0, words: 'Building …\n' });
});

test('two starts at once: one installs, the other waits for it', async () => {
  rmSync(at('node_modules'), { recursive: true });
  const run = async () => {
    const child = spawn(process.execPath, [at('start.mjs'), '--prepare'], { stdio: ['ignore', 'ignore', 'pipe'] });
    let words = '';
    child.stderr.on('data', (bytes) => {
      words += bytes;
    });
    const [code] = await once(child, 'close');
    return { code: code as number, words };
  };
  const both = await Promise.all([run(), run()]);
  expect(both.map(({ code }) => code)).toEqual([0, 0]);
  expect(both.filter(({ words }) => words.includes('Installing'))).toHaveLength(1);
  expect(both.filter(({ words }) => words.includes('Another start'))).toHaveLength(1);
});

test('a signal reaches the command line, which decides the exit code', async () => {
  const child = spawn(process.execPath, [at('start.mjs'), 'wait'], { stdio: ['ignore', 'pipe', 'inherit'] });
  await once(createInterface(child.stdout), 'line');
  child.kill('SIGTERM');
  expect(await once(child, 'exit')).toEqual([130, null]);
});

test('without npm it says what is missing', () => {
  rmSync(at('node_modules'), { recursive: true });
  // A node with no npm beside it, and a PATH without one.
  const lonely = join(root, 'lonely');
  mkdirSync(lonely);
  copyFileSync(process.execPath, join(lonely, 'node'));
  const { status, stderr } = spawnSync(join(lonely, 'node'), [at('start.mjs')], {
    env: { PATH: lonely },
    encoding: 'utf8',
  });
  expect(stderr).toContain('npm is missing');
  expect(status).toBe(1);
});
