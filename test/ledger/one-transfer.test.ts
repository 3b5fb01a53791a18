import { setTimeout as sleep } from 'node:timers/promises';
import type { PoolClient } from 'pg';
import type { Activities } from '../../activities';
import { bookConfirmations } from '../../src/store/ledger';
import { freshDatabase, type TestDatabase } from '../harness/databases';
import { activitiesOn, settleEpochInProcess } from '../harness/in-process';
import { makeNetwork } from '../harness/networks';
import { confirmed, decided, ledgerFaults, made, OPERATOR, standings } from './paying';

// A transfer leaves once. That one reference pays one line of a provider is a rule of the database, whoever writes.
let database: TestDatabase;
let activities: Activities;
let network: string;

beforeAll(async () => {
  database = await freshDatabase();
  activities = await activitiesOn(database.worker);
});
afterAll(() => database.close());
beforeEach(async () => {
  network = await twoOpenBatches();
});
afterEach(async () => {
  expect(await ledgerFaults(database.viewer, network)).toEqual([]);
});

/** Batches 1 and 2 are approved, and have a line of p0 each. */
async function twoOpenBatches(): Promise<string> {
  const name = await makeNetwork({ pool: database.operator, actor: OPERATOR });
  for (const epoch of [0, 1]) {
    await settleEpochInProcess(activities, { network: name, epoch });
    await decided(database, name, (await made(database, name)).batch);
  }
  return name;
}

const paid = async () => (await standings(database.viewer, network)).p0!.paid;

/** Somebody who takes no lock and asks nobody: the rows alone. */
const insert = (client: Pick<PoolClient, 'query'>, batch: number) =>
  client.query(
    `insert into payment_confirmation (network, batch, provider, reference, amount, journal, actor)
     values ($1, $2, 'p0', '0xsame', 7, $3, $4)`,
    [network, batch, `confirmation/${batch}/1`, OPERATOR],
  );

/** Runs `second` while `first` is written and not committed; then ends the first. */
async function atOnce<T>(end: 'commit' | 'rollback', second: () => Promise<T>): Promise<T> {
  const client = await database.operator.connect();
  try {
    await client.query('begin');
    await insert(client, 1);
    const answer = second();
    answer.catch(() => undefined);
    await waiting();
    await client.query(end);
    return await answer;
  } finally {
    client.release();
  }
}

/** Until a session waits for another one's transaction to end. */
async function waiting(): Promise<void> {
  for (;;) {
    const found = await database.superuser.query(
      `select from pg_stat_activity where datname = current_database() and wait_event = 'transactionid'`,
    );
    if (found.rowCount! > 0) return;
    await sleep(20);
  }
}

test('F11: two transactions at once with one reference: the second waits, and is told what the first booked', async () => {
  const attempt = atOnce('commit', () => confirmed(database, network, 2, ['p0', '0xsame', 7n]));
  await expect(attempt).rejects.toMatchObject({ id: 'PaymentConflict' });
  await expect(attempt).rejects.toThrow('provider p0, reference 0xsame: booked for batch 1 with 7 base units');
  expect(await paid()).toBe(7n);
  await bookConfirmations(database.operator, network, 'confirmation/1/1', '7');
});

test('F11: the first is rolled back: the second is booked', async () => {
  const booked = await atOnce('rollback', () => confirmed(database, network, 2, ['p0', '0xsame', 7n]));
  expect(booked).toMatchObject({ booked: 1, amount: '7' });
  expect(await paid()).toBe(7n);
});

test('ten commands at once with one reference, for two lines: one line is paid, once', async () => {
  const attempts = await Promise.allSettled(
    Array.from({ length: 10 }, (_, one) => confirmed(database, network, 1 + (one % 2), ['p0', '0xsame', 7n])),
  );
  const booked = attempts.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
  expect(booked.map((one) => one.booked).sort()).toEqual([0, 0, 0, 0, 1]);
  for (const one of attempts) {
    if (one.status === 'rejected') expect(one.reason).toMatchObject({ id: 'PaymentConflict' });
  }
  expect(await paid()).toBe(7n);
});

test('rows alone: refused by the rule of the database, by its name', async () => {
  await confirmed(database, network, 2, ['p0', '0xsame', 7n]);
  await expect(insert(database.operator, 1)).rejects.toMatchObject({
    code: '23505',
    constraint: 'payment_confirmation_one_transfer',
  });
});

test('another provider, and another network, may have the same reference', async () => {
  await confirmed(database, network, 1, ['p0', '0xsame', 7n], ['p1', '0xsame', 7n]);
  const first = network;
  network = await twoOpenBatches();
  expect(await confirmed(database, network, 2, ['p0', '0xsame', 7n])).toMatchObject({ booked: 1 });
  expect(await ledgerFaults(database.viewer, first)).toEqual([]);
});
