import type { Pool } from 'pg';
import { freshDatabase, type TestDatabase } from '../harness/databases';
import {
  activitiesOn,
  type DependencyKnobs,
  NO_WITNESS,
  publishAndProve,
  settleEpochInProcess,
  walkToCheck,
} from '../harness/in-process';
import { makeNetwork, type NetworkKnobs } from '../harness/networks';
import { count, publishedEpochs } from '../harness/worlds';

let database: TestDatabase;
beforeAll(async () => {
  database = await freshDatabase();
});
afterAll(() => database.close());

const operator = () => ({ pool: database.operator, actor: 'olivia' });

/** A network whose epoch 0 is checked and not published yet. */
async function checked(knobs: NetworkKnobs = {}, dependencies: DependencyKnobs = {}) {
  const network = await makeNetwork(operator(), knobs);
  const activities = await activitiesOn(database.worker, dependencies);
  const { derived, checked } = await walkToCheck(activities, { network, epoch: 0 });
  return { network, activities, key: derived.key, digest: checked.contentDigest };
}

const entries = async (network: string) =>
  (
    await database.superuser.query<{ kind: string; epoch: number }>(
      'select kind, epoch from settle.chain_entry where network = $1 order by position',
      [network],
    )
  ).rows.map(({ kind, epoch }) => `${kind} ${epoch}`);

test('twice: the second time finds the first, with its head', async () => {
  const { network, activities, key, digest } = await checked();
  const first = await activities.publish(key, digest, 'request');
  expect(first).toMatchObject({ kind: 'published', contentDigest: digest, already: false });
  expect(await activities.publish(key, digest, 'request')).toEqual({ ...first, already: true });
  expect(await publishedEpochs(database, network)).toEqual([{ epoch: 0, revision: 1, contentDigest: digest }]);
});

test('by two workers at the same moment: one publishes, the other finds it', async () => {
  const { network, activities, key, digest } = await checked();
  const answers = await Promise.all([1, 2, 3].map(() => activities.publish(key, digest, 'request')));
  expect(answers.map((answer) => (answer as { already: boolean }).already).sort()).toEqual([false, true, true]);
  expect(await entries(network)).toEqual(['revision 0']);
});

test('F8: COMMIT was done and its answer lost: the retry finds the publication, also when others came after it', async () => {
  const { network, key, digest } = await checked();
  const lossy = await activitiesOn(losingCommits(database.worker));
  await expect(lossy.publish(key, digest, 'request')).rejects.toThrow('Connection terminated unexpectedly');
  const activities = await activitiesOn(database.worker);
  await activities.prove(key, 'request');
  await settleEpochInProcess(activities, { network, epoch: 1 });
  expect(await activities.publish(key, digest, 'request')).toMatchObject({ kind: 'published', already: true });
  expect(await entries(network)).toEqual(['revision 0', 'claims 0', 'revision 1', 'claims 1']);
});

/** A pool whose connections break after COMMIT was done and before its answer arrives. */
function losingCommits(pool: Pool): Pool {
  return new Proxy(pool, {
    get(target, property) {
      if (property !== 'connect') return Reflect.get(target, property);
      // With a callback it is the pool's own, for a single query.
      return async (callback?: never) => {
        if (callback !== undefined) return target.connect(callback);
        const client = await target.connect();
        const query = client.query.bind(client) as (...args: unknown[]) => Promise<unknown>;
        client.query = (async (...args: unknown[]) => {
          const answer = await query(...args);
          if (args[0] !== 'commit') return answer;
          client.query = query as typeof client.query;
          throw new Error('Connection terminated unexpectedly');
        }) as typeof client.query;
        return client;
      };
    },
  });
}

test('F6: a backend that is terminated before COMMIT leaves nothing, and the error may be retried', async () => {
  let terminate = true;
  const { network, activities, key, digest } = await checked(
    {},
    {
      async reached(point) {
        if (point !== 'publish:before-commit' || !terminate) return;
        terminate = false;
        await database.superuser.query(
          `select pg_terminate_backend(pid) from pg_stat_activity
         where datname = current_database() and application_name = 'test settle_worker'`,
        );
      },
    },
  );
  const refused = await activities.publish(key, digest, 'request').then(
    () => new Error('it was published'),
    (error: Error) => error,
  );
  expect(refused.message).toMatch(/terminat|not queryable/);
  expect(refused).toMatchObject({ nonRetryable: false, nextRetryDelay: expect.any(Number) });
  expect(await count(database, 'chain_entry', network)).toBe(0);
  expect(await activities.publish(key, digest, 'request')).toMatchObject({ already: false });
});

test('F9: a database that is read-only for a while is waited for', async () => {
  const { network, key, digest } = await checked();
  const pool = database.open('settle_worker', 1);
  const activities = await activitiesOn(pool);
  await pool.query('set default_transaction_read_only = on');
  const refused = await activities.publish(key, digest, 'request').then(
    () => new Error('it was published'),
    (error: Error) => error,
  );
  expect(refused.message).toMatch(/read-only transaction/);
  expect(refused).toMatchObject({ nonRetryable: false, nextRetryDelay: expect.any(Number) });
  await pool.query('set default_transaction_read_only = off');
  await activities.publish(key, digest, 'request');
  expect(await entries(network)).toEqual(['revision 0']);
});

test('another content digest of a published revision is a conflict that no retry can mend', async () => {
  const { activities, key, digest } = await checked();
  await activities.publish(key, digest, 'request');
  await expect(activities.publish(key, 'f'.repeat(64), 'request')).rejects.toMatchObject({
    type: 'RevisionConflict',
    nonRetryable: true,
  });
});

