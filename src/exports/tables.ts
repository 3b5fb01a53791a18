import type { KeyColumn } from '../proofs/canonical-lines';
import { PAYOUTS_COLUMNS, PRICES_COLUMNS } from '../rulesets/1/tables';

/** The three exports of spec §11: their columns in order, and how their rows are ordered. */

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

export type ExportName = 'prices' | 'payouts' | 'epochs';

export interface ExportTable {
  readonly name: ExportName;
  readonly columns: readonly string[];
  /** Ascending in these columns, each key once. */
  readonly key: readonly KeyColumn[];
}

const EPOCH_KEY: KeyColumn = { index: 0, order: 'number' };
const NAME_KEY: KeyColumn = { index: 1, order: 'bytes' };

export const EXPORT_TABLES: Readonly<Record<ExportName, ExportTable>> = {
  prices: { name: 'prices', columns: PRICES_EXPORT_COLUMNS, key: [EPOCH_KEY, NAME_KEY] },
  payouts: { name: 'payouts', columns: PAYOUTS_EXPORT_COLUMNS, key: [EPOCH_KEY, NAME_KEY] },
  epochs: { name: 'epochs', columns: EPOCHS_EXPORT_COLUMNS, key: [EPOCH_KEY] },
};
