import { type Command, Option } from 'commander';
import type { ExportFormat, WrittenExport } from '../../exports/write-exports';
import { type EpochRange, LAST_EPOCH, rangeArgument } from '../arguments';
import { archiveOption, networkOption } from '../groups';
import type { Io } from '../io';
import type { Column } from '../output';

interface ExportCommandOptions {
  readonly network: string;
  readonly out: string;
  readonly format: ExportFormat;
  readonly force?: boolean;
  readonly archive?: readonly string[];
}

export function register(program: Command, io: Io): void {
  program
    .command('export')
    .description('write prices, payouts, epochs, adjustments and the ledger to files that others can check')
    .argument('[A..B]', 'which epochs (default: all)', rangeArgument)
    .requiredOption('--out <dir>', 'where to; the folder is made if need be')
    .addOption(
      new Option('--format <format>', 'what kind of files').choices(['csv', 'jsonl', 'parquet']).default('csv'),
    )
    .option('--force', 'replace files that are there')
    .addOption(networkOption())
    .addOption(archiveOption())
    .action(async (epochs: EpochRange | undefined, { network, out, format, force, archive }: ExportCommandOptions) => {
      const { broughtFor, withDatabase } = await import('../open.js');
      const { exportEpochs } = await import('../../commands/export-epochs.js');
      const written = await withDatabase(
        io,
        (session) => exportEpochs(session, network, epochs ?? null, out, { format, force: force === true }),
        {
          role: 'settle_viewer',
          ...broughtFor(archive, { network, first: 0, last: LAST_EPOCH, ...epochs, allPayouts: false }),
        },
      );
      io.sheet({ columns: COLUMNS, rows: written, empty: 'Nothing was written.' });
    });
}

const COLUMNS: readonly Column<WrittenExport>[] = [
  { key: 'name', title: 'Export', type: 'id', value: ({ name }) => name },
  { key: 'rows', title: 'Rows', type: 'count', value: ({ rows }) => rows },
  { key: 'path', title: 'File', type: 'text', value: ({ path }) => path },
];
