/** An input bundle read from its seven CSV texts, and the rows that an epoch's sealing takes from it (spec §3). */
import { parseCsv } from './csv';
import { compare } from './fraction';
import { groupBy } from './order';
import {
  byKey,
  canonicalRow,
  cellValue,
  keyOf,
  type Row,
  TABLE_NAMES,
  TABLES,
  type TableName,
  type Tables,
} from './tables';

export type BundleFiles = Readonly<Record<TableName, string>>;

export interface Bundle {
  readonly tables: Tables;
  /** Lowest and highest number in the epoch columns; undefined if no table has a row of an epoch. */
  readonly span: { readonly first: number; readonly last: number } | undefined;
}

interface PlacedRow {
  readonly line: number;
  readonly row: Row;
}

function readTable(name: TableName, text: string): PlacedRow[] {
  const [header, ...records] = parseCsv(text);
  const expected = TABLES[name].columns.map((column) => column.name).join(',');
  if (header?.cells.join(',') !== expected) throw new Error(`${name}.csv:1: the header is not ${expected}`);
  const rows = new Map<string, PlacedRow>();
  for (const { line, cells } of records) {
    const row = refusing(name, line, () => canonicalRow(name, cells));
    const same = rows.get(keyOf(name, row));
    if (same === undefined) rows.set(keyOf(name, row), { line, row });
    // The same row again is ignored, the same key with other values is an error (spec §3).
    else if (same.row.join(',') !== row.join(',')) {
      throw new Error(`${name}.csv:${line}: line ${same.line} has the same key and other values`);
    }
  }
  return [...rows.values()];
}

function refusing<Result>(name: TableName, line: number, read: () => Result): Result {
  try {
    return read();
  } catch (error) {
    throw new Error(`${name}.csv:${line}: ${(error as Error).message}`);
  }
}

function checkReferences(placed: Readonly<Record<TableName, PlacedRow[]>>, markets: ReadonlySet<string>): void {
  const joined = new Map(placed.providers.map(({ row }) => [row[0] as string, cellValue(row, 1)]));
  const check = (name: TableName, test: (row: Row) => string | undefined) => {
    for (const { line, row } of placed[name]) {
      const reason = test(row);
      if (reason !== undefined) throw new Error(`${name}.csv:${line}: ${reason}`);
    }
  };
  const marketIsKnown = (market: string) => (markets.has(market) ? undefined : `unknown market ${market}`);
  check('capacity', (row) => {
    const from = joined.get(row[1] as string);
    if (from === undefined) return `provider ${row[1]} is not in the registry`;
    if (compare(cellValue(row, 0), from) < 0) return `provider ${row[1]} had not joined`;
    if (compare(cellValue(row, 4), cellValue(row, 3)) > 0) return 'served is above offered';
    return marketIsKnown(row[2] as string);
  });
  check('performance', (row) =>
    joined.has(row[1] as string) ? undefined : `provider ${row[1]} is not in the registry`,
  );
  check('demand', (row) => marketIsKnown(row[1] as string));
  check('quotes', (row) => marketIsKnown(row[1] as string));
}

/**
 * Reads a bundle from its CSV texts, rows sorted by key and without repeated ones.
 * Throws an Error `file:line: reason` for the first row that is refused (spec §3); `markets` are the policy's.
 */
export function readBundle(files: BundleFiles, markets: ReadonlySet<string>): Bundle {
  const placed = Object.fromEntries(TABLE_NAMES.map((name) => [name, readTable(name, files[name])])) as Record<
    TableName,
    PlacedRow[]
  >;
  checkReferences(placed, markets);
  const tables = Object.fromEntries(
    TABLE_NAMES.map((name) => [name, placed[name].map(({ row }) => row).sort(byKey(name))]),
  ) as Record<TableName, Row[]>;
  let span: { first: number; last: number } | undefined;
  for (const name of TABLE_NAMES) {
    if (name === 'providers') continue;
    for (const row of tables[name]) {
      // biome-ignore lint/plugin/exact-money: an epoch number, examined as a safe integer when the row was read
      const epoch = Number(row[0]);
      span = { first: Math.min(span?.first ?? epoch, epoch), last: Math.max(span?.last ?? epoch, epoch) };
    }
  }
  return { tables, span };
}

/** The rows of each epoch, as sealing takes them: of the registry, the providers with a capacity row (spec §9). */
export function rowsByEpoch(tables: Tables): (epoch: number) => Tables {
  // biome-ignore lint/plugin/exact-money: an epoch number, examined as a safe integer when the row was read
  const byEpoch = (name: TableName) => groupBy(tables[name], (row) => Number(row[0]));
  const groups = new Map<TableName, Map<number, Row[]>>(
    TABLE_NAMES.filter((name) => name !== 'providers').map((name) => [name, byEpoch(name)]),
  );
  const registry = new Map(tables.providers.map((row) => [row[0] as string, row]));
  return (epoch) => {
    const of = (name: TableName): readonly Row[] => groups.get(name)?.get(epoch) ?? [];
    const withCapacity = [...new Set(of('capacity').map((row) => row[1] as string))];
    return {
      providers: withCapacity.map((provider) => registry.get(provider) as Row).sort(byKey('providers')),
      capacity: of('capacity'),
      performance: of('performance'),
      demand: of('demand'),
      quotes: of('quotes'),
      token: of('token'),
      macro: of('macro'),
    };
  };
}

function canonicalTable(name: TableName, texts: readonly Row[]): Row[] {
  const rows = new Map<string, Row>();
  for (const cells of texts) {
    const row = canonicalRow(name, cells);
    const same = rows.get(keyOf(name, row)) ?? row;
    if (same.join(',') !== row.join(',')) throw new RangeError(`${name}: ${keyOf(name, row)} has two rows`);
    rows.set(keyOf(name, row), row);
  }
  return [...rows.values()].sort(byKey(name));
}

/**
 * The rows of one sealed epoch from texts of any origin (an export, a database), made canonical, sorted by key and
 * without repeated rows; of the registry, the providers with a capacity row. Throws a RangeError that says what is
 * wrong with which cell, or which key has two rows with other values.
 */
export function canonicalTables(tables: Tables): Tables {
  return Object.fromEntries(TABLE_NAMES.map((name) => [name, canonicalTable(name, tables[name])])) as unknown as Tables;
}
