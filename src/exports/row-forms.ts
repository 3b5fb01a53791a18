import { compareRows } from '../proofs/canonical-lines';
import { ExportError } from './errors';
import { cellKind, type ExportTable } from './tables';

/** Rows of an export as text: a CSV line or a JSON line. */
export type TextFormat = 'csv' | 'jsonl';

/** Sees each row of one export in its order: what leaves the house is what spec §11 says. */
export interface RowCheck {
  /** @throws ExportError `export-row-not-valid`, `export-row-order`. */
  check(values: readonly string[]): void;
}

/** Where the rows of one file go. They are pulled only as fast as it takes them. */
export interface RowSink {
  add(values: readonly string[]): Promise<void> | void;
  /** Writes what is left. */
  end(): Promise<void>;
}

/** Writes the rows of one export as lines. */
export interface RowForm {
  /** First line of the file, with its end; empty where the format has none. */
  readonly header: string;
  /** The line of the next row, with its end. */
  line(values: readonly string[]): string;
}

// Identifiers, numbers, digests, reasons: nothing that CSV must quote or that a spreadsheet takes for a formula, but
// for numbers below zero.
const SAFE_CELL = /^[A-Za-z0-9._:-]*$/;
const COUNT_CELL = /^(0|[1-9][0-9]{0,15})$/;
const BREAKERS_CELL = /^([A-Za-z]+(;[A-Za-z]+)*|failed\([a-z-]+\))?$/;

const JOURNAL_CELL = /^(publication|confirmation)\/[1-9]?[0-9]*\/[1-9][0-9]*$/;

/** What one column may hold, and how it is written. */
interface ColumnForm {
  readonly name: string;
  readonly holds: (value: string) => boolean;
  readonly csv: (value: string) => string;
  readonly json: (value: string) => string;
}

function columnForm(name: string): ColumnForm {
  const asIs = (value: string) => value;
  const text = (value: string) => (value === '' ? 'null' : JSON.stringify(value));
  // What the check lets through needs no escaping in JSON either.
  const safe = (value: string) => (value === '' ? 'null' : `"${value}"`);
  // A growth phase is called what the policy calls it.
  if (name === 'growth_phase') return { name, holds: () => true, csv: quoted, json: text };
  if (name === 'breakers') return { name, holds: (value) => BREAKERS_CELL.test(value), csv: asIs, json: text };
  if (name === 'journal') return { name, holds: (value) => JOURNAL_CELL.test(value), csv: asIs, json: text };
  // Counts are numbers in JSON, as in a content (spec §9); everything else is text, amounts above all.
  if (cellKind(name) !== 'count') return { name, holds: (value) => SAFE_CELL.test(value), csv: asIs, json: safe };
  const holds = (value: string) => COUNT_CELL.test(value) || (value === '' && name !== 'epoch');
  return { name, holds, csv: asIs, json: (value) => value || 'null' };
}

/** RFC 4180: quotes around what would break the line, and quotes in it doubled. */
function quoted(value: string): string {
  return /[",\r\n]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value;
}

/** The check of an export. One check sees one file's rows. */
export function rowCheck(table: ExportTable): RowCheck {
  const columns = table.columns.map(columnForm);
  let previous: readonly string[] | null = null;
  return {
    check(values) {
      assertRow(table, columns, values);
      if (previous !== null && compareRows(previous, values, table.key) >= 0) {
        throw new ExportError('export-row-order', {
          what: `This row does not come after ${keyText(table, previous)} in the order of the export.`,
          where: `${table.name}, ${keyText(table, values)}`,
          todo: 'read the rows ordered by epoch and key, of one revision an epoch.',
        });
      }
      previous = values;
    },
  };
}

/** The form of an export in a format of text. */
export function rowForm(table: ExportTable, format: TextFormat): RowForm {
  const columns = table.columns.map(columnForm);
  const encode = format === 'csv' ? csvLine : jsonLine;
  return {
    header: format === 'csv' ? `${table.columns.join(',')}\n` : '',
    line: (values) => encode(columns, values),
  };
}

function assertRow(table: ExportTable, columns: readonly ColumnForm[], values: readonly string[]): void {
  if (values.length !== columns.length) {
    throw rowNotValid(table, values, `The row has ${values.length} cells where ${columns.length} are due.`);
  }
  for (let index = 0; index < columns.length; index++) {
    const { name, holds } = columns[index]!;
    const value = values[index]!;
    if (holds(value)) continue;
    const shown = JSON.stringify(value).slice(0, 80);
    throw rowNotValid(table, values, `${shown} is nothing that the column ${name} can hold.`);
  }
}

export function rowNotValid(
  table: ExportTable,
  values: readonly string[],
  what: string,
  todo = 'compare the stored row with its digest: rows are exported as they were published.',
): ExportError {
  return new ExportError('export-row-not-valid', {
    what,
    where: `${table.name}, ${keyText(table, values)}`,
    todo,
  });
}

function keyText(table: ExportTable, values: readonly string[]): string {
  return table.key
    .map(({ index }) => `${table.columns[index]} ${JSON.stringify(values[index] ?? '').slice(0, 140)}`)
    .join(', ');
}

function csvLine(columns: readonly ColumnForm[], values: readonly string[]): string {
  let line = '';
  for (let index = 0; index < columns.length; index++) {
    line += (index === 0 ? '' : ',') + columns[index]!.csv(values[index]!);
  }
  return `${line}\n`;
}

function jsonLine(columns: readonly ColumnForm[], values: readonly string[]): string {
  let line = '{';
  for (let index = 0; index < columns.length; index++) {
    const { name, json } = columns[index]!;
    line += `${index === 0 ? '' : ','}"${name}":${json(values[index]!)}`;
  }
  return `${line}}\n`;
}
