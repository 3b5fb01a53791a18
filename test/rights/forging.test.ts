import type { Activities } from '../../activities';
import { verifyAuditLog } from '../../src/commands/audit-log';
import { createBatch, decideBatch } from '../../src/commands/payments';
import type { Amount } from '../../src/numbers/units';
import { freshDatabase, type TestDatabase } from '../harness/databases';
import { activitiesOn, publishAndProve, settleEpochInProcess, walkToCheck } from '../harness/in-process';
import { makeNetwork } from '../harness/networks';
import { type Person, person } from './logins';

let database: TestDatabase;
let activities: Activities;
const all: Person[] = [];

beforeAll(async () => {
  database = await freshDatabase();
  activities = await activitiesOn(database.worker);
});
afterAll(async () => {
  for (const one of all) await one.leave();
  await database.close();
});

async function member(...roles: Parameters<typeof person>[1]): Promise<Person> {
  const made = await person(database, roles);
  all.push(made);
  return made;
}

describe('S2: whoever reaches the database directly cannot forge an approval', () => {
  let network: string;
  let held: Awaited<ReturnType<typeof walkToCheck>>;
  beforeAll(async () => {
    network = await makeNetwork({ pool: database.viewer, actor: 'olivia' }, { held: [1] });
    await settleEpochInProcess(activities, { network, epoch: 0 });
    await activities.gather({ network, epoch: 1 }, 'test');
    held = await walkToCheck(activities, { network, epoch: 1 });
  });
  const decide = (pool: Person['pool'], decision: string, actor: string, digest = held.checked.contentDigest) =>
    pool.query(
      `insert into hold_decision (network, epoch, revision, computation, decision, content_digest, actor, reason)
       values ($1, 1, 1, $2, $3, $4, $5, 'forged')`,
      [network, held.derived.key.computation, decision, digest, actor],
    );

  test('the held result is not published without a decision', async () => {
    expect(held.checked.hold).not.toBeNull();
    await expect(publishAndProve(activities, held.derived.key, held.checked.contentDigest)).rejects.toThrow(
      'nobody approved the content digest',
    );
  });

  test('a worker cannot approve, not as somebody and not as system', async () => {
    const worker = await member('settle_worker');
    await expect(decide(worker.pool, 'approved', worker.actor)).rejects.toThrow(
      'settle_worker cannot decide that a hold is approved',
    );
    await expect(decide(worker.pool, 'approved', 'system')).rejects.toThrow(
      'settle_worker cannot decide that a hold is approved',
    );
    await expect(decide(worker.pool, 'released', 'system')).rejects.toThrow('keeps its holds until a person decides');
  });

  test('an operator cannot write a decision at all', async () => {
    const operator = await member('settle_operator');
    await expect(decide(operator.pool, 'approved', operator.actor)).rejects.toMatchObject({ code: '42501' });
  });

  test('an approver decides in no name but its own, and only what is held', async () => {
    const approver = await member('settle_approver');
    await expect(decide(approver.pool, 'approved', 'anton')).rejects.toThrow('cannot act in the name of anton');
    await expect(decide(approver.pool, 'approved', 'system')).rejects.toThrow('cannot act in the name of system');
    await expect(decide(approver.pool, 'approved', approver.actor, 'f'.repeat(64))).rejects.toThrow(
      'not the one that was held',
    );
  });

  test('who asked for the run does not approve it, whatever roles the login has', async () => {
    const both = await member('settle_operator', 'settle_approver');
    await database.tamper('update settle.hold set asked_by = $2 where network = $1', [network, both.actor]);
    const client = await both.pool.connect();
    await client.query('set role settle_approver');
    await expect(decide(client as never, 'approved', both.actor)).rejects.toThrow(
      'asked for this run and cannot approve it',
    );
    client.release(true);
  });

  test('after all these attempts nothing is published but epoch 0', async () => {
    await expect(publishAndProve(activities, held.derived.key, held.checked.contentDigest)).rejects.toThrow();
    const found = await database.viewer.query('select distinct epoch from chain_entry where network = $1', [network]);
    expect(found.rows).toEqual([{ epoch: 0 }]);
  });
});

