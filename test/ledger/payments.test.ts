import type { Activities } from '../../activities';
import { failPayment } from '../../src/commands/confirm-payments';
import { importBundle } from '../../src/commands/import-bundle';
import { payableLines, previewBatch } from '../../src/commands/payments';
import { freshDatabase, type TestDatabase } from '../harness/databases';
import { activitiesOn, settleAllInProcess } from '../harness/in-process';
import { makeNetwork, PAYEES, withBundleFolder } from '../harness/networks';
import {
  acting,
  atLeast,
  confirmed,
  decided,
  entitledByAdjustments,
  ledgerFaults,
  made,
  OPERATOR,
  standings,
  totals,
} from './paying';

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
const refusals = async (action: string) =>
  (
    await database.superuser.query(
      `select actor, outcome, detail ->> 'id' as id from settle.audit_log
       where network = $1 and action = $2 order by entry`,
      [network, action],
    )
  ).rows;

describe('accounts', () => {
  test('after settling: the pools are split between providers and treasury, and all accounts sum to zero', async () => {
    const entitled = await entitledByAdjustments(database, network);
    const all = await totals(database.viewer, network);
    // Three epochs of a pool of 1000 tokens with 6 decimals.
    expect(all.emission).toBe(-3_000_000_000n);
    expect(all.providers).toBe([...entitled.values()].reduce((a, b) => a + b, 0n));
    expect(all.providers! + all.treasury! + all.emission!).toBe(0n);
    const accounts = await standings(database.viewer, network);
    expect(new Map(Object.entries(accounts).map(([p, a]) => [p, a.entitlement]))).toEqual(entitled);
  });

  test('an unbalanced journal is refused, by the trigger and whoever books it', async () => {
    const booked = { publication: database.worker, confirmation: database.operator };
    for (const [journal, pool] of Object.entries(booked)) {
      await expect(
        pool.query(
          `insert into settle.ledger_posting (network, journal, account, amount)
           values ($1, $2, 'treasury', 5), ($1, $2, 'emission', -4)`,
          [network, `${journal}/9/1`],
        ),
      ).rejects.toThrow(`journal ${journal}/9/1 of network`);
    }
  });

  test('a posting cannot be changed or taken away', async () => {
    for (const change of ['update settle.ledger_posting set amount = 0', 'delete from settle.ledger_posting']) {
      await expect(database.superuser.query(change)).rejects.toThrow('append-only');
      await expect(database.worker.query(change)).rejects.toMatchObject({ code: '42501' });
    }
  });

  test('S4: a tampered posting and a tampered payout are found by the check, by name', async () => {
    const other = await makeNetwork({ pool: database.operator, actor: OPERATOR });
    await settleAllInProcess(activities, other);
    await made(database, other);
    await database.tamper(
      `update settle.ledger_posting set amount = amount + 1 where network = $1 and account = 'treasury' and journal = 'publication/1/1'`,
      [other],
    );
    expect((await ledgerFaults(database.viewer, other)).map((f) => f.name)).toEqual(['accounts-balance']);
    await database.tamper(
      `update settle.payout set amount = amount + 1, gross = gross + 1 where network = $1 and epoch = 0 and provider = 'p1'`,
      [other],
    );
    const faults = await ledgerFaults(database.viewer, other);
    expect(faults.map((f) => f.name)).toEqual(['accounts-balance', 'providers-control', 'entitlement-fold']);
    expect(faults[2]!.detail).toContain('provider p1: folded ');
  });
});

