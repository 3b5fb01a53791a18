import { type Bundle, openBundle } from '../inputs/bundle';
import { copyCsvLine } from '../inputs/copy-csv';
import { checkBundle, readTable } from '../inputs/read-table';
import { rowsRefused } from '../inputs/refusals';
import type { InputTableName } from '../inputs/tables';
import { type LoadOptions, type LoadReport, loadBundle, type RowSource, RowsRefused } from '../store/loads';
import type { CommandContext } from './context';

/**
 * Loads an input bundle into a network, whole or not at all (spec §3).
 * @throws BundleError with file, line and reason of every refused row; nothing was loaded then.
 */
export async function importBundle(
  context: CommandContext,
  folder: string,
  options: Omit<LoadOptions, 'actor'>,
): Promise<LoadReport & { readonly ignored: readonly string[] }> {
  const bundle = await openBundle(folder);
  try {
    const report = await loadBundle(context.pool, rowSource(bundle), { ...options, actor: context.actor });
    return { ...report, ignored: bundle.ignored };
  } catch (error) {
    if (error instanceof RowsRefused) {
      const refused = error.problems.map((problem) => ({
        ...problem,
        column: null,
        value: null,
        todo: 'correct or remove the row',
      }));
      throw rowsRefused(bundle.folder, refused, refused.length);
    }
    // A file that is wrong on its own ends the load at its first bad batch; this pass shows what is wrong in all seven.
    await checkBundle(bundle);
    throw error;
  }
}

/** The epochs that a bundle's tables name, lowest to highest (spec §3); null: it has no row with an epoch. */
export async function bundleEpochs(folder: string): Promise<{ readonly first: number; readonly last: number } | null> {
  const bundle = await openBundle(folder);
  await checkBundle(bundle);
  let first = Number.POSITIVE_INFINITY;
  let last = -1;
  for (const table of EPOCH_TABLES) {
    for await (const rows of readTable(bundle, table)) {
      for (const { values } of rows) {
        const epoch = Number(values[0]);
        if (epoch < first) first = epoch;
        if (epoch > last) last = epoch;
      }
    }
  }
  return last < 0 ? null : { first, last };
}

const EPOCH_TABLES: readonly InputTableName[] = ['capacity', 'performance', 'demand', 'quotes', 'token', 'macro'];

function rowSource(bundle: Bundle): RowSource {
  return {
    name: bundle.folder,
    fileName: (table) => bundle.files[table].name,
    async *copyLines(table) {
      for await (const rows of readTable(bundle, table)) {
        let piece = '';
        for (const row of rows) piece += `${row.line},${copyCsvLine(row.values)}`;
        yield piece;
      }
    },
  };
}
