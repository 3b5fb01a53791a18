import type { Activities } from '../../activities';
import type { ComputationRef } from '../../activities/contracts';
import { freshDatabase, type TestDatabase } from '../harness/databases';
import { activitiesOn, rewardAll, settleEpochInProcess } from '../harness/in-process';
import { makeNetwork } from '../harness/networks';
import { count } from '../harness/worlds';

// Each test changes rows behind the system's back, as nobody but a superuser can, and expects the guard that notices.

let database: TestDatabase;
beforeAll(async () => {
  database = await freshDatabase();
});
afterAll(() => database.close());

interface Prepared {
  readonly activities: Activities;
  readonly network: string;
  readonly key: ComputationRef;
  readonly cappedSum: string;
}

/** A network whose epoch 0 is rewarded and not checked yet. */
async function rewarded(chunkProviders = 20_000): Promise<Prepared> {
  const network = await makeNetwork({ pool: database.operator, actor: 'olivia' }, { epochs: 2, providers: 5 });
  const activities = await activitiesOn(database.worker, { chunkProviders });
  const sealed = await activities.seal({ network, epoch: 0 });
  const derived = await activities.derive({ network, epoch: 0 }, 'request');
  return { activities, network, key: derived.key, cappedSum: await rewardAll(activities, derived, sealed) };
}

const check = ({ activities, key, cappedSum }: Prepared) => activities.check(key, cappedSum, 'request');

const failing = (guard: string) => ({
  type: 'GuardFailed',
  nonRetryable: true,
  details: [expect.objectContaining({ guard })],
});

test('an untouched computation passes every guard', async () => {
  const checked = await check(await rewarded());
  expect(checked.hold).toBeNull();
});

describe('snapshot', () => {
  test('a capacity row changed after sealing is noticed when it is rewarded', async () => {
    const { activities, network, key } = await rewarded();
    await database.tamper(`update settle.capacity set served = 1 where network = $1 and provider = 'p1'`, [network]);
    await expect(activities.reward(key, 0, null)).rejects.toMatchObject(failing('snapshot'));
  });

  test.each(['performance', 'provider_version'])('a %s row changed after sealing is noticed too', async (table) => {
    const { activities, network, key } = await rewarded();
    const change = table === 'performance' ? 'uptime = 1' : `status = 'suspended'`;
    await database.tamper(`update settle.${table} set ${change} where network = $1 and provider = 'p1'`, [network]);
    await expect(activities.reward(key, 0, null)).rejects.toMatchObject(failing('snapshot'));
  });

  test.each([
    ['demand', 'requested = requested + 1'],
    ['quote', 'usd_per_unit = usd_per_unit + 1'],
    ['token_observation', 'price_usd = price_usd + 1'],
    ['macro', 'index = 2'],
  ])('a %s row changed between the prices and the checks', async (table, change) => {
    const prepared = await rewarded();
    await database.tamper(`update settle.${table} set ${change} where network = $1 and epoch = 0`, [prepared.network]);
    await expect(check(prepared)).rejects.toMatchObject(failing('snapshot'));
  });

  test('a demand row changed between sealing and pricing leaves no price behind', async () => {
    const network = await makeNetwork({ pool: database.operator, actor: 'olivia' });
    const activities = await activitiesOn(database.worker);
    await activities.seal({ network, epoch: 0 });
    await database.tamper('update settle.demand set requested = 7 where network = $1', [network]);
    await expect(activities.derive({ network, epoch: 0 }, 'request')).rejects.toMatchObject(failing('snapshot'));
    expect(await count(database, 'price', network)).toBe(0);
  });

  test.each([2, 20_000])(
    'a checked computation in chunks of %i is read whole before a later run goes on',
    async (most) => {
      const prepared = await rewarded(most);
      await check(prepared);
      await database.tamper(`update settle.capacity set served = 1 where network = $1 and provider = 'p4'`, [
        prepared.network,
      ]);
      await expect(prepared.activities.check(prepared.key, null, 'request')).rejects.toMatchObject(failing('snapshot'));
    },
  );

  test('a chunk changed after sealing is noticed where it is only summed', async () => {
    const { activities, network, key } = await rewarded(2);
    await database.tamper(`update settle.capacity set served = 1 where network = $1 and provider = 'p4'`, [network]);
    await expect(activities.sumChunk(key, 1)).resolves.toMatchObject({ providers: 2 });
    await expect(activities.sumChunk(key, 2)).rejects.toMatchObject(failing('snapshot'));
  });

  test('sums that the prices were made from, and that the rows do not have', async () => {
    const { activities, network, key } = await rewarded();
    await database.tamper(
      `update settle.snapshot set facts = jsonb_set(facts, '{performance,activeProviders}', '4') where network = $1`,
      [network],
    );
    await expect(activities.reward(key, 0, null)).rejects.toMatchObject(failing('snapshot'));
  });

  test('draft payouts changed after they were checked are not published', async () => {
    const prepared = await rewarded();
    const checked = await check(prepared);
    await database.tamper(
      `update settle.payout set gross = gross + 1, cap_cut = cap_cut + 1 where network = $1 and provider = 'p0'`,
      [prepared.network],
    );
    await expect(check(prepared)).rejects.toMatchObject(failing('snapshot'));
    expect(checked.hold).toBeNull();
  });
});

