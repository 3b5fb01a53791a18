import { join } from 'node:path';
import { archiveEpochs } from '../../src/commands/archive-epochs';
import { attachArchive } from '../../src/commands/attach-archive';
import { readAuditLog, verifyAuditLog } from '../../src/commands/audit-log';
import { confirmPayments, failPayment } from '../../src/commands/confirm-payments';
import type { WorkflowContext } from '../../src/commands/context';
import { createNetwork } from '../../src/commands/create-network';
import { decideHold } from '../../src/commands/decide-hold';
import { failEpochs } from '../../src/commands/fail-epochs';
import { importBundle } from '../../src/commands/import-bundle';
import { recordDispute } from '../../src/commands/open-dispute';
import { createBatch, decideBatch } from '../../src/commands/payments';
import { decidePolicy, proposePolicy } from '../../src/commands/policies';
import { recordDisputeDecision } from '../../src/commands/run-dispute';
import { startLoop } from '../../src/commands/run-epochs';
import { applySchedule } from '../../src/commands/schedule';
import { recordAgain } from '../../src/commands/settle-again';
import type { Amount } from '../../src/numbers/units';
import { PERSON_ROLES, type PersonRole } from '../../src/store/rights';
import { freshDatabase, type TestDatabase } from '../harness/databases';
import { makeNetwork, networkName } from '../harness/networks';
import { type Person, person } from './logins';

const SAMPLE = join(__dirname, '..', '..', 'samples', 'swarm-week');
const POLICY = join(__dirname, '..', '..', 'policies', 'swarm-default.yaml');

let database: TestDatabase;
let network: string;
const people = new Map<PersonRole, Person>();

beforeAll(async () => {
  database = await freshDatabase();
  network = await makeNetwork({ pool: database.viewer, actor: 'olivia' });
  for (const role of PERSON_ROLES) people.set(role, await person(database, [role]));
});
afterAll(async () => {
  for (const one of people.values()) await one.leave();
  await database.close();
});

/** Ends what would go on in Temporal: whoever gets here had the right. */
const TEMPORAL_REACHED = new Error('temporal was reached');
const temporal = new Proxy(
  {},
  {
    get: () => {
      throw TEMPORAL_REACHED;
    },
  },
) as WorkflowContext['temporal'];

const decision = { reason: 'a test', requestId: null };

