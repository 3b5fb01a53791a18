import type { Activities } from '../../activities';
import { previewDispute } from '../../src/queries/revision-changes';
import { lastEntry } from '../../src/store/chain';
import { getDispute } from '../../src/store/disputes';
import { freshDatabase, type TestDatabase } from '../harness/databases';
import { activitiesOn, settleAllInProcess } from '../harness/in-process';
import { bundleTexts, makeNetwork, type NetworkKnobs } from '../harness/networks';
import { approved, computed, contentOf, corrected, opened, payoutsOf, published, rows, withdrawn } from './disputing';

let database: TestDatabase;
let activities: Activities;
let network: string;

beforeAll(async () => {
  database = await freshDatabase();
  activities = await activitiesOn(database.worker);
});
afterAll(() => database.close());
beforeEach(async () => {
  network = await settled();
});

async function settled(knobs: NetworkKnobs = {}): Promise<string> {
  const made = await makeNetwork({ pool: database.superuser, actor: 'olivia' }, knobs);
  await settleAllInProcess(activities, made);
  return made;
}

/** Every published row of a revision, as text: what must never change. */
async function everythingOf(revision: number): Promise<string> {
  const tables = ['price', 'payout', 'result', 'computation', 'chain_entry'];
  const texts = await Promise.all(
    tables.map(async (table) => {
      const found = await database.superuser.query<{ text: string }>(
        `select string_agg(x::text, E'\\n' order by x::text) as text from settle.${table} x
         where network = $1 and epoch = 1 and revision = $2`,
        [network, revision],
      );
      return found.rows[0]!.text;
    }),
  );
  return texts.join('\n');
}

async function claims(): Promise<Record<string, [entitlement: string, cumulative: string]>> {
  const last = await lastEntry(database.viewer, network);
  const found = await database.viewer.query<Record<'payee' | 'entitlement' | 'cumulative', string>>(
    'select payee, entitlement, cumulative from claim where network = $1 and position = $2 and cumulative > 0',
    [network, last!.position],
  );
  return Object.fromEntries(found.rows.map((claim) => [claim.payee, [claim.entitlement, claim.cumulative]]));
}

const amount = async (epoch: number, revision: number, provider: string): Promise<bigint> =>
  BigInt((await payoutsOf(database, network, epoch, revision)).find((row) => row.provider === provider)?.amount ?? 0);

test('publishing revision 2 leaves revision 1 as it was, byte for byte', async () => {
  const before = await everythingOf(1);
  await corrected(database, activities, network, 1, withdrawn('capacity', '1,p1,gpu'));
  expect(await everythingOf(1)).toBe(before);
});

test('two disputes on one epoch: the one that is approved first wins, the other is stale and refused by name', async () => {
  const first = await opened(database, network, 1, rows('capacity', '1,p0,gpu,10,9'));
  const second = await opened(database, network, 1, rows('capacity', '1,p1,gpu,10,9'), { actor: 'oskar' });
  const [made, other] = [await computed(activities, first.key), await computed(activities, second.key)];
  expect(other.key).toMatchObject({ revision: 2, computation: 2 });
  await approved(database, second.key);
  await expect(approved(database, first.key)).rejects.toMatchObject({
    name: 'DisputeStale',
    message: expect.stringMatching(/dispute 2 of epoch 1 was approved first, by anton/),
  });
  const answer = await published(activities, second.key, other);
  expect(answer).toMatchObject({ kind: 'published', disputes: [{ network, epoch: 1, dispute: 1 }] });
  expect(await getDispute(database.viewer, first.key)).toMatchObject({
    state: 'stale',
    decidedReason: 'dispute 2 was published first, as revision 2',
  });
  await expect(approved(database, first.key)).rejects.toMatchObject({ name: 'DisputeStale' });
  expect(await published(activities, first.key, made)).toEqual({ kind: 'stale' });
  expect(await amount(1, 2, 'p0')).toBe(await amount(1, 1, 'p0'));
});

test('two disputes with the same rows are one revision, of the dispute that was approved', async () => {
  const first = await opened(database, network, 1, rows('capacity', '1,p0,gpu,10,9'));
  // A row that is so already makes it another folder, and is left out of it.
  const second = await opened(database, network, 1, rows('capacity', '1,p0,gpu,10,9', '1,p1,gpu,11,6'));
  const [one, two] = [await computed(activities, first.key), await computed(activities, second.key)];
  expect(two.checked.contentDigest).toBe(one.checked.contentDigest);
  await approved(database, first.key);
  await published(activities, first.key, one);
  expect(await published(activities, second.key, two)).toEqual({ kind: 'stale' });
  expect(await getDispute(database.viewer, second.key)).toMatchObject({ state: 'stale', revision: null });
});

