import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { StandardMerkleTree } from '@openzeppelin/merkle-tree';
import { endAll, settle } from '../cli/settle-process';
import { bundleTexts } from '../harness/networks';
import { testServers } from '../harness/servers';
import { EPOCHS, type SettledNetwork, settledNetwork } from '../queries/settled-network';
import { leaveNothing, testFolder } from '../stack/processes-of-test';

/** The commands that read, as processes on a database of somebody else: as their users have them. */

const folder = testFolder();
const home = join(folder, 'home');
let settled: SettledNetwork;

beforeAll(async () => {
  mkdirSync(home, { recursive: true });
  settled = await settledNetwork();
});
afterAll(async () => {
  await endAll();
  await settled?.close();
  await leaveNothing(folder);
});

const env = (more: NodeJS.ProcessEnv = {}) => ({ SETTLE_HOME: home, DATABASE_URL: settled.database.url, ...more });

function run(args: readonly string[], more: NodeJS.ProcessEnv = {}) {
  return settle([...args, '--network', settled.network], env(more)).ended;
}

/** Exit 0, and stdout as JSON. */
async function json<T>(...args: string[]): Promise<T> {
  const { exit, stdout, stderr } = await run([...args, '-o', 'json']);
  expect({ exit, stderr: exit === 0 ? '' : stderr }).toEqual({ exit: 0, stderr: '' });
  return JSON.parse(stdout) as T;
}

/** Exit 0, and the lines of the table. */
async function table(args: readonly string[], columns = 100): Promise<readonly string[]> {
  const { exit, stdout, stderr } = await run([...args, '-o', 'table'], { COLUMNS: String(columns) });
  expect({ exit, stderr: exit === 0 ? '' : stderr }).toEqual({ exit: 0, stderr: '' });
  return stdout.split('\n');
}

describe('settle status', () => {
  it('says what the network waits for, since when, and how it is decided', async () => {
    const lines = (await table(['status'])).join('\n');
    expect(lines).toMatch(/3 published, 1 failed, 1 held/);
    expect(lines).toMatch(/epoch 4 waits for a person since 20/);
    expect(lines).toMatch(new RegExp(`settle hold approve 4 --network ${settled.network} --reason`));
  });

  it('is one JSON object with snake_case keys', async () => {
    const status = await json<Record<string, unknown>>('status');
    expect(status).toMatchObject({ last_closed: 3, last_published: 3, next: { kind: 'held', epoch: EPOCHS.held } });
    expect(JSON.stringify(Object.keys(status))).not.toMatch(/[A-Z]/);
  });
});

describe('settle epoch list', () => {
  it('shows every state once, newest last', async () => {
    const rows = await json<{ epoch: number; state: string; remarks: string }[]>('epoch', 'list');
    expect(rows.map(({ epoch, state }) => `${epoch} ${state}`)).toEqual([
      '0 published',
      '1 published',
      '2 failed',
      '3 published',
      '4 held',
    ]);
    expect(rows[2]?.remarks).toBe('incomplete-inputs');
    expect(rows[4]?.remarks).toBe('tokenMove');
  });

  it.each([60, 120])('fits a terminal of %i columns', async (columns) => {
    const lines = await table(['epoch', 'list'], columns);
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(columns);
  });
});

describe('settle epoch show', () => {
  it('has markets, pool, largest payouts and digests, and amounts as text', async () => {
    const shown = await json<Record<string, never>>('epoch', 'show', '3');
    expect(shown).toMatchObject({ state: 'published', markets: [{ market: 'disk' }, { market: 'gpu' }] });
    expect(shown.sum).toEqual(expect.stringMatching(/^\d+$/));
    expect(shown.payout_totals).toMatchObject({ providers: 3, reasons: [{ reason: 'paid', providers: 3 }] });
  });

  it('shows a failed epoch without results', async () => {
    const lines = (await table(['epoch', 'show', '2'])).join('\n');
    expect(lines).toMatch(/failed/);
    expect(lines).toMatch(/incomplete-inputs/);
    expect(lines).not.toMatch(/Markets/);
  });
});

