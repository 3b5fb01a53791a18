import { spawnSync } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { auditBundle } from '../../src/commands/audit-bundle';
import { publishedClaims } from '../../src/commands/claims';
import { nodeHashes } from '../../src/hashing/node-hashes';
import { freshDatabase, type TestDatabase } from '../harness/databases';
import { settledNetwork } from './worlds';

/** The steps of docs/audit.md, "A stranger's check", as they stand there: nothing of ours but the file and the proof. */

const TOOLS = ['bash', 'gunzip', 'jq', 'sha256sum', 'bc', 'grep', 'sed', 'tr', 'sort', 'cut'];
const missing = TOOLS.filter((tool) => spawnSync('which', [tool]).status !== 0);
if (missing.length > 0) process.stderr.write(`a stranger's check is not run: ${missing.join(', ')} are not here\n`);
const whereTheToolsAre = missing.length > 0 ? test.skip : test;

const PROVIDER = 'p3';
const EPOCH = 5;

let database: TestDatabase;
let network: string;
let folder: string;
let steps: readonly string[];
let bundle: Buffer;
let head: string;
beforeAll(async () => {
  database = await freshDatabase();
  network = await settledNetwork(database);
  folder = await mkdtemp(join(tmpdir(), 'settle-stranger-'));
  const page = await readFile(join(__dirname, '..', '..', 'docs', 'audit.md'), 'utf8');
  const section = page.slice(page.indexOf("## A stranger's check"));
  steps = [...section.matchAll(/^ {3}```sh\n([\s\S]*?)^ {3}```$/gm)].map(([, block]) => block!.replace(/^ {3}/gm, ''));
  const context = { pool: database.open('settle_auditor') };
  bundle = Buffer.from(await auditBundle(context, network, EPOCH));
  const { tree } = await publishedClaims(context, network, EPOCH, await nodeHashes());
  const { revisions, entries } = JSON.parse(gunzipSync(bundle).toString('utf8'));
  head = entries.at(-1).head;
  const line = revisions.at(-1).rows.providers.find((row: string) => row.startsWith(`${PROVIDER},`));
  const payee = line.split(',')[3];
  const proof = { payee, cumulative: tree.amount(payee).toString(), proof: tree.proof(payee), root: tree.root };
  await writeFile(join(folder, 'proof.json'), JSON.stringify(proof));
});
afterAll(async () => {
  await rm(folder, { recursive: true });
  await database.close();
});

/** Runs the steps one after the other in one shell; the number of the first that does not hold, or null. */
async function firstFailing(file: Buffer): Promise<number | null> {
  await writeFile(join(folder, 'epoch.json.gz'), file);
  const tool = `keccak256() { '${process.execPath}' '${join(__dirname, 'keccak256.cjs')}'; }`;
  const numbered = steps.map((step, index) => `STEP=${index + 1}\n${step}`);
  const script = ['set -euo pipefail', 'trap \'echo "$STEP" >&3\' ERR', tool, ...numbered].join('\n');
  const env = { ...process.env, PROVIDER, HEAD: head };
  const ran = spawnSync('bash', ['-c', script], { cwd: folder, env, stdio: ['ignore', 'pipe', 'pipe', 'pipe'] });
  if (ran.status === 0) return null;
  const failed = Number(String(ran.output[3]).trim());
  if (failed > 0) return failed;
  throw new Error(String(ran.stderr));
}

const changed = (change: (bundle: { entries: { entry: string }[]; revisions: Record<string, never>[] }) => void) => {
  const parsed = JSON.parse(gunzipSync(bundle).toString('utf8'));
  change(parsed);
  return gzipSync(JSON.stringify(parsed));
};

test('the page has all eight steps as commands', () => {
  expect(steps).toHaveLength(8);
  for (const step of steps) expect(step).toMatch(/^test "/m);
});

whereTheToolsAre('one payout is verified by hand, from a known head to the claim', async () => {
  expect(await firstFailing(bundle)).toBeNull();
});

whereTheToolsAre.each<[string, number, (text: string) => string]>([
  ['the claims entry', 1, (text) => text.replace(/("kind\\":\\"claims[^}]*payees\\":)([0-9])(?=[^{]*$)/, '$19')],
  ['a payout', 3, (text) => text.replace(/"p1,([0-9])/, '"p1,9$1')],
  ['a price', 4, (text) => text.replace(/("5\/1":\["disk,)/, '$19')],
  ['a sealed row', 5, (text) => text.replace('"5,p3,gpu,1', '"5,p3,gpu,2')],
  ['the multiplier beside a payout', 7, (text) => text.replace(/("p3,[0-9,]*paid,)[0-9]\.?/, '$10.')],
])('with %s changed, step %i does not hold', async (_, step, change) => {
  const text = gunzipSync(bundle).toString('utf8');
  const other = change(text);
  expect(other).not.toBe(text);
  expect(await firstFailing(gzipSync(other))).toBe(step);
});

whereTheToolsAre('a revision entry that is another one fails the second step', async () => {
  const file = changed(({ entries }) => {
    entries.at(-2)!.entry = entries.at(-2)!.entry.replace('"macro":"1', '"macro":"2');
  });
  expect(await firstFailing(file)).toBe(2);
});
