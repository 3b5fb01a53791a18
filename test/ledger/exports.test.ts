import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { parse } from 'csv-parse/sync';
import type { Activities } from '../../activities';
import { exportEpochs } from '../../src/commands/export-epochs';
import { payableLines } from '../../src/commands/payments';
import { corrected, rows } from '../disputes/disputing';
import { freshDatabase, type TestDatabase } from '../harness/databases';
import { activitiesOn, settleAllInProcess } from '../harness/in-process';
import { makeNetwork } from '../harness/networks';
import { confirmed, decided, made, OPERATOR, standings, totals } from './paying';

const folder = mkdtempSync(join(tmpdir(), 'settle-ledger-exports-'));
let database: TestDatabase;
let activities: Activities;
let network: string;

beforeAll(async () => {
  database = await freshDatabase();
  activities = await activitiesOn(database.worker);
  network = await makeNetwork({ pool: database.operator, actor: OPERATOR });
  await settleAllInProcess(activities, network);
  await corrected(database, activities, network, 0, rows('capacity', '0,p0,gpu,10,9'));
  const { batch } = await made(database, network);
  await decided(database, network, batch);
  for (const { provider, amount } of await payableLines({ pool: database.viewer }, network, batch)) {
    await confirmed(database, network, batch, [provider, 'tx', amount]);
  }
  await corrected(database, activities, network, 0, rows('capacity', '0,p0,gpu,10,0'));
  await corrected(database, activities, network, 2, rows('capacity', '2,p1,gpu,11,1'));
});
afterAll(async () => {
  await database?.close();
  rmSync(folder, { recursive: true, force: true });
});

const exported = (format: 'csv' | 'jsonl' | 'parquet', range: { first: number; last: number } | null = null) =>
  exportEpochs({ pool: database.viewer, actor: OPERATOR }, network, range, folder, { format, force: true });

type Row = Record<string, string>;
const csv = (name: string): Row[] => parse(readFileSync(join(folder, `${name}.csv`)), { columns: true });
const sum = (found: readonly Row[], column: string) => found.reduce((total, row) => total + BigInt(row[column]!), 0n);

test('adjustments are what each revision changed, and come to the accounts with the payouts', async () => {
  await exported('csv');
  const adjustments = csv('adjustments');
  expect(adjustments.map(({ epoch, revision, provider }) => `${epoch}@${revision} ${provider}`)).toEqual(
    expect.arrayContaining(['0@2 p0', '0@3 p0', '2@2 p1']),
  );
  for (const row of adjustments) expect(BigInt(row.previous!) + BigInt(row.adjustment!)).toBe(BigInt(row.amount!));
  // The newest payout of an epoch less its adjustments is what revision 1 paid.
  const first = await database.viewer.query<{ sum: string }>(
    `select sum(amount)::text from payout join chain_entry using (network, epoch, revision, computation)
     where network = $1 and kind = 'revision' and revision = 1`,
    [network],
  );
  expect(sum(csv('payouts'), 'amount') - sum(adjustments, 'adjustment')).toBe(BigInt(first.rows[0]!.sum));
});

test('ledger.csv has every posting once: journals sum to zero, accounts to their balances', async () => {
  await exported('csv');
  const ledger = csv('ledger');
  const by = (column: string) => {
    const groups = new Map<string, Row[]>();
    for (const row of ledger) groups.set(row[column]!, [...(groups.get(row[column]!) ?? []), row]);
    return groups;
  };
  for (const postings of by('journal').values()) expect(sum(postings, 'amount')).toBe(0n);
  const accounts = Object.fromEntries(
    [...by('account')].map(([account, postings]) => [account, sum(postings, 'amount')]),
  );
  expect(accounts).toEqual(await totals(database.viewer, network));
  const confirmations = ledger.filter(({ journal }) => journal!.startsWith('confirmation/'));
  expect(confirmations.every(({ epoch, batch, revision }) => epoch === '2' && batch === '1' && revision === '')).toBe(
    true,
  );
  const paid = Object.values(await standings(database.viewer, network)).reduce(
    (total, account) => total + account.paid,
    0n,
  );
  expect(
    sum(
      confirmations.filter(({ account }) => account === 'paid'),
      'amount',
    ),
  ).toBe(paid);
});

test('a range has the postings and adjustments of its epochs', async () => {
  await exported('csv', { first: 0, last: 0 });
  expect(new Set(csv('ledger').map(({ epoch }) => epoch))).toEqual(new Set(['0']));
  expect(new Set(csv('adjustments').map(({ epoch, revision }) => `${epoch}@${revision}`))).toEqual(
    new Set(['0@2', '0@3']),
  );
});

test('Parquet and JSON lines say the same as CSV, cell by cell', async () => {
  await exported('csv');
  await exported('jsonl');
  await exported('parquet');
  const instance = await DuckDBInstance.create(':memory:');
  const connection = await instance.connect();
  try {
    for (const name of ['prices', 'payouts', 'epochs', 'adjustments', 'ledger']) {
      const own = csv(name);
      expect(own.length).toBeGreaterThan(0);
      const lines = readFileSync(join(folder, `${name}.jsonl`), 'utf8')
        .trimEnd()
        .split('\n');
      expect(
        lines.map((line) =>
          Object.values(JSON.parse(line) as object).map((cell) => (cell === null ? '' : String(cell))),
        ),
      ).toEqual(own.map((row) => Object.values(row)));
      const columns = Object.keys(own[0]!);
      // A number counts by its value: Parquet has all places of its column.
      const cell = (column: string) =>
        column === 'booked_at'
          ? `strftime(make_timestamp(epoch_ms(booked_at) * 1000), '%Y-%m-%dT%H:%M:%SZ')`
          : `"${column}"::varchar`;
      const found = await connection.runAndReadAll(
        `select ${columns.map((column) => `coalesce(${cell(column)}, '') as "${column}"`).join(', ')} from '${join(folder, `${name}.parquet`)}'`,
      );
      const shortened = (found.getRowObjectsJson() as Row[]).map((row) =>
        Object.fromEntries(columns.map((column) => [column, decimal(row[column]!)])),
      );
      expect(shortened).toEqual(
        own.map((row) => Object.fromEntries(columns.map((column) => [column, decimal(row[column]!)]))),
      );
    }
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
});

const decimal = (text: string) => (/^-?[0-9]+\.[0-9]+$/.test(text) ? text.replace(/\.?0+$/, '') : text);
