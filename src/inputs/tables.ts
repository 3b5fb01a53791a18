import { compareDecimals, type KeyColumn } from '../proofs/canonical-lines';
import type { SnapshotTable } from '../proofs/digests';
import { type CellCheck, decimal, epoch, identifier, instant, oneOf, optional, payee } from './cells';
import { Refusal } from './refusals';

/**
 * The seven tables of an input bundle (spec §3): their columns in order, what each cell may hold, and the key. One
 * definition for everything that reads, stages, orders or digests input rows.
 */

/** An input table has the name that its digest has in the snapshot. */
export type InputTableName = SnapshotTable;

export interface InputColumn {
  readonly name: string;
  /** How the column sorts where it is part of a key. */
  readonly order: KeyColumn['order'];
  /** Whether the cell may be empty. */
  readonly nullable: boolean;
  readonly check: CellCheck;
}

export interface InputTable {
  readonly name: InputTableName;
  /** File name in a bundle, without `.gz`. */
  readonly file: string;
  readonly columns: readonly InputColumn[];
  /** Key columns in the order of comparison (spec §9). */
  readonly key: readonly KeyColumn[];
  /** A rule that binds cells of one row, given its canonical cells; null if it holds. */
  readonly checkRow: ((values: readonly string[]) => RowFault | null) | null;
}

export interface RowFault {
  /** Index of the column at fault. */
  readonly index: number;
  readonly refusal: Refusal;
}

const SHORT = 18;
const LONG = 30;

const unitHours = decimal({ decimals: 6, integerDigits: SHORT, min: '0' });
const share = decimal({ decimals: 6, integerDigits: SHORT, min: '0', max: '1' });
const milliseconds = decimal({ decimals: 3, integerDigits: SHORT, min: '0' });
const stars = decimal({ decimals: 3, integerDigits: SHORT, min: '1', max: '5' });
const price = decimal({ decimals: 12, integerDigits: LONG, above: '0' });
const volume = decimal({ decimals: 12, integerDigits: LONG, min: '0' });
const macroIndex = decimal({ decimals: 9, integerDigits: LONG, above: '0' });

function column(
  name: string,
  check: CellCheck,
  order: KeyColumn['order'] = 'bytes',
): InputColumn & { readonly nullable: false } {
  return { name, check, order, nullable: false };
}

function nullableColumn(name: string, check: CellCheck): InputColumn {
  return { name, check: optional(check), order: 'bytes', nullable: true };
}

const epochColumn = column('epoch', epoch, 'number');

function table(
  name: InputTableName,
  columns: readonly InputColumn[],
  keyNames: readonly string[],
  checkRow: InputTable['checkRow'] = null,
): InputTable {
  const key = keyNames.map((keyName) => {
    const index = columns.findIndex((candidate) => candidate.name === keyName);
    return { index, order: columns[index]!.order };
  });
  return { name, file: `${name}.csv`, columns, key, checkRow };
}

const OVER_OFFERED = new Refusal(
  'is more than offered',
  'hours served cannot exceed hours offered: correct one of them',
);
const OFFERED = 3;
const SERVED = 4;

function servedWithinOffered(values: readonly string[]): RowFault | null {
  const within = compareDecimals(values[SERVED]!, values[OFFERED]!) <= 0;
  return within ? null : { index: SERVED, refusal: OVER_OFFERED };
}

const TABLES: readonly InputTable[] = [
  table(
    'providers',
    [
      column('provider', identifier),
      column('joined_epoch', epoch, 'number'),
      column('status', oneOf('active', 'suspended')),
      nullableColumn('payee', payee),
    ],
    ['provider'],
  ),
  table(
    'capacity',
    [
      epochColumn,
      column('provider', identifier),
      column('market', identifier),
      column('offered', unitHours, 'number'),
      column('served', unitHours, 'number'),
    ],
    ['epoch', 'provider', 'market'],
    servedWithinOffered,
  ),
  table(
    'performance',
    [
      epochColumn,
      column('provider', identifier),
      nullableColumn('uptime', share),
      nullableColumn('response_ms', milliseconds),
      nullableColumn('error_rate', share),
      nullableColumn('rating', stars),
    ],
    ['epoch', 'provider'],
  ),
  table(
    'demand',
    [epochColumn, column('market', identifier), column('requested', unitHours, 'number')],
    ['epoch', 'market'],
  ),
  table(
    'quotes',
    [epochColumn, column('market', identifier), column('source', identifier), column('usd_per_unit', price, 'number')],
    ['epoch', 'market', 'source', 'usd_per_unit'],
  ),
  table(
    'token',
    [
      epochColumn,
      column('source', identifier),
      column('observed_at', instant),
      column('price_usd', price, 'number'),
      column('volume_usd', volume, 'number'),
    ],
    ['epoch', 'source', 'observed_at'],
  ),
  table('macro', [epochColumn, column('index', macroIndex, 'number')], ['epoch']),
];

/** The seven tables in the order of spec §3. */
export const INPUT_TABLES: readonly InputTable[] = TABLES;

const BY_NAME: ReadonlyMap<string, InputTable> = new Map(TABLES.map((entry) => [entry.name, entry]));

/** The definition of a table. */
export function inputTable(name: InputTableName): InputTable {
  const found = BY_NAME.get(name);
  if (found === undefined) throw new RangeError(`there is no input table ${JSON.stringify(name)}`);
  return found;
}
