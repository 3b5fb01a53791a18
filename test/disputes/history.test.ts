import type { Activities } from '../../activities';
import { decideHold } from '../../src/commands/decide-hold';
import { getDispute } from '../../src/store/disputes';
import { holdsOf, insertDecision } from '../../src/store/holds';
import { builtOnSuperseded } from '../../src/store/superseded';
import { freshDatabase, type TestDatabase } from '../harness/databases';
import { activitiesOn, settleAllInProcess, settleEpochInProcess, walkToCheck } from '../harness/in-process';
import { makeNetwork, type NetworkKnobs } from '../harness/networks';
import { approved, approver, computed, corrected, opened, published, rows } from './disputing';

let database: TestDatabase;
let activities: Activities;

beforeAll(async () => {
  database = await freshDatabase();
  activities = await activitiesOn(database.worker);
});
afterAll(() => database.close());

const create = (knobs: NetworkKnobs = {}) => makeNetwork({ pool: database.superuser, actor: 'olivia' }, knobs);
const settle = (network: string, epoch: number) => settleEpochInProcess(activities, { network, epoch });
const otherDemand = rows('demand', '0,gpu,99');
const full = { derive: 'full' as const };

async function historyOf(network: string, epoch: number): Promise<readonly (readonly [number, number])[]> {
  const found = await database.viewer.query<{ history: [number, number, string][] }>(
    `select k.history from chain_entry c join computation k using (network, epoch, revision, computation)
     where c.kind = 'revision' and network = $1 and epoch = $2 order by c.revision desc limit 1`,
    [network, epoch],
  );
  return found.rows[0]!.history.map(([of, revision]) => [of, revision]);
}

test('F25: a dispute published below an epoch that is being computed: it is computed again from its sealed snapshot', async () => {
  const network = await create();
  await settle(network, 0);
  const walked = await walkToCheck(activities, { network, epoch: 1 });
  await corrected(database, activities, network, 0, otherDemand, full);
  expect(await activities.publish(walked.derived.key, walked.checked.contentDigest, 'test')).toEqual({
    kind: 'superseded',
  });
  await settle(network, 1);
  expect(await historyOf(network, 1)).toEqual([[0, 2]]);
  expect(await builtOnSuperseded(database.viewer, network, 0, 2)).toEqual([]);
  const snapshots = await database.viewer.query('select from snapshot where network = $1 and epoch = 1', [network]);
  expect(snapshots.rowCount).toBe(1);
});

test('F25: a dispute published below a held epoch ends its hold as superseded, and an approval of it is refused by name', async () => {
  const network = await create({ held: [1] });
  await settle(network, 0);
  const walked = await walkToCheck(activities, { network, epoch: 1 });
  expect(walked.checked.hold).not.toBeNull();
  const { key } = await opened(database, network, 0, otherDemand, full);
  const made = await computed(activities, key);
  await approved(database, key);
  expect(await published(activities, key, made)).toMatchObject({ kind: 'published', recomputed: [1] });
  const approve = decideHold(
    { pool: approver(database), actor: 'anton', temporal: null as never },
    { network, epoch: 1, outcome: 'approved', reason: 'ok', contentDigest: walked.checked.contentDigest },
  );
  await expect(approve).rejects.toMatchObject({
    name: 'HoldClosed',
    message: expect.stringMatching(/superseded already/),
  });
  expect(await activities.readHold(walked.derived.key)).toBe('superseded');
  // Computed again, it is held again, with other figures: the old approval names another content.
  const again = await walkToCheck(activities, { network, epoch: 1 });
  expect(again.checked.contentDigest).not.toBe(walked.checked.contentDigest);
  const stale = decideHold(
    { pool: approver(database), actor: 'anton', temporal: null as never },
    { network, epoch: 1, outcome: 'approved', reason: 'ok', contentDigest: walked.checked.contentDigest },
  );
  await expect(stale).rejects.toMatchObject({ name: 'HoldMismatch' });
});

