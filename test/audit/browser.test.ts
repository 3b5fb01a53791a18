import { execFile, spawnSync } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { createContext, runInContext } from 'node:vm';
import { gunzipSync } from 'node:zlib';
import { type Compiler, type Stats, webpack } from 'webpack';
import type { Verification } from '../../src/audit/verify';
import { auditBundle } from '../../src/commands/audit-bundle';
import { freshDatabase, type TestDatabase } from '../harness/databases';
import { settledNetwork } from './worlds';

let database: TestDatabase;
let folder: string;
let script: string;
let text: string;
beforeAll(async () => {
  database = await freshDatabase();
  const network = await settledNetwork(database, { epochs: 3, held: [] });
  text = gunzipSync(await auditBundle({ pool: database.open('settle_auditor') }, network, 2)).toString('utf8');
  folder = await mkdtemp(join(tmpdir(), 'settle-browser-'));
  script = await bundled();
});
afterAll(async () => {
  await rm(folder, { recursive: true });
  await database.close();
});

/** The page's script for browsers alone: a module of Node that is in reach makes it fail. */
async function bundled(): Promise<string> {
  const compiler = webpack({
    mode: 'production',
    target: 'web',
    devtool: false,
    optimization: { minimize: false },
    entry: join(__dirname, 'browser-page.ts'),
    output: { path: folder, filename: 'page.js' },
    resolve: { extensions: ['.ts', '.js'] },
    module: {
      rules: [
        {
          test: /\.ts$/,
          loader: require.resolve('swc-loader'),
          options: { jsc: { parser: { syntax: 'typescript' }, target: 'es2022' } },
        },
      ],
    },
  }) as Compiler;
  const stats = await promisify<Stats>((done) => compiler.run(done as never))();
  await promisify((done: (error?: Error | null) => void) => compiler.close(done as never))();
  if (stats.hasErrors()) throw new Error(stats.toString({ all: false, errors: true }));
  return readFile(join(folder, 'page.js'), 'utf8');
}

const other = (json: string) => json.replace(/"payouts":\["p0,([0-9])/, '"payouts":["p0,9$1');

test('a page verifies a bundle with what browsers have, and nothing of Node', async () => {
  const globals = { TextEncoder, TextDecoder, atob, btoa, queueMicrotask, structuredClone };
  const context = createContext({ ...globals });
  runInContext(script, context);
  const verify = runInContext('verify', context) as (json: string, head: string | null) => Promise<string>;
  const alone = JSON.parse(await verify(text, null)) as Verification;
  expect(alone).toMatchObject({ holds: true, anchored: false });
  expect(alone.verdict).toMatch(/^consistent in itself, not anchored/);
  expect(JSON.parse(await verify(text, alone.head))).toMatchObject({ holds: true, anchored: true });
  expect(other(text)).not.toBe(text);
  expect(JSON.parse(await verify(other(text), null))).toMatchObject({ holds: false });
});

const BROWSERS = ['chromium', 'chromium-browser', 'google-chrome'];
const browser = BROWSERS.find((name) => spawnSync('which', [name]).status === 0);
if (browser === undefined) process.stderr.write(`no browser is here (${BROWSERS.join(', ')}): no page is opened\n`);

(browser === undefined ? test.skip : test)('the same page in a real browser', async () => {
  const page = join(folder, 'page.html');
  const ask = (json: string) => `verify(${JSON.stringify(json).replaceAll('<', '\\u003c')}, null)`;
  await writeFile(
    page,
    `<!doctype html><body>waiting</body><script src="page.js"></script><script>
      Promise.all([${ask(text)}, ${ask(other(text))}]).then(
        (answers) => { document.body.textContent = 'VERDICT ' + answers.map((one) => JSON.parse(one).verdict).join(' | '); },
        (error) => { document.body.textContent = 'VERDICT ' + error; });
    </script>`,
  );
  const flags = ['--headless', '--no-sandbox', '--disable-gpu', `--user-data-dir=${join(folder, 'profile')}`];
  const { stdout } = await promisify(execFile)(
    browser!,
    [...flags, '--virtual-time-budget=60000', '--dump-dom', `file://${page}`],
    { timeout: 120_000, maxBuffer: 2 ** 26 },
  );
  expect(/VERDICT [^<]*/.exec(stdout)?.[0]).toMatch(
    /^VERDICT consistent in itself, not anchored: .* \| does not hold$/,
  );
});