describe('settle price show', () => {
  /** An exact figure of the table as an integer of 10^-12. */
  const units = (text: string) => BigInt(text.replace('−', '-').replace(/[,+.]/g, ''));

  it('is a table that adds up, from the price before to this one', async () => {
    const lines = await table(['price', 'show', '--market', 'gpu', '--epoch', '3']);
    const figures = lines.flatMap((line) => {
      const found = /([+−]?\d[\d,]*\.\d{12})\s+(\d[\d,]*\.\d{12})$/.exec(line);
      return found === null ? [] : [[units(found[1] ?? ''), units(found[2] ?? '')] as const];
    });
    expect(figures).toHaveLength(14);
    let subtotal = 0n;
    for (const [amount, shown] of figures) {
      subtotal += amount;
      expect(shown).toBe(subtotal);
    }
    const price = lines.find((line) => line.trimStart().startsWith('price '));
    expect(units(/\d+\.\d{12}/.exec(price ?? '')?.[0] ?? '0')).toBe(subtotal);
  });

  it('says what was measured, and draws the course', async () => {
    const text = (await table(['price', 'show', '--market', 'gpu', '--epoch', '3'])).join('\n');
    expect(text).toMatch(/demand 26 against its mean/);
    expect(text).toMatch(/Course/);
    expect(text).toMatch(/epoch 0\s+3/);
  });

  it('is one line a CSV row', async () => {
    const { stdout } = await run(['price', 'show', '--market', 'gpu', '-o', 'csv']);
    const [header, ...rows] = stdout.trimEnd().split('\n');
    expect(header).toBe('epoch,market,line,kind,signal,weight,amount,subtotal,measured');
    expect(rows).toHaveLength(14);
  });

  it('names the markets that there are', async () => {
    const { exit, stderr } = await run(['price', 'show', '--market', 'gpux']);
    expect(exit).toBe(1);
    expect(stderr).toMatch(/Did you mean gpu\?/);
  });
});

describe('settle payout list', () => {
  it('has the largest of the last published epoch by default', async () => {
    const rows = await json<{ epoch: number; amount: string; provider: string }[]>('payout', 'list', '--top', '2');
    expect(rows).toHaveLength(2);
    expect(rows.every(({ epoch }) => epoch === 3)).toBe(true);
    expect(BigInt(rows[0]?.amount ?? 0) >= BigInt(rows[1]?.amount ?? 0)).toBe(true);
  });

  it('pages by provider', async () => {
    const rows = await json<{ provider: string }[]>('payout', 'list', '--epoch', '3', '--after', 'p0');
    expect(rows.map(({ provider }) => provider)).toEqual(['p1', 'p2']);
  });

  it('follows a provider over epochs', async () => {
    const rows = await json<{ epoch: number }[]>('payout', 'list', '--provider', 'p2');
    expect(rows.map(({ epoch }) => epoch)).toEqual([3, 1, 0]);
  });
});

