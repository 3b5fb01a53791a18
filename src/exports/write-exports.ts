import { randomUUID } from 'node:crypto';
import { access, type FileHandle, link, mkdir, open, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { ExportError } from './errors';
import { type ExportFormat, rowForm } from './row-forms';
import { EXPORT_TABLES, type ExportName, type ExportTable } from './tables';

/** Canonical cells of each row in the order of the table's columns, ascending by epoch and key (spec §11). */
export type ExportRows = AsyncIterable<readonly string[]> | Iterable<readonly string[]>;

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

// Pieces of this many characters: the rows are pulled only as fast as the disk takes them.
const PIECE_CHARS = 262_144;

/**
 * Writes exports to a folder, which is made if need be: `prices.csv`, `payouts.csv`, `epochs.csv`, or the same names
 * ending in `.jsonl`.
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
    for (const draft of drafts) await onDisk(draft.path, () => (force ? replace(draft) : place(draft)));
  } finally {
    for (const { temporary } of drafts) await rm(temporary, { force: true });
  }
  await onDisk(folder, () => syncFolder(folder));
  return written;
}

interface Draft {
  readonly table: ExportTable;
  readonly rows: ExportRows;
  readonly path: string;
  /** In the target folder, since a file can only be moved whole within one file system. */
  readonly temporary: string;
}

function draftOf(folder: string, name: ExportName, rows: ExportRows, format: ExportFormat): Draft {
  const file = `${name}.${format}`;
  return {
    table: EXPORT_TABLES[name],
    rows,
    path: join(folder, file),
    temporary: join(folder, `.${file}.${randomUUID()}.tmp`),
  };
}

/** Writes and syncs a draft; returns the number of rows. */
async function writeDraft({ table, rows, path, temporary }: Draft, format: ExportFormat): Promise<number> {
  const form = rowForm(table, format);
  const file = await onDisk(path, () => open(temporary, 'wx'));
  try {
    let piece = form.header;
    let count = 0;
    for await (const row of rows) {
      piece += form.line(row);
      count++;
      if (piece.length < PIECE_CHARS) continue;
      await append(file, path, piece);
      piece = '';
    }
    await append(file, path, piece);
    await onDisk(path, () => file.sync());
    return count;
  } finally {
    await file.close();
  }
}

function append(file: FileHandle, path: string, text: string): Promise<void> {
  return onDisk(path, () => file.appendFile(text, 'utf8'));
}

function replace({ temporary, path }: Draft): Promise<void> {
  return rename(temporary, path);
}

/** Moves a draft to its name unless something is there. A link refuses that in one step; a rename would replace it. */
async function place({ temporary, path }: Draft): Promise<void> {
  try {
    await link(temporary, path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST') throw exists(path);
    if (code !== 'EPERM' && code !== 'ENOTSUP' && code !== 'ENOSYS') throw error;
    // A file system without hard links: look, then rename.
    await refuseExisting(path);
    await rename(temporary, path);
  }
}

async function refuseExisting(path: string): Promise<void> {
  try {
    await access(path);
  } catch {
    return;
  }
  throw exists(path);
}

function exists(path: string): ExportError {
  return new ExportError('export-exists', {
    what: 'There is such a file already, and it was left as it is.',
    where: path,
    todo: 'choose another folder, or say --force to replace it.',
  });
}

/** Makes the new names durable. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function onDisk<T>(where: string, step: () => Promise<T>): Promise<T> {
  try {
    return await step();
  } catch (cause) {
    if (cause instanceof ExportError) throw cause;
    throw new ExportError('export-not-written', {
      what: `The export could not be written: ${(cause as Error).message}.`,
      where,
      todo: 'check the folder, its rights and the free space, then export again.',
      cause,
    });
  }
}
