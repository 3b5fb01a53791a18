import { randomUUID } from 'node:crypto';
import type { Pool } from 'pg';
import type { Activities } from '../../activities';
import { confirmPayments, failPayment } from '../../src/commands/confirm-payments';
import type { CommandContext } from '../../src/commands/context';
import { createBatch, decideBatch } from '../../src/commands/payments';
import { recordDisputeDecision } from '../../src/commands/run-dispute';
import type { Amount } from '../../src/numbers/units';
import { isRetryableDatabaseError } from '../../src/store/errors';
import { openPool } from '../../src/store/pool';
import { computed, opened, published, rows } from '../disputes/disputing';
import { freshDatabase, type TestDatabase } from '../harness/databases';
import { activitiesOn, walkToCheck } from '../harness/in-process';
import { makeNetwork } from '../harness/networks';
import { Scissors } from './cutting';
import { violationsInRows } from './invariants';

const NETWORK = 'swarm';
/** One for every cut of a publication. */
const EPOCHS = 150;

let database: TestDatabase;
let calm: Activities;
let pools: readonly Pool[];
let scissors: Scissors;
/** The same as people and as a worker, on connections that can be cut. */
let olivia: CommandContext;
let anton: CommandContext;
let cut: Activities;

beforeAll(async () => {
  database = await freshDatabase();
  calm = await activitiesOn(database.worker);
  await makeNetwork({ pool: database.operator, actor: 'olivia' }, { epochs: EPOCHS, providers: 3 }, NETWORK);
  for (const epoch of [0, 1]) await settled(epoch);
  const open = (role: 'settle_viewer' | 'settle_worker') =>
    openPool({ url: database.url, role, applicationName: 'cut', onIdleError: () => undefined });
  const [people, worker] = [open('settle_viewer'), open('settle_worker')];
  pools = [people, worker];
  scissors = new Scissors(...pools);
  olivia = { pool: people, actor: 'olivia' };
  anton = { pool: people, actor: 'anton' };
  cut = await activitiesOn(worker);
});
afterAll(async () => {
  await Promise.all((pools ?? []).map((pool) => pool.end()));
  await database?.close();
});

/** One act and what comes before and after it, on rows of its own each time. */
interface Scene<Given> {
  /** What the act needs; undisturbed. */
  prepare(): Promise<Given>;
  /** May be done twice. */
  act(given: Given): Promise<unknown>;
  /** Judges what is there after the act was done again, and makes room for the next; undisturbed. */
  after(given: Given): Promise<void>;
}

/** Plays a scene once for every statement of its act and each side of it, the connection cut there. */
async function cutEverywhere<Given>({ prepare, act, after }: Scene<Given>): Promise<number> {
  const first = await prepare();
  scissors.count();
  await act(first);
  const statements = scissors.sent;
  await after(first);
  for (const when of ['before', 'after'] as const) {
    for (let at = 1; at <= statements; at += 1) {
      const given = await prepare();
      scissors.arm(at, when);
      const error = await act(given).then(
        () => null,
        (failed: Error) => failed,
      );
      expect([when, at, error?.message, error === null || isRetryableDatabaseError(error)]).toEqual([
        when,
        at,
        error?.message,
        true,
      ]);
      scissors.count();
      await act(given);
      await after(given);
    }
  }
  const evidence = { rows: database.superuser, seen: new Map(), heads: null, answers: [], openSeconds: 3600 };
  expect(await violationsInRows(evidence)).toEqual([]);
  return statements;
}

async function count(sql: string, ...values: readonly unknown[]): Promise<number> {
  const found = await database.superuser.query<{ n: number }>(sql, [...values]);
  return found.rows[0]!.n;
}

const asked = <T extends object>(given: T) => ({ network: NETWORK, requestId: randomUUID(), ...given });
const minimum = 1n as Amount;
const undisturbed = (actor: string): CommandContext => ({ pool: database.viewer, actor });
const approval = (batch: number) =>
  asked({ batch, outcome: 'approved' as const, reason: 'compared', linesDigest: null });

async function batch(state: 'made' | 'approved'): Promise<number> {
  const made = await createBatch(undisturbed('olivia'), asked({ minimum }));
  if (state === 'approved') await decideBatch(undisturbed('anton'), approval(made.batch));
  return made.batch;
}

