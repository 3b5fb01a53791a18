import { failEpochs } from '../../src/commands/fail-epochs';
import { holdsOf } from '../../src/store/holds';
import { corrected, rows } from '../disputes/disputing';
import type { TestDatabase } from '../harness/databases';
import { activitiesOn, rewardAll, settleEpochInProcess, walkToCheck } from '../harness/in-process';
import { makeNetwork } from '../harness/networks';
import { freshWorld, until, type World } from '../harness/worlds';

let world: World;
let database: TestDatabase;
beforeAll(async () => {
  world = await freshWorld();
  database = world.database;
});
afterAll(() => world.close());

test('a hold expires by its row, once, and stays expired', async () => {
  const network = await makeNetwork({ pool: database.superuser, actor: 'olivia' }, { held: [1], holdSeconds: 2 });
  const activities = await activitiesOn(database.worker);
  await settleEpochInProcess(activities, { network, epoch: 0 });
  const { derived } = await walkToCheck(activities, { network, epoch: 1 });
  expect(await activities.readHold(derived.key)).toBe('open');
  const hold = async () => (await holdsOf(database.viewer, network, 1))[0]!;
  await until('the hold is overdue', async () => (await hold()).overdue, 20);
  expect(await activities.readHold(derived.key)).toBe('expired');
  expect(await activities.readHold(derived.key)).toBe('expired');
  expect(await hold()).toMatchObject({ decision: 'expired', decidedBy: 'system' });
  expect(await recorded(network)).toEqual(['hold-expired epoch 1']);
});

test('a hold that ends because its history changed is on record as well', async () => {
  const network = await makeNetwork({ pool: database.superuser, actor: 'olivia' }, { held: [1] });
  const activities = await activitiesOn(database.worker);
  await settleEpochInProcess(activities, { network, epoch: 0 });
  await walkToCheck(activities, { network, epoch: 1 });
  await corrected(database, activities, network, 0, rows('capacity', '0,p0,gpu,10,9'));
  expect((await holdsOf(database.viewer, network, 1))[0]).toMatchObject({ decision: 'superseded' });
  expect(await recorded(network)).toEqual(['hold-superseded epoch 1']);
});

/** What became of holds, as the audit log has it. */
async function recorded(network: string): Promise<string[]> {
  const found = await database.superuser.query(
    `select action, subject from settle.audit_log
     where network = $1 and action like 'hold-%' and actor = 'system' and outcome = 'done' order by entry`,
    [network],
  );
  return found.rows.map(({ action, subject }) => `${action} ${subject}`);
}

describe('an epoch is not put on hold for a decision that could not be carried out', () => {
  const prepared = async () => {
    const network = await makeNetwork({ pool: database.superuser, actor: 'olivia' }, { held: [1] });
    const activities = await activitiesOn(database.worker);
    await settleEpochInProcess(activities, { network, epoch: 0 });
    const ref = { network, epoch: 1 };
    const sealed = await activities.seal(ref);
    const derived = await activities.derive(ref, 'test');
    const check = async () => activities.check(derived.key, await rewardAll(activities, derived, sealed), 'test');
    return { network, activities, derived, check };
  };

  test('a dispute below was published while it was computed: it is computed again', async () => {
    const { network, activities, derived, check } = await prepared();
    await corrected(database, activities, network, 0, rows('capacity', '0,p0,gpu,10,9'));
    const checked = await check();
    expect(checked).toMatchObject({ breakers: [{ id: 'tokenMove' }], hold: null });
    expect(await holdsOf(database.viewer, network, 1)).toEqual([]);
    const { contentDigest } = checked;
    expect(await activities.publish(derived.key, contentDigest, 'test')).toEqual({ kind: 'superseded' });
    const { checked: anew } = await walkToCheck(activities, { network, epoch: 1 });
    expect(anew.hold).not.toBeNull();
  });

  test('it was closed on purpose while it was computed: that stands', async () => {
    const { network, activities, derived, check } = await prepared();
    await closedOnPurpose(network, 1);
    const { hold, contentDigest } = await check();
    expect([hold, await holdsOf(database.viewer, network, 1)]).toEqual([null, []]);
    expect(await activities.publish(derived.key, contentDigest, 'test')).toEqual({
      kind: 'closed',
      answer: { kind: 'failed', epoch: 1, failure: 'rejected' },
    });
  });

  test('the same check again finds the hold that it made', async () => {
    const { network, activities, derived, check } = await prepared();
    const [first, second] = [await check(), await activities.check(derived.key, null, 'test')];
    expect(first.hold).not.toBeNull();
    expect(second.hold?.deadline).toBe(first.hold?.deadline);
    expect(await holdsOf(database.viewer, network, 1)).toHaveLength(1);
  });
});

test('an epoch that is published and has no claims yet is not closed as failed: its money is due', async () => {
  const network = await makeNetwork({ pool: database.superuser, actor: 'olivia' });
  const activities = await activitiesOn(database.worker);
  const { derived, checked } = await walkToCheck(activities, { network, epoch: 0 });
  await activities.publish(derived.key, checked.contentDigest, 'test');
  await expect(closedOnPurpose(network, 0)).rejects.toMatchObject({
    id: 'EpochClosed',
    message: expect.stringContaining('`settle epoch run 0` makes them'),
  });
  await activities.prove(derived.key, 'test');
  await settleEpochInProcess(activities, { network, epoch: 1 });
});

const closedOnPurpose = (network: string, epoch: number) =>
  failEpochs(world.as('paul'), { network, range: { first: epoch, last: epoch }, reason: 'a test' });
