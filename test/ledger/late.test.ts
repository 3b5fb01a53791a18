import type { Activities } from '../../activities';
import { confirmPayments } from '../../src/commands/confirm-payments';
import { payableLines, previewBatch } from '../../src/commands/payments';
import { standingDiscrepancy } from '../../src/explain/payout-standing';
import { explainProviderPayout } from '../../src/queries/explain-payout';
import { providerStatement } from '../../src/queries/provider-statement';
import { freshDatabase, type TestDatabase } from '../harness/databases';
import { activitiesOn, settleEpochInProcess } from '../harness/in-process';
import { makeNetwork } from '../harness/networks';
import {
  acting,
  atLeast,
  confirmed,
  confirmedLate,
  decided,
  givenUp,
  LATE_REASON,
  ledgerFaults,
  made,
  OPERATOR,
  standings,
  totals,
} from './paying';

// A line that was given up, and then turns out to have been paid: the money left, whoever believed otherwise.
let database: TestDatabase;
let activities: Activities;
let network: string;
/** What batch 1 held for p0, which was given up. */
let lost: bigint;

beforeAll(async () => {
  database = await freshDatabase();
  activities = await activitiesOn(database.worker);
});
afterAll(() => database.close());
beforeEach(async () => {
  network = await makeNetwork({ pool: database.operator, actor: OPERATOR }, { epochs: 6 });
  await settled(0, 1);
  await approved();
  lost = BigInt((await lines(1)).find(({ provider }) => provider === 'p0')!.amount);
  await givenUp(database, network, 1, 'p0');
});
afterEach(async () => {
  expect(await ledgerFaults(database.viewer, network)).toEqual([]);
  const all = await totals(database.viewer, network);
  expect(Object.values(all).reduce((sum, amount) => sum + amount, 0n)).toBe(0n);
});

async function settled(...epochs: readonly number[]): Promise<void> {
  for (const epoch of epochs) await settleEpochInProcess(activities, { network, epoch });
}

async function approved(): Promise<number> {
  const { batch } = await made(database, network);
  await decided(database, network, batch);
  return batch;
}

const lines = (batch: number) => payableLines({ pool: database.viewer }, network, batch);
const p0 = async () => (await standings(database.viewer, network)).p0!;
const conflict = (words: string) => ({ id: 'PaymentConflict', message: expect.stringContaining(words) });
const recorded = async () =>
  (
    await database.superuser.query(
      `select actor, outcome, reason, request_id is not null as asked, detail from settle.audit_log
       where network = $1 and action = 'payment-confirm-late' order by entry`,
      [network],
    )
  ).rows;

test('given up, paid by a later batch, and confirmed late: a receivable, met to the last base unit by what comes next', async () => {
  expect(await approved()).toBe(2);
  const before = await totals(database.viewer, network);
  const booked = await confirmedLate(database, network, 1, ['p0', '0xlate', lost]);
  expect(booked).toEqual({
    booked: 1,
    repeated: 0,
    amount: String(lost),
    overpaying: [{ batch: 2, provider: 'p0', open: String(lost), approved: true, owed: String(lost) }],
  });
  // Batch 2 holds the same dues: with them on their way, the provider owes what came late.
  expect(await p0()).toEqual({ entitlement: lost, paid: lost, inFlight: lost, due: 0n, receivable: lost });
  const after = await totals(database.viewer, network);
  expect(after).toEqual({ ...before, providers: before.providers! - lost, paid: (before.paid ?? 0n) + lost });

  // The wallet had sent it: the provider has the money twice, and owes it once.
  await confirmed(database, network, 2, ['p0', '0xsecond', lost]);
  expect(await p0()).toEqual({ entitlement: lost, paid: 2n * lost, inFlight: 0n, due: 0n, receivable: lost });
  await settled(2);
  const one = (await p0()).entitlement - lost;
  expect(one).toBeGreaterThan(0n);
  expect(one).toBeLessThan(lost);
  expect(await p0()).toMatchObject({ due: 0n, receivable: lost - one });
  const { lines: planned } = await previewBatch({ pool: database.viewer }, network, atLeast(1n));
  expect(planned.map(({ provider }) => provider)).toEqual(['p1']);

  await settled(3, 4);
  const { entitlement } = await p0();
  expect(await p0()).toMatchObject({ due: entitlement - 2n * lost, receivable: 0n });
  const next = await approved();
  const line = (await lines(next)).find(({ provider }) => provider === 'p0')!;
  expect(BigInt(line.amount)).toBe(entitlement - 2n * lost);
  await confirmed(database, network, next, ['p0', '0xthird', line.amount]);
  expect(await p0()).toEqual({ entitlement, paid: entitlement, inFlight: 0n, due: 0n, receivable: 0n });
});

