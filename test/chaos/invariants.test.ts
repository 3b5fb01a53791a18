import type { PoolClient } from 'pg';
import type { Activities } from '../../activities';
import { failPayment } from '../../src/commands/confirm-payments';
import { corrected, rows } from '../disputes/disputing';
import { freshDatabase, type TestDatabase } from '../harness/databases';
import { activitiesOn, NO_WITNESS, settleAllInProcess } from '../harness/in-process';
import { makeNetwork } from '../harness/networks';
import { acting, confirmed, confirmedLate, decided, made, OPERATOR } from '../ledger/paying';
import { checkInvariants, type Evidence, INVARIANTS, violationsInRows } from './invariants';

const NETWORK = 'swarm';
const heads: string[] = [];
const seen = new Map<string, string>();

let database: TestDatabase;
let evidence: Omit<Evidence, 'rows'>;

/** Epochs with a hold, a failure, two disputes, and batches that were paid, given up and rejected. */
beforeAll(async () => {
  database = await freshDatabase();
  const knobs = { epochs: 5, providers: 5, held: [3], holds: 'release', missing: { 1: 'token' } } as const;
  await makeNetwork(acting(database, OPERATOR), knobs, NETWORK);
  const witness = {
    ...NO_WITNESS,
    async publish(_network: string, epoch: number, revision: number, head: string) {
      heads.push(`${epoch} ${revision} ${head}\n`);
    },
  };
  const activities = await activitiesOn(database.worker, { chunkProviders: 2, witness });
  await settleAllInProcess(activities, NETWORK);
  await payments();
  await disputes(activities);
  const { batch } = await made(database, NETWORK);
  await decided(database, NETWORK, batch, 'rejected');
  const digest = await firstDigest();
  const answers = [{ network: NETWORK, epoch: 0, revision: 1, contentDigest: digest, told: 'olivia' }];
  evidence = { seen, heads: heads.join(''), answers, openSeconds: 0 };
});
afterAll(() => database?.close());

async function payments(): Promise<void> {
  const { batch } = await made(database, NETWORK);
  await decided(database, NETWORK, batch);
  await confirmed(database, NETWORK, batch, ['p0', 'tx-1', 1n], ['p1', 'tx-1', 5n]);
  const line = { network: NETWORK, batch, provider: 'p3', reason: 'the wallet refused', requestId: null };
  await failPayment(acting(database, OPERATOR), line);
  // Paid by the next batch, and by the one that was given up, of which only a part arrived.
  const { batch: next } = await made(database, NETWORK);
  await decided(database, NETWORK, next);
  await confirmedLate(database, NETWORK, batch, ['p3', 'tx-2', 3n]);
}

async function disputes(activities: Activities): Promise<void> {
  await corrected(database, activities, NETWORK, 2, rows('capacity', '2,p0,gpu,10,9'));
  await corrected(database, activities, NETWORK, 0, rows('demand', '0,gpu,31'), { derive: 'full' });
}

async function firstDigest(): Promise<string> {
  const found = await database.superuser.query<{ digest: string }>(
    `select content_digest as digest from settle.chain_entry where position = 1`,
  );
  return found.rows[0]!.digest;
}

test('every invariant holds of a network with holds, failures, disputes and payments, however often it is looked at', async () => {
  expect(await checkInvariants(database.superuser, evidence)).toEqual([]);
  expect(await checkInvariants(database.superuser, evidence)).toEqual([]);
});

/** Breaks rows behind every trigger and foreign key, looks, and takes it back. */
async function brokenBy(sql: string, told: Partial<Evidence> = {}): Promise<readonly string[]> {
  await violationsInRows({ ...evidence, rows: database.superuser });
  const client: PoolClient = await database.superuser.connect();
  try {
    await client.query('begin');
    await client.query('set local session_replication_role = replica');
    const { rowCount } = await client.query(sql);
    if (Object.keys(told).length === 0) expect(rowCount).toBeGreaterThan(0);
    const found = await violationsInRows({ ...evidence, seen: new Map(seen), ...told, rows: client });
    return found.map(({ id }) => id);
  } finally {
    await client.query('rollback');
    client.release();
  }
}

