import { auditEpochs } from '../../src/commands/audit-epochs';
import { nodeHashes } from '../../src/hashing/node-hashes';
import { PERSON_ROLES } from '../../src/store/rights';
import { freshDatabase, type TestDatabase } from '../harness/databases';
import { activitiesOn, settleEpochInProcess } from '../harness/in-process';
import { makeNetwork } from '../harness/networks';
import { type Person, person } from './logins';

let database: TestDatabase;
let network: string;
const people = new Map<string, Person>();
const ROLES = [...PERSON_ROLES, 'settle_worker'] as const;

beforeAll(async () => {
  database = await freshDatabase();
  network = await makeNetwork({ pool: database.operator, actor: 'olivia' });
  await settleEpochInProcess(await activitiesOn(database.worker), { network, epoch: 0 });
  for (const role of ROLES) people.set(role, await person(database, [role]));
});
afterAll(async () => {
  for (const one of people.values()) await one.leave();
  await database.close();
});

/** A row of the login's own, with the rights of its one role. */
async function append(role: string, action: string, outcome: 'done' | 'refused', actor?: string): Promise<string> {
  const one = people.get(role)!;
  const client = await one.pool.connect();
  try {
    await client.query(`select set_config('role', $1, false)`, [role]);
    const detail = JSON.stringify({ head: 'f'.repeat(64), runId: 'forged', bundleHash: 'f'.repeat(64) });
    await client.query(`select settle.append_audit($1, $2, $3, 'epoch 0 revision 1', $4, 'forged', 'q', $5)`, [
      network,
      actor ?? one.actor,
      action,
      outcome,
      detail,
    ]);
    return 'on record';
  } catch (error) {
    return (error as { code: string }).code;
  } finally {
    client.release(true);
  }
}

describe('S4: that something was done is on record by the role that does it', () => {
  test.each(PERSON_ROLES)('%s publishes nothing, fails nothing and archives no history', async (role) => {
    for (const action of ['publish', 'fail', 'archive', 'dispute-stale', 'of nobody']) {
      expect(await append(role, action, 'done')).toBe('42501');
    }
  });

  test.each([
    ['import', 'settle_operator'],
    ['hold-approved', 'settle_approver'],
    ['policy-propose', 'settle_policy_admin'],
    ['schedule-pause', 'settle_operator'],
  ])('%s is done by %s alone', async (action, owner) => {
    for (const role of ROLES) {
      expect([role, await append(role, action, 'done')]).toEqual([role, role === owner ? 'on record' : '42501']);
    }
  });

  test('what the system does is not in the name of a login', async () => {
    expect(await append('settle_worker', 'publish', 'done')).toBe('42501');
  });

  test('an attempt that was refused does not stand for the publication', async () => {
    for (const role of PERSON_ROLES) {
      expect(await append(role, 'publish', 'refused')).toBe('on record');
      expect(await append(role, 'archive', 'refused')).toBe('on record');
    }
    const tools = { hashes: await nodeHashes(), witness: null, replay: async () => new Map() };
    const outcomes = await auditEpochs(
      { pool: database.open('settle_auditor', 2) },
      network,
      { first: 0, last: 0 },
      tools,
    );
    expect(outcomes.filter(({ outcome }) => outcome === 'failed')).toEqual([]);
  });
});