describe('a batch', () => {
  test('holds what is due of everybody with a payee; who has none waits', async () => {
    const before = await standings(database.viewer, network);
    const batch = await made(database, network);
    await decided(database, network, batch.batch);
    expect(await lines(batch.batch)).toEqual([
      { provider: 'p0', payee: PAYEES[0], amount: String(before.p0!.due), confirmed: '0', failed: false },
      { provider: 'p1', payee: PAYEES[0], amount: String(before.p1!.due), confirmed: '0', failed: false },
    ]);
    const after = await standings(database.viewer, network);
    expect(after.p0).toMatchObject({ due: 0n, inFlight: before.p0!.due });
    expect(after.p2).toMatchObject({ due: before.p2!.due, inFlight: 0n });
  });

  test('dues below the minimum carry over, and are paid once they reach it', async () => {
    const { p0, p1 } = await standings(database.viewer, network);
    const [smaller, larger] = [p0!.due, p1!.due].sort((a, b) => (a < b ? -1 : 1)) as [bigint, bigint];
    const plan = await previewBatch({ pool: database.viewer }, network, atLeast(larger));
    expect(plan.lines).toHaveLength(1);
    expect(plan.carriedOver).toEqual({ providers: 1, amount: smaller });
    expect((await made(database, network, { minimum: larger })).lines).toBe(1);
    expect((await made(database, network)).total).toBe(String(smaller));
  });

  test('a provider is paid once it names a payee', async () => {
    await decided(database, network, (await made(database, network)).batch);
    const due = (await standings(database.viewer, network)).p2!.due;
    const providers = `provider,joined_epoch,status,payee\np2,0,active,0x${'c'.repeat(40)}\n`;
    await withBundleFolder({ ...EMPTY, providers }, (folder) =>
      importBundle(acting(database, OPERATOR), folder, { network, dryRun: false, outsideCalendar: 'refuse' }),
    );
    expect(await made(database, network)).toMatchObject({ lines: 1, total: String(due) });
  });

  test('is approved by somebody else than its maker; the attempt is on record', async () => {
    const { batch } = await made(database, network);
    await expect(decided(database, network, batch, 'approved', OPERATOR)).rejects.toMatchObject({ id: 'SelfApproval' });
    await expect(
      database
        .open('settle_approver')
        .query(
          `insert into payment_decision (network, batch, decision, actor, reason) values ($1, $2, 'approved', $3, 'mine')`,
          [network, batch, OPERATOR],
        ),
    ).rejects.toThrow('cannot approve it');
    expect(await refusals('payment-approved')).toEqual([{ actor: OPERATOR, outcome: 'refused', id: 'SelfApproval' }]);
    await expect(lines(batch)).rejects.toMatchObject({ id: 'BatchNotApproved' });
  });

  test('its maker may reject it; what was in it is due again', async () => {
    const before = await standings(database.viewer, network);
    const { batch } = await made(database, network);
    await decided(database, network, batch, 'rejected', OPERATOR);
    expect(await standings(database.viewer, network)).toEqual(before);
    await expect(decided(database, network, batch)).rejects.toMatchObject({ id: 'BatchClosed' });
    await expect(confirmed(database, network, batch, ['p0', 'tx', 1n])).rejects.toMatchObject({
      id: 'BatchNotApproved',
    });
  });

  test('F26: the same request id gives the first batch; with another body it is a conflict', async () => {
    const first = await made(database, network, { requestId: `${network}-r1` });
    expect(await made(database, network, { requestId: `${network}-r1` })).toEqual(first);
    await expect(made(database, network, { requestId: `${network}-r1`, minimum: 2n })).rejects.toMatchObject({
      id: 'RequestConflict',
    });
    expect(await refusals('payment-create')).toEqual([
      { actor: OPERATOR, outcome: 'done', id: null },
      { actor: OPERATOR, outcome: 'refused', id: 'RequestConflict' },
    ]);
  });

  test('F24: ten at once: exactly one batch gets the money, nine are told whose and since when', async () => {
    const before = await standings(database.viewer, network);
    const attempts = await Promise.allSettled(
      Array.from({ length: 10 }, (_, index) => made(database, network, { actor: `operator-${index}` })),
    );
    const done = attempts.filter((one) => one.status === 'fulfilled');
    const told = attempts.filter((one) => one.status === 'rejected');
    expect(done).toHaveLength(1);
    const { batch, createdBy, createdAt, total } = done[0]!.value;
    expect(total).toBe(String(before.p0!.due + before.p1!.due));
    for (const { reason } of told) {
      expect(reason).toMatchObject({ id: 'BatchOpen' });
      expect(reason.message).toContain(`batch ${batch}, made by ${createdBy} at ${createdAt}, waiting for approval`);
    }
  });

  test('with nothing due and nothing on its way, says so', async () => {
    await expect(made(database, network, { minimum: 10n ** 30n })).rejects.toMatchObject({ id: 'NothingDue' });
  });
});