/** What a batch holds is due again. */
async function giveUp(number: number): Promise<void> {
  for (const provider of ['p0', 'p1']) {
    await failPayment(undisturbed('olivia'), asked({ batch: number, provider, reason: 'the wallet refused' }));
  }
}

test('F8, F26: payment create: one batch of a request, wherever its connection ends', async () => {
  const statements = await cutEverywhere({
    prepare: async () => asked({ minimum }),
    act: (wanted) => createBatch(olivia, wanted),
    async after(wanted) {
      expect(await count('select count(*) as n from payment_batch where request_id = $1', wanted.requestId)).toBe(1);
      const { batch } = await createBatch(undisturbed('olivia'), wanted);
      await decideBatch(undisturbed('anton'), { ...approval(batch), outcome: 'rejected' });
    },
  });
  expect(statements).toBeGreaterThan(8);
});

test('F8, F26: payment approve: one decision, wherever its connection ends', async () => {
  const statements = await cutEverywhere({
    prepare: async () => approval(await batch('made')),
    act: (decision) => decideBatch(anton, decision),
    async after(decision) {
      expect(await count('select count(*) as n from payment_decision where batch = $1', decision.batch)).toBe(1);
      await giveUp(decision.batch);
    },
  });
  expect(statements).toBeGreaterThan(8);
});

test('F8, F26: payment confirm: booked once and balanced, wherever its connection ends', async () => {
  const statements = await cutEverywhere({
    prepare: async () => {
      const approved = await batch('approved');
      const confirmations = [{ provider: 'p0', reference: `tx-${approved}`, amount: '1' }];
      return asked({ batch: approved, confirmations, lateReason: null });
    },
    act: (report) => confirmPayments(olivia, report),
    async after({ batch }) {
      expect(await count('select sum(amount)::integer as n from payment_confirmation where batch = $1', batch)).toBe(1);
      await giveUp(batch);
    },
  });
  expect(statements).toBeGreaterThan(10);
});

test('F8, F26: payment fail: given up once, wherever its connection ends', async () => {
  const statements = await cutEverywhere({
    prepare: async () => asked({ batch: await batch('approved'), provider: 'p0', reason: 'the wallet refused' }),
    act: (line) => failPayment(olivia, line),
    async after({ batch }) {
      expect(await count('select count(*) as n from payment_failure where batch = $1', batch)).toBe(1);
      await giveUp(batch);
    },
  });
  expect(statements).toBeGreaterThan(8);
});

async function settled(epoch: number): Promise<void> {
  const { derived, checked } = await walkToCheck(calm, { network: NETWORK, epoch });
  await calm.publish(derived.key, checked.contentDigest, 'test');
  await calm.prove(derived.key, 'test');
}

let next = 2;

test('F1, F2, F8: publish and prove: one revision with its claims and its digest, wherever their connection ends', async () => {
  const statements = await cutEverywhere({
    async prepare() {
      const { derived, checked } = await walkToCheck(calm, { network: NETWORK, epoch: next });
      next += 1;
      return { key: derived.key, digest: checked.contentDigest };
    },
    async act({ key, digest }) {
      await cut.publish(key, digest, 'test');
      await cut.prove(key, 'test');
    },
    async after({ key, digest }) {
      const sql = `select count(*) as n from chain_entry where kind = 'revision' and epoch = $1 and content_digest = $2`;
      expect(await count(sql, key.epoch, digest)).toBe(1);
    },
  });
  expect(statements).toBeGreaterThan(20);
});

test('F1, F2, F8: a dispute is approved and published once, wherever its connections end', async () => {
  let hours = 100;
  const statements = await cutEverywhere({
    async prepare() {
      hours += 1;
      const { key } = await opened(database, NETWORK, 0, rows('capacity', `0,p0,gpu,${hours},9`));
      return { key, made: await computed(calm, key) };
    },
    async act({ key, made }) {
      const decision = { ...key, outcome: 'approved' as const, reason: 'looked at it', contentDigest: null };
      await recordDisputeDecision(anton, decision).catch((error: Error) => {
        if (error.name !== 'DisputeClosed') throw error;
      });
      await published(cut, key, made);
    },
    async after({ key, made }) {
      const sql = `select count(*) as n from chain_entry c join computation k using (network, epoch, revision, computation)
        where c.kind = 'revision' and k.dispute = $1 and c.content_digest = $2`;
      expect(await count(sql, key.dispute, made.checked.contentDigest)).toBe(1);
    },
  });
  expect(statements).toBeGreaterThan(30);
});