describe('settle explain', () => {
  interface Explained {
    lines: { market: string; gross: { base_units: string } }[];
    gross: { base_units: string };
    cap: { cut: { base_units: string } };
    scaling: { cut: { base_units: string } };
    amount: { base_units: string; tokens: string };
  }

  it('adds up to the payout, to the base unit', async () => {
    const found = await json<Explained>('explain', '3', 'p1');
    const [paid] = await json<{ amount: string }[]>('payout', 'list', '--epoch', '3', '--after', 'p0');
    const lines = found.lines.reduce((sum, { gross }) => sum + BigInt(gross.base_units), 0n);
    expect(lines).toBe(BigInt(found.gross.base_units));
    const cuts = BigInt(found.cap.cut.base_units) + BigInt(found.scaling.cut.base_units);
    expect(lines - cuts).toBe(BigInt(found.amount.base_units));
    expect(found.amount.base_units).toBe(paid?.amount);
  });

  it('adds up as CSV, too: the last row is the sum of the lines and the cuts', async () => {
    const { stdout } = await run(['explain', '3', 'p1', '-o', 'csv']);
    const [header = '', ...rows] = stdout.trimEnd().split('\n');
    const [step, base] = ['step', 'base_units'].map((column) => header.split(',').indexOf(column)) as [number, number];
    const added = rows
      .map((row) => row.split(','))
      .filter((cells) => ['line', 'cap', 'scaling'].includes(cells[step]!));
    const sum = added.reduce((total, cells) => total + BigInt(cells[base]!), 0n);
    expect(rows.at(-1)?.split(',')[base]).toBe(sum.toString());
  });

  it('is one object: what JSON has of revisions, account and claim, CSV and the terminal have too', async () => {
    const found = await json<{
      revisions: { revision: number; amount: { base_units: string }; content_digest: string }[];
      account: { due: { tokens: string } };
      claim: { leaf_index: number; proof: string[] };
      prices: { market: string }[];
    }>('explain', '3', 'p1');
    expect(found.revisions).toHaveLength(1);
    const { stdout } = await run(['explain', '3', 'p1', '-o', 'csv']);
    expect(stdout).toContain(`3,1,p1,revision,`);
    expect(stdout).toContain(found.revisions[0]!.content_digest);
    const text = (await table(['explain', '3', 'p1'], 160)).join('\n');
    expect(text).toContain(`${found.account.due.tokens} TST due`);
    expect(text).toContain(`leaf ${found.claim.leaf_index} of the tree`);
    expect(found.prices.map(({ market }) => market)).toEqual(['disk', 'gpu']);
  });

  it('speaks of tokens and base units', async () => {
    const lines = await table(['explain', '3', 'p1'], 80);
    const { amount } = await json<Explained>('explain', '3', 'p1');
    const text = lines.join('\n');
    expect(text).toContain(`${amount.tokens} TST`);
    expect(text).toContain(`${amount.base_units} base units`);
    expect(text).toMatch(/cut to the pool\s+−/);
    // Names and digests are not broken.
    const wide = lines.filter((line) => line.length > 80 && !/\S{40}/.test(line));
    expect(wide.filter((line) => !line.includes('settle price show'))).toEqual([]);
  });

  it('says of an unknown provider who is near, and of an absent one where it was paid', async () => {
    const unknown = await run(['explain', '3', 'p9']);
    expect(unknown.exit).toBe(1);
    expect(unknown.stderr).toMatch(/no provider p9 in the registry\. Did you mean p0, p1, p2\?/);
    const failed = await run(['explain', '2', 'p1']);
    expect(failed.stderr).toMatch(/Epoch 2 has no prices and payouts: it failed with incomplete-inputs/);
  });

  it('ends with 5 where the stored payout does not follow from its rows', async () => {
    await settled.database.tamper(
      `update settle.payout set amount = amount + 1, gross = gross + 1 where network = $1 and epoch = 0 and provider = 'p0'`,
      [settled.network],
    );
    const { exit, stderr } = await run(['explain', '0', 'p0']);
    expect(exit).toBe(5);
    expect(stderr).toMatch(/The stored gross is \d+, its sealed rows give \d+/);
    expect(stderr).toMatch(/next: {2}run `settle audit 0`/);
  });
});

