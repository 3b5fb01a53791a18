import { freshDatabase, type TestDatabase } from '../harness/databases';
import { activitiesOn, settleAllInProcess } from '../harness/in-process';
import { makeNetwork } from '../harness/networks';

// Every statement here runs as a superuser, whom no grant stops: what refuses is the schema itself.

let database: TestDatabase;
let network: string;
beforeAll(async () => {
  database = await freshDatabase();
  network = await makeNetwork({ pool: database.operator, actor: 'olivia' });
  await settleAllInProcess(await activitiesOn(database.worker), network);
});
afterAll(() => database.close());

const CHECK = '23514';
const UNIQUE = '23505';
const FOREIGN = '23503';
const NOT_NULL = '23502';
/** By a trigger that comes before the column's own check. */
const REFUSED = '55000';

/** Adds a copy of some row of the table, changed in these columns; what is not changed keeps the row valid. */
async function addCopy(table: string, change: Record<string, unknown>): Promise<string> {
  const client = await database.superuser.connect();
  try {
    await client.query('begin');
    await client.query(
      `insert into settle.${table} select r.* from (select t from settle.${table} t where t.network = $1 limit 1) one,
         jsonb_populate_record(one.t, $2::jsonb) r`,
      [network, JSON.stringify(change)],
    );
    return 'accepted';
  } catch (error) {
    return (error as { code: string }).code;
  } finally {
    await client.query('rollback');
    client.release();
  }
}

/** Epoch 100 is not sealed, so that only the row itself can be refused. */
const FREE = { epoch: 100 };

type Case = readonly [change: Record<string, unknown>, expected: string];

/** Numbers that numeric would take and that mean nothing here. */
const monsters = (column: string): Case[] =>
  ['NaN', 'Infinity', '-Infinity'].map((value) => [{ [column]: value }, CHECK] as const);