test('a publication that is asked for again gives the first answer', async () => {
  const { key, checked, dispute } = await corrected(
    database,
    activities,
    network,
    1,
    rows('capacity', '1,p0,gpu,10,9'),
  );
  const again = await activities.publishDispute(dispute, key, checked.contentDigest);
  expect(again).toMatchObject({ kind: 'published', already: true, contentDigest: checked.contentDigest });
  expect((await activities.prove(key, 'test')).head).toBe((await lastEntry(database.viewer, network))!.head);
  expect(await activities.readDispute(dispute, null)).toMatchObject({ state: 'published', key });
});

test('a dispute of revision 2 starts from its corrected rows', async () => {
  await corrected(database, activities, network, 1, {
    ...rows('capacity', '1,p0,gpu,10,9'),
    ...withdrawn('capacity', '1,p1,gpu'),
  });
  await corrected(database, activities, network, 1, rows('capacity', '1,p2,gpu,10,1'));
  const [second, third] = [await payoutsOf(database, network, 1, 2), await payoutsOf(database, network, 1, 3)];
  expect(third.slice(0, 2)).toEqual(second.slice(0, 2));
  expect(BigInt(third[2]!.amount)).toBeLessThan(BigInt(second[2]!.amount));
  // Back to the rows as they were sealed: the amounts of revision 1, and its snapshot.
  const sealed = bundleTexts()
    .capacity.split('\n')
    .filter((line) => /^1,p[012],gpu,/.test(line));
  await corrected(database, activities, network, 1, rows('capacity', ...sealed));
  expect(await payoutsOf(database, network, 1, 4)).toEqual(await payoutsOf(database, network, 1, 1));
  const [first, fourth] = [await contentOf(database, network, 1, 1), await contentOf(database, network, 1, 4)];
  expect(fourth).toEqual({ ...first, revision: 4 });
});

test('rows of one provider change nothing for the others, and a changed rating changes performance alone', async () => {
  const base = await payoutsOf(database, network, 1, 1);
  await corrected(database, activities, network, 1, rows('performance', '1,p0,0.99,120,0.001,1'));
  const after = await payoutsOf(database, network, 1, 2);
  expect(after.slice(1)).toEqual(base.slice(1));
  expect(BigInt(after[0]!.gross)).toBeLessThan(BigInt(base[0]!.gross));
});

test('an uptime taken away makes a provider ineligible, and a status suspends it', async () => {
  const lost = await settled({ providers: 12 });
  await corrected(database, activities, lost, 1, {
    ...rows('performance', '1,p0,,120,0.001,4.5'),
    ...rows('providers', 'p1,0,suspended,'),
  });
  const after = await payoutsOf(database, lost, 1, 2);
  const of = (provider: string) => after.find((row) => row.provider === provider);
  expect(of('p0')).toMatchObject({ reason: 'no-performance-data', amount: '0' });
  expect(of('p1')).toMatchObject({ reason: 'suspended', amount: '0' });
  expect(of('p2')).toMatchObject({ reason: 'paid' });
});

test('a full derivation makes prices anew from the corrected rows', async () => {
  await corrected(database, activities, network, 1, rows('demand', '1,gpu,90'), { derive: 'full' });
  const [first, second] = [await contentOf(database, network, 1, 1), await contentOf(database, network, 1, 2)];
  expect(second.pricesDigest).not.toBe(first.pricesDigest);
  const found = await database.viewer.query<{ demand: string }>(
    `select demand::text from price where network = $1 and epoch = 1 and revision = 2 and market = 'gpu'`,
    [network],
  );
  expect(found.rows).toEqual([{ demand: '90' }]);
});

test('what breakers would say of a revision is told, and holds nothing', async () => {
  const x = '2020-05-01T01:59:59Z';
  const files = rows('token', `1,x,${x},5,1000`, `1,y,${x},5,1000`);
  const { key } = await opened(database, network, 1, files, { derive: 'full' });
  const made = await computed(activities, key);
  expect(made.checked).toMatchObject({ breakers: [], hold: null });
  const preview = await previewDispute(database.viewer, key);
  expect(preview.wouldTrip).toMatchObject([{ id: 'tokenMove', figure: '9', limit: '0.5' }]);
  expect(preview.builtOn).toEqual([2]);
});

