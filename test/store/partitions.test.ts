import { freshDatabase, type TestDatabase } from '../harness/databases';

let database: TestDatabase;
beforeEach(async () => {
  database = await freshDatabase();
});
afterEach(() => database.close());

const ensure = (epochs: readonly number[]) =>
  database.worker.query('select settle.ensure_partitions($1::integer[])', [epochs]);

async function partitions(parent: string): Promise<readonly string[]> {
  const found = await database.superuser.query<{ line: string }>(
    `select c.relname || ' ' || pg_get_expr(c.relpartbound, c.oid) as line from pg_inherits i
     join pg_class c on c.oid = i.inhrelid where i.inhparent = ('settle.' || $1)::regclass order by c.oid`,
    [parent],
  );
  // A bound of a domain's type is printed in quotes.
  return found.rows.map(({ line }) => line.replaceAll("'", ''));
}

const LAST_EPOCH = 2_147_483_647;

test('a range of 256 epochs has one partition in each of the three tables, made once', async () => {
  await ensure([0, 1, 255]);
  await ensure([256]);
  await ensure([0, 300]);
  for (const parent of ['capacity', 'performance', 'payout']) {
    expect(await partitions(parent)).toEqual([
      `${parent}_0 FOR VALUES FROM (0) TO (256)`,
      `${parent}_256 FOR VALUES FROM (256) TO (512)`,
    ]);
  }
});

test('the last epoch that there can be has a partition', async () => {
  await ensure([LAST_EPOCH, LAST_EPOCH - 255, LAST_EPOCH - 256]);
  expect(await partitions('capacity')).toEqual([
    'capacity_2147483136 FOR VALUES FROM (2147483136) TO (2147483392)',
    'capacity_2147483392 FOR VALUES FROM (2147483392) TO (MAXVALUE)',
  ]);
  for (const epoch of [LAST_EPOCH - 256, LAST_EPOCH - 255, LAST_EPOCH]) {
    await database.operator.query(`insert into capacity values ('n', $1, 'p', 'm', 1, 1)`, [epoch]);
  }
  await expect(database.operator.query(`insert into capacity values ('n', 0, 'p', 'm', 1, 1)`)).rejects.toMatchObject({
    code: CHECK,
  });
});

const CHECK = '23514';

test('sessions that want the same partitions at once all get them', async () => {
  await Promise.all(Array.from({ length: 6 }, () => ensure([10, 1000, 2000])));
  expect(await partitions('payout')).toHaveLength(3);
});

test('a partition has the constraints and keys of its table', async () => {
  await ensure([0]);
  const insert = (served: string) =>
    database.operator.query(`insert into capacity values ('n', 0, 'p', 'm', 1, $1)`, [served]);
  await expect(insert('2')).rejects.toMatchObject({ code: CHECK });
  await insert('1');
  await expect(insert('1')).rejects.toMatchObject({ code: '23505' });
});

test('the worker may ask for partitions and not make a table', async () => {
  await expect(database.worker.query('create table settle.mine ()')).rejects.toMatchObject({ code: '42501' });
  await expect(database.viewer.query('select settle.ensure_partitions(array[0])')).rejects.toMatchObject({
    code: '42501',
  });
});