test('a content digest that was not checked is refused', async () => {
  const { network, activities, key } = await checked();
  await expect(activities.publish(key, 'f'.repeat(64), 'request')).rejects.toMatchObject({ type: 'RevisionConflict' });
  expect(await count(database, 'chain_entry', network)).toBe(0);
});

test('a held computation is refused until its very digest was approved', async () => {
  const network = await makeNetwork(operator(), { held: [1] });
  const activities = await activitiesOn(database.worker);
  await settleEpochInProcess(activities, { network, epoch: 0 });
  const { derived, checked } = await walkToCheck(activities, { network, epoch: 1 });
  expect(checked).toMatchObject({ breakers: [{ id: 'tokenMove', figure: '1', limit: '0.5' }] });
  const publish = () => activities.publish(derived.key, checked.contentDigest, 'request');
  await expect(publish()).rejects.toMatchObject({ type: 'HoldMismatch', nonRetryable: true });
  await database.open('settle_approver').query(
    `insert into hold_decision (network, epoch, revision, computation, decision, content_digest, actor, reason)
     values ($1, 1, 1, 1, 'approved', $2, 'paul', 'seen')`,
    [network, checked.contentDigest],
  );
  expect(await publish()).toMatchObject({ kind: 'published', already: false });
});

test('an epoch that was closed as failed meanwhile is not published', async () => {
  const { network, activities, key, digest } = await checked();
  await activities.closeAsFailed({ network, epoch: 0 }, 'payees', {}, 'request');
  expect(await activities.publish(key, digest, 'request')).toEqual({
    kind: 'closed',
    answer: { kind: 'failed', epoch: 0, failure: 'payees' },
  });
  expect(await count(database, 'chain_entry', network)).toBe(0);
});

test('a published epoch is not closed as failed afterwards', async () => {
  const { network, activities, key, digest } = await checked();
  await publishAndProve(activities, key, digest);
  expect(await activities.closeAsFailed({ network, epoch: 0 }, 'payees', {}, 'request')).toMatchObject({
    kind: 'published',
    contentDigest: digest,
  });
  expect(await count(database, 'epoch_failure', network)).toBe(0);
});

test('a revision whose worker died before its claims gets them from whoever publishes next', async () => {
  const told: string[] = [];
  const witness = {
    ...NO_WITNESS,
    publish: async (_network: string, epoch: number) => void told.push(`epoch ${epoch}`),
  };
  const { network, activities, key, digest } = await checked({}, { witness });
  await activities.publish(key, digest, 'request');
  const next = await walkToCheck(activities, { network, epoch: 1 });
  await activities.publish(next.derived.key, next.checked.contentDigest, 'request');
  expect(await entries(network)).toEqual(['revision 0', 'claims 0', 'revision 1']);
  expect(told).toHaveLength(1);
  const late = await activities.prove(key, 'request');
  await activities.prove(next.derived.key, 'request');
  expect(await entries(network)).toEqual(['revision 0', 'claims 0', 'revision 1', 'claims 1']);
  expect(late.root).toMatch(/^0x[0-9a-f]{64}$/);
  expect([...new Set(told)]).toEqual(['epoch 0', 'epoch 1']);
  const audited = await database.superuser.query(
    `select subject from settle.audit_log where network = $1 and action = 'publish' order by entry`,
    [network],
  );
  expect(audited.rows).toEqual([{ subject: 'epoch 0 revision 1' }, { subject: 'epoch 1 revision 1' }]);
});

test('F12: a publication that the database has lost ends the run, and does not fail the epoch', async () => {
  const { network, activities, key, digest } = await checked();
  await activities.publish(key, digest, 'request');
  await database.tamper('delete from settle.chain_entry where network = $1', [network]);
  await expect(activities.prove(key, 'request')).rejects.toMatchObject({ type: 'TamperedRows', nonRetryable: true });
});

test('an epoch below that was settled after all supersedes what read the chain without it', async () => {
  const network = await makeNetwork(operator());
  const activities = await activitiesOn(database.worker);
  await activities.closeAsFailed({ network, epoch: 0 }, 'rejected', {}, 'request');
  const ref = { network, epoch: 1 };
  const before = await walkToCheck(activities, ref);
  await database.operator.query(
    `insert into request (request_id, network, action, body, actor) values ($1, $2, 'epoch-again', '{"epoch": 0, "failureNo": 1}', 'olivia')`,
    [network, network],
  );
  const another = await activitiesOn(database.worker, { runId: 'another' });
  const again = await walkToCheck(another, { network, epoch: 0 }, network);
  await publishAndProve(another, again.derived.key, again.checked.contentDigest, network);
  expect(await activities.publish(before.derived.key, before.checked.contentDigest, 'request')).toEqual({
    kind: 'superseded',
  });
  const after = await walkToCheck(activities, ref);
  expect(after.derived.key.computation).toBe(2);
  expect(after.derived.historyEpochs).toBe(1);
  await publishAndProve(activities, after.derived.key, after.checked.contentDigest);
  expect(await entries(network)).toEqual(['revision 0', 'claims 0', 'revision 1', 'claims 1']);
});

test('every publication is witnessed after its claims, and told again by a retry', async () => {
  const told: string[] = [];
  const witness = {
    ...NO_WITNESS,
    publish: async (network: string, epoch: number, revision: number, head: string) => {
      told.push([network, epoch, revision, head].join(' '));
    },
  };
  const { network, activities, key, digest } = await checked({}, { witness });
  await activities.publish(key, digest, 'request');
  expect(told).toEqual([]);
  const { head } = await activities.prove(key, 'request');
  await activities.prove(key, 'request');
  expect(told).toEqual([`${network} 0 1 ${head}`, `${network} 0 1 ${head}`]);
});
