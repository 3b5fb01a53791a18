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

/** The parts of a bundle that the steps look at. */
interface Parts {
  readonly entries: { entry: string }[];
  readonly prices: Readonly<Record<string, string[]>>;
  readonly revisions: { readonly payouts: string[]; readonly rows: Readonly<Record<string, string[]>> }[];
}

/** Replaces the first of these digits by another one in the line that holds `of`. */
function slip(lines: string[], of: string, pattern: RegExp): void {
  const index = lines.findIndex((line) => line.includes(of));
  const changed = lines[index]!.replace(pattern, (digit) => String((Number(digit) + 1) % 10));
  expect(changed).not.toBe(lines[index]);
  lines[index] = changed;
}

test('the page has all eight steps as commands', () => {
  expect(steps).toHaveLength(8);
  for (const step of steps) expect(step).toMatch(/^test "/m);
});

whereTheToolsAre('one payout is verified by hand, from a known head to the claim', async () => {
  expect(await firstFailing(bundle)).toBeNull();
});

whereTheToolsAre.each<[string, number, (bundle: Parts) => void]>([
  ['the claims entry', 1, ({ entries }) => slipOfEntry(entries.at(-1)!, /(?<="total":")[0-9]/)],
  ['the entry of the revision', 2, ({ entries }) => slipOfEntry(entries.at(-2)!, /(?<="macro":")[0-9]/)],
  ['a payout', 3, ({ revisions }) => slip(revisions.at(-1)!.payouts, 'p1,', /(?<=^p1,)[0-9]/)],
  ['a price', 4, ({ prices }) => slip(prices[`${EPOCH}/1`]!, 'disk', /(?<=^disk,)[0-9]/)],
  ['a sealed row', 5, ({ revisions }) => slip(revisions.at(-1)!.rows.capacity!, 'p3,gpu', /[0-9]$/)],
  [
    'the multiplier beside a payout',
    7,
    ({ revisions }) => slip(revisions.at(-1)!.payouts, `${PROVIDER},`, /(?<=paid,)[0-9]/),
  ],
])('with %s changed, step %i does not hold', async (_, step, change) => {
  const parts = JSON.parse(gunzipSync(bundle).toString('utf8')) as Parts;
  change(parts);
  expect(await firstFailing(gzipSync(JSON.stringify(parts)))).toBe(step);
});

function slipOfEntry(link: { entry: string }, pattern: RegExp): void {
  const lines = [link.entry];
  slip(lines, '', pattern);
  link.entry = lines[0]!;
}