describe('confirming', () => {
  let batch: number;
  let amounts: Record<string, bigint>;
  beforeEach(async () => {
    ({ batch } = await made(database, network));
    await decided(database, network, batch);
    amounts = Object.fromEntries((await lines(batch)).map((line) => [line.provider, BigInt(line.amount)]));
  });

  test('books the whole amount from the providers to outside', async () => {
    const before = await totals(database.viewer, network);
    const paid = amounts.p0! + amounts.p1!;
    expect(await confirmed(database, network, batch, ['p0', 'tx1', amounts.p0!], ['p1', 'tx1', amounts.p1!])).toEqual({
      booked: 2,
      repeated: 0,
      amount: String(paid),
      overpaying: [],
    });
    const after = await totals(database.viewer, network);
    expect(after).toEqual({ ...before, providers: before.providers! - paid, paid });
    expect(await lines(batch)).toEqual([]);
    expect((await standings(database.viewer, network)).p0).toMatchObject({ due: 0n, inFlight: 0n, paid: amounts.p0 });
  });

  test('in parts: what is unconfirmed stays on its way', async () => {
    await confirmed(database, network, batch, ['p0', 'tx1', 1n]);
    await confirmed(database, network, batch, ['p0', 'tx2', 2n]);
    expect((await standings(database.viewer, network)).p0).toMatchObject({
      paid: 3n,
      inFlight: amounts.p0! - 3n,
      due: 0n,
    });
    expect((await lines(batch))[0]).toMatchObject({ provider: 'p0', confirmed: '3' });
  });

  test('F26: the same again changes nothing, in one file and in another', async () => {
    const again: readonly [string, string, bigint] = ['p0', 'tx1', 5n];
    expect(await confirmed(database, network, batch, again, again)).toMatchObject({
      booked: 1,
      repeated: 1,
      amount: '5',
    });
    expect(await confirmed(database, network, batch, again)).toMatchObject({ booked: 0, repeated: 1, amount: '0' });
    expect((await standings(database.viewer, network)).p0!.paid).toBe(5n);
  });

  test.each([
    ['the same reference with another amount', ['p0', 'tx1', '6'], 'booked before with 5 base units, now 6'],
    ['more than is open', ['p0', 'tx2', String(10n ** 20n)], 'more than is open of'],
    ['a provider that is not in the batch', ['p2', 'tx2', '1'], 'the batch has no such provider'],
    ['no amount', ['p1', 'tx2', '0'], 'are no payment'],
  ] as const)('%s is a named conflict, and nothing of the file is booked', async (_, row, words) => {
    await confirmed(database, network, batch, ['p0', 'tx1', 5n]);
    const before = await standings(database.viewer, network);
    const attempt = confirmed(database, network, batch, ['p1', 'tx9', 1n], row);
    await expect(attempt).rejects.toMatchObject({ id: 'PaymentConflict' });
    await expect(attempt).rejects.toThrow(words);
    expect(await standings(database.viewer, network)).toEqual(before);
    expect((await refusals('payment-confirm')).at(-1)).toEqual({
      actor: OPERATOR,
      outcome: 'refused',
      id: 'PaymentConflict',
    });
  });

  test('a line that was confirmed in part takes the rest and not a base unit more', async () => {
    await confirmed(database, network, batch, ['p0', 'tx1', 5n]);
    const rest = amounts.p0! - 5n;
    const attempt = confirmed(database, network, batch, ['p0', 'tx2', rest + 1n]);
    await expect(attempt).rejects.toMatchObject({ id: 'PaymentConflict' });
    await expect(attempt).rejects.toThrow(`${rest + 1n} base units are 1 more than is open of ${amounts.p0}`);
    expect(await confirmed(database, network, batch, ['p0', 'tx2', rest])).toMatchObject({ booked: 1 });
  });

  test('two confirmations of one file may not overpay together', async () => {
    const half = amounts.p0! / 2n + 1n;
    await expect(confirmed(database, network, batch, ['p0', 'a', half], ['p0', 'b', half])).rejects.toMatchObject({
      id: 'PaymentConflict',
    });
  });

  test('the database refuses an overpayment by itself', async () => {
    await expect(
      database.operator.query(
        `insert into payment_confirmation (network, batch, provider, reference, amount, journal, actor)
         values ($1, $2, 'p0', 'forged', $3, 'confirmation/1/9', $4)`,
        [network, batch, String(amounts.p0! + 1n), OPERATOR],
      ),
    ).rejects.toThrow('more than its line');
  });

  test('ten at once with the same file: booked once', async () => {
    const attempts = await Promise.all(
      Array.from({ length: 10 }, () => confirmed(database, network, batch, ['p0', 'tx1', amounts.p0!])),
    );
    expect(attempts.reduce((sum, one) => sum + one.booked, 0)).toBe(1);
  });

  test('a failed line is due again, less what was confirmed; a late confirmation of it is a conflict', async () => {
    await confirmed(database, network, batch, ['p0', 'tx1', 5n]);
    const failing = { network, batch, provider: 'p0', reason: 'the wallet refused', requestId: null };
    await failPayment(acting(database, OPERATOR), failing);
    await failPayment(acting(database, OPERATOR), failing);
    expect((await standings(database.viewer, network)).p0).toMatchObject({
      due: amounts.p0! - 5n,
      inFlight: 0n,
      paid: 5n,
    });
    await expect(confirmed(database, network, batch, ['p0', 'tx2', 1n])).rejects.toThrow('given up');
    expect((await lines(batch)).map((line) => line.provider)).toEqual(['p1']);
    const next = await made(database, network);
    expect(next).toMatchObject({ lines: 1, total: String(amounts.p0! - 5n) });
  });

  test('a line that is paid in full cannot fail', async () => {
    await confirmed(database, network, batch, ['p0', 'tx1', amounts.p0!]);
    const failing = { network, batch, provider: 'p0', reason: 'mistaken', requestId: null };
    await expect(failPayment(acting(database, OPERATOR), failing)).rejects.toMatchObject({ id: 'PaymentConflict' });
  });
});

const EMPTY = {
  capacity: 'epoch,provider,market,offered,served\n',
  performance: 'epoch,provider,uptime,response_ms,error_rate,rating\n',
  demand: 'epoch,market,requested\n',
  quotes: 'epoch,market,source,usd_per_unit\n',
  token: 'epoch,source,observed_at,price_usd,volume_usd\n',
  macro: 'epoch,index\n',
};