test('adjustments are booked to the payee in force at the corrected snapshot; what was claimed stays claimable', async () => {
  const old = '0x00000000000000000000000000000000000000a1';
  const other = '0x00000000000000000000000000000000000000cc';
  const before = (await claims())[old]!;
  await corrected(database, activities, network, 1, {
    ...rows('providers', `p0,0,active,${other}`),
    ...rows('capacity', '1,p0,gpu,10,9'),
  });
  const raise = (await amount(1, 2, 'p0')) - (await amount(1, 1, 'p0'));
  expect((await claims())[old]).toEqual(before);
  expect((await claims())[other]).toEqual([raise.toString(), raise.toString()]);
});

test('a payee that owes has no claim until what it is paid later has met it', async () => {
  const other = '0x00000000000000000000000000000000000000cc';
  await corrected(database, activities, network, 1, {
    ...rows('providers', `p0,0,active,${other}`),
    ...rows('capacity', '1,p0,gpu,10,1'),
  });
  const cut = (await amount(1, 1, 'p0')) - (await amount(1, 2, 'p0'));
  expect(cut).toBeGreaterThan(0n);
  expect((await claims())[other]).toBeUndefined();
  await corrected(database, activities, network, 1, rows('capacity', '1,p0,gpu,10,10'));
  const raise = (await amount(1, 3, 'p0')) - (await amount(1, 2, 'p0'));
  const left = (raise - cut).toString();
  expect((await claims())[other]).toEqual([left, left]);
});

test('a provider that leaves the epoch gives back what it was paid, and its claim never falls', async () => {
  const payee = '0x0000000000000000000000000000000000000b03';
  network = await settled({ providers: 4 });
  const [entitlement, cumulative] = (await claims())[payee]!;
  const paid = await amount(1, 1, 'p3');
  await corrected(database, activities, network, 1, withdrawn('capacity', '1,p3,gpu', '1,p3,disk'));
  expect((await claims())[payee]).toEqual([(BigInt(entitlement) - paid).toString(), cumulative]);
});

test('a guard that does not hold closes the dispute and leaves the epoch as it was published', async () => {
  const { key } = await opened(database, network, 1, rows('capacity', '1,p0,gpu,10,9'));
  const derived = await (async () => {
    await activities.correctSnapshot(key);
    return activities.deriveDispute(key, 'test');
  })();
  await activities.reward(derived.key, 0, null);
  await database.tamper(`update settle.correction set line = '1,p0,gpu,10,10' where network = $1`, [network]);
  await expect(activities.reward(derived.key, 0, null)).rejects.toMatchObject({ type: 'GuardFailed' });
  await activities.failDispute(key, 'snapshot', { table: 'capacity' }, 'test');
  expect(await getDispute(database.viewer, key)).toMatchObject({
    state: 'failed',
    decidedReason: 'guard snapshot does not hold',
  });
  await expect(approved(database, key)).rejects.toMatchObject({ name: 'DisputeClosed' });
  expect(await lastEntry(database.viewer, network)).toMatchObject({ epoch: 2, revision: 1 });
});

test('the corrected rows are those that were digested, in every chunk', async () => {
  const small = await activitiesOn(database.worker, { chunkProviders: 2 });
  network = await makeNetwork({ pool: database.superuser, actor: 'olivia' }, { providers: 7, pool: '20' });
  await settleAllInProcess(small, network);
  await corrected(database, small, network, 1, {
    ...rows('providers', 'p05,0,active,'),
    ...rows('capacity', '1,p05,gpu,10,10', '1,p6,disk,1,1'),
    ...withdrawn('capacity', '1,p2,gpu', '1,p2,disk'),
  });
  const after = await payoutsOf(database, network, 1, 2);
  expect(after.map(({ provider }) => provider)).toEqual(['p0', 'p05', 'p1', 'p3', 'p4', 'p5', 'p6']);
  const { key } = await opened(database, network, 1, rows('capacity', '1,p6,disk,2,1'));
  const made = await (async () => {
    const snapshot = await small.correctSnapshot(key);
    expect(snapshot).toMatchObject({ chunks: 4, providers: 7 });
    return computed(small, key);
  })();
  const again = { ...key, ...made.key };
  await database.tamper(`update settle.correction set line = '1,p6,disk,2,2' where line = '1,p6,disk,2,1'`);
  await expect(small.check(again, null, 'test')).rejects.toMatchObject({ type: 'GuardFailed' });
});
