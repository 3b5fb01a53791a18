import type { TestDatabase } from './databases';

/**
 * One line for each row of every table of the schema, partitions through their parents, in a fixed order: two equal
 * answers mean that nothing was written in between.
 */
export async function allRows({ superuser }: TestDatabase): Promise<readonly string[]> {
  const tables = await superuser.query<{ name: string }>(
    `select c.relname as name from pg_class c
     where c.relnamespace = 'settle'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition order by 1`,
  );
  const lines: string[] = [];
  for (const { name } of tables.rows) {
    const found = await superuser.query<{ line: string }>(`select t::text as line from settle.${name} t order by 1`);
    lines.push(...found.rows.map(({ line }) => `${name}${line}`));
  }
  return lines;
}