describe('settle policy check', () => {
  const policies = join(__dirname, '..', '..', 'policies');
  const check = (file: string, format: string) => settle(['policy', 'check', file, '-o', format], env()).ended;

  it('prints hash, name and markets of a good one', async () => {
    const { exit, stdout } = await check(join(policies, 'swarm-default.yaml'), 'json');
    expect(exit).toBe(0);
    const found = JSON.parse(stdout);
    expect(found).toMatchObject({ valid: true, name: 'swarm-default', ruleset: 1 });
    expect(found.hash).toMatch(/^[0-9a-f]{64}$/);
    expect(found.markets).toHaveLength(6);
  });

  it('prints every problem of a bad one with file, line and key, and exits with 1', async () => {
    const file = join(folder, 'bad.yaml');
    const good = readFileSync(join(policies, 'swarm-default.yaml'), 'utf8');
    writeFileSync(
      file,
      good.replace('graceSeconds: "300"', 'graceSeconds: 300').replace('maxStep: "0.125"', 'maxStep: "2"'),
    );
    const { exit, stdout } = await check(file, 'table');
    expect(exit).toBe(1);
    const lines = stdout.trimEnd().split('\n');
    expect(lines).toHaveLength(2);
    expect(lines[0]).toMatch(/bad\.yaml:\d+: epoch\.graceSeconds: must be text in quotes/);
    expect(lines[1]).toMatch(/bad\.yaml:\d+: pricing\.maxStep: must be below 1/);
    const rows = JSON.parse((await check(file, 'json')).stdout);
    expect(rows).toMatchObject([{ key: 'epoch.graceSeconds' }, { key: 'pricing.maxStep' }]);
  });
});

describe('settle export', () => {
  it('writes the three files, and leaves those that are there', async () => {
    const out = join(folder, 'out');
    const { exit } = await run(['export', '0..3', '--out', out]);
    expect(exit).toBe(0);
    const epochs = readFileSync(join(out, 'epochs.csv'), 'utf8').trimEnd().split('\n');
    expect(epochs).toHaveLength(5);
    expect(epochs[3]).toMatch(/^2,0,.*failed\(incomplete-inputs\)/);
    expect((await run(['export', '0..3', '--out', out])).exit).toBe(3);
  });
});

describe('settle claims', () => {
  it('writes a dump that the published library loads, with the root that is published; a proof of it holds', async () => {
    const dump = join(folder, 'claims.json');
    const built = await json<{ root: string; payees: number }>('claims', 'build', '3', '--out', dump);
    const tree = StandardMerkleTree.load<[string, string]>(JSON.parse(readFileSync(dump, 'utf8')));
    tree.validate();
    expect(tree.root).toBe(built.root);
    const [index, [payee, cumulative]] = [...tree.entries()][0]!;
    const proof = await json<{ cumulative: string; proof: string[]; root: string }>(
      'claims',
      'proof',
      payee,
      '--epoch',
      '3',
    );
    expect(proof).toMatchObject({ cumulative, proof: tree.getProof(index), root: tree.root });
    for (const [name, value] of Object.entries({ 'of-theirs.json': tree.dump(), 'proof.json': { payee, ...proof } })) {
      writeFileSync(join(folder, name), JSON.stringify(value));
      const verified = await settle(['claims', 'verify', join(folder, name), '--root', tree.root], env()).ended;
      expect(verified.exit).toBe(0);
    }
    const other = await settle(['claims', 'verify', dump, '--root', `0x${'1'.repeat(64)}`], env()).ended;
    expect(other.exit).toBe(5);
  });
});

