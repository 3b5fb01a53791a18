import { mkdir, open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { parquetSink } from './parquet';
import { type RowSink, rowCheck, rowForm, type TextFormat } from './row-forms';
import { EXPORT_TABLES, type ExportName, type ExportTable } from './tables';
import { type DraftFile, draftFile, moveWhole, onDisk, refuseExisting, syncFolder } from './whole-files';

/** Canonical cells of each row in the order of the table's columns, ascending by epoch and key (spec §11). */
export type ExportRows = AsyncIterable<readonly string[]> | Iterable<readonly string[]>;

export type ExportFormat = TextFormat | 'parquet';

export interface ExportOptions {
  readonly format: ExportFormat;
  /** Replace files that are there. */
  readonly force: boolean;
}

export interface WrittenExport {
  readonly name: ExportName;
  readonly path: string;
  readonly rows: number;
}

// Pieces of this many characters.
const PIECE_CHARS = 262_144;

/**
 * Writes exports to a folder, which is made if need be: `prices.csv`, `payouts.csv`, … or the same names ending in
 * `.jsonl` or `.parquet`.
 *
 * Whoever looks into the folder sees whole files only: each is written under a temporary name and synced, and when all
 * are complete they are moved to their names. If one fails, none appears.
 *
 * @throws ExportError `export-exists` before a row is read (and nothing is ever replaced without `force`),
 *   `export-row-not-valid`, `export-row-order`, `export-not-written`.
 */
export async function writeExports(
  folder: string,
  exports: Partial<Readonly<Record<ExportName, ExportRows>>>,
  { format, force }: ExportOptions,
): Promise<WrittenExport[]> {
  const drafts = Object.entries(exports).map(([name, rows]) => draftOf(folder, name as ExportName, rows, format));
  await onDisk(folder, () => mkdir(folder, { recursive: true }));
  if (!force) for (const { path } of drafts) await refuseExisting(path);
  const written: WrittenExport[] = [];
  try {
    for (const draft of drafts) {
      const rows = await writeDraft(draft, format);
      written.push({ name: draft.table.name, path: draft.path, rows });
    }
    for (const draft of drafts) await moveWhole(draft, force);
  } finally {
    for (const { temporary } of drafts) await rm(temporary, { force: true });
  }
  await syncFolder(folder);
  return written;
}

interface Draft extends DraftFile {
  readonly table: ExportTable;
  readonly rows: ExportRows;
}

function draftOf(folder: string, name: ExportName, rows: ExportRows, format: ExportFormat): Draft {
  return { table: EXPORT_TABLES[name], rows, ...draftFile(join(folder, `${name}.${format}`)) };
}

/** Writes and syncs a draft; returns the number of rows. */
async function writeDraft({ table, rows, path, temporary }: Draft, format: ExportFormat): Promise<number> {
  const file = await onDisk(path, () => open(temporary, 'wx'));
  try {
    const append = (bytes: Uint8Array) => onDisk(path, () => file.appendFile(bytes));
    const sink = format === 'parquet' ? parquetSink(table, append) : textSink(table, format, append);
    const { check } = rowCheck(table);
    let count = 0;
    for await (const row of rows) {
      check(row);
      const added = sink.add(row);
      if (added !== undefined) await added;
      count++;
    }
    await sink.end();
    await onDisk(path, () => file.sync());
    return count;
  } finally {
    await file.close();
  }
}

function textSink(table: ExportTable, format: TextFormat, append: (bytes: Uint8Array) => Promise<void>): RowSink {
  const form = rowForm(table, format);
  let piece = form.header;
  const flush = () => {
    const bytes = Buffer.from(piece, 'utf8');
    piece = '';
    return append(bytes);
  };
  return {
    add(values) {
      piece += form.line(values);
      return piece.length < PIECE_CHARS ? undefined : flush();
    },
    end: flush,
  };
}
