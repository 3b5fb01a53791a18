import type { Activities } from '../../activities';
import { failPayment } from '../../src/commands/confirm-payments';
import { importBundle } from '../../src/commands/import-bundle';
import { payableLines } from '../../src/commands/payments';
import { corrected, rows } from '../disputes/disputing';
import { freshDatabase, type TestDatabase } from '../harness/databases';
import { activitiesOn, settleAllInProcess } from '../harness/in-process';
import { bundleTexts, makeNetwork, withBundleFolder } from '../harness/networks';
import { acting, confirmed, decided, ledgerFaults, made, OPERATOR, standings } from './paying';

// What goes wrong between people, wallets and files, on purpose or not, and must not cost anybody money.
let database: TestDatabase;
let activities: Activities;
let network: string;

beforeAll(async () => {
  database = await freshDatabase();
  activities = await activitiesOn(database.worker);
});
afterAll(() => database.close());
beforeEach(async () => {
  network = await makeNetwork({ pool: database.operator, actor: OPERATOR });
  await settleAllInProcess(activities, network);
});
afterEach(async () => {
  expect(await ledgerFaults(database.viewer, network)).toEqual([]);
});

const lines = (batch: number) => payableLines({ pool: database.viewer }, network, batch);

const registered = (row: string) =>
  withBundleFolder(
    { ...bundleTexts({ epochs: 0, providers: 0 }), providers: `provider,joined_epoch,status,payee\n${row}\n` },
    (folder) => importBundle(acting(database, OPERATOR), folder, { network, dryRun: false, outsideCalendar: 'refuse' }),
  );

const OLD = '0x00000000000000000000000000000000000000a1';
const NEW = `0x${'c'.repeat(40)}`;

describe('the payee', () => {
  test('was changed since the batch was made: it is not approved, and another pays the new one', async () => {
    const { batch } = await made(database, network);
    await registered(`p1,0,active,${NEW}`);
    const error = await decided(database, network, batch).catch((failed: Error) => failed);
    expect(error).toMatchObject({ id: 'BatchStale' });
    expect((error as Error).message).toMatch(`would pay p1 at ${OLD}, and its payee is ${NEW} now: reject the batch`);
    await decided(database, network, batch, 'rejected');
    const next = await made(database, network);
    await decided(database, network, next.batch);
    expect((await lines(next.batch)).map(({ provider, payee }) => [provider, payee])).toEqual([
      ['p0', OLD],
      ['p1', NEW],
    ]);
  });

  test('was taken away since: it is not approved', async () => {
    const { batch } = await made(database, network);
    await registered('p0,0,active,');
    await expect(decided(database, network, batch)).rejects.toThrow(
      /would pay p0 at 0x.*a1, and its payee is nobody now/,
    );
  });

  test('was written into the batch by whoever can write there: it is not approved', async () => {
    const { batch } = await made(database, network);
    await database.tamper('update settle.payment_line set payee = $1 where network = $2 and provider = $3', [
      `0x${'e'.repeat(40)}`,
      network,
      'p0',
    ]);
    await expect(decided(database, network, batch)).rejects.toMatchObject({ id: 'BatchStale' });
  });
});

test('a line that was slipped into a batch before its approval cannot pay what is not due', async () => {
  const { batch } = await made(database, network);
  const { p2 } = await standings(database.viewer, network);
  const slip = (payee: string, amount: bigint) =>
    database.operator.query('insert into settle.payment_line values ($1, $2, $3, $4, $5)', [
      network,
      batch,
      'p2',
      payee,
      String(amount),
    ]);
  await slip(NEW, p2!.due);
  await expect(decided(database, network, batch)).rejects.toThrow(/would pay p2 at .*, and its payee is nobody now/);
});

test('the confirmations of another batch, given by mistake, book nothing', async () => {
  const first = await made(database, network);
  await decided(database, network, first.batch);
  const [p0] = await lines(first.batch);
  const half = BigInt(p0!.amount) / 2n;
  await confirmed(database, network, first.batch, ['p0', '0xfeed', half]);
  // What is open of the line is given up, so that a second batch has a line of the same provider.
  const reason = 'the wallet was emptied';
  const givenUp = { network, batch: first.batch, provider: 'p0', reason, requestId: null };
  await failPayment(acting(database, OPERATOR), givenUp);
  const second = await made(database, network);
  await decided(database, network, second.batch);
  const before = await standings(database.viewer, network);
  await expect(confirmed(database, network, second.batch, ['p0', '0xfeed', half])).rejects.toThrow(
    new RegExp(`provider p0, reference 0xfeed: booked for batch ${first.batch} with ${half} base units: look whether`),
  );
  expect(await standings(database.viewer, network)).toEqual(before);
  expect(await confirmed(database, network, second.batch, ['p0', '0xbeef', half])).toMatchObject({ booked: 1 });
});

test('one transfer may pay many providers of a batch', async () => {
  const { batch } = await made(database, network);
  await decided(database, network, batch);
  const open = await lines(batch);
  const booked = await confirmed(database, network, batch, ...open.map((l) => [l.provider, 'tx', l.amount] as const));
  expect(booked).toMatchObject({ booked: open.length, repeated: 0 });
});

test('two open batches and a dispute between them: neither is approved while both together pay too much', async () => {
  const first = await made(database, network);
  await corrected(database, activities, network, 1, rows('capacity', '1,p0,gpu,10,10'));
  const second = await made(database, network);
  expect(BigInt(second.total)).toBeGreaterThan(0n);
  await corrected(database, activities, network, 1, rows('capacity', '1,p0,gpu,10,0'));
  for (const { batch } of [first, second]) {
    await expect(decided(database, network, batch)).rejects.toMatchObject({ id: 'BatchStale' });
  }
  await decided(database, network, second.batch, 'rejected');
  await expect(decided(database, network, first.batch)).rejects.toMatchObject({ id: 'BatchStale' });
  await decided(database, network, first.batch, 'rejected');
  const third = await made(database, network);
  await decided(database, network, third.batch);
  const account = await standings(database.viewer, network);
  expect(account.p0!.inFlight).toBe(account.p0!.entitlement);
});
