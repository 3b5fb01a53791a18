import { randomUUID } from 'node:crypto';
import type { PoolClient } from 'pg';
import { insertCorrections, openCorrectionStage } from '../../src/store/corrections';
import { type DisputeKey, disputeBehind, insertDispute } from '../../src/store/disputes';
import { insertRequest } from '../../src/store/requests';
import { corrected, opened, rows } from '../disputes/disputing';
import { freshDatabase, type TestDatabase } from '../harness/databases';
import { activitiesOn, settleAllInProcess } from '../harness/in-process';
import { makeNetwork } from '../harness/networks';
import { type Person, person } from './logins';

let database: TestDatabase;
let network: string;
let operator: Person;
const KEPT = '1,p2,gpu,10,9';

beforeAll(async () => {
  database = await freshDatabase();
  const activities = await activitiesOn(database.worker);
  operator = await person(database, ['settle_operator']);
  network = await makeNetwork({ pool: database.operator, actor: 'olivia' });
  await settleAllInProcess(activities, network);
  await corrected(database, activities, network, 1, rows('capacity', KEPT));
});
afterAll(async () => {
  await operator.leave();
  await database.close();
});

const add = (client: Pick<PoolClient, 'query'>, { dispute }: DisputeKey, line: string, origin: string) =>
  client.query(`insert into correction select $1, 1, $2, 'capacity', settle.correction_key('capacity', $3), $3, $4`, [
    network,
    dispute,
    line,
    origin,
  ]);

/** A dispute of revision 2, opened by statements of the operator's own, whose transaction ends as `work` does. */
async function openRaw(work: (client: PoolClient, key: DisputeKey) => Promise<unknown>): Promise<void> {
  const client = await operator.pool.connect();
  try {
    await client.query('begin');
    await client.query('set local role settle_operator');
    const requestId = randomUUID();
    const actor = operator.actor;
    await insertRequest(client, { requestId, network, action: 'dispute-open', body: {}, actor });
    const dispute = { network, epoch: 1, baseRevision: 2, baseComputation: 1, derive: 'pinned' as const };
    const key = await insertDispute(client, { ...dispute, reason: 'raw', openedBy: actor, requestId });
    await work(client, key);
    await client.query('commit');
  } finally {
    await client.query('rollback');
    client.release();
  }
}

describe('S2: an operator with statements of its own changes no dispute of somebody else, and hides no row in one', () => {
  test.each([...['given', 'late', 'kept'].entries()])(
    'a row is added to an open dispute of another: %i, %s',
    async (served, origin) => {
      const { key } = await opened(database, network, 1, rows('capacity', `1,p1,gpu,10,${served}`));
      await expect(add(operator.pool, key, '1,p0,gpu,10,1', origin)).rejects.toMatchObject({
        code: '55000',
        message: expect.stringContaining('was opened before'),
      });
    },
  );

  test('a row that no correction before says is not kept of one', async () => {
    const attempt = openRaw((client, key) => add(client, key, '1,p0,gpu,10,1', 'kept'));
    await expect(attempt).rejects.toThrow('the capacity row 1,p0,gpu is kept of no correction');
  });

  test('nor is one with other words than before', async () => {
    const attempt = openRaw((client, key) => add(client, key, '1,p2,gpu,10,1', 'kept'));
    await expect(attempt).rejects.toThrow('the capacity row 1,p2,gpu is kept of no correction');
  });

  test('a correction that stands is not left out', async () => {
    const attempt = openRaw((client, key) => add(client, key, '1,p0,gpu,10,1', 'given'));
    await expect(attempt).rejects.toThrow('leaves out the capacity row 1,p2,gpu');
  });

  test('what says all of it is opened, also what corrects the same row again', async () => {
    await openRaw(async (client, key) => {
      await add(client, key, '1,p0,gpu,10,2', 'given');
      await add(client, key, KEPT, 'kept');
    });
    await openRaw((client, key) => add(client, key, '1,p2,gpu,10,3', 'given'));
    await openRaw(async (client, key) => {
      await openCorrectionStage(client);
      await insertCorrections(client, key, await disputeBehind(client, network, 1, 2, 1));
    });
  });
});