test('a hold that was approved just before is not published: its history changed', async () => {
  const network = await create({ held: [1] });
  await settle(network, 0);
  const walked = await walkToCheck(activities, { network, epoch: 1 });
  const { contentDigest } = walked.checked;
  await insertDecision(approver(database), walked.derived.key, {
    outcome: 'approved',
    contentDigest,
    actor: 'anton',
    reason: 'ok',
  });
  await corrected(database, activities, network, 0, otherDemand, full);
  expect(await activities.publish(walked.derived.key, contentDigest, 'test')).toEqual({ kind: 'superseded' });
  const again = await walkToCheck(activities, { network, epoch: 1 });
  expect((await holdsOf(database.viewer, network, 1)).map(({ decision }) => decision)).toEqual([null, 'approved']);
  await expect(activities.publish(again.derived.key, again.checked.contentDigest, 'test')).rejects.toThrow(
    /nobody approved/,
  );
});

test('a hold whose history did not change stays open', async () => {
  const network = await create({ epochs: 8, held: [7] });
  for (let epoch = 0; epoch < 7; epoch += 1) await settle(network, epoch);
  const walked = await walkToCheck(activities, { network, epoch: 7 });
  // The window is 4 epochs: epoch 0 is out of reach of epoch 7.
  await corrected(database, activities, network, 0, otherDemand, full);
  expect(await activities.readHold(walked.derived.key)).toBe('open');
});

test('F25: later epochs that read a superseded revision are marked, until they are corrected on the new one', async () => {
  const network = await create({ epochs: 4 });
  await settleAllInProcess(activities, network);
  expect(await builtOnSuperseded(database.viewer, network, 0, 3)).toEqual([]);
  await corrected(database, activities, network, 0, otherDemand, full);
  const marked = (epoch: number) => ({ epoch, of: 0, read: 1, newest: 2 });
  expect(await builtOnSuperseded(database.viewer, network, 0, 3)).toEqual([1, 2, 3].map(marked));
  expect(await builtOnSuperseded(database.viewer, network, 2, 2)).toEqual([marked(2)]);
  // A pinned revision keeps its prices, and so what they were made from.
  await corrected(database, activities, network, 1, rows('capacity', '1,p0,gpu,10,9'));
  expect(await builtOnSuperseded(database.viewer, network, 1, 1)).toEqual([marked(1)]);
  await corrected(database, activities, network, 1, rows('demand', '1,gpu,50'), full);
  expect(await builtOnSuperseded(database.viewer, network, 1, 1)).toEqual([]);
  expect(await builtOnSuperseded(database.viewer, network, 2, 2)).toEqual([
    marked(2),
    { epoch: 2, of: 1, read: 1, newest: 3 },
  ]);
});

test('a full derivation whose history changes before the decision is computed anew before anybody decides', async () => {
  const network = await create();
  await settleAllInProcess(activities, network);
  const { key } = await opened(database, network, 2, rows('demand', '2,gpu,70'), full);
  const made = await computed(activities, key);
  expect(await activities.readDispute(key, made.key)).toEqual({ state: 'open' });
  await corrected(database, activities, network, 0, otherDemand, full);
  expect(await activities.readDispute(key, made.key)).toEqual({ state: 'recompute' });
  const again = await computed(activities, key);
  expect(again.key.computation).toBe(2);
  expect(again.checked.contentDigest).not.toBe(made.checked.contentDigest);
  expect(await activities.readDispute(key, again.key)).toEqual({ state: 'open' });
});

test('a full derivation whose history changes after the approval is not published: it needs another one', async () => {
  const network = await create();
  await settleAllInProcess(activities, network);
  const { key } = await opened(database, network, 2, rows('demand', '2,gpu,70'), full);
  const made = await computed(activities, key);
  await approved(database, key);
  await corrected(database, activities, network, 0, otherDemand, full);
  expect(await published(activities, key, made)).toEqual({ kind: 'superseded' });
  expect(await getDispute(database.viewer, key)).toMatchObject({ state: 'open', decision: 'superseded' });
  const again = await computed(activities, key);
  await expect(activities.publishDispute(key, again.key, again.checked.contentDigest)).rejects.toThrow(
    /nobody approved/,
  );
  await approved(database, key);
  expect(await published(activities, key, again)).toMatchObject({ kind: 'published' });
  expect(await historyOf(network, 2)).toEqual([
    [0, 2],
    [1, 1],
  ]);
});

test('a pinned dispute does not read history: one below it changes nothing for it', async () => {
  const network = await create();
  await settleAllInProcess(activities, network);
  const { key } = await opened(database, network, 2, rows('capacity', '2,p0,gpu,10,9'));
  const made = await computed(activities, key);
  await approved(database, key);
  await corrected(database, activities, network, 0, otherDemand, full);
  expect(await published(activities, key, made)).toMatchObject({ kind: 'published' });
});