describe('settle statement', () => {
  it('is the account as CSV, with its opening and closing rows, and as one JSON object', async () => {
    const csv = await run(['statement', 'p0', '-o', 'csv']);
    const lines = csv.stdout.trimEnd().split('\n');
    expect(lines[0]).toBe(
      'network,provider,row,epoch,revision,gross,cap_cut,scale_cut,amount,adjustment,entitled,paid,balance,receivable,multiplier,reason',
    );
    expect(lines.map((line) => line.split(',').slice(2, 4).join(' '))).toEqual([
      'row epoch',
      'opening 0',
      'epoch 0',
      'epoch 1',
      'epoch 3',
      'closing 3',
    ]);
    const account = await json<{ closing: { balance: string }; epochs: { balance: string }[]; due: string }>(
      'statement',
      'p0',
    );
    expect(account.closing.balance).toBe(lines.at(-1)!.split(',')[12]);
    expect([account.due, account.epochs.at(-1)!.balance]).toEqual([account.closing.balance, account.closing.balance]);
    const jsonl = await run(['statement', 'p0', '--from', '1', '-o', 'jsonl']);
    expect(jsonl.stdout.trimEnd().split('\n')).toHaveLength(4);
  });

  it('is a page, which replaces another only when told to', async () => {
    const file = join(folder, 'statement.html');
    const written = await json<{ file: string }>('statement', 'p0', '--html', file);
    expect(written.file).toBe(file);
    expect(readFileSync(file, 'utf8')).toMatch(/^<!doctype html>/);
    expect((await run(['statement', 'p0', '--html', file])).exit).toBe(3);
    expect((await run(['statement', 'p0', '--html', file, '--force'])).exit).toBe(0);
    expect((await run(['statement', 'p0', '--from', '3', '--to', '1'])).exit).toBe(2);
    expect((await run(['statement', 'nobody'])).exit).toBe(1);
  });
});

describe('settle doctor', () => {
  const doctor = (more: NodeJS.ProcessEnv = {}) => settle(['doctor', '-o', 'json'], env(more)).ended;
  type Findings = { findings: { check: string; outcome: string; found: string; todo: string | null }[] };
  const finding = (stdout: string, check: string) =>
    (JSON.parse(stdout) as Findings).findings.find((one) => one.check === check);

  it('looks at machine, database and Temporal', async () => {
    const { exit, stdout } = await doctor({ TEMPORAL_ADDRESS: testServers().temporalAddress });
    expect(exit).toBe(0);
    for (const check of [
      'node',
      'home',
      'database',
      'schema',
      'clock of the database',
      'temporal',
      'namespace',
      'search attributes',
    ]) {
      expect([check, finding(stdout, check)?.outcome]).toEqual([check, 'ok']);
    }
    expect(finding(stdout, 'worker')?.found).toMatch(/settlement/);
    expect(finding(stdout, `schedule of ${settled.network}`)).toMatchObject({ outcome: 'ok' });
  });

  it('S6: finds a database that lacks a head of the witness file, and exits with 1', async () => {
    const log = join(home, 'heads.log');
    writeFileSync(log, `3 1 ${'a'.repeat(64)}\n`);
    const { exit, stdout } = await doctor();
    expect(exit).toBe(1);
    expect(finding(stdout, 'heads.log')).toMatchObject({ outcome: 'fail' });
    const { rows } = await settled.database.viewer.query<{ head: string }>(
      `select head from chain_entry where network = $1 and epoch = 3 and kind = 'claims'`,
      [settled.network],
    );
    // A line that was caught up after it hides nothing.
    writeFileSync(log, `4 1 ${'a'.repeat(64)}\n3 1 ${rows[0]?.head}\n`);
    expect(finding((await doctor()).stdout, 'heads.log')).toMatchObject({
      outcome: 'fail',
      found: expect.stringMatching(/^line 1 of .* has head a{64} of epoch 4 revision 1/),
    });
    // A line that a crash cut short is passed over.
    writeFileSync(log, `3 1 ${rows[0]?.head}\n3 1 abc`);
    expect(finding((await doctor()).stdout, 'heads.log')).toMatchObject({ outcome: 'ok' });
  });

  it('says what to do about a database that does not answer', async () => {
    const { exit, stdout } = await settle(['doctor', '-o', 'json'], {
      SETTLE_HOME: home,
      DATABASE_URL: 'postgresql://nobody@127.0.0.1:1/none',
    }).ended;
    expect(exit).toBe(1);
    expect(finding(stdout, 'database')).toMatchObject({ outcome: 'fail', todo: expect.stringMatching(/DATABASE_URL/) });
  });
});

it('the bundle of this test is what its figures are read from', () => {
  expect(bundleTexts({ epochs: 6 }).demand).toContain('3,gpu,26');
});
