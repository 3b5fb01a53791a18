import Table from 'cli-table3';
import { stringify } from 'csv-stringify/sync';
import type { Colors } from 'picocolors/types';

/**
 * What a command prints to stdout: data, and nothing else. A command describes its rows once, as a sheet of typed
 * columns, and the reader's format makes a table, JSON, JSON lines or CSV of it. Amounts are text in all of them.
 */

export const FORMATS = ['table', 'json', 'jsonl', 'csv'] as const;
export type OutputFormat = (typeof FORMATS)[number];

/**
 * - `id`: an identifier, a digest, a word of a closed set: only characters that no terminal or spreadsheet interprets.
 * - `text`: anything a person or a policy wrote.
 * - `amount`: an exact number of any size, as text everywhere.
 * - `count`: a whole number below 2^53, a number in JSON.
 */
export type ColumnType = 'id' | 'text' | 'amount' | 'count' | 'flag';

export interface Column<Row> {
  /** The key in JSON and the heading in CSV: snake_case, stable. */
  readonly key: string;
  /** The heading of the table; absent: the column is left out of the table. */
  readonly title?: string;
  readonly type: ColumnType;
  readonly value: (row: Row) => string | number | boolean | null;
  /** The table's cell where it should read differently, colours included. It has to be safe by itself (`safeText`). */
  readonly show?: (row: Row, colors: Colors) => string;
}

export interface Sheet<Row> {
  readonly columns: readonly Column<Row>[];
  readonly rows: readonly Row[];
  /** What the table says where there is no row. */
  readonly empty: string;
}

/** A result that is no list of rows: one JSON value, or words for a person. */
export interface Account {
  readonly value: unknown;
  readonly human: (colors: Colors) => string;
  /** What CSV shows; absent: the top level of `value`, one row. */
  readonly sheet?: Sheet<never>;
}

const CONTROL = /[\p{Cc}\p{Cf}\p{Co}\p{Cs}\p{Zl}\p{Zp}]/gu;

/** Text for a terminal: nothing in it can move the cursor, change colours, hide, or turn the reading direction. */
export function safeText(text: string): string {
  return text.replace(CONTROL, (char) => `\\u{${(char.codePointAt(0) ?? 0).toString(16)}}`);
}

/** The same for text of several lines, whose line ends and colours are our own. */
export function safeLines(text: string): string {
  return text.split('\n').map(safeText).join('\n');
}

/** JSON with what terminals interpret escaped, so that printing it is harmless and parsing it gives the same value. */
export function safeJson(value: unknown, indent: number): string {
  const text = JSON.stringify(value, null, indent);
  return text.replace(/[\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202f\u2060-\u206f\ufeff]/g, (char) => {
    return `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`;
  });
}

export function sheetText<Row>(sheet: Sheet<Row>, format: OutputFormat, colors: Colors, width: number): string {
  if (format === 'table') return sheetTable(sheet, colors, width);
  if (format === 'csv') return sheetCsv(sheet);
  const records = sheet.rows.map((row) => record(sheet.columns, row));
  if (format === 'jsonl') return records.map((one) => `${safeJson(one, 0)}\n`).join('');
  return `${safeJson(records, 2)}\n`;
}

export function accountText(account: Account, format: OutputFormat, colors: Colors): string {
  if (format === 'table') return account.human(colors).replace(/\n*$/, '\n');
  if (format === 'csv') return account.sheet ? sheetCsv(account.sheet) : sheetCsv(oneRow(account.value));
  return `${safeJson(account.value, format === 'json' ? 2 : 0)}\n`;
}

function record<Row>(columns: readonly Column<Row>[], row: Row): Record<string, unknown> {
  return Object.fromEntries(columns.map((column) => [column.key, cell(column, row)]));
}

/** A cell as JSON has it. An amount is never a JSON number: readers round those. */
function cell<Row>({ type, value }: Column<Row>, row: Row): string | number | boolean | null {
  const found = value(row);
  if (found === null) return null;
  if (type === 'count') return Number(found);
  return type === 'flag' ? Boolean(found) : String(found);
}

// Spreadsheets take a cell that begins like this, or with its full-width form, for a formula. A number below zero stays
// one. Identifiers may begin with a dash but cannot hold what a formula needs, and are keys: they stay as they are.
const FORMULA = /^[=+\-@\t\r\n＝＋－＠]/;
const PLAIN_NUMBER = /^-?[0-9]+(\.[0-9]+)?$/;

/** Text of a cell that no spreadsheet computes. */
function defused(text: string): string {
  return FORMULA.test(text) && !PLAIN_NUMBER.test(text) ? `'${text}` : text;
}

function sheetCsv<Row>({ columns, rows }: Sheet<Row>): string {
  const records = rows.map((row) =>
    columns.map((column) => {
      const found = cell(column, row);
      if (found === null) return '';
      const text = safeText(String(found));
      return column.type === 'text' ? defused(text) : text;
    }),
  );
  return stringify([columns.map(({ key }) => key), ...records]);
}

function oneRow(value: unknown): Sheet<Record<string, unknown>> {
  const row = value as Record<string, unknown>;
  const columns = Object.keys(row).map((key): Column<Record<string, unknown>> => {
    return { key, type: 'text', value: (one) => scalar(one[key]) };
  });
  return { columns, rows: [row], empty: '' };
}

function scalar(value: unknown): string | number | boolean | null {
  if (value === null || value === undefined) return null;
  return typeof value === 'object' ? JSON.stringify(value) : (value as string | number | boolean);
}

// A rule below the heading and nothing else: lines around every cell make figures hard to compare.
const CHARS = {
  top: '',
  'top-mid': '',
  'top-left': '',
  'top-right': '',
  bottom: '',
  'bottom-mid': '',
  'bottom-left': '',
  'bottom-right': '',
  left: '',
  'left-mid': '',
  mid: '',
  'mid-mid': '',
  right: '',
  'right-mid': '',
  middle: '  ',
} as const;

/** The table for people: figures flush right, words flush left, nothing wider than it has to be. */
export function sheetTable<Row>(sheet: Sheet<Row>, colors: Colors, width: number): string {
  if (sheet.rows.length === 0) return `${sheet.empty}\n`;
  const columns = sheet.columns.filter((column) => column.title !== undefined);
  const table = new Table({
    head: columns.map(({ title }) => colors.bold(title ?? '')),
    chars: CHARS,
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 0 },
    colAligns: columns.map(({ type }) => (type === 'amount' || type === 'count' ? 'right' : 'left')),
  });
  for (const row of sheet.rows) table.push(columns.map((column) => tableCell(column, row, colors)));
  const lines = table
    .toString()
    .split('\n')
    .map((line) => line.trimEnd());
  const rule = colors.dim('─'.repeat(Math.min(width, Math.max(...lines.map(visibleLength)))));
  return `${[lines[0], rule, ...lines.slice(1)].join('\n')}\n`;
}

function tableCell<Row>(column: Column<Row>, row: Row, colors: Colors): string {
  if (column.show !== undefined) return column.show(row, colors);
  const found = column.value(row);
  if (found === null) return colors.dim('–');
  if (column.type === 'flag') return found ? 'yes' : 'no';
  return safeText(String(found));
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: this is what colours are made of
const COLOR = /\u001b\[[0-9;]*m/g;

/** Columns that a line takes on a terminal. */
export function visibleLength(line: string): number {
  return [...line.replace(COLOR, '')].length;
}
