import type { Activities } from '../../activities';
import { auditEpochs } from '../../src/commands/audit-epochs';
import { withDigests } from '../../src/commands/batch-digests';
import { payableLines } from '../../src/commands/payments';
import { nodeHashes } from '../../src/hashing/node-hashes';
import { linesDigest } from '../../src/ledger/lines-digest';
import { listBatches, paymentLines } from '../../src/store/payments';
import { plainTools } from '../audit/worlds';
import { freshDatabase, type TestDatabase } from '../harness/databases';
import { activitiesOn, settleAllInProcess } from '../harness/in-process';
import { makeNetwork } from '../harness/networks';
import { APPROVER, confirmed, decided, givenUp, ledgerFaults, made, OPERATOR } from './paying';

// An approval is of lines and not of a number: what the wallet gets is what the second person looked at.
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

const lines = (batch: number) => payableLines({ pool: database.viewer }, network, batch);
const digestOf = async (batch: number) =>
  linesDigest(await nodeHashes(), await paymentLines(database.viewer, network, batch));
const shown = async () =>
  (await withDigests(database.viewer, network, await listBatches(database.viewer, network))).map((one) => [
    one.batch,
    one.linesDigest,
  ]);
const faults = async () => (await ledgerFaults(database.viewer, network)).map(({ name }) => name);

const PAYEE = `0x${'e'.repeat(40)}`;

test('is shown before the decision and after it, and stays when the lines are paid or given up', async () => {
  const { batch } = await made(database, network);
  const digest = await digestOf(batch);
  expect(await shown()).toEqual([[batch, digest]]);
  expect(await decided(database, network, batch)).toMatchObject({ decidedDigest: digest });
  await confirmed(database, network, batch, ['p0', 'tx', 1n]);
  await givenUp(database, network, batch, 'p1');
  expect(await shown()).toEqual([[batch, digest]]);
  expect((await lines(batch)).map(({ provider }) => provider)).toEqual(['p0']);
  expect(await faults()).toEqual([]);
});

test('is on record with the approval', async () => {
  const { batch } = await made(database, network);
  await decided(database, network, batch);
  const found = await database.superuser.query(
    `select detail ->> 'linesDigest' as digest from settle.audit_log where network = $1 and action = 'payment-approved'`,
    [network],
  );
  expect(found.rows).toEqual([{ digest: await digestOf(batch) }]);
});

test.each(['approved', 'rejected'] as const)(
  'a batch is %s by the digest of its lines and by no other',
  async (outcome) => {
    const { batch } = await made(database, network);
    const attempt = decided(database, network, batch, outcome, APPROVER, 'f'.repeat(64));
    await expect(attempt).rejects.toMatchObject({ id: 'BatchMismatch' });
    await expect(attempt).rejects.toThrow(await digestOf(batch));
    const digest = await digestOf(batch);
    expect(await decided(database, network, batch, outcome, APPROVER, digest)).toMatchObject({ decision: outcome });
  },
);

test('a line that was slipped in after the approver looked is refused by the digest that it looked at', async () => {
  const { batch } = await made(database, network);
  const looked = await digestOf(batch);
  await database.operator.query('insert into settle.payment_line values ($1, $2, $3, $4, 1)', [
    network,
    batch,
    'p2',
    PAYEE,
  ]);
  await expect(decided(database, network, batch, 'approved', APPROVER, looked)).rejects.toMatchObject({
    id: 'BatchMismatch',
  });
});

const ALTERED = [
  `update settle.payment_line set payee = '${PAYEE}' where network = $1 and provider = 'p0'`,
  `update settle.payment_line set amount = amount + 1 where network = $1 and provider = 'p1'`,
  `insert into settle.payment_line values ($1, 1, 'p2', '${PAYEE}', 1)`,
  `delete from settle.payment_line where network = $1 and provider = 'p0'`,
];

test('S4: lines that are not those that were approved: the wallet gets nothing, and the check names the batch', async () => {
  for (const sql of ALTERED) {
    network = await makeNetwork({ pool: database.operator, actor: OPERATOR });
    await settleAllInProcess(activities, network);
    const { batch } = await made(database, network);
    const { decidedDigest } = await decided(database, network, batch);
    await database.tamper(sql, [network]);
    const attempt = lines(batch);
    await expect(attempt).rejects.toMatchObject({ id: 'TamperedRows' });
    await expect(attempt).rejects.toThrow(
      `batch 1 does not have the lines that ${APPROVER} approved: their digest is ${await digestOf(batch)}, approved was ${decidedDigest}`,
    );
    expect([sql, await faults()]).toEqual([sql, ['decided-lines']]);
  }
});

test('the database computes the same digest, and takes no decision without one', async () => {
  const { batch } = await made(database, network);
  const found = await database.superuser.query(
    `select encode(sha256(convert_to(string_agg(l.provider || ',' || l.payee || ',' || l.amount::text || E'\\n', '' order by l.provider), 'UTF8')), 'hex') as digest
     from settle.payment_line l where network = $1 and batch = $2`,
    [network, batch],
  );
  expect(found.rows).toEqual([{ digest: await digestOf(batch) }]);
  const bare = database
    .open('settle_approver')
    .query(
      `insert into payment_decision (network, batch, decision, actor, reason) values ($1, $2, 'approved', $3, 'x')`,
      [network, batch, APPROVER],
    );
  await expect(bare).rejects.toMatchObject({ code: '23502', column: 'lines_digest' });
});

test('S4: a line that was changed together with the digest beside it is found by the audit log', async () => {
  const { batch } = await made(database, network);
  await decided(database, network, batch);
  const context = { pool: database.open('settle_auditor') };
  const tools = await plainTools();
  const failures = async () =>
    (await auditEpochs(context, network, { first: 0, last: 99 }, tools)).filter(({ outcome }) => outcome === 'failed');
  expect(await failures()).toEqual([]);
  await database.tamper(
    `update settle.payment_line set payee = '${PAYEE}' where network = '${network}' and provider = 'p0'`,
  );
  const forged = await digestOf(batch);
  expect(await failures()).toMatchObject([
    { check: 'audit-log', difference: { table: 'payment_line', stored: forged } },
  ]);
  await database.tamper(`update settle.payment_decision set lines_digest = '${forged}' where network = '${network}'`);
  expect(await failures()).toMatchObject([
    { check: 'audit-log', difference: { table: 'payment_decision', column: 'lines_digest', stored: forged } },
  ]);
});

test('S4: a decision that is gone is missed, also where it was the only one', async () => {
  const { batch } = await made(database, network);
  await decided(database, network, batch);
  await database.tamper(`delete from settle.payment_decision where network = '${network}'`);
  const context = { pool: database.open('settle_auditor') };
  const outcomes = await auditEpochs(context, network, { first: 0, last: 99 }, await plainTools());
  expect(outcomes.filter(({ outcome }) => outcome === 'failed')).toMatchObject([
    { check: 'audit-log', difference: { table: 'payment_decision', row: String(batch), stored: '(no row)' } },
  ]);
});
