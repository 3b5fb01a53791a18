import { randomBytes } from 'node:crypto';
import type { Pool } from 'pg';
import type { Activities } from '../../activities';
import { databaseFindings } from '../../src/diagnosis/database';
import { openPool } from '../../src/store/pool';
import { freshDatabase, type TestDatabase } from '../harness/databases';
import { activitiesOn, settleEpochInProcess, walkToCheck } from '../harness/in-process';
import { makeNetwork } from '../harness/networks';

let database: TestDatabase;
let activities: Activities;
let network: string;
let held: Awaited<ReturnType<typeof walkToCheck>>;
const logins: { readonly name: string; readonly pool: Pool }[] = [];

beforeAll(async () => {
  database = await freshDatabase();
  activities = await activitiesOn(database.worker);
  network = await makeNetwork({ pool: database.operator, actor: 'olivia' }, { held: [1] });
  await settleEpochInProcess(activities, { network, epoch: 0 });
  held = await walkToCheck(activities, { network, epoch: 1 });
});
afterAll(async () => {
  for (const { name, pool } of logins) {
    await pool.end();
    await database.superuser.query(`drop role ${name}`);
  }
  await database.close();
});

/** A login as an administrator makes it who does not say otherwise: it inherits the rights of its roles, and takes none. */
async function inheriting(role: string): Promise<{ readonly name: string; readonly pool: Pool }> {
  const name = `p_${randomBytes(5).toString('hex')}`;
  await database.superuser.query(`create role ${name} login password 'unused'`);
  await database.superuser.query(`grant ${role} to ${name}`);
  const url = new URL(database.url);
  url.username = name;
  url.password = 'unused';
  const options = { role: null, applicationName: name, onIdleError: () => undefined, max: 2 };
  const login = { name, pool: openPool({ url: url.toString(), ...options }) };
  logins.push(login);
  return login;
}

const NO_RIGHT = { code: '42501' };

describe('S2: a login that inherits its rights is none of the roles that an act belongs to', () => {
  test.each(['settle_worker', 'settle_approver'])('with the rights of %s it decides no hold', async (role) => {
    const { name, pool } = await inheriting(role);
    for (const decision of ['approved', 'rejected', 'superseded']) {
      await expect(
        pool.query(
          `insert into hold_decision (network, epoch, revision, computation, decision, content_digest, actor, reason)
           values ($1, 1, 1, $2, $3, $4, $5, 'forged')`,
          [network, held.derived.key.computation, decision, held.checked.contentDigest, name],
        ),
      ).rejects.toMatchObject({ ...NO_RIGHT, message: `${name} cannot decide that a hold is ${decision}` });
    }
  });

  test('with those of settle_worker it decides no dispute and closes no epoch', async () => {
    const { name, pool } = await inheriting('settle_worker');
    await expect(
      pool.query(
        `insert into dispute_decision (network, epoch, dispute, decision_no, decision, actor, reason) values ($1, 0, 1, 1, 'rejected', $2, '')`,
        [network, name],
      ),
    ).rejects.toMatchObject({ ...NO_RIGHT, message: `${name} cannot decide that a dispute is rejected` });
    await expect(
      pool.query(
        `insert into epoch_failure (network, epoch, failure_no, failure, detail, actor, reason) values ($1, 1, 1, 'payees', '{}', $2, '')`,
        [network, name],
      ),
    ).rejects.toMatchObject({ ...NO_RIGHT, message: expect.stringContaining(`${name} cannot close an epoch`) });
  });

  test('with those of settle_operator it books no publication', async () => {
    const { name, pool } = await inheriting('settle_operator');
    await expect(
      pool.query(
        `insert into ledger_posting (network, journal, account, amount)
         values ($1, 'publication/9/1', 'treasury', -5), ($1, 'publication/9/1', 'providers', 5)`,
        [network],
      ),
    ).rejects.toMatchObject({ ...NO_RIGHT, message: `${name} cannot book journal publication/9/1` });
  });

  test('the doctor names it', async () => {
    const { name } = await inheriting('settle_viewer');
    const findings = await databaseFindings(database.viewer, '/nowhere');
    expect(findings.find(({ check }) => check === 'rights')).toMatchObject({
      outcome: 'warn',
      found: expect.stringContaining(name),
      todo: expect.stringContaining('with inherit false, set true'),
    });
  });
});
