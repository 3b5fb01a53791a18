import type { Activities } from '../../activities';
import { payableLines } from '../../src/commands/payments';
import { corrected, rows, withdrawn } from '../disputes/disputing';
import { freshDatabase, type TestDatabase } from '../harness/databases';
import { activitiesOn, settleAllInProcess } from '../harness/in-process';
import { makeNetwork } from '../harness/networks';
import { APPROVER, confirmed, decided, entitledByAdjustments, ledgerFaults, made, OPERATOR, standings } from './paying';

// What a dispute does to money that is folded, on its way, or paid already.
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
const all = async (batch: number) => {
  const open = await lines(batch);
  await confirmed(database, network, batch, ...open.map((l) => [l.provider, 'tx', l.amount] as const));
  return open;
};

test('a fold of before it and the derivation agree, and the accounts move by the adjustments', async () => {
  const { batch } = await made(database, network);
  const before = await standings(database.viewer, network);
  await corrected(database, activities, network, 1, rows('capacity', '1,p0,gpu,10,10'));
  await corrected(database, activities, network, 1, rows('capacity', '1,p0,gpu,10,9'));
  const entitled = await entitledByAdjustments(database, network);
  const after = await standings(database.viewer, network);
  expect(new Map(Object.entries(after).map(([p, a]) => [p, a.entitlement]))).toEqual(entitled);
  expect(after.p0!.due).toBe(after.p0!.entitlement - before.p0!.entitlement);
  await decided(database, network, batch);
  // Folded anew, over revision 3 of an epoch whose revision 1 was in the fold before.
  expect((await made(database, network)).total).toBe(String(after.p0!.due));
  expect(await standings(database.viewer, network)).toMatchObject({ p0: { entitlement: entitled.get('p0') } });
});

test('an adjustment below what was paid is a receivable, met by what is due later', async () => {
  const { batch } = await made(database, network);
  await decided(database, network, batch);
  await all(batch);
  await corrected(database, activities, network, 1, rows('capacity', '1,p0,gpu,10,0', '1,p0,disk,100.5,0'));
  const owed = await standings(database.viewer, network);
  expect(owed.p0!.receivable).toBe(owed.p0!.paid - owed.p0!.entitlement);
  expect(owed.p0!.receivable).toBeGreaterThan(0n);
  await expect(made(database, network)).rejects.toMatchObject({ id: 'NothingDue' });
  // Corrected upwards, what it owes is taken off first.
  await corrected(database, activities, network, 1, rows('capacity', '1,p0,gpu,10,10', '1,p0,disk,100.5,40'));
  const { p0 } = await standings(database.viewer, network);
  expect(p0!.due).toBe(p0!.entitlement - p0!.paid);
  expect((await made(database, network)).total).toBe(String(p0!.due));
});

test('a provider that was paid and then withdrawn from every epoch owes all of it', async () => {
  const { batch } = await made(database, network);
  await decided(database, network, batch);
  const paid = BigInt((await all(batch)).find((line) => line.provider === 'p1')!.amount);
  for (const epoch of [0, 1, 2]) {
    await corrected(database, activities, network, epoch, withdrawn('capacity', `${epoch},p1,gpu`, `${epoch},p1,disk`));
  }
  const fresh = await standings(database.viewer, network);
  expect(fresh.p1).toMatchObject({ entitlement: 0n, paid, receivable: paid });
  expect(await ledgerFaults(database.viewer, network)).toEqual([]);
  await made(database, network).catch(() => undefined);
  expect((await standings(database.viewer, network)).p1).toEqual(fresh.p1);
});

test('a batch that would pay more than is due by now is refused, by name', async () => {
  const { batch } = await made(database, network);
  await corrected(database, activities, network, 1, rows('capacity', '1,p0,gpu,10,0', '1,p0,disk,100.5,0'));
  const { p0 } = await standings(database.viewer, network);
  const attempt = decided(database, network, batch);
  await expect(attempt).rejects.toMatchObject({ id: 'BatchStale' });
  await expect(attempt).rejects.toThrow(`would pay p0 ${p0!.receivable} base units more`);
  await decided(database, network, batch, 'rejected');
  const next = await made(database, network);
  expect((await decided(database, network, next.batch, 'approved', APPROVER)).decision).toBe('approved');
});
