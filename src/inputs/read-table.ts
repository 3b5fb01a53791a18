import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream';
import { createGunzip } from 'node:zlib';
import type { Bundle, BundleFile } from './bundle';
import { type CsvPiece, type CsvRecord, csvRecords } from './csv-records';
import { BundleError, Refusal, type RefusedRow, rowsRefused, shownCell, utf8Text } from './refusals';
import { INPUT_TABLES, type InputTable, type InputTableName, inputTable } from './tables';

/** One validated row. */
export interface InputRow {
  /** Physical line in the file, from 1; the header is line 1. */
  readonly line: number;
  /** Canonical text of each cell in the order of the table's columns; empty for an empty cell (spec §9). */
  readonly values: readonly string[];
}

// What a message shows; the rest is counted.
const REFUSALS_SHOWN = 20;
// A few thousand rows a batch: few enough to hold, enough that a batch costs next to nothing.
const CHUNK_BYTES = 262_144;

/**
 * Reads a table of a bundle in batches, in constant memory and at the consumer's pace. Every row yielded is valid by
 * itself; what binds rows together (duplicate keys, unknown markets and providers, epoch before joined_epoch) is for
 * whoever has all of them.
 *
 * After a refused row nothing more is yielded, but the file is read to its end to count what is refused (not after a
 * refused header, which says nothing about the rows). What was yielded before must then be thrown away: load inside
 * one transaction. Cells may be slices of a batch's text, so copy
 * those that are to be kept for long.
 *
 * @throws BundleError `bundle-rows-refused` after the last batch, `bundle-file-unreadable` at once.
 */
export async function* readTable(
  bundle: Bundle,
  name: InputTableName,
): AsyncGenerator<readonly InputRow[], void, undefined> {
  yield* readRows(bundle.folder, bundle.files[name], inputTable(name));
}

/** The same for any file and the form that its rows are to have. */
export async function* readRows(
  folder: string,
  file: BundleFile,
  table: InputTable,
): AsyncGenerator<readonly InputRow[], void, undefined> {
  const reader = new TableReader(table, file.name);
  for await (const piece of piecesOf(file)) {
    const rows = reader.take(piece);
    if (reader.headerRefused) break;
    if (reader.refusedInAll === 0 && rows.length > 0) yield rows;
  }
  reader.end();
  if (reader.refusedInAll > 0) throw rowsRefused(folder, reader.refused, reader.refusedInAll);
}

/**
 * Reads all seven tables without keeping a row, so that one run shows what is wrong with each of them.
 * @returns the number of rows of each table.
 * @throws BundleError `bundle-rows-refused` with the refused rows of all files, `bundle-file-unreadable`.
 */
export async function checkBundle(bundle: Bundle): Promise<Record<InputTableName, number>> {
  const counts: [InputTableName, number][] = [];
  const refused: RefusedRow[] = [];
  let refusedInAll = 0;
  for (const { name } of INPUT_TABLES) {
    let count = 0;
    try {
      for await (const rows of readTable(bundle, name)) count += rows.length;
    } catch (error) {
      if (!(error instanceof BundleError) || error.id !== 'bundle-rows-refused') throw error;
      refused.push(...error.refused);
      refusedInAll += error.refusedInAll;
    }
    counts.push([name, count]);
  }
  if (refusedInAll > 0) throw rowsRefused(bundle.folder, refused, refusedInAll);
  return Object.fromEntries(counts) as Record<InputTableName, number>;
}

async function* piecesOf(file: BundleFile): AsyncGenerator<CsvPiece, void, undefined> {
  const source = createReadStream(file.path, { highWaterMark: CHUNK_BYTES });
  // `pipeline` carries errors and an early end from either stream to the other; both reach us through the iteration.
  const bytes = file.gzipped ? pipeline(source, createGunzip({ chunkSize: CHUNK_BYTES }), () => {}) : source;
  try {
    yield* csvRecords(bytes);
  } catch (cause) {
    // Errors of the file system and of zlib carry a code; anything else is a defect of ours and stays what it is.
    const { code, message } = cause as { code?: unknown; message?: unknown };
    if (code === undefined) throw cause;
    throw new BundleError('bundle-file-unreadable', {
      what: `${file.name} cannot be read: ${String(message)}.`,
      where: file.path,
      todo: file.gzipped ? 'it is damaged or cut off: fetch or compress it again.' : 'check the file and its rights.',
      cause,
    });
  } finally {
    source.destroy();
  }
}

const NO_HEADER = 'is missing: the file is empty';

/** Validates the records of one table as they come by, and keeps account of what it refuses. */
class TableReader {
  readonly refused: RefusedRow[] = [];
  refusedInAll = 0;
  /** Line 1 is not the header, so the rows below it cannot be judged. */
  headerRefused = false;
  private headerSeen = false;

  constructor(
    private readonly table: InputTable,
    private readonly file: string,
  ) {}

  /** The valid rows of a piece. Records' cells are replaced by their canonical text, in place. */
  take(piece: CsvPiece): readonly InputRow[] {
    const { faults, records } = piece;
    for (const { line, text, refusal } of faults) this.refuse(line, null, text, refusal);
    let data = records;
    if (!this.headerSeen && records.length + faults.length > 0) {
      this.headerSeen = true;
      this.headerRefused = records[0]?.line !== 1 || !this.isHeader(records[0]);
      if (this.headerRefused) return [];
      data = records.slice(1);
    }
    const rows: InputRow[] = [];
    for (const { line, cells } of data) if (this.validate(line, cells)) rows.push({ line, values: cells });
    return rows;
  }

  /** To be called after the last piece. */
  end(): void {
    if (!this.headerSeen) this.refuse(1, null, '', new Refusal(NO_HEADER, `write ${this.headerText()} on line 1`));
  }

  private isHeader({ cells }: CsvRecord): boolean {
    const expected = this.headerText();
    if (cells.length === this.table.columns.length && cells.join(',') === expected) return true;
    this.refuse(
      1,
      null,
      cells.join(','),
      new Refusal('is not the header of this table', `write ${expected} on line 1`),
    );
    return false;
  }

  private headerText(): string {
    return this.table.columns.map(({ name }) => name).join(',');
  }

  private validate(line: number, cells: string[]): boolean {
    const { columns, checkRow } = this.table;
    if (cells.length !== columns.length) {
      const reason = `has ${cells.length} cells where the header has ${columns.length}`;
      this.refuse(line, null, cells.join(','), new Refusal(reason, `write ${this.headerText()}`));
      return false;
    }
    let valid = true;
    for (let index = 0; index < columns.length; index++) {
      const cell = cells[index]!;
      const checked = columns[index]!.check(cell);
      if (typeof checked === 'string') {
        cells[index] = checked;
      } else {
        this.refuse(line, columns[index]!.name, cell, checked);
        valid = false;
      }
    }
    if (!valid || checkRow === null) return valid;
    const fault = checkRow(cells);
    if (fault === null) return true;
    this.refuse(line, columns[fault.index]!.name, cells[fault.index]!, fault.refusal);
    return false;
  }

  private refuse(line: number, column: string | null, bytes: string, refusal: Refusal): void {
    this.refusedInAll++;
    if (this.refused.length === REFUSALS_SHOWN) return;
    const { reason, todo } = utf8Text(bytes) === null ? NOT_UTF8 : refusal;
    const value = bytes === '' ? null : shownCell(bytes);
    this.refused.push({ file: this.file, line, column, value, reason, todo });
  }
}

const NOT_UTF8 = new Refusal('is not valid UTF-8', 'save the file as UTF-8');
