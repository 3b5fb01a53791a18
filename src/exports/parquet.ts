import type { SchemaElement } from 'hyparquet-writer';
import { ByteWriter, ParquetWriter } from 'hyparquet-writer';
import { parseScaled } from '../numbers/amounts';
import { type RowSink, rowNotValid } from './row-forms';
import { type CellKind, cellKind, type ExportTable } from './tables';

/**
 * Exports as Parquet, exact to the last digit, with one schema for each table whatever is in it:
 *
 * - amounts: DECIMAL(38, 0), base units. The database has room for 78 digits and readers of Parquet for 38; a row with
 *   a longer amount is refused by name, never rounded. CSV and JSON lines have no such limit;
 * - prices, quantities, volumes: DECIMAL(38, 12); signals and multipliers: DECIMAL(38, 9);
 * - counts and epochs: INT64; instants: TIMESTAMP in milliseconds, UTC; everything else: text;
 * - an empty cell is null.
 */

/** Cells in one row group: what is held in memory at once. */
const GROUP_CELLS = 1_000_000;

const PRECISION = 38;
const LIMIT = 10n ** BigInt(PRECISION);
/** Bytes that 38 digits and a sign take. */
const DECIMAL_BYTES = 16;

const SCALES = { amount: 0, decimal12: 12, decimal9: 9 } as const;

/** Writes rows in groups to `append`. */
export function parquetSink(table: ExportTable, append: (bytes: Uint8Array) => Promise<void>): RowSink {
  const kinds = table.columns.map(cellKind);
  const buffer = new FlushedBytes(append);
  const schema: SchemaElement[] = [
    { name: table.name, num_children: table.columns.length },
    ...table.columns.map((name, index) => schemaElement(name, kinds[index]!)),
  ];
  const writer = new ParquetWriter({ writer: buffer, schema, createdBy: 'swarm-settlement' });
  const groupRows = Math.floor(GROUP_CELLS / table.columns.length);
  let columns: Cell[][] = kinds.map(() => []);
  const flush = async () => {
    const columnData = table.columns.map((name, index) => ({ name, data: columns[index]! }));
    columns = kinds.map(() => []);
    await writer.write({ columnData, rowGroupSize: groupRows });
  };
  return {
    add(values) {
      for (let index = 0; index < kinds.length; index++) {
        columns[index]!.push(cellOf(table, values, kinds[index]!, index));
      }
      return columns[0]!.length < groupRows ? undefined : flush();
    },
    async end() {
      await flush();
      await writer.finish();
    },
  };
}

type Cell = string | bigint | Date | null;

/** Bytes in memory until the end of a row group. */
class FlushedBytes extends ByteWriter {
  constructor(private readonly append: (bytes: Uint8Array) => Promise<void>) {
    super();
  }

  async flush(): Promise<void> {
    const bytes = new Uint8Array(this.buffer.slice(0, this.index));
    this.index = 0;
    await this.append(bytes);
  }

  override finish(): Promise<void> {
    return this.flush();
  }
}

function schemaElement(name: string, kind: CellKind): SchemaElement {
  // The epoch is in every row; any other cell may be empty in some table.
  const repetition_type = name === 'epoch' ? 'REQUIRED' : 'OPTIONAL';
  if (kind === 'count') return { name, type: 'INT64', repetition_type };
  if (kind === 'instant') return { name, type: 'INT64', converted_type: 'TIMESTAMP_MILLIS', repetition_type };
  if (kind === 'text') return { name, type: 'BYTE_ARRAY', converted_type: 'UTF8', repetition_type };
  const decimal = { converted_type: 'DECIMAL', precision: PRECISION, scale: SCALES[kind] } as const;
  return { name, type: 'FIXED_LEN_BYTE_ARRAY', type_length: DECIMAL_BYTES, ...decimal, repetition_type };
}

function cellOf(table: ExportTable, values: readonly string[], kind: CellKind, index: number): Cell {
  const text = values[index]!;
  if (text === '') return null;
  if (kind === 'text') return text;
  if (kind === 'count') return BigInt(text);
  if (kind === 'instant') return new Date(text);
  const scaled = parseScaled(text, SCALES[kind]);
  if (scaled < LIMIT && scaled > -LIMIT) return scaled;
  throw rowNotValid(
    table,
    values,
    `${text} has more digits than the ${PRECISION} that Parquet has for ${table.columns[index]}.`,
    'export this range as csv or jsonl, which have room for any amount.',
  );
}