describe('S2: money takes two logins', () => {
  test('two logins make and approve a batch; the second role alone is not enough for either', async () => {
    const network = await makeNetwork({ pool: database.viewer, actor: 'olivia' });
    await settleEpochInProcess(activities, { network, epoch: 0 });
    const operator = await member('settle_operator');
    const approver = await member('settle_approver');
    const wanted = { network, minimum: 1n as Amount, requestId: null };
    const { batch } = await createBatch(operator, wanted);
    const decision = {
      network,
      batch,
      outcome: 'approved' as const,
      reason: 'seen',
      linesDigest: null,
      requestId: null,
    };
    await expect(createBatch(approver, wanted)).rejects.toMatchObject({ id: 'RightMissing' });
    await expect(decideBatch(operator, decision)).rejects.toMatchObject({ id: 'RightMissing' });
    expect(await decideBatch(approver, decision)).toMatchObject({ decision: 'approved', decidedBy: approver.actor });
    await expect(
      operator.pool.query(
        `insert into payment_line (network, batch, provider, payee, amount) values ($1, $2, 'p9', '0x${'a'.repeat(40)}', 1)`,
        [network, batch],
      ),
    ).rejects.toThrow();
  });

  test('a fold cannot be written by hand, nor a publication booked by a person', async () => {
    const operator = await member('settle_operator');
    await operator.pool.query('set role settle_operator');
    await expect(
      operator.pool.query(`insert into entitlement_fold values ('n', 9, 'p0', 1000000)`),
    ).rejects.toMatchObject({ code: '42501' });
    await expect(
      operator.pool.query(
        `insert into ledger_posting (network, journal, account, amount)
         values ('n', 'publication/1/1', 'treasury', -5), ('n', 'publication/1/1', 'providers', 5)`,
      ),
    ).rejects.toThrow('cannot book journal publication/1/1');
  });
});

describe('S4, S15: the audit log', () => {
  // Whatever the tests before it left there, or none of them was run.
  beforeAll(async () => {
    const viewer = await member('settle_viewer');
    for (const subject of ['one', 'two', 'three']) {
      await viewer.pool.query(`select settle.append_audit('n', $1, 'a', $2, 'refused', 'r', 'q', '{}')`, [
        viewer.actor,
        subject,
      ]);
    }
  });

  test('nobody writes in another name, nobody without a role says that something was done', async () => {
    const viewer = await member('settle_viewer');
    const append = (actor: string, outcome: string) =>
      viewer.pool.query(`select settle.append_audit('n', $1, 'a', 's', $2, 'r', 'q', '{}')`, [actor, outcome]);
    await expect(append('anton', 'refused')).rejects.toThrow('cannot act in the name of anton');
    await expect(append(viewer.actor, 'done')).rejects.toMatchObject({ code: '42501' });
    await append(viewer.actor, 'refused');
    await expect(viewer.pool.query('select from audit_log')).rejects.toMatchObject({ code: '42501' });
  });

  test('no row can be changed, and one that a superuser changed past the triggers is found by its entry', async () => {
    const auditor = await member('settle_auditor');
    expect(await verifyAuditLog(auditor)).toMatchObject({ holds: true, problem: null });
    await expect(database.superuser.query(`update settle.audit_log set actor = 'x' where entry = 2`)).rejects.toThrow(
      'append-only',
    );
    await database.tamper(`update settle.audit_log set reason = 'another' where entry = 2`);
    expect(await verifyAuditLog(auditor)).toMatchObject({
      holds: false,
      problem: expect.stringContaining('audit_log 2'),
    });
  });

  test('a row that was taken out, and one with a hash of its own, are found', async () => {
    const auditor = await member('settle_auditor');
    await database.tamper('delete from settle.audit_log where entry = 2');
    expect(await verifyAuditLog(auditor)).toMatchObject({ holds: false, rows: 1 });
  });
});
