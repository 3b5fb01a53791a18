import type { Command } from 'commander';
import type { ImportReport } from '../commands/import-bundle';
import { Interrupted } from './errors';
import { counted, rangeText } from './figures';
import { networkOption } from './groups';
import type { Io } from './io';
import { withDatabaseToTheEnd } from './open';
import type { Column } from './output';

/** `settle import DIR`: an input bundle into a network, whole or not at all. */
export function register(program: Command, io: Io): void {
  program
    .command('import <dir>')
    .description('load an input bundle, whole or not at all; loading it again changes nothing')
    .option('--dry-run', 'check and count everything, and keep nothing')
    .option('--skip-outside', 'leave out rows of epochs outside the calendar, instead of refusing the bundle')
    .addOption(networkOption())
    .action(async (folder: string, options: ImportOptions) => {
      const { importBundle } = await import('../commands/import-bundle.js');
      const load = {
        network: options.network,
        dryRun: options.dryRun === true,
        outsideCalendar: options.skipOutside === true ? 'skip' : 'refuse',
        signal: io.signal,
      } as const;
      // Not raced against Ctrl-C: whether anything was loaded is known only when the load has ended.
      const report = await withDatabaseToTheEnd(io, (session) => importBundle(session, folder, load)).catch(
        (error: unknown) => {
          throw error === io.signal.reason ? new Interrupted(GIVEN_UP) : error;
        },
      );
      tell(io, report);
    });
}

const GIVEN_UP = 'Interrupted. Nothing of the bundle was loaded: import it again.';

interface ImportOptions {
  readonly network: string;
  readonly dryRun?: boolean;
  readonly skipOutside?: boolean;
}

interface TableRow {
  readonly table: string;
  readonly read: number;
  readonly added: number;
  readonly repeated: number;
  readonly late: number;
  readonly outside: number;
}

const COLUMNS: readonly Column<TableRow>[] = [
  { key: 'table', title: 'Table', type: 'id', value: (row) => row.table },
  { key: 'read', title: 'Read', type: 'count', value: (row) => row.read },
  { key: 'added', title: 'Added', type: 'count', value: (row) => row.added },
  { key: 'repeated', title: 'Known before', type: 'count', value: (row) => row.repeated },
  { key: 'late', title: 'Late', type: 'count', value: (row) => row.late },
  { key: 'outside', title: 'Other epochs', type: 'count', value: (row) => row.outside },
];

function tell(io: Io, report: ImportReport): void {
  const rows = Object.entries(report.counts).map(([table, counts]) => ({ table, ...counts }));
  io.sheet({ columns: COLUMNS, rows, empty: 'The bundle has no tables.' });
  const added = rows.reduce((sum, row) => sum + row.added, 0);
  const late = rows.reduce((sum, row) => sum + row.late, 0);
  const { firstEpoch, lastEpoch } = report;
  const span = firstEpoch === null || lastEpoch === null ? '' : ` of epochs ${rangeText(firstEpoch, lastEpoch)}`;
  io.say(
    report.dryRun
      ? `Would add ${counted(added, 'row')}${span}; nothing was kept.`
      : `Added ${counted(added, 'row')}${span}.`,
  );
  if (late > 0) {
    io.say(`${counted(late, 'row')} came after their epoch was sealed: kept apart, and of use only to a dispute.`);
  }
  if (report.ignored.length > 0) io.say(`Not part of a bundle, and not read: ${report.ignored.join(', ')}.`);
}
