import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { endAll, settle } from '../cli/settle-process';
import { rows } from '../disputes/disputing';
import { freshWorld, publishedEpochs, type World } from '../harness/worlds';
import { type Person, person } from './logins';

// A dispute as two people have it, each at a command line of their own; the worker is somebody else's.
let world: World;
let folder: string;
let network: string;
let operator: Person;
let approver: Person;

beforeAll(async () => {
  world = await freshWorld();
  folder = mkdtempSync(join(tmpdir(), 'settle-test-dispute-'));
  network = await world.makeNetwork({ epochs: 3 });
  await world.withWorker({}, () => world.settle(network));
  operator = await person(world.database, ['settle_operator']);
  approver = await person(world.database, ['settle_approver']);
});
afterAll(async () => {
  await endAll();
  for (const one of [operator, approver]) await one.leave();
  rmSync(folder, { recursive: true });
  await world.close();
});

const run = (by: Person, ...args: string[]) =>
  settle([...args, '--network', network], {
    DATABASE_URL: by.url,
    SETTLE_HOME: join(folder, 'home'),
    TEMPORAL_ADDRESS: world.orchestrator.address,
    TEMPORAL_NAMESPACE: world.orchestrator.namespace,
  }).ended;

interface Preview {
  readonly content_digest: string;
  readonly built_on: readonly number[];
  readonly changes: {
    readonly totals: { readonly before: string; readonly after: string; readonly changed: number };
    readonly payouts: readonly { readonly provider: string; readonly delta: string }[];
  };
}

test('a dispute from its opening to its difference: what each is shown, and what each may not do', async () => {
  const corrections = join(folder, 'corrections');
  mkdirSync(corrections);
  for (const [name, text] of Object.entries(rows('capacity', '1,p0,gpu,10,9')))
    writeFileSync(join(corrections, name), text);
  await world.withWorker({ limitSeconds: 200 }, async () => {
    const opening = ['dispute', 'open', '1', '--reason', 'p0 served nine hours', '--corrections', corrections];
    const opened = await run(operator, ...opening, '--request-id', 'first');
    expect(opened).toMatchObject({ exit: 0, stderr: expect.stringContaining('Dispute 1 is open.') });
    const found = JSON.parse(opened.stdout) as Preview;
    const sum = found.changes.payouts.reduce((total, { delta }) => total + BigInt(delta), 0n);
    expect(sum).toBe(BigInt(found.changes.totals.after) - BigInt(found.changes.totals.before));
    expect(sum > 0n).toBe(true);
    expect(found.built_on).toEqual([2]);

    expect(await run(operator, ...opening, '--request-id', 'first')).toMatchObject({ exit: 0, stdout: opened.stdout });
    const other = await run(operator, ...opening.with(4, 'another reason'), '--request-id', 'first');
    expect(other).toMatchObject({ exit: 3, stderr: expect.stringContaining('use a new id for a new request') });
    const second = await run(operator, ...opening);
    expect(second).toMatchObject({ exit: 3, stderr: expect.stringContaining(`opened by ${operator.actor} at 20`) });
    const table = await run(approver, 'dispute', 'preview', '1', '1', '-o', 'table');
    for (const words of [
      'Dispute 1 of epoch 1, on revision 1, pinned: open',
      `by ${operator.actor} at`,
      'p0 served nine hours',
      '+ capacity 1,p0,gpu,10,9',
      'guards   all hold',
      '1 epoch stays settled on revision 1: 2',
      found.content_digest,
      `Somebody else than ${operator.actor} decides`,
    ]) {
      expect(table.stdout).toContain(words);
    }
    const waiting = await run(approver, 'status', '-o', 'table');
    expect(waiting.stdout).toMatch(new RegExp(`dispute 1 of epoch 1 .*${operator.actor}.*settle dispute approve 1 1`));
    const own = await run(operator, 'dispute', 'approve', '1', '1', '--reason', 'mine');
    expect(own).toMatchObject({ exit: 1, stderr: expect.stringContaining('takes the role settle_approver') });
    const stale = await run(approver, 'dispute', 'approve', '1', '1', '--reason', 'x', '--digest', 'f'.repeat(64));
    expect(stale).toMatchObject({ exit: 6, stderr: expect.stringContaining(found.content_digest) });
    const decide = ['dispute', 'approve', '1', '1', '--reason', 'seen', '--digest', found.content_digest];
    const approved = await run(approver, ...decide);
    expect(approved).toMatchObject({ exit: 0 });
    expect(JSON.parse(approved.stdout)).toMatchObject({ state: 'published', revision: 2, actor: approver.actor });
    const again = await run(approver, ...decide);
    expect(again).toMatchObject({ exit: 3, stderr: expect.stringContaining(`by ${approver.actor} at 20`) });
  });
  expect((await publishedEpochs(world.database, network)).at(-1)).toMatchObject({ epoch: 1, revision: 2 });

  const diff = await run(approver, 'diff', '1@1', '1@2', '-o', 'table');
  expect(diff.exit).toBe(0);
  for (const words of ['p0 served nine hours', '+ capacity 1,p0,gpu,10,9', 'p0', operator.actor, approver.actor]) {
    expect(diff.stdout).toContain(words);
  }
  // What was built on revision 1 says so.
  const listed = await run(approver, 'epoch', 'list', '-o', 'table');
  expect(listed.stdout).toMatch(/revision 1 of epoch 1|superseded|built/);
  const status = await run(approver, 'status', '-o', 'json');
  expect(JSON.parse(status.stdout)).toMatchObject({ decisions: [], holds: [] });
}, 240_000);
