import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Ended, endAll, settle } from '../cli/settle-process';
import { openLink, portOf } from '../faults/link';
import { freshDatabase, type TestDatabase } from '../harness/databases';
import { activitiesOn, settleAllInProcess } from '../harness/in-process';
import { makeNetwork } from '../harness/networks';
import { type Person, person } from '../rights/logins';
import { ledgerFaults, totals } from './paying';

// Processes of people, each killed -9 on its own wire: with its COMMIT sent and not arrived, or done and not heard of.
let database: TestDatabase;
let folder: string;
let operator: Person;
let approver: Person;

beforeAll(async () => {
  database = await freshDatabase();
  folder = await mkdtemp(join(tmpdir(), 'settle-test-payment-crashes-'));
  operator = await person(database, ['settle_operator']);
  approver = await person(database, ['settle_approver']);
});
afterAll(async () => {
  await endAll();
  for (const one of [operator, approver]) await one.leave();
  await rm(folder, { recursive: true });
  await database.close();
});

type Point = 'before COMMIT arrives' | 'after COMMIT, before its answer';

const run = (by: Person, network: string, args: readonly string[], url = by.url): Promise<Ended> =>
  settle([...args, '--network', network], { DATABASE_URL: url, SETTLE_HOME: join(folder, 'home') }).ended;

/** Runs a command that dies by SIGKILL at that point of its first transaction that writes. */
async function killedAt(point: Point, by: Person, network: string, args: readonly string[]): Promise<void> {
  let die = () => {};
  const died = new Promise<void>((resolve) => {
    die = resolve;
  });
  const hold = async () => {
    die();
    // The process is killed meanwhile; what it had said to the server goes no further, or has gone.
    await new Promise((resolve) => setTimeout(resolve, 500));
    return 'cut' as const;
  };
  const faults =
    point === 'before COMMIT arrives' ? { onCommit: hold } : { onCommitted: async () => void (await hold()) };
  const link = await openLink(portOf(by.url), faults);
  const env = { DATABASE_URL: link.through(by.url), SETTLE_HOME: join(folder, 'home') };
  const process = settle([...args, '--network', network], env);
  await died;
  process.signal('SIGKILL');
  expect((await process.ended).exit).toBeNull();
  await link.close();
}

const POINTS: readonly Point[] = ['before COMMIT arrives', 'after COMMIT, before its answer'];

test.each(POINTS)(
  'F1, F2, F8: every payment command killed -9 %s and called again: one batch, one confirmation, a balanced ledger',
  async (point) => {
    const network = await makeNetwork({ pool: database.viewer, actor: 'olivia' });
    await settleAllInProcess(await activitiesOn(database.worker), network);
    const twice = async (by: Person, args: readonly string[]): Promise<Ended> => {
      await killedAt(point, by, network, args);
      const ended = await run(by, network, args);
      expect(ended).toMatchObject({ exit: 0 });
      return ended;
    };
    const created = await twice(operator, ['payment', 'create', '--request-id', `create-${network}`]);
    const [batch] = JSON.parse(created.stdout) as { batch: number; total: string }[];
    expect(batch).toMatchObject({ batch: 1 });
    await twice(approver, ['payment', 'approve', '1', '--reason', 'compared', '--request-id', `approve-${network}`]);
    const exported = await run(operator, network, ['payment', 'export', '1', '-o', 'csv']);
    const [header, first, ...rest] = exported.stdout.trim().split('\n');
    expect(header).toBe('provider,payee,amount');
    const file = join(folder, `${network}.csv`);
    const confirmations = [first!]
      .map((line) => line.split(','))
      .map(([provider, , amount]) => `${provider},0xabc,${amount}`);
    await writeFile(file, ['provider,reference,amount', ...confirmations, ''].join('\n'));
    await twice(operator, ['payment', 'confirm', '1', file]);
    const [failing] = rest[0]!.split(',');
    await twice(operator, [
      'payment',
      'fail',
      '1',
      failing!,
      '--reason',
      'no such account',
      '--request-id',
      `fail-${network}`,
    ]);

    const counts = await database.superuser.query(
      `select (select count(*)::integer from settle.payment_batch where network = $1) as batches,
         (select count(*)::integer from settle.payment_confirmation where network = $1) as confirmations`,
      [network],
    );
    expect(counts.rows).toEqual([{ batches: 1, confirmations: 1 }]);
    expect(await ledgerFaults(database.viewer, network)).toEqual([]);
    const accounts = await totals(database.viewer, network);
    expect(Object.values(accounts).reduce((sum, amount) => sum + amount, 0n)).toBe(0n);
  },
  180_000,
);
