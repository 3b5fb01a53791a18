/**
 * The seven input tables as the store keeps them: how a bundle's file is staged, and where its rows go. All names
 * here are constants of this file; nothing of an input ever becomes part of a statement.
 */
export interface InputTable {
  /** The file's name in a bundle and in digests, without `.csv` (spec §3). */
  readonly name: 'capacity' | 'performance' | 'demand' | 'quotes' | 'token' | 'macro';
  readonly target: string;
  /** By ranges of epochs: the partition has to be there before its rows. */
  readonly partitioned: boolean;
  readonly key: readonly string[];
  readonly values: readonly string[];
  /** Column definitions of the staging table, in the order of the file. */
  readonly staged: string;
  /** SQL expression of the row's canonical line (spec §9), without its line end. */
  readonly line: string;
}

/** A file of a bundle: the registry's, or that of an input table. */
export type SourceTable = 'providers' | InputTable['name'];

const OBSERVED_AT = `to_char(observed_at, 'YYYY-MM-DD"T"HH24:MI:SS"Z"')`;

function input(table: Omit<InputTable, 'line'>): InputTable {
  return { ...table, line: lineOf([...table.key, ...table.values]) };
}

function lineOf(columns: readonly string[]): string {
  const cells = columns.map((column) => (column === 'observed_at' ? OBSERVED_AT : `coalesce(${column}::text, '')`));
  return `concat_ws(',', ${cells.join(', ')})`;
}

/** In the order of spec §3, after the registry. */
export const INPUT_TABLES: readonly InputTable[] = [
  input({
    name: 'capacity',
    target: 'capacity',
    partitioned: true,
    key: ['epoch', 'provider', 'market'],
    values: ['offered', 'served'],
    staged: 'epoch integer, provider text collate "C", market text collate "C", offered numeric, served numeric',
  }),
  input({
    name: 'performance',
    target: 'performance',
    partitioned: true,
    key: ['epoch', 'provider'],
    values: ['uptime', 'response_ms', 'error_rate', 'rating'],
    staged:
      'epoch integer, provider text collate "C", uptime numeric, response_ms numeric, error_rate numeric, rating numeric',
  }),
  input({
    name: 'demand',
    target: 'demand',
    partitioned: false,
    key: ['epoch', 'market'],
    values: ['requested'],
    staged: 'epoch integer, market text collate "C", requested numeric',
  }),
  input({
    name: 'quotes',
    target: 'quote',
    partitioned: false,
    key: ['epoch', 'market', 'source', 'usd_per_unit'],
    values: [],
    staged: 'epoch integer, market text collate "C", source text collate "C", usd_per_unit numeric',
  }),
  input({
    name: 'token',
    target: 'token_observation',
    partitioned: false,
    key: ['epoch', 'source', 'observed_at'],
    values: ['price_usd', 'volume_usd'],
    staged: 'epoch integer, source text collate "C", observed_at timestamptz, price_usd numeric, volume_usd numeric',
  }),
  input({
    name: 'macro',
    target: 'macro',
    partitioned: false,
    key: ['epoch'],
    values: ['index'],
    staged: 'epoch integer, index numeric',
  }),
];

export const REGISTRY_STAGED =
  'provider text collate "C", joined_epoch integer, status text collate "C", payee text collate "C"';

/** The same expression for a row of the registry. */
export const REGISTRY_LINE = lineOf(['provider', 'joined_epoch', 'status', 'payee']);
