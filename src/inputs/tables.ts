import { compareDecimals, type KeyColumn } from '../proofs/canonical-lines';
import { INPUT_TABLES as FORMS, type InputTableName } from '../rulesets/1/tables';
import { type CellCheck, decimal, epoch, identifier, instant, oneOf, optional, payee } from './cells';
import { Refusal } from './refusals';

/**
 * What the cells of the seven input tables may hold (spec §3), beside the columns and keys that ruleset 1 gives them:
 * all that is needed to read, stage and order input rows.
 */

export type { InputTableName };

export interface InputTable {
  readonly name: InputTableName;
  /** File name in a bundle, without `.gz`. */
  readonly file: string;
  /** In the order of spec §3. */
  readonly columns: readonly InputColumn[];
  /** Key columns in the order of comparison (spec §9). */
  readonly key: readonly KeyColumn[];
  /** A rule that binds cells of one row, given its canonical cells; null if there is none. */
  readonly checkRow: RowCheck | null;
}

interface InputColumn {
  readonly name: string;
  readonly check: CellCheck;
}

/** Returns null if the rule holds. */
type RowCheck = (values: readonly string[]) => RowFault | null;

interface RowFault {
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

type Checks<Name extends InputTableName> = Readonly<Record<(typeof FORMS)[Name]['columns'][number], CellCheck>>;

const CHECKS: { readonly [Name in InputTableName]: Checks<Name> } = {
  providers: {
    provider: identifier,
    joined_epoch: epoch,
    status: oneOf('active', 'suspended'),
    payee: optional(payee),
  },
  capacity: { epoch, provider: identifier, market: identifier, offered: unitHours, served: unitHours },
  performance: {
    epoch,
    provider: identifier,
    uptime: optional(share),
    response_ms: optional(milliseconds),
    error_rate: optional(share),
    rating: optional(stars),
  },
  demand: { epoch, market: identifier, requested: unitHours },
  quotes: { epoch, market: identifier, source: identifier, usd_per_unit: price },
  token: { epoch, source: identifier, observed_at: instant, price_usd: price, volume_usd: volume },
  macro: { epoch, index: macroIndex },
};

function table<Name extends InputTableName>(name: Name): InputTable {
  const checks: Readonly<Record<string, CellCheck>> = CHECKS[name];
  const columns = FORMS[name].columns.map((column) => ({ name: column, check: checks[column]! }));
  const checkRow = name === 'capacity' ? servedWithinOffered : null;
  return { name, file: `${name}.csv`, columns, key: FORMS[name].key, checkRow };
}

/** The seven tables in the order of spec §3. */
export const INPUT_TABLES: readonly InputTable[] = (Object.keys(FORMS) as InputTableName[]).map(table);

const BY_NAME: ReadonlyMap<string, InputTable> = new Map(INPUT_TABLES.map((entry) => [entry.name, entry]));

/** The definition of a table. */
export function inputTable(name: InputTableName): InputTable {
  const found = BY_NAME.get(name);
  if (found === undefined) throw new RangeError(`there is no input table ${JSON.stringify(name)}`);
  return found;
}