/** Every command that changes something, or reads what not everybody may: the one role that may, and the call. */
const COMMANDS: Readonly<Record<string, readonly [PersonRole, (context: WorkflowContext) => Promise<unknown>]>> = {
  'network create': [
    'settle_policy_admin',
    (context) =>
      createNetwork(context, {
        network: networkName(),
        policyFile: POLICY,
        firstEpoch: 0,
        lastEpoch: null,
        holds: 'wait',
      }),
  ],
  import: [
    'settle_operator',
    (context) => importBundle(context, SAMPLE, { network, dryRun: true, outsideCalendar: 'refuse' }),
  ],
  'epoch run': ['settle_operator', (context) => startLoop(context, { network, range: null, askedBy: context.actor })],
  'epoch run --again': ['settle_operator', (context) => recordAgain(context, { network, epoch: 0, ...decision })],
  'epoch fail': [
    'settle_approver',
    (context) => failEpochs(context, { network, range: { first: 9, last: 9 }, reason: 'a test' }),
  ],
  'hold approve': [
    'settle_approver',
    (context) => decideHold(context, { network, epoch: 0, outcome: 'approved', reason: 'a test', contentDigest: null }),
  ],
  'dispute open': [
    'settle_operator',
    (context) =>
      recordDispute(context, {
        network,
        epoch: 0,
        revision: null,
        corrections: null,
        late: true,
        derive: 'pinned',
        ...decision,
      }),
  ],
  'dispute approve': [
    'settle_approver',
    (context) =>
      recordDisputeDecision(context, {
        network,
        epoch: 0,
        dispute: 1,
        outcome: 'approved',
        reason: 'a test',
        contentDigest: null,
      }),
  ],
  'schedule apply': ['settle_operator', (context) => applySchedule(context, network)],
  'payment create': [
    'settle_operator',
    (context) => createBatch(context, { network, minimum: 1n as Amount, requestId: null }),
  ],
  'payment approve': [
    'settle_approver',
    (context) => decideBatch(context, { network, batch: 1, outcome: 'approved', linesDigest: null, ...decision }),
  ],
  'payment confirm': [
    'settle_operator',
    (context) => confirmPayments(context, { network, batch: 1, confirmations: [], lateReason: null, requestId: null }),
  ],
  'payment confirm --late': [
    'settle_operator',
    (context) =>
      confirmPayments(context, { network, batch: 1, confirmations: [], lateReason: 'a test', requestId: null }),
  ],
  'payment fail': [
    'settle_operator',
    (context) => failPayment(context, { network, batch: 1, provider: 'p0', ...decision }),
  ],
  'policy propose': [
    'settle_policy_admin',
    (context) => proposePolicy(context, { network, policyFile: POLICY, fromEpoch: 1, ...decision }),
  ],
  'policy approve': [
    'settle_policy_admin',
    (context) => decidePolicy(context, { network, proposal: '1', outcome: 'approved', ...decision }),
  ],
  archive: [
    'settle_operator',
    (context) => archiveEpochs(context, { range: { first: 0, last: 255 }, out: '/nowhere', detach: true, ...decision }),
  ],
  'archive attach': ['settle_operator', (context) => attachArchive(context, { folder: '/nowhere', ...decision })],
  'audit-log list': ['settle_auditor', (context) => readAuditLog(context, network, { refusedOnly: true, limit: 1 })],
  'audit-log verify': ['settle_auditor', (context) => verifyAuditLog(context)],
};

const CELLS = Object.entries(COMMANDS).flatMap(([command, [owner]]) =>
  PERSON_ROLES.map((role) => ({ command, role, may: role === owner })),
);

describe('S2: each command takes one role, and no other will do', () => {
  test.each(CELLS)('$role, $command: $may', async ({ command, role, may }) => {
    const { actor, pool } = people.get(role)!;
    const [owner, run] = COMMANDS[command]!;
    const answer = await run({ pool, actor, temporal }).then(
      () => ({ id: 'done' }),
      (error: Error & { id?: string }) => error,
    );
    if (may) expect(answer).not.toMatchObject({ id: 'RightMissing' });
    else expect(answer).toMatchObject({ id: 'RightMissing', message: expect.stringContaining(owner) });
    // Not by PostgreSQL alone, in words that nobody understands.
    expect(answer).not.toMatchObject({ code: '42501' });
  });

  test('an attempt without the right is on record in the name of the login', async () => {
    const { actor, pool } = people.get('settle_viewer')!;
    await decideBatch(
      { pool, actor },
      { network, batch: 1, outcome: 'approved', linesDigest: null, ...decision },
    ).catch(() => undefined);
    const found = await database.superuser.query(
      `select action, detail ->> 'id' as id from settle.audit_log where actor = $1 and action = 'payment-approved'
       order by entry desc limit 1`,
      [actor],
    );
    expect(found.rows).toEqual([{ action: 'payment-approved', id: 'RightMissing' }]);
  });

  test('a login that is no member of any role cannot even look', async () => {
    await expect(person(database, [])).rejects.toMatchObject({ id: 'RightMissing' });
  });
});

