import type { Activities } from '../../activities';
import { payableLines } from '../../src/commands/payments';
import { firstDiscrepancy } from '../../src/explain/adds-up';
import { standingDiscrepancy } from '../../src/explain/payout-standing';
import { type ProviderStatement, statementDiscrepancy } from '../../src/ledger/statement';
import { explainProviderPayout } from '../../src/queries/explain-payout';
import { providerStatement } from '../../src/queries/provider-statement';
import { corrected, rows, withdrawn } from '../disputes/disputing';
import { seededRandom } from '../generate/random';
import { freshDatabase, type TestDatabase } from '../harness/databases';
import { activitiesOn, settleAllInProcess } from '../harness/in-process';
import { makeNetwork } from '../harness/networks';
import { confirmed, decided, made, OPERATOR, standings } from './paying';

const EPOCHS = 4;
const PROVIDERS = ['p0', 'p1', 'p2'];

let database: TestDatabase;
let activities: Activities;

beforeAll(async () => {
  database = await freshDatabase();
  activities = await activitiesOn(database.worker);
});
afterAll(() => database.close());

const settled = async () => {
  const network = await makeNetwork({ pool: database.operator, actor: OPERATOR }, { epochs: EPOCHS });
  await settleAllInProcess(activities, network);
  return network;
};

const statement = (network: string, provider: string, first: number | null = null, last: number | null = null) =>
  providerStatement(database.viewer, network, provider, { first, last });

/** A batch of what is due now; each line confirmed in one or two parts, given up, or left on its way. */
async function pay(network: string, fates: readonly ('whole' | 'parts' | 'given-up' | 'open')[]): Promise<void> {
  const batch = await made(database, network).catch(() => null);
  if (batch === null) return;
  await decided(database, network, batch.batch);
  const lines = await payableLines({ pool: database.viewer }, network, batch.batch);
  for (const [index, { provider, amount }] of lines.entries()) {
    const fate = fates[index % fates.length];
    if (fate === 'whole') await confirmed(database, network, batch.batch, [provider, `tx-${batch.batch}`, amount]);
    if (fate === 'parts') {
      const part = BigInt(amount) / 3n;
      if (part > 0n) await confirmed(database, network, batch.batch, [provider, `tx-${batch.batch}-1`, part]);
      await confirmed(database, network, batch.batch, [provider, `tx-${batch.batch}-2`, BigInt(amount) - part]);
    }
  }
}

/** Everything that a statement promises, seen from its rows alone. */
function promises({ statement: account, inFlight, due, receivable }: ProviderStatement): void {
  const { opening, epochs, closing } = account;
  let balance = opening.balance;
  for (const row of epochs) {
    expect(row.gross - row.capCut - row.scaleCut).toBe(row.amount);
    expect(row.entitled).toBe(row.amount + row.adjustments.reduce((sum, { amount }) => sum + amount, 0n));
    expect(row.paid).toBe(row.payments.reduce((sum, { amount }) => sum + amount, 0n));
    balance += row.amount + row.adjustment - row.paid;
    expect(row.balance).toBe(balance);
    expect(row.receivable).toBe(balance < 0n ? -balance : 0n);
  }
  expect(closing.balance).toBe(balance);
  expect(due - receivable).toBe(closing.balance - inFlight);
  expect(statementDiscrepancy(account, closing)).toBeNull();
}