test('the line that would pay twice is given up, as the warning says: nothing is owed, and nothing is due', async () => {
  const second = await approved();
  const { overpaying } = await confirmedLate(database, network, 1, ['p0', '0xlate', lost]);
  for (const line of overpaying) await givenUp(database, network, line.batch, line.provider);
  expect((await lines(second)).map(({ provider }) => provider)).toEqual([]);
  expect(await p0()).toEqual({ entitlement: lost, paid: lost, inFlight: 0n, due: 0n, receivable: 0n });
});

test('a batch that waits for approval is named too, and is no longer approved', async () => {
  const { batch } = await made(database, network);
  const { overpaying } = await confirmedLate(database, network, 1, ['p0', '0xlate', 1n]);
  expect(overpaying).toEqual([{ batch, provider: 'p0', open: String(lost), approved: false, owed: '1' }]);
  await expect(decided(database, network, batch)).rejects.toMatchObject({ id: 'BatchStale' });
});

test('what is due meanwhile is not paid twice: no line is named where the account bears all of them', async () => {
  await approved();
  await settled(2, 3, 4);
  const { due } = await p0();
  expect(due).toBeGreaterThan(lost);
  expect(await confirmedLate(database, network, 1, ['p0', '0xlate', lost])).toMatchObject({ overpaying: [] });
  expect(await p0()).toMatchObject({ due: due - lost, receivable: 0n });
});

test('before another batch was made: it is no longer due, and the next batch pays the rest', async () => {
  expect(await confirmedLate(database, network, 1, ['p0', '0xlate', lost - 3n])).toMatchObject({ overpaying: [] });
  const next = await approved();
  expect(await lines(next)).toEqual([expect.objectContaining({ provider: 'p0', amount: '3' })]);
});

test('without the flag it is the conflict that it was, which tells the flag; nothing is booked', async () => {
  const before = await p0();
  const attempt = confirmed(database, network, 1, ['p0', '0xlate', lost]);
  await expect(attempt).rejects.toMatchObject(conflict('given up'));
  await expect(attempt).rejects.toThrow('`settle payment confirm 1 FILE --late --reason TEXT`');
  expect(await p0()).toEqual(before);
});

test('a line that is open cannot be confirmed late, and takes the rest of the file with it', async () => {
  const attempt = confirmedLate(database, network, 1, ['p0', '0xlate', 1n], ['p1', '0xopen', 1n]);
  await expect(attempt).rejects.toMatchObject(conflict('provider p1, reference 0xopen: the line was not given up'));
  expect(await p0()).toMatchObject({ paid: 0n });
});

test('not a base unit more than was open of the line', async () => {
  await confirmedLate(database, network, 1, ['p0', '0xpart', 2n]);
  const attempt = confirmedLate(database, network, 1, ['p0', '0xlate', lost - 1n]);
  await expect(attempt).rejects.toMatchObject(conflict('are 1 more than is open of'));
  expect(await confirmedLate(database, network, 1, ['p0', '0xlate', lost - 2n])).toMatchObject({ booked: 1 });
});