describe('payees', () => {
  test('a provider with capacity and without a payout', async () => {
    const prepared = await rewarded();
    await database.tamper(`delete from settle.payout where network = $1 and provider = 'p3'`, [prepared.network]);
    await expect(check(prepared)).rejects.toMatchObject(failing('payees'));
  });

  test('a payout to somebody without capacity', async () => {
    const prepared = await rewarded();
    await database.tamper(
      `insert into settle.payout select network, epoch, revision, computation, 'stranger', 0, 0, 0, 0, 'no-capacity', null
       from settle.payout where network = $1 limit 1`,
      [prepared.network],
    );
    await expect(check(prepared)).rejects.toMatchObject(failing('payees'));
  });

  test('a payout over the cap', async () => {
    const prepared = await rewarded();
    // The cap is half of 1000 tokens of 6 decimals.
    await database.tamper(
      `update settle.payout set gross = 500000001, cap_cut = 0, scale_cut = 0, amount = 500000001
       where network = $1 and provider = 'p0'`,
      [prepared.network],
    );
    await expect(check(prepared)).rejects.toMatchObject(failing('payees'));
  });
});

test('conservation: payouts that together are more than the pool', async () => {
  const prepared = await rewarded();
  await database.tamper(
    'update settle.payout set gross = 400000000, cap_cut = 0, scale_cut = 0, amount = 400000000 where network = $1',
    [prepared.network],
  );
  await expect(check(prepared)).rejects.toMatchObject(failing('conservation'));
});

test.each([
  ['above the ceiling', 'base = 9, price = 9, d_premium = 0, c_demand = c_demand + 9 - price + d_premium'],
  ['below the floor', 'base = 0.1, price = 0.1, d_premium = 0, c_demand = c_demand + 0.1 - price + d_premium'],
  ['further than the step', 'base = 4, price = 4, d_premium = 0, c_demand = c_demand + 4 - price + d_premium'],
])('price-bounds: a base price %s', async (_where, change) => {
  const prepared = await rewarded();
  await database.tamper(`update settle.price set ${change} where network = $1 and market = 'gpu'`, [prepared.network]);
  await expect(check(prepared)).rejects.toMatchObject(failing('price-bounds'));
});

test.each([
  ['of the network above its bound', `update settle.price set m_network = 3.1 where network = $1 and market = 'gpu'`],
  [
    'of a provider outside the curve',
    `update settle.payout set multiplier = 1.26 where network = $1 and provider = 'p0'`,
  ],
])('multiplier-bounds: a multiplier %s', async (_which, change) => {
  const prepared = await rewarded();
  await database.tamper(change, [prepared.network]);
  await expect(check(prepared)).rejects.toMatchObject(failing('multiplier-bounds'));
});

describe('chain', () => {
  test('an epoch is not published while one below it is open', async () => {
    const { activities, network, key } = await (async () => {
      const prepared = await rewarded();
      const ref = { network: prepared.network, epoch: 1 };
      const sealed = await prepared.activities.seal(ref);
      const derived = await prepared.activities.derive(ref, 'request');
      const cappedSum = await rewardAll(prepared.activities, derived, sealed);
      await prepared.activities.check(derived.key, cappedSum, 'request');
      return { ...prepared, key: derived.key };
    })();
    const { contentDigest } = await activities.check(key, null, 'request');
    await expect(activities.publish(key, contentDigest, 'request')).rejects.toMatchObject(failing('chain'));
    expect(await count(database, 'chain_entry', network)).toBe(0);
  });

  test('history that was read as published and is gone from the chain', async () => {
    const { activities, network } = await rewarded();
    await settleEpochInProcess(activities, { network, epoch: 0 });
    const ref = { network, epoch: 1 };
    const sealed = await activities.seal(ref);
    const derived = await activities.derive(ref, 'request');
    const { contentDigest } = await activities.check(
      derived.key,
      await rewardAll(activities, derived, sealed),
      'request',
    );
    await database.tamper('delete from settle.chain_entry where network = $1', [network]);
    await database.tamper(
      `insert into settle.epoch_failure (network, epoch, failure_no, failure, detail, actor, reason)
       values ($1, 0, 1, 'rejected', '{}', 'x', 'x')`,
      [network],
    );
    await expect(activities.publish(derived.key, contentDigest, 'request')).rejects.toMatchObject(failing('chain'));
  });
});
