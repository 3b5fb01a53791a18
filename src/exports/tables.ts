import type { KeyColumn } from '../proofs/canonical-lines';
import { PAYOUTS_COLUMNS, PRICES_COLUMNS } from '../rulesets/1/tables';

/** What can be exported: the three tables of spec §11 and two of our own; their columns in order, and how rows are ordered. */

/** Columns of `prices.csv`. */
export const PRICES_EXPORT_COLUMNS = ['epoch', ...PRICES_COLUMNS] as const;

/** Columns of `payouts.csv`. */
export const PAYOUTS_EXPORT_COLUMNS = ['epoch', ...PAYOUTS_COLUMNS] as const;

/**
 * Columns of `epochs.csv`. A failed epoch has its number, revision 0 and `failed(...)` in `breakers`; the rest of its
 * cells are empty.
 */
export const EPOCHS_EXPORT_COLUMNS = [
  'epoch',
  'revision',
  'pool',
  'sum',
  'unallocated',
  'unallocated_reason',
  'active_providers',
  'growth_phase',
  'token_price',
  'token_volume',
  'breakers',
  'snapshot_digest',
  'prices_digest',
  'payouts_digest',
  'claims_root',
  'head',
] as const;

/** Columns of `adjustments.csv`: what a revision after the first changed, one row a provider whose amount differs. */
export const ADJUSTMENTS_EXPORT_COLUMNS = [
  'epoch',
  'revision',
  'provider',
  'previous',
  'amount',
  'adjustment',
] as const;

/**
 * Columns of `ledger.csv`: the postings of the general ledger; those of a journal sum to zero. A publication stands at
 * its epoch and revision, a confirmation at the last epoch that was published when its batch was made.
 */
export const LEDGER_EXPORT_COLUMNS = [
  'epoch',
  'revision',
  'batch',
  'journal',
  'account',
  'amount',
  'booked_at',
] as const;

export type ExportName = 'prices' | 'payouts' | 'epochs' | 'adjustments' | 'ledger';

/** The tables of spec §11. */
export const SPECIFIED_EXPORTS = ['prices', 'payouts', 'epochs'] as const satisfies readonly ExportName[];

export const ALL_EXPORTS = [...SPECIFIED_EXPORTS, 'adjustments', 'ledger'] as const satisfies readonly ExportName[];

export interface ExportTable {
  readonly name: ExportName;
  readonly columns: readonly string[];
  /** Ascending in these columns, each key once. */
  readonly key: readonly KeyColumn[];
}

const number = (index: number): KeyColumn => ({ index, order: 'number' });
const bytes = (index: number): KeyColumn => ({ index, order: 'bytes' });

export const EXPORT_TABLES: Readonly<Record<ExportName, ExportTable>> = {
  prices: { name: 'prices', columns: PRICES_EXPORT_COLUMNS, key: [number(0), bytes(1)] },
  payouts: { name: 'payouts', columns: PAYOUTS_EXPORT_COLUMNS, key: [number(0), bytes(1)] },
  epochs: { name: 'epochs', columns: EPOCHS_EXPORT_COLUMNS, key: [number(0)] },
  adjustments: { name: 'adjustments', columns: ADJUSTMENTS_EXPORT_COLUMNS, key: [number(0), number(1), bytes(2)] },
  ledger: { name: 'ledger', columns: LEDGER_EXPORT_COLUMNS, key: [number(0), bytes(3), bytes(4)] },
};

/** What a cell of a column is: how each format writes it. */
export type CellKind =
  /** A whole number below 2^53. */
  | 'count'
  /** Base units. */
  | 'amount'
  /** An exact number with decimals: at most 12, or 9. */
  | 'decimal12'
  | 'decimal9'
  | 'instant'
  | 'text';

const COUNTS: ReadonlySet<string> = new Set(['epoch', 'revision', 'batch', 'active_providers', 'competitor_epoch']);
const AMOUNTS: ReadonlySet<string> = new Set([
  ...['gross', 'cap_cut', 'scale_cut', 'amount', 'previous', 'adjustment'],
  ...['pool', 'sum', 'unallocated', 'rate'],
]);
const TEXTS: ReadonlySet<string> = new Set([
  ...['market', 'provider', 'reason', 'unallocated_reason', 'growth_phase', 'breakers', 'journal', 'account'],
  ...['snapshot_digest', 'prices_digest', 'payouts_digest', 'claims_root', 'head'],
]);

/** The kind of a column, by its name: the same in all tables. */
export function cellKind(column: string): CellKind {
  if (COUNTS.has(column)) return 'count';
  if (AMOUNTS.has(column)) return 'amount';
  if (TEXTS.has(column)) return 'text';
  if (column === 'booked_at') return 'instant';
  // Signals and multipliers have 9 decimals (spec §1); prices, contributions, differences, quantities and means fewer than 13.
  return column.startsWith('s_') || column.startsWith('m_') ? 'decimal9' : 'decimal12';
}