test('F26: the same again says so; another amount, or another batch of it, is the conflict', async () => {
  const second = await approved();
  await confirmedLate(database, network, 1, ['p0', '0xlate', 5n]);
  expect(await confirmedLate(database, network, 1, ['p0', '0xlate', 5n])).toMatchObject({
    booked: 0,
    repeated: 1,
    amount: '0',
    overpaying: [expect.objectContaining({ batch: second })],
  });
  expect((await p0()).paid).toBe(5n);
  await expect(confirmedLate(database, network, 1, ['p0', '0xlate', 6n])).rejects.toMatchObject(
    conflict('booked before with 5 base units, now 6'),
  );
  await expect(confirmed(database, network, second, ['p0', '0xlate', 5n])).rejects.toMatchObject(
    conflict('booked for batch 1 with 5 base units'),
  );
});

test('F26: a request id stands for the reason too', async () => {
  const report = {
    network,
    batch: 1,
    confirmations: [{ provider: 'p0', reference: '0xlate', amount: '5' }],
    lateReason: LATE_REASON,
    requestId: `${network}-late`,
  };
  const first = await confirmPayments(acting(database, OPERATOR), report);
  expect(await confirmPayments(acting(database, OPERATOR), report)).toEqual(first);
  for (const lateReason of ['another', null]) {
    await expect(confirmPayments(acting(database, OPERATOR), { ...report, lateReason })).rejects.toMatchObject({
      id: 'RequestConflict',
    });
  }
});

test('the record says who booked it late, why, and under which journal', async () => {
  await confirmedLate(database, network, 1, ['p0', '0xlate', 5n]);
  await confirmedLate(database, network, 1, ['p1', '0xopen', 5n]).catch(() => undefined);
  const detail = { amount: '5', booked: 1, booking: 'confirmation/1/1', repeated: 0 };
  expect(await recorded()).toEqual([
    { actor: OPERATOR, outcome: 'done', reason: LATE_REASON, asked: true, detail },
    expect.objectContaining({ outcome: 'refused', detail: { id: 'PaymentConflict' } }),
  ]);
});

test('the database refuses by itself what is late without a reason, and a reason for what is open', async () => {
  const insert = (provider: string, reason: string | null) =>
    database.operator.query(
      `insert into payment_confirmation (network, batch, provider, reference, amount, journal, actor, late_reason)
       values ($1, 1, $2, 'forged', 1, 'confirmation/1/9', $3, $4)`,
      [network, provider, OPERATOR, reason],
    );
  await expect(insert('p0', null)).rejects.toThrow('given up and not late');
  await expect(insert('p1', 'a reason')).rejects.toThrow('late and not given up');
  await expect(insert('p0', '  ')).rejects.toMatchObject({ code: '23514' });
});

test('S4: a confirmation that says to be late without its line having been given up is found by the check', async () => {
  const check = async () => (await ledgerFaults(database.viewer, network)).map(({ detail }) => detail);
  await confirmedLate(database, network, 1, ['p0', '0xlate', lost]);
  const [failure] = (
    await database.superuser.query('select * from settle.payment_failure where network = $1', [network])
  ).rows;
  await database.tamper('delete from settle.payment_failure where network = $1', [network]);
  expect(await check()).toEqual([expect.stringContaining('the line of p0 in batch 1 is')]);
  await database.tamper('insert into settle.payment_failure values ($1, $2, $3, $4, $5, $6)', Object.values(failure));
});

test('statement, explanation and check show it', async () => {
  await approved();
  await confirmedLate(database, network, 1, ['p0', '0xlate', lost]);
  await confirmed(database, network, 2, ['p0', '0xsecond', lost]);
  const found = await providerStatement(database.viewer, network, 'p0', { first: null, last: null });
  expect(found.statement.epochs.at(-1)).toMatchObject({
    epoch: 1,
    balance: -lost,
    receivable: lost,
    payments: [
      { batch: 1, reference: '0xlate', amount: lost, late: true },
      { batch: 2, reference: '0xsecond', amount: lost, late: false },
    ],
  });
  expect([found.due, found.receivable]).toEqual([0n, lost]);
  const explained = await explainProviderPayout(database.viewer, network, 1, 'p0');
  expect(standingDiscrepancy(explained)).toBeNull();
  expect(explained.payments).toEqual([expect.objectContaining({ batch: 1, reference: '0xlate', late: true })]);
  expect(explained.account.receivable.baseUnits).toBe(String(lost));
});
