import { randomUUID } from 'node:crypto';
import type { Activities } from '../../activities';
import { insertRejections } from '../../src/store/failures';
import { freshDatabase, type TestDatabase } from '../harness/databases';
import { activitiesOn, settleEpochInProcess, walkToCheck } from '../harness/in-process';
import { makeNetwork } from '../harness/networks';
import { type Person, person } from './logins';

let database: TestDatabase;
let activities: Activities;
let approver: Person;
let network: string;
let key: { readonly computation: number; readonly digest: string };

beforeAll(async () => {
  database = await freshDatabase();
  activities = await activitiesOn(database.worker);
  approver = await person(database, ['settle_approver']);
});
beforeEach(async () => {
  network = await makeNetwork({ pool: database.operator, actor: 'olivia' }, { held: [1] });
  await settleEpochInProcess(activities, { network, epoch: 0 });
  const { derived, checked } = await walkToCheck(activities, { network, epoch: 1 });
  key = { computation: derived.key.computation, digest: checked.contentDigest };
});
afterAll(async () => {
  await approver.leave();
  await database.close();
});

const deadlineIn = (seconds: number) =>
  database.tamper(
    'update settle.hold set deadline = clock_timestamp() + make_interval(secs => $2) where network = $1',
    [network, seconds],
  );

const decide = (pool: Pick<Person['pool'], 'query'>, decision: string, actor: string, at = '2020-01-01') =>
  pool.query(
    `insert into hold_decision (network, epoch, revision, computation, decision, content_digest, actor, reason, decided_at)
     values ($1, 1, 1, $2, $3, $4, $5, 'raw', $6)`,
    [network, key.computation, decision, key.digest, actor, at],
  );

const decided = async () =>
  (
    await database.viewer.query(
      `select decision, decided_at > now() - interval '1 hour' and decided_at <= now() as "now" from hold_decision where network = $1`,
      [network],
    )
  ).rows;

describe('S2: a hold is decided until its deadline, by the clock of the database', () => {
  test.each(['approved', 'rejected'])('after it, it is not %s, whatever time the row says', async (decision) => {
    await deadlineIn(-1);
    await expect(decide(approver.pool, decision, approver.actor)).rejects.toMatchObject({
      code: '55000',
      message: expect.stringContaining(`can no longer be ${decision}`),
    });
    expect(await decided()).toEqual([]);
  });

  test('a decision in time bears the time of the clock', async () => {
    await decide(approver.pool, 'approved', approver.actor);
    expect(await decided()).toEqual([{ decision: 'approved', now: true }]);
  });

  test('a worker does not let it expire before', async () => {
    await expect(decide(database.worker, 'expired', 'system', '2100-01-01')).rejects.toThrow('and not before');
    await deadlineIn(-1);
    await decide(database.worker, 'expired', 'system');
    expect(await decided()).toEqual([{ decision: 'expired', now: true }]);
  });

  test('an epoch whose hold has expired is closed on purpose, and its hold rejected with it', async () => {
    await deadlineIn(-1);
    const client = await approver.pool.connect();
    await client.query('begin');
    await decide(client, 'rejected', approver.actor);
    await insertRejections(client, network, { first: 1, last: 1 }, approver.actor, 'nobody decided');
    await client.query('commit');
    client.release();
    expect(await decided()).toEqual([{ decision: 'rejected', now: true }]);
  });
});

test('no table that people write to takes a time of theirs', async () => {
  const found = await database.superuser.query<{ table: string; column: string }>(
    `select c.relname as table, a.attname as column from pg_class c join pg_attribute a on a.attrelid = c.oid
       join pg_attrdef d on d.adrelid = c.oid and d.adnum = a.attnum
     where c.relnamespace = 'settle'::regnamespace and pg_get_expr(d.adbin, d.adrelid) like '%clock_timestamp()%'
       and exists (select from unnest($1::text[]) r where has_column_privilege(r, c.oid, a.attnum, 'insert'))
       and not exists (select from pg_trigger t where t.tgrelid = c.oid and t.tgname = 'at_its_time'
         and encode(t.tgargs, 'escape') = a.attname || '\\000')`,
    [['settle_operator', 'settle_approver', 'settle_policy_admin']],
  );
  expect(found.rows).toEqual([]);
  const requestId = randomUUID();
  await database.operator.query(`insert into request values ($1, $2, 'epoch-run', '{}', 'olivia', '2020-01-01')`, [
    requestId,
    network,
  ]);
  const written = await database.viewer.query(
    `select requested_at > now() - interval '1 hour' as "now", actor from request where request_id = $1`,
    [requestId],
  );
  expect(written.rows).toEqual([{ now: true, actor: 'olivia' }]);
});