const CASES: Readonly<Record<string, readonly Case[]>> = {
  capacity: [
    [FREE, 'accepted'],
    ...monsters('offered').map(([change]): Case => [{ ...FREE, ...change }, CHECK]),
    ...monsters('served').map(([change]): Case => [{ ...FREE, ...change }, CHECK]),
    [{ ...FREE, offered: '-1', served: '-1' }, CHECK],
    [{ ...FREE, served: '-0.000001' }, CHECK],
    [{ ...FREE, offered: '1', served: '1.000001' }, CHECK],
    [{ ...FREE, offered: '1', served: '1' }, 'accepted'],
    [{ ...FREE, offered: '9.0000001' }, CHECK],
    [{ ...FREE, served: '0.0000001' }, CHECK],
    [{ ...FREE, offered: null }, NOT_NULL],
    [{ epoch: -1 }, CHECK],
    ...['', 'a b', 'a\tb', 'a\nb', 'caf\u00e9', 'cafe\u0301', '\u202e', 'x'.repeat(129)].map(
      (provider): Case => [{ ...FREE, provider }, CHECK],
    ),
    [{ ...FREE, provider: 'x'.repeat(128) }, 'accepted'],
    [{ ...FREE, provider: '__proto__' }, 'accepted'],
  ],
  performance: [
    [FREE, 'accepted'],
    [{ ...FREE, uptime: null, response_ms: null, error_rate: null, rating: null }, 'accepted'],
    ...['uptime', 'response_ms', 'error_rate', 'rating'].flatMap((column) =>
      monsters(column).map(([change]): Case => [{ ...FREE, ...change }, CHECK]),
    ),
    ...['1.7', '-0.1', '0.1234567'].flatMap((value): Case[] => [
      [{ ...FREE, uptime: value }, CHECK],
      [{ ...FREE, error_rate: value }, CHECK],
    ]),
    [{ ...FREE, response_ms: '-1' }, CHECK],
    [{ ...FREE, response_ms: '1.2345' }, CHECK],
    ...['0.999', '5.001', '4.1234'].map((rating): Case => [{ ...FREE, rating }, CHECK]),
  ],
  demand: [
    [FREE, 'accepted'],
    ...[
      ...monsters('requested'),
      [{ requested: '-1' }, CHECK] as const,
      [{ requested: '0.0000001' }, CHECK] as const,
    ].map(([change, code]): Case => [{ ...FREE, ...change }, code]),
  ],
  quote: [
    [FREE, 'accepted'],
    [{ ...FREE, usd_per_unit: '0' }, CHECK],
    [{ ...FREE, usd_per_unit: 'NaN' }, CHECK],
    [{ ...FREE, usd_per_unit: '1.0000000000001' }, CHECK],
    [{ ...FREE, source: 'a,b' }, CHECK],
  ],
  token_observation: [
    [FREE, 'accepted'],
    [{ ...FREE, price_usd: '0' }, CHECK],
    [{ ...FREE, price_usd: 'NaN' }, CHECK],
    [{ ...FREE, volume_usd: '-1' }, CHECK],
    [{ ...FREE, volume_usd: 'Infinity' }, CHECK],
  ],
  macro: [
    [FREE, 'accepted'],
    [{ ...FREE, index: '0' }, CHECK],
    [{ ...FREE, index: 'NaN' }, CHECK],
    [{ ...FREE, index: '1.0000000001' }, CHECK],
  ],
  provider_version: [
    // Of a load that another transaction made.
    [{ provider: 'new' }, FOREIGN],
    [{ provider: 'new', status: 'gone' }, CHECK],
    [{ provider: 'new', payee: '0xABCDEF0000000000000000000000000000000000' }, CHECK],
    [{ provider: 'new', payee: `0x${'0'.repeat(40)}` }, CHECK],
    [{ provider: 'new', payee: '0x12' }, CHECK],
    [{ provider: 'new', load_id: 999 }, FOREIGN],
    [{}, UNIQUE],
  ],
  network: [
    [{ network: 'other' }, 'accepted'],
    [{ network: 'other', last_epoch: -1 }, CHECK],
    [{ network: 'other', first_epoch: 9 }, CHECK],
    [{ network: 'other', length_seconds: 0 }, CHECK],
    [{ network: 'other', holds: 'never' }, CHECK],
    [{}, UNIQUE],
  ],
  seal: [[{}, UNIQUE]],
  snapshot: [
    [{}, UNIQUE],
    [FREE, FOREIGN],
  ],
  computation: [
    [{ computation: 2 }, 'accepted'],
    [{ computation: 0 }, CHECK],
    [{ computation: 2, revision: 0 }, REFUSED],
    [{ computation: 2, ...FREE }, FOREIGN],
  ],
  price: [
    [{ market: 'other' }, 'accepted'],
    [{ market: 'other', c_demand: '0.5' }, CHECK],
    [{ market: 'other', d_premium: '-0.1' }, CHECK],
    [{ market: 'other', s_demand: '1.000000001' }, CHECK],
    [{ market: 'other', s_peak_demand: '-0.1' }, CHECK],
    [{ market: 'other', base: 'NaN' }, CHECK],
    [{ market: 'other', rate: '-1' }, CHECK],
    [{ market: 'other', used: '1000000' }, CHECK],
    [{ market: 'other', competitor: null, competitor_epoch: 5 }, CHECK],
    [{ computation: 2 }, FOREIGN],
    [{}, UNIQUE],
  ],
  payout: [
    [{ computation: 2 }, 'accepted'],
    [{ computation: 2, amount: '1' }, CHECK],
    [{ computation: 2, gross: '0', cap_cut: '1', scale_cut: '0', amount: '-1' }, CHECK],
    [{ computation: 2, gross: '1', cap_cut: '-1', scale_cut: '0', amount: '2' }, CHECK],
    [{ computation: 2, gross: 'NaN', amount: 'NaN' }, CHECK],
    [{ computation: 2, reason: 'because' }, CHECK],
    [{ computation: 2, reason: 'suspended', multiplier: null }, CHECK],
    [{ computation: 2, multiplier: null }, CHECK],
    [{ computation: 2, multiplier: '-1' }, CHECK],
    [{}, UNIQUE],
  ],
  result: [
    [{ computation: 2 }, FOREIGN],
    [{ content: '{}' }, CHECK],
    [{ content_digest: 'f'.repeat(64) }, CHECK],
    [{ unallocated_reason: 'lost' }, CHECK],
    [{}, UNIQUE],
  ],
  claim: [
    [{ position: 90 }, 'accepted'],
    [{ position: 90, cumulative: '1', entitlement: '2' }, CHECK],
    [{ position: 90, cumulative: '-1', entitlement: '-1' }, CHECK],
    [{ position: 90, payee: '0x' }, CHECK],
  ],
};

describe.each(Object.entries(CASES))('%s', (table, cases) => {
  test.each(cases.map(([change, expected]) => [JSON.stringify(change), expected, change] as const))(
    'a row with %s: %s',
    async (_text, expected, change) => {
      expect(await addCopy(table, change)).toBe(expected);
    },
  );
});

test('a policy cannot bear the hash of another document', async () => {
  const insert = (canonical: string) =>
    database.superuser.query(
      `insert into settle.policy (policy_hash, canonical, source) values (encode(sha256('{}'), 'hex'), $1, '')`,
      [canonical],
    );
  await expect(insert('{"a":1}')).rejects.toMatchObject({ code: CHECK });
  await insert('{}');
});

test('F31: an amount past 78 digits is refused, not rounded', async () => {
  expect(await addCopy('payout', { computation: 2, gross: `1${'0'.repeat(78)}` })).toBe('22003');
});