/** Who may insert into which table; every table that is not here: nobody. */
const INSERTS: Readonly<Record<string, readonly string[]>> = {
  network: ['settle_policy_admin'],
  policy: ['settle_policy_admin'],
  policy_effective: ['settle_policy_admin'],
  policy_proposal: ['settle_policy_admin'],
  policy_decision: ['settle_policy_admin'],
  load: ['settle_operator'],
  provider_version: ['settle_operator'],
  capacity: ['settle_operator'],
  performance: ['settle_operator'],
  demand: ['settle_operator'],
  quote: ['settle_operator'],
  token_observation: ['settle_operator'],
  macro: ['settle_operator'],
  late_row: ['settle_operator'],
  dispute: ['settle_operator'],
  correction: ['settle_operator'],
  payment_batch: ['settle_operator'],
  payment_line: ['settle_operator'],
  payment_confirmation: ['settle_operator'],
  payment_failure: ['settle_operator'],
  request: ['settle_approver', 'settle_operator', 'settle_policy_admin'],
  payment_decision: ['settle_approver'],
  dispute_decision: ['settle_approver', 'settle_worker'],
  hold_decision: ['settle_approver', 'settle_worker'],
  epoch_failure: ['settle_approver', 'settle_worker'],
  ledger_posting: ['settle_operator', 'settle_worker'],
  seal: ['settle_worker'],
  snapshot: ['settle_worker'],
  corrected_snapshot: ['settle_worker'],
  computation: ['settle_worker'],
  price: ['settle_worker'],
  payout: ['settle_worker'],
  result: ['settle_worker'],
  hold: ['settle_worker'],
  chain_entry: ['settle_worker'],
  claim: ['settle_worker'],
  workflow_bundle: ['settle_worker'],
  history_archive: ['settle_worker'],
};

const ROLES = [...PERSON_ROLES, 'settle_worker'];

async function privileges(privilege: string): Promise<Record<string, string[]>> {
  const found = await database.superuser.query<{ table: string; role: string }>(
    `select c.relname as table, r.role from pg_class c cross join unnest($1::text[]) r(role)
     where c.relnamespace = 'settle'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition
       and case $2 when 'insert' then has_any_column_privilege(r.role, c.oid, $2) else has_table_privilege(r.role, c.oid, $2) end
     order by 1, 2`,
    [ROLES, privilege],
  );
  const of: Record<string, string[]> = {};
  for (const { table, role } of found.rows) of[table] = [...(of[table] ?? []), role];
  return of;
}

describe('S2, S4: the database grants exactly this, and nothing by default', () => {
  test('insert', async () => {
    const expected = Object.fromEntries(Object.entries(INSERTS).map(([table, roles]) => [table, [...roles].sort()]));
    const granted = await privileges('insert');
    expect(Object.fromEntries(Object.entries(granted).map(([table, roles]) => [table, roles.sort()]))).toEqual(
      expected,
    );
  });

  test('insert without the number that tells which row is newer: that comes from its sequence', async () => {
    const found = await database.superuser.query(
      `select c.relname as table, a.attname as column from pg_class c
         join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and a.attidentity <> ''
         cross join unnest($1::text[]) r(role)
       where c.relnamespace = 'settle'::regnamespace and has_column_privilege(r.role, c.oid, a.attnum, 'insert')`,
      [ROLES],
    );
    expect(found.rows).toEqual([]);
  });

  test('delete: drafts and derived rows of the worker', async () => {
    expect(await privileges('delete')).toEqual({ claim: ['settle_worker'], payout: ['settle_worker'] });
  });

  test.each(['update', 'truncate', 'references', 'trigger'])('%s: nobody', async (privilege) => {
    expect(await privileges(privilege)).toEqual({});
  });

  test('reading the audit log: the auditor, and the worker for what it archives', async () => {
    expect((await privileges('select')).audit_log).toEqual(['settle_auditor', 'settle_worker']);
  });

  test('no role is a member of another, owns anything, or may create', async () => {
    const found = await database.superuser.query(
      `select r.rolname from pg_roles r where r.rolname = any($1)
         and (r.rolsuper or r.rolcreaterole or r.rolcreatedb or r.rolcanlogin
           or exists (select from pg_auth_members m where m.member = r.oid)
           or exists (select from pg_class c where c.relowner = r.oid)
           or has_schema_privilege(r.oid, 'settle', 'create'))`,
      [ROLES],
    );
    expect(found.rows).toEqual([]);
  });
});
