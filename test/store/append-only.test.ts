import { freshDatabase, type TestDatabase } from '../harness/databases';
import { activitiesOn, settleAllInProcess, walkToCheck } from '../harness/in-process';
import { makeNetwork } from '../harness/networks';

let database: TestDatabase;
let network: string;
beforeAll(async () => {
  database = await freshDatabase();
  network = await makeNetwork({ pool: database.operator, actor: 'olivia' }, { holds: 'release', held: [1] });
  await settleAllInProcess(await activitiesOn(database.worker), network);
});
afterAll(() => database.close());

const APPEND_ONLY = [
  ...[
    'network',
    'policy',
    'policy_effective',
    'load',
    'provider_version',
    'capacity',
    'performance',
    'demand',
    'quote',
  ],
  ...['token_observation', 'macro', 'late_row', 'seal', 'snapshot', 'computation', 'price', 'result', 'hold'],
  ...['hold_decision', 'epoch_failure', 'chain_entry', 'audit_log', 'request'],
];
const REFUSED = '55000';
const NO_RIGHT = '42501';

async function codeOf(attempt: Promise<unknown>): Promise<string> {
  try {
    await attempt;
    return 'done';
  } catch (error) {
    return (error as { code: string }).code;
  }
}

async function aColumnOf(table: string): Promise<string> {
  const found = await database.superuser.query<{ name: string }>(
    `select attname as name from pg_attribute where attrelid = ('settle.' || $1)::regclass and attnum > 0
       and attidentity = '' and not attisdropped order by attnum limit 1`,
    [table],
  );
  return found.rows[0]!.name;
}

async function statementsOn(table: string): Promise<readonly string[]> {
  const column = await aColumnOf(table);
  return [
    `update settle.${table} set ${column} = ${column}`,
    `delete from settle.${table}`,
    `truncate settle.${table} cascade`,
  ];
}

describe.each(APPEND_ONLY)('%s', (table) => {
  test('cannot be changed, even by its owner', async () => {
    for (const statement of await statementsOn(table)) {
      expect([statement, await codeOf(database.superuser.query(statement))]).toEqual([statement, REFUSED]);
    }
  });

  test.each(['settle_worker', 'settle_operator', 'settle_viewer'] as const)('cannot be changed by %s', async (role) => {
    const pool = database.open(role, 1);
    for (const statement of await statementsOn(table)) {
      expect([statement, await codeOf(pool.query(statement))]).toEqual([statement, NO_RIGHT]);
    }
    await pool.end();
  });
});

test('S4: nor can a partition be changed behind the back of its table', async () => {
  for (const partition of ['capacity_0', 'performance_0', 'payout_0']) {
    for (const statement of await statementsOn(partition)) {
      expect([statement, await codeOf(database.superuser.query(statement))]).toEqual([statement, REFUSED]);
    }
  }
  const added = `insert into settle.capacity_0 values ($1, 0, 'p9', 'gpu', 1, 1)`;
  expect(await codeOf(database.superuser.query(added, [network]))).toBe(REFUSED);
});

test('drafts may be written again by the worker, checked payouts by nobody', async () => {
  const fresh = await makeNetwork({ pool: database.operator, actor: 'olivia' });
  const activities = await activitiesOn(database.worker);
  const sealed = await activities.seal({ network: fresh, epoch: 0 });
  const derived = await activities.derive({ network: fresh, epoch: 0 }, 'request');
  const remove = () => codeOf(database.worker.query('delete from payout where network = $1', [fresh]));
  await activities.reward(derived.key, 0, null);
  expect(await remove()).toBe('done');
  await walkToCheck(activities, { network: fresh, epoch: 0 });
  expect(await remove()).toBe(REFUSED);
  const add = `insert into payout select network, epoch, revision, computation, 'p9', 0, 0, 0, 0, 'no-capacity', null
    from payout where network = $1 limit 1`;
  expect(await codeOf(database.worker.query(add, [fresh]))).toBe(REFUSED);
  expect(await codeOf(database.worker.query('update payout set amount = amount'))).toBe(NO_RIGHT);
  expect(sealed.chunks).toBe(1);
});

test('rows cannot join an epoch that is sealed, whoever writes them', async () => {
  const insert = (pool: typeof database.operator) =>
    codeOf(pool.query(`insert into settle.demand values ($1, 0, 'late', 1)`, [network]));
  expect(await insert(database.operator)).toBe(REFUSED);
  expect(await insert(database.superuser)).toBe(REFUSED);
});
