import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { join } from 'node:path';
import { crc32, createGunzip } from 'node:zlib';
import { ArchiveError } from './errors';
import type { Manifest } from './manifest';
import { type EpochRows, RowsDigest } from './rows-digest';
import { ARCHIVE_COLUMNS, type ArchiveTable, CHECK_COLUMN, rowName } from './tables';

/** The check of a line. */
export const checkOf = (line: string): string => crc32(line).toString(16).padStart(8, '0');

export const headerOf = (table: ArchiveTable): string => [...ARCHIVE_COLUMNS[table], CHECK_COLUMN].join(',');

export const fileOf = (table: ArchiveTable): string => `${table}.csv.gz`;

/** What a file turned out to be, once all of it was read. */
export interface FileFound {
  readonly name: string;
  readonly bytes: number;
  readonly sha256: string;
  readonly rows: number;
  readonly epochs: readonly EpochRows[];
}

/**
 * Reads a table's file of an archive, line by line, each against its own check. `found` is called once all was read.
 * @throws ArchiveError `archive-altered` that names file, line and row; `archive-missing`
 */
export async function* archiveLines(
  folder: string,
  table: ArchiveTable,
  found: (file: FileFound) => void,
): AsyncGenerator<readonly string[], void, undefined> {
  const path = join(folder, fileOf(table));
  const packed = createHash('sha256');
  const digest = new RowsDigest(table);
  const counts = { bytes: 0, rows: 0 };
  let place = 0;
  let rest = '';
  const source = createReadStream(path);
  const unpacked = createGunzip();
  source.on('data', (part) => {
    packed.update(part);
    counts.bytes += part.length;
  });
  source.on('error', (error) => unpacked.destroy(error));
  source.pipe(unpacked);
  try {
    for await (const part of unpacked) {
      const lines = (rest + (part as Buffer).toString('latin1')).split('\n');
      rest = lines.pop()!;
      const rows = lines.map((line) => checkedLine(path, table, line, ++place)).filter((line) => line !== null);
      for (const row of rows) digest.add(row);
      counts.rows += rows.length;
      if (rows.length > 0) yield rows;
    }
    if (rest !== '') throw altered(path, place + 1, 'the last line is cut short');
  } catch (cause) {
    throw cause instanceof ArchiveError ? cause : unreadable(path, place, cause as NodeJS.ErrnoException);
  } finally {
    source.destroy();
  }
  found({ name: fileOf(table), ...counts, sha256: packed.digest('hex'), epochs: digest.finish() });
}

/** What a line may be made of: nothing that could end a cell or a row on its way into the database. */
const SAFE_LINE = /^[A-Za-z0-9._:,-]*$/;

/** The line without its check; null: the header. */
function checkedLine(path: string, table: ArchiveTable, line: string, place: number): string | null {
  if (place === 1) {
    if (line === headerOf(table)) return null;
    throw altered(path, place, `the header is not ${headerOf(table)}`);
  }
  const cut = line.lastIndexOf(',');
  const row = line.slice(0, Math.max(0, cut));
  if (checkOf(row) === line.slice(cut + 1) && SAFE_LINE.test(row)) return row;
  throw altered(path, place, `the row ${rowName(table, row)} is not the one that was written`);
}

/**
 * @throws ArchiveError `archive-altered` if the rows are not those of the manifest, naming table, network and epoch.
 *   A file that was packed differently and has the same rows is as good.
 */
export function requireManifest(folder: string, manifest: Manifest, table: ArchiveTable, found: FileFound): void {
  const path = join(folder, fileOf(table));
  const own = manifest.epochs.filter((epoch) => epoch.table === table);
  for (const [index, one] of found.epochs.entries()) {
    const expected = own[index];
    if (expected?.network === one.network && expected.epoch === one.epoch && expected.digest === one.digest) continue;
    const first = 2 + found.epochs.slice(0, index).reduce((rows, before) => rows + before.rows, 0);
    throw new ArchiveError('archive-altered', {
      what: `The rows of epoch ${one.epoch} of network ${one.network} are not those of the manifest: their digest is ${one.digest}, not ${expected?.digest ?? 'any'}.`,
      where: `${path}, lines ${first} to ${first + one.rows - 1}`,
      todo: BRING,
    });
  }
  if (found.epochs.length === own.length) return;
  throw altered(path, found.rows + 1, `${own.length - found.epochs.length} epochs of the manifest are missing`);
}

const BRING = 'bring the files as they were written, from another copy of the archive.';

function altered(path: string, line: number, what: string): ArchiveError {
  return new ArchiveError('archive-altered', {
    what: `The archive was altered: ${what}.`,
    where: `${path}, line ${line}`,
    todo: BRING,
  });
}

function unreadable(path: string, line: number, cause: NodeJS.ErrnoException): ArchiveError {
  if (cause.code === 'ENOENT') {
    return new ArchiveError('archive-missing', {
      what: 'A file of the archive is missing.',
      where: path,
      todo: 'bring the whole folder.',
      cause,
    });
  }
  return new ArchiveError('archive-altered', {
    what: `The file cannot be unpacked: ${cause.message}.`,
    where: `${path}, after line ${line}`,
    todo: BRING,
    cause,
  });
}
