import type { Command } from 'commander';
import { group } from './groups';
import type { Io } from './io';
import { withDatabase } from './open';

/** `settle database migrate`: brings the schema of DATABASE_URL, or of the embedded server, to this version. */
export function register(program: Command, io: Io): void {
  group(program, 'database')
    .command('migrate')
    .description('bring the schema to this version (needs a login that may create tables and roles)')
    .action(async () => {
      const { assertSchema, migrate } = await import('../store/migrate.js');
      const url = io.env.DATABASE_URL;
      const applied = url ? await migrate(url, io.log) : [];
      await withDatabase(io, async ({ pool }) => {
        const schema = await assertSchema(pool);
        io.account({
          value: { schema, applied },
          human: (colors) =>
            `Schema ${colors.bold(schema)}${applied.length > 0 ? `; applied ${applied.join(', ')}` : ', nothing to apply'}.`,
        });
      });
    });
}
