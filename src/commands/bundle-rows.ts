import type { Bundle } from '../inputs/bundle';
import { CopyBatch } from '../inputs/copy-csv';
import { readTable } from '../inputs/read-table';
import { inputTable } from '../inputs/tables';
import type { RowSource } from '../store/load-source';

/** A bundle's rows for the store, valid each by itself. */
export function bundleRows(bundle: Bundle): RowSource {
  return {
    name: bundle.folder,
    fileName: (table) => bundle.files[table].name,
    async *batches(table) {
      for await (const rows of readTable(bundle, table)) yield new CopyBatch(rows, inputTable(table));
    },
  };
}
