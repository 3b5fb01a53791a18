/**
 * The seven input tables (spec §3) as rows of canonical cells (§9): each cell is the text that is hashed, so that the
 * digest of the inputs and the numbers that are reckoned with come from one and the same text.
 */
import { instantSeconds } from './calendar';
import { compare, decimal, decimalText, type Fraction, fraction, ZERO } from './fraction';
import { byBytes, byValue } from './order';

/** The tables in the order of spec §3, which is also that of the snapshot digest. */
export const TABLE_NAMES = ['providers', 'capacity', 'performance', 'demand', 'quotes', 'token', 'macro'] as const;
export type TableName = (typeof TABLE_NAMES)[number];

/** Cells in the order of the table's columns. */
export type Row = readonly string[];
export type Tables = Readonly<Record<TableName, readonly Row[]>>;

interface Column {
  readonly name: string;
  readonly isNumber: boolean;
  /** The canonical cell. Throws a RangeError that says what is wrong with the text. */
  readonly canonical: (text: string) => string;
}

interface Table {
  readonly columns: readonly Column[];
  /** The key is so many of the first columns. */
  readonly keyLength: number;
}

function identifier(name: string): Column {
  const canonical = (text: string) => {
    if (!/^[A-Za-z0-9._:-]{1,128}$/.test(text)) throw new RangeError(`${name} "${text}" is not an identifier`);
    return text;
  };
  return { name, isNumber: false, canonical };
}

function wholeNumber(name: string): Column {
  const canonical = (text: string) => {
    if (!/^[0-9]+$/.test(text)) throw new RangeError(`${name} "${text}" is not an unsigned integer`);
    if (BigInt(text) > BigInt(Number.MAX_SAFE_INTEGER)) throw new RangeError(`${name} "${text}" is too large`);
    return BigInt(text).toString();
  };
  return { name, isNumber: true, canonical };
}

interface Range {
  readonly decimals: number;
  readonly above?: Fraction;
  readonly from?: Fraction;
  readonly to?: Fraction;
}

function numeric(name: string, range: Range): Column {
  const canonical = (text: string) => {
    const value = decimal(text, range.decimals);
    const isPossible =
      (range.above === undefined || compare(value, range.above) > 0) &&
      (range.from === undefined || compare(value, range.from) >= 0) &&
      (range.to === undefined || compare(value, range.to) <= 0);
    if (!isPossible) throw new RangeError(`${name} ${text} is out of range`);
    return decimalText(value);
  };
  return { name, isNumber: true, canonical };
}

/** A cell that may be empty: "not measured". */
function optional(column: Column): Column {
  return { ...column, canonical: (text) => (text === '' ? '' : column.canonical(text)) };
}

const status: Column = {
  name: 'status',
  isNumber: false,
  canonical: (text) => {
    if (text !== 'active' && text !== 'suspended') throw new RangeError(`status "${text}" is not active or suspended`);
    return text;
  },
};

const payee: Column = {
  name: 'payee',
  isNumber: false,
  canonical: (text) => {
    if (text === '') return '';
    if (!/^0x[0-9a-fA-F]{40}$/.test(text)) throw new RangeError(`payee "${text}" is not a 20-byte address`);
    if (/^0x0{40}$/.test(text)) throw new RangeError('the zero address is no payee');
    return text.toLowerCase();
  },
};

const observedAt: Column = {
  name: 'observed_at',
  isNumber: false,
  canonical: (text) => {
    instantSeconds(text);
    return text;
  },
};

const share = { decimals: 6, from: ZERO, to: fraction(1n) };

export const TABLES: Readonly<Record<TableName, Table>> = {
  providers: { columns: [identifier('provider'), wholeNumber('joined_epoch'), status, payee], keyLength: 1 },
  capacity: {
    columns: [
      wholeNumber('epoch'),
      identifier('provider'),
      identifier('market'),
      numeric('offered', { decimals: 6, from: ZERO }),
      numeric('served', { decimals: 6, from: ZERO }),
    ],
    keyLength: 3,
  },
  performance: {
    columns: [
      wholeNumber('epoch'),
      identifier('provider'),
      optional(numeric('uptime', share)),
      optional(numeric('response_ms', { decimals: 3, from: ZERO })),
      optional(numeric('error_rate', share)),
      optional(numeric('rating', { decimals: 3, from: fraction(1n), to: fraction(5n) })),
    ],
    keyLength: 2,
  },
  demand: {
    columns: [wholeNumber('epoch'), identifier('market'), numeric('requested', { decimals: 6, from: ZERO })],
    keyLength: 2,
  },
  quotes: {
    columns: [
      wholeNumber('epoch'),
      identifier('market'),
      identifier('source'),
      numeric('usd_per_unit', { decimals: 12, above: ZERO }),
    ],
    keyLength: 4,
  },
  token: {
    columns: [
      wholeNumber('epoch'),
      identifier('source'),
      observedAt,
      numeric('price_usd', { decimals: 12, above: ZERO }),
      numeric('volume_usd', { decimals: 12, from: ZERO }),
    ],
    keyLength: 3,
  },
  macro: { columns: [wholeNumber('epoch'), numeric('index', { decimals: 9, above: ZERO })], keyLength: 1 },
};

/** The cells of one row in canonical text. Throws a RangeError that says what is wrong with which cell. */
export function canonicalRow(name: TableName, cells: readonly string[]): Row {
  const { columns } = TABLES[name];
  if (cells.length !== columns.length) throw new RangeError(`${cells.length} cells, ${columns.length} columns`);
  return columns.map((column, index) => column.canonical(cells[index] as string));
}

/** The order of two rows of a table: by key, column by column (spec §9). */
export function byKey(name: TableName): (a: Row, b: Row) => number {
  const { columns, keyLength } = TABLES[name];
  return (a, b) => {
    for (const [index, column] of columns.slice(0, keyLength).entries()) {
      const order = (column.isNumber ? byValue : byBytes)(a[index] as string, b[index] as string);
      if (order !== 0) return order;
    }
    return 0;
  };
}

/** The key of a row as one text; identifiers and numbers hold no comma. */
export function keyOf(name: TableName, row: Row): string {
  return row.slice(0, TABLES[name].keyLength).join(',');
}

/** The exact value of a canonical number cell. */
export function cellValue(row: Row, index: number): Fraction {
  return decimal(row[index] as string, Number.MAX_SAFE_INTEGER);
}
