import type { PoolClient } from 'pg';
import type { Activities } from '../../activities';
import { freshDatabase, type TestDatabase } from '../harness/databases';
import { activitiesOn, settleEpochInProcess } from '../harness/in-process';
import { makeNetwork } from '../harness/networks';
import { type Person, person } from './logins';

let database: TestDatabase;
let activities: Activities;
let operator: Person;
let network: string;

beforeAll(async () => {
  database = await freshDatabase();
  activities = await activitiesOn(database.worker);
  operator = await person(database, ['settle_operator']);
});
beforeEach(async () => {
  network = await makeNetwork({ pool: database.operator, actor: 'olivia' });
});
afterAll(async () => {
  await operator.leave();
  await database.close();
});

const settle = (epoch: number) => settleEpochInProcess(activities, { network, epoch });

/** A transaction of the operator's own, rolled back in the end. */
async function inTransaction<T>(work: (client: PoolClient) => Promise<T>, begin = 'begin'): Promise<T> {
  const client = await operator.pool.connect();
  try {
    await client.query(begin);
    return await work(client);
  } finally {
    await client.query('rollback');
    client.release();
  }
}

const addProvider = (client: Pick<PoolClient, 'query'>, loadId: number, provider = 'p1') =>
  client.query(`insert into provider_version values ($1, $2, $3, 0, 'active', '0x${'f'.repeat(40)}')`, [
    network,
    provider,
    loadId,
  ]);

async function addLoad(client: Pick<PoolClient, 'query'>, name = network, actor = operator.actor): Promise<number> {
  const made = await client.query(
    `insert into load (network, source, actor, counts) values ($1, 'raw', $2, '{}') returning load_id`,
    [name, actor],
  );
  return made.rows[0].load_id;
}

const addCapacity = (client: Pick<PoolClient, 'query'>, provider = 'p9') =>
  client.query(`insert into capacity values ($1, 0, $2, 'gpu', 1, 1)`, [network, provider]);

const newestLoad = async (): Promise<number> =>
  (await database.viewer.query('select max(load_id) as id from load where network = $1', [network])).rows[0].id;

const rowsOf = async (table: string, provider: string): Promise<number> =>
  (await database.viewer.query(`select from ${table} where network = $1 and provider = $2`, [network, provider]))
    .rowCount ?? 0;

const NO_LOAD_OF_THIS = expect.stringContaining('no load of network');

describe('S4: an operator with statements of its own cannot change what is sealed', () => {
  test('no provider joins a load that was made before, sealed or not', async () => {
    const load = await newestLoad();
    await expect(addProvider(operator.pool, load, 'p9')).rejects.toMatchObject({ message: NO_LOAD_OF_THIS });
    await settle(0);
    await expect(addProvider(operator.pool, load, 'p9')).rejects.toMatchObject({ message: NO_LOAD_OF_THIS });
    expect(await rowsOf('provider_version', 'p9')).toBe(0);
  });

  test('nor a load of another network', async () => {
    const other = await makeNetwork({ pool: database.operator, actor: 'olivia' });
    await inTransaction(async (client) => {
      const load = await addLoad(client, other);
      await expect(addProvider(client, load)).rejects.toMatchObject({ message: NO_LOAD_OF_THIS });
    });
  });

  test('nor a load with a lower number than one that was sealed while it was made', async () => {
    await inTransaction(async (client) => {
      const load = await addLoad(client);
      await addLoad(database.operator, network, 'olivia');
      expect(await newestLoad()).toBeGreaterThan(load);
      await database.worker.query(
        `insert into seal (network, epoch, policy_hash, registry_load)
         select network, 0, policy_hash, $2 from policy_effective where network = $1`,
        [network, await newestLoad()],
      );
      await expect(addProvider(client, load, 'p9')).rejects.toMatchObject({ message: NO_LOAD_OF_THIS });
    });
  });

  test('a load has the number that its sequence gives, so that it cannot come after all that follow', async () => {
    await expect(
      operator.pool.query(
        `insert into load (load_id, network, source, actor, counts) overriding system value
         values (9000000000000000, $1, 'raw', session_user, '{}')`,
        [network],
      ),
    ).rejects.toMatchObject({ code: '42501' });
    await inTransaction(async (client) => {
      const load = await addLoad(client);
      await addProvider(client, load, 'p9');
      await addProvider(client, load, 'p8');
    });
  });

  test('a seal waits for a registry that is being added, and then has it', async () => {
    const client = await operator.pool.connect();
    await client.query('begin');
    const load = await addLoad(client);
    await addProvider(client, load, 'p9');
    let sealed = false;
    const sealing = activities.seal({ network, epoch: 0 }).then(() => {
      sealed = true;
    });
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(sealed).toBe(false);
    await client.query('commit');
    client.release();
    await sealing;
    const found = await database.viewer.query('select registry_load as load from seal where network = $1', [network]);
    expect(found.rows).toEqual([{ load }]);
  });

  test('a row that was added before an epoch was sealed and published does not join it afterwards', async () => {
    const client = await operator.pool.connect();
    await client.query('begin');
    await addCapacity(client);
    await settle(0);
    await expect(client.query('commit')).rejects.toMatchObject({
      code: '55000',
      message: `epoch 0 of network ${network} was sealed meanwhile: its capacity rows can no longer be added to`,
    });
    client.release();
    expect(await rowsOf('capacity', 'p9')).toBe(0);
  });

  test('nor where it asked to be looked at early, and took that back', async () => {
    const client = await operator.pool.connect();
    await client.query('begin');
    await addCapacity(client);
    await client.query('savepoint early');
    await client.query('set constraints all immediate');
    await client.query('rollback to savepoint early');
    await settle(0);
    await expect(client.query('commit')).rejects.toThrow('was sealed meanwhile');
    client.release();
  });

  test('nor from a transaction that does not see the seal', async () => {
    await inTransaction(async (client) => {
      await client.query('select from seal');
      await settle(0);
      await expect(addCapacity(client)).rejects.toThrow('does not see what others did since it began');
    }, 'begin isolation level repeatable read');
  });

  test('what is added to open epochs stays, and nothing is left of having looked', async () => {
    await addCapacity(operator.pool);
    expect(await rowsOf('capacity', 'p9')).toBe(1);
    expect((await database.superuser.query('select from settle.joining')).rowCount).toBe(0);
  });
});