test.each([11, 12, 13, 14])(
  'random disputes and payments: every range and every explanation adds up, and ranges follow each other exactly (seed %i)',
  async (seed) => {
    const random = seededRandom(seed);
    const network = await settled();
    for (let step = 0; step < 7; step += 1) {
      const epoch = random.integer(0, EPOCHS - 1);
      const provider = random.pick(PROVIDERS);
      const what = random.integer(0, 3);
      if (what === 0) await pay(network, random.pick([['whole'], ['parts', 'whole'], ['open', 'parts', 'whole']]));
      else if (what === 1) {
        await corrected(
          database,
          activities,
          network,
          epoch,
          withdrawn('capacity', `${epoch},${provider},gpu`, `${epoch},${provider},disk`),
        ).catch((error: Error) => {
          // Taken away already: a dispute that changes nothing is refused.
          if (!/corrections|no such row|nothing/i.test(error.message)) throw error;
        });
      } else {
        const served = random.integer(0, 10);
        await corrected(
          database,
          activities,
          network,
          epoch,
          rows('capacity', `${epoch},${provider},gpu,10,${served}`),
        ).catch((error: Error) => {
          if (!/corrections|nothing|same/i.test(error.message)) throw error;
        });
      }
    }
    await pay(network, ['whole', 'open']);
    const entries = await database.viewer.query(`select from chain_entry where network = $1 and revision > 1`, [
      network,
    ]);
    expect(entries.rowCount).toBeGreaterThan(0);
    const accounts = await standings(database.viewer, network);
    for (const provider of PROVIDERS) {
      const whole = await statement(network, provider);
      promises(whole);
      const { entitlement, paid, inFlight, due, receivable } = accounts[provider]!;
      expect(whole.statement.opening).toEqual({ entitled: 0n, paid: 0n, balance: 0n });
      expect(whole.statement.closing).toEqual({ entitled: entitlement, paid, balance: entitlement - paid });
      expect([whole.inFlight, whole.due, whole.receivable]).toEqual([inFlight, due, receivable]);
      for (const row of whole.statement.epochs) {
        if (row.reason === null) continue;
        const explanation = await explainProviderPayout(database.viewer, network, row.epoch, provider);
        expect(firstDiscrepancy(explanation)).toBeNull();
        expect(standingDiscrepancy(explanation)).toBeNull();
        expect(explanation.amount.baseUnits).toBe(String(row.entitled));
        expect(explanation.revisions[0]!.amount.baseUnits).toBe(String(row.amount));
        const adjustments = explanation.revisions.slice(1).map((one) => BigInt(one.adjustment!.baseUnits));
        expect(adjustments).toEqual(row.adjustments.map(({ amount }) => amount));
        const { account } = explanation;
        expect(Object.values(account).map(({ baseUnits }) => BigInt(baseUnits))).toEqual([
          entitlement,
          paid,
          inFlight,
          due,
          receivable,
        ]);
      }
      for (let cut = 1; cut < EPOCHS; cut += 1) {
        const [before, after] = [
          await statement(network, provider, 0, cut - 1),
          await statement(network, provider, cut),
        ];
        promises(before);
        promises(after);
        expect(after.statement.opening).toEqual(before.statement.closing);
        expect(after.statement.closing).toEqual(whole.statement.closing);
        expect([...before.statement.epochs, ...after.statement.epochs]).toEqual(whole.statement.epochs);
      }
    }
  },
);

test('an adjustment stands at the epoch that it corrects, a payment at the last epoch of its batch', async () => {
  const network = await settled();
  await pay(network, ['whole']);
  const [before] = (await statement(network, 'p0')).statement.epochs.slice(-1);
  expect(before).toMatchObject({ epoch: 3, balance: 0n, payments: [{ batch: 1, reference: 'tx-1' }] });
  await corrected(database, activities, network, 1, rows('capacity', '1,p0,gpu,10,0', '1,p0,disk,100.5,0'));
  const found = await statement(network, 'p0');
  const row = found.statement.epochs.find(({ epoch }) => epoch === 1)!;
  expect(row).toMatchObject({ revision: 2, adjustments: [{ revision: 2, amount: -row.amount }], entitled: 0n });
  expect(found.statement.epochs.at(-1)!.receivable).toBe(row.amount);
  expect([found.due, found.receivable]).toEqual([0n, row.amount]);
});

test.each([
  ['amount', 'amount'],
  ['entitlement', 'entitled'],
  ['adjustment', 'adjustment'],
  ['payments', 'paid'],
  ['balance', 'balance'],
  ['receivable', 'receivable'],
] as const)('a statement whose %s is off by one base unit does not add up', async (words, key) => {
  const network = await settled();
  const { statement: account } = await statement(network, 'p0');
  const epochs = account.epochs.map((row) => (row.epoch === 2 ? { ...row, [key]: row[key] + 1n } : row));
  expect(statementDiscrepancy({ ...account, epochs }, account.closing)).toBe(`${words} of epoch 2`);
  const expected = { ...account.closing, entitled: account.closing.entitled + 1n };
  expect(statementDiscrepancy(account, expected)).toBe('closing entitlement');
});

test('a provider or a range that is not there is said by name', async () => {
  const network = await settled();
  await expect(statement(network, 'p9')).rejects.toMatchObject({ id: 'provider-unknown' });
  await expect(statement(network, 'p0', 9)).rejects.toMatchObject({ id: 'range-empty' });
  const failed = await makeNetwork({ pool: database.operator, actor: OPERATOR });
  await expect(statement(failed, 'p0')).rejects.toMatchObject({ id: 'nothing-published' });
});

test('rows are found by their keys: no payout or capacity row of another provider is read', async () => {
  const network = await settled();
  const plans: string[] = [];
  const explaining = {
    query: async (sql: string, values: unknown[]) => {
      const plan = await database.viewer.query(`explain (costs off) ${sql}`, values);
      plans.push(plan.rows.map((row) => row['QUERY PLAN']).join('\n'));
      return database.viewer.query(sql, values);
    },
  };
  await providerStatement(explaining as never, network, 'p0', { first: 0, last: 3 });
  const large = plans.filter((plan) => /payout|capacity/.test(plan));
  expect(large.length).toBeGreaterThanOrEqual(3);
  for (const plan of large) {
    expect(plan).not.toMatch(/(Seq|Bitmap Heap) Scan on (payout|capacity)/);
    expect(plan).toMatch(/Index Cond: .*provider/);
  }
});
