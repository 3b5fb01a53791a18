import type { Activities } from '../../activities';
import { lastClosedEpoch } from '../../src/store/due';
import { insertRejections } from '../../src/store/failures';
import { freshDatabase, type TestDatabase } from '../harness/databases';
import { activitiesOn, publishAndProve, settleEpochInProcess, walkToCheck } from '../harness/in-process';
import { makeNetwork } from '../harness/networks';
import { type Person, person } from './logins';

let database: TestDatabase;
let activities: Activities;
let approver: Person;

beforeAll(async () => {
  database = await freshDatabase();
  activities = await activitiesOn(database.worker);
  approver = await person(database, ['settle_approver']);
});
afterAll(async () => {
  await approver.leave();
  await database.close();
});

const network = (epochs = 3) => makeNetwork({ pool: database.operator, actor: 'olivia' }, { epochs });

/** One statement of an approver's own, with one row for each epoch. */
const close = (pool: Pick<Person['pool'], 'query'>, name: string, epochs: readonly number[], failureNo = 1) =>
  pool.query(
    `insert into epoch_failure (network, epoch, failure_no, failure, detail, actor, reason)
     select $1, e, $3, 'rejected', '{"onPurpose": true}', session_user, 'forged' from unnest($2::integer[]) e`,
    [name, epochs, failureNo],
  );
const REFUSED = { code: '55000', message: expect.stringContaining('cannot be closed as failed') };

describe('S2: an approver closes by statements of its own what the command would close, and nothing else', () => {
  test('an epoch far ahead would skip all those before it', async () => {
    const name = await network();
    await expect(close(approver.pool, name, [2])).rejects.toMatchObject(REFUSED);
    await expect(close(approver.pool, name, [0, 2])).rejects.toMatchObject(REFUSED);
    const endless = await network();
    await database.tamper('update settle.network set last_epoch = null where network = $1', [endless]);
    await expect(close(approver.pool, endless, [2_000_000])).rejects.toMatchObject(REFUSED);
    expect(await lastClosedEpoch(database.viewer, name)).toBeNull();
  });

  test('epochs that are not over, or after the end of the calendar', async () => {
    const name = await network();
    await expect(close(approver.pool, name, [0, 1, 2, 3])).rejects.toMatchObject(REFUSED);
    await database.tamper(
      'update settle.network set genesis = date_trunc($2, now()) - make_interval(secs => length_seconds) where network = $1',
      [name, 'second'],
    );
    await expect(close(approver.pool, name, [0, 1])).rejects.toMatchObject(REFUSED);
    await close(approver.pool, name, [0]);
  });

  test('a range from the next open epoch on is closed in one statement', async () => {
    const name = await network();
    await settleEpochInProcess(activities, { network: name, epoch: 0 });
    await insertRejections(approver.pool, name, { first: 1, last: 2 }, approver.actor, 'the inputs are lost');
    expect(await lastClosedEpoch(database.viewer, name)).toBe(2);
  });

  test('a published epoch, also before it has its claims', async () => {
    const name = await network();
    const { derived, checked } = await walkToCheck(activities, { network: name, epoch: 0 });
    await activities.publish(derived.key, checked.contentDigest, 'test');
    await expect(close(approver.pool, name, [0])).rejects.toMatchObject(REFUSED);
    await expect(close(approver.pool, name, [0, 1])).rejects.toMatchObject(REFUSED);
    await activities.prove(derived.key, 'test');
    await expect(close(approver.pool, name, [0])).rejects.toMatchObject(REFUSED);
  });

  test('a failed epoch, again and again, unless somebody asked for it to be settled again', async () => {
    const name = await network();
    await close(approver.pool, name, [0]);
    await expect(close(approver.pool, name, [0], 2)).rejects.toMatchObject(REFUSED);
    await database.operator.query(
      `insert into request (request_id, network, action, body, actor) values ($2, $1, 'epoch-again', '{"epoch": 0, "failureNo": 1}', 'olivia')`,
      [name, `again-${name}`],
    );
    await expect(close(approver.pool, name, [0], 3)).rejects.toMatchObject(REFUSED);
    await close(approver.pool, name, [0], 2);
    await expect(close(approver.pool, name, [0], 3)).rejects.toMatchObject(REFUSED);
  });

  test('a publication that is under way is waited for', async () => {
    const name = await network();
    const { derived, checked } = await walkToCheck(activities, { network: name, epoch: 0 });
    const client = await database.worker.connect();
    await client.query('begin');
    await client.query('select from network where network = $1 for update', [name]);
    const closing = close(approver.pool, name, [0]).then(
      () => 'closed',
      (error: Error) => error,
    );
    await client.query(
      `insert into chain_entry (network, position, kind, epoch, revision, computation, content_digest, entry, previous_head, head)
       select $1, 1, 'revision', 0, 1, $2, $3, e, $4, encode(sha256(convert_to(e, 'UTF8')), 'hex')
       from jsonb_build_object('previousHead', $4::text, 'kind', 'revision', 'epoch', 0, 'revision', 1) j, text(j) e`,
      [name, derived.key.computation, checked.contentDigest, '0'.repeat(64)],
    );
    await client.query('commit');
    client.release();
    expect(await closing).toMatchObject(REFUSED);
  });

  test('one that looks with the view from before a publication', async () => {
    const name = await network();
    const client = await approver.pool.connect();
    await client.query('begin isolation level repeatable read');
    await client.query('select from network');
    const { derived, checked } = await walkToCheck(activities, { network: name, epoch: 0 });
    await publishAndProve(activities, derived.key, checked.contentDigest);
    await expect(close(client, name, [0])).rejects.toThrow('does not see what others did since it began');
    await client.query('rollback');
    client.release();
  });
});
