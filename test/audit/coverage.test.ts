import { CHECKS } from '../../src/audit/outcomes';
import { freshDatabase } from '../harness/databases';
import { COVERED, INFORMATIVE } from './coverage';

test('every column of every table is covered by a check, or it is said why it need not be', async () => {
  const database = await freshDatabase();
  const found = await database.superuser.query<{ table: string; column: string }>(
    `select c.table_name as table, c.column_name as column from information_schema.columns c
     join pg_class t on t.relname = c.table_name and t.relnamespace = 'settle'::regnamespace
     where c.table_schema = 'settle' and not t.relispartition and t.relkind in ('r', 'p') order by 1, 2`,
  );
  await database.close();
  const uncovered = found.rows.filter(({ table, column }) => {
    const informative = INFORMATIVE[table] ?? {};
    return (
      COVERED[table]?.[column] === undefined && informative[column] === undefined && informative['*'] === undefined
    );
  });
  expect(uncovered.map(({ table, column }) => `${table}.${column}`)).toEqual([]);
  const there = new Set(found.rows.map(({ table, column }) => `${table}.${column}`));
  const named = Object.entries(COVERED).flatMap(([table, columns]) =>
    Object.keys(columns).map((column) => `${table}.${column}`),
  );
  expect(named.filter((name) => !there.has(name))).toEqual([]);
  const checks: readonly string[] = CHECKS;
  expect(
    Object.values(COVERED)
      .flatMap((columns) => Object.values(columns))
      .filter((check) => !checks.includes(check)),
  ).toEqual([]);
});