const PUBLISHED = `(network, epoch, revision, computation) in
  (select network, epoch, revision, computation from chain_entry where kind = 'revision' and epoch = 0)`;

const BREAKS: readonly [id: string, what: string, sql: string, told?: Partial<Evidence>][] = [
  [
    'I1',
    'a base unit is taken from a payout',
    `update payout set amount = amount - 1, scale_cut = scale_cut + 1 where provider = 'p0' and ${PUBLISHED}`,
  ],
  [
    'I2',
    'a payout is above the cap',
    `update payout set amount = amount + 1000000000, gross = gross + 1000000000 where provider = 'p0' and ${PUBLISHED}`,
  ],
  [
    'I3',
    'a price is above its ceiling',
    `update price set price = price + 100, d_ceiling = 0, d_premium = d_premium + 100 - d_ceiling where market = 'gpu' and ${PUBLISHED}`,
  ],
  [
    'I3',
    'a price jumps by two steps',
    `update price set prev = prev * 0.7, c_supply = c_supply + prev * 0.3 where market = 'disk' and ${PUBLISHED}`,
  ],
  [
    'I3',
    'a price starts from another one than the last',
    `update price set prev = prev + 0.000001, c_supply = c_supply - 0.000001 where market = 'gpu' and epoch = 4`,
  ],
  [
    'I4',
    'a revision is missing between two',
    `update chain_entry set revision = 3, entry = replace(entry, '"revision":2', '"revision":3'), head = encode(sha256(convert_to(replace(entry, '"revision":2', '"revision":3'), 'UTF8')), 'hex') where epoch = 0 and revision = 2`,
  ],
  [
    'I4',
    'an old revision is not what it was',
    `update price set used = used - 0.5 where epoch = 0 and revision = 1 and used > 1`,
  ],
  ['I4', 'a revision has no claims', `delete from chain_entry where kind = 'claims' and epoch = 0 and revision = 1`],
  [
    'I5',
    'somebody without capacity is paid',
    `insert into payout select network, epoch, revision, computation, 'stranger', 0, 0, 0, 0, 'paid', 1 from payout where provider = 'p0' and epoch = 0`,
  ],
  ['I5', 'somebody with capacity is not paid', `delete from payout where provider = 'p1' and epoch = 0`],
  [
    'I6',
    'a payout has another reason',
    `update payout set reason = 'suspended', multiplier = null, gross = 0, amount = 0, cap_cut = 0, scale_cut = 0 where provider = 'p0' and ${PUBLISHED}`,
  ],
  ['I6', 'another policy is named', `update computation set policy_hash = repeat('a', 64) where epoch = 0`],
  ['I7', 'a publication is not booked', `delete from ledger_posting where journal = 'publication/0/1'`],
  [
    'I7',
    'a publication is booked that is not there',
    `insert into ledger_posting select network, 'publication/9/1', account, amount from ledger_posting where journal = 'publication/0/1'`,
  ],
  [
    'I7',
    'a confirmation is booked with another amount',
    `update ledger_posting set amount = amount * 2 where journal like 'confirmation/%'`,
  ],
  ['I7', 'a batch has no lines', `delete from payment_line where batch = 1`],
  ['I7', 'claims rows are gone', `delete from claim`],
  ['I8', 'a hold was never decided', `delete from hold_decision`],
  ['I8', 'a dispute was approved by its opener', `update dispute_decision set actor = 'olivia'`],
  ['I8', 'a batch was approved by its maker', `update payment_decision set actor = 'olivia' where batch = 1`],
  [
    'I8',
    'an epoch is published that failed',
    `insert into epoch_failure (network, epoch, failure_no, failure, detail, actor, reason) values ('${NETWORK}', 0, 1, 'rejected', '{}', 'system', 'no')`,
  ],
  [
    'I9',
    'an entry follows another head',
    `update chain_entry set previous_head = repeat('b', 64), entry = replace(entry, previous_head, repeat('b', 64)), head = encode(sha256(convert_to(replace(entry, previous_head, repeat('b', 64)), 'UTF8')), 'hex') where position = 3`,
  ],
  ['I9', 'the witness has a head that the database lost', 'select', { heads: `0 1 ${'c'.repeat(64)}\n` }],
  ['I9', 'the witness lacks a head', 'select', { heads: '' }],
  [
    'I10',
    'somebody was told another digest',
    'select',
    { answers: [{ network: NETWORK, epoch: 0, revision: 1, contentDigest: 'd'.repeat(64), told: 'olivia' }] },
  ],
  ['I11', 'an epoch is skipped', `delete from epoch_failure where epoch = 1`],
  ['I11', 'an epoch failed without a reason', `update epoch_failure set reason = ' '`],
  ['I12', 'an entry of the audit log is rewritten', `update audit_log set reason = 'nothing' where entry = 2`],
  ['I12', 'an entry of the audit log is gone', `delete from audit_log where entry = 3`],
  ['I12', 'a decision is not on record', `update payment_decision set actor = 'somebody' where batch = 1`],
  [
    'I12',
    'a late confirmation is not on record',
    `update payment_confirmation set actor = 'x' where late_reason is not null`,
  ],
  ['I12', 'a dispute is not on record', `update dispute set opened_by = 'somebody'`],
  ['I12', 'a publication is not on record', `update audit_log set action = 'archive' where action = 'publish'`],
  [
    'I13',
    'the same inputs gave another content',
    `with k as (insert into computation select network, epoch, revision, 9, ruleset, policy_hash, snapshot_digest, history_digest, history, previous_epoch, derivation, workflow_id, run_id, computed_at, dispute from computation where epoch = 0 and revision = 1 returning *) insert into result select network, epoch, revision, 9, replace(content, '"epoch":0', '"epoch":7'), encode(sha256(convert_to(replace(content, '"epoch":0', '"epoch":7'), 'UTF8')), 'hex'), breakers, unallocated_reason, payout_count, checked_at, would_trip from result where epoch = 0 and revision = 1`,
  ],
  [
    'I14',
    'a provider is in two batches with the same dues',
    `with b as (insert into payment_batch select network, 9, position, minimum, created_by, 'again', created_at from payment_batch where batch = 1) insert into payment_line select network, 9, provider, payee, amount from payment_line where batch = 1`,
  ],
  ['I14', 'more is confirmed than was due', `update payment_confirmation set amount = amount * 1000000000000`],
  [
    'I14',
    'the fold credits somebody with more',
    `update entitlement_fold set entitlement = entitlement + 1 where provider = 'p0'`,
  ],
  [
    'I14',
    'a journal is not balanced',
    `update ledger_posting set amount = amount + 1 where account = 'treasury' and journal = 'publication/0/1'`,
  ],
  ['I15', 'an epoch stays open', `update network set last_epoch = 5`],
  [
    'I15',
    'an approved dispute is not published',
    `insert into dispute_decision select network, epoch, 7, 1, decision, content_digest, actor, reason, detail, decided_at from dispute_decision where decision = 'approved' limit 1`,
  ],
  [
    'never',
    'a provider of a poisoned batch is in the registry',
    `insert into provider_version select network, 'never:x', load_id, joined_epoch, status, payee from provider_version limit 1`,
  ],
  [
    'never',
    'a poisoned row waits for a dispute',
    `insert into late_row values ('${NETWORK}', 0, 'capacity', '0,never:x,gpu,1,1', 1)`,
  ],
];

test.each(BREAKS)('%s is named when %s', async (id, _what, sql, told = {}) => {
  expect(await brokenBy(sql, told)).toContain(id);
});

test('every invariant has been seen to fail', () => {
  expect(new Set(BREAKS.map(([id]) => id))).toEqual(new Set(INVARIANTS.map(({ id }) => id)));
});

test('what no row contradicts the audit finds by computing it again: I13', async () => {
  await database.tamper(
    `update settle.capacity set served = served - 1 where epoch = 4 and provider = 'p0' and market = 'gpu'`,
  );
  const found = await checkInvariants(database.superuser, { ...evidence, seen: new Map() });
  expect(found.map(({ id }) => id)).toEqual(expect.arrayContaining(['I6', 'I13']));
});
