import { amountText, parseAmount, parseCount } from '../../numbers/amounts';
import { decimalText, parseDecimalText } from '../../numbers/decimal';
import type { Rate, Ratio, UnitHours, UsdPrice } from '../../numbers/units';
import { RulesetError } from './errors';
import type { MarketMeasures, MarketMultipliers, MarketPrice, Payout } from './records';

/** Tables of spec §3 and §9: their columns in order, their keys, and rows as canonical text. */

/** Columns of the prices table, key market (spec §9). */
export const PRICES_COLUMNS = [
  'market',
  'supply',
  'used',
  'demand',
  'supply_mean',
  'demand_mean',
  'family_fast',
  'family_slow',
  'forecast',
  'competitor',
  'competitor_epoch',
  'prev',
  'base',
  'price',
  's_supply',
  's_demand',
  's_market_conditions',
  's_available_capacity',
  's_provider_growth',
  's_usage_patterns',
  's_peak_demand',
  's_competition',
  's_market_trends',
  'c_supply',
  'c_demand',
  'c_market_conditions',
  'c_available_capacity',
  'c_provider_growth',
  'c_usage_patterns',
  'c_competition',
  'c_market_trends',
  'd_band',
  'd_step',
  'd_bounds',
  'd_premium',
  'd_ceiling',
  'm_market_conditions',
  'm_network_demand',
  'm_resource_availability',
  'm_growth',
  'm_network',
  'rate',
] as const;
export type PricesColumn = (typeof PRICES_COLUMNS)[number];
/** Canonical text of each cell; empty where competitor and its epoch are undefined. */
export type PricesRow = Readonly<Record<PricesColumn, string>>;

/** Columns of the payouts table, key provider (spec §9). */
export const PAYOUTS_COLUMNS = ['provider', 'gross', 'cap_cut', 'scale_cut', 'amount', 'reason'] as const;
export type PayoutsColumn = (typeof PAYOUTS_COLUMNS)[number];
export type PayoutRow = Readonly<Record<PayoutsColumn, string>>;

/** A key column: its place in the row, and whether it sorts by bytes or by value (spec §9). */
export interface KeyColumn {
  readonly index: number;
  readonly order: 'bytes' | 'number';
}

export const PRICES_KEY: readonly KeyColumn[] = [{ index: 0, order: 'bytes' }];
export const PAYOUTS_KEY: readonly KeyColumn[] = [{ index: 0, order: 'bytes' }];

export interface InputTable {
  readonly columns: readonly string[];
  readonly key: readonly KeyColumn[];
}

const bytes = (index: number): KeyColumn => ({ index, order: 'bytes' });
const number = (index: number): KeyColumn => ({ index, order: 'number' });

/** Input tables of spec §3 in its order, which is that of the snapshot digest. */
export const INPUT_TABLES = {
  providers: { columns: ['provider', 'joined_epoch', 'status', 'payee'], key: [bytes(0)] },
  capacity: { columns: ['epoch', 'provider', 'market', 'offered', 'served'], key: [number(0), bytes(1), bytes(2)] },
  performance: {
    columns: ['epoch', 'provider', 'uptime', 'response_ms', 'error_rate', 'rating'],
    key: [number(0), bytes(1)],
  },
  demand: { columns: ['epoch', 'market', 'requested'], key: [number(0), bytes(1)] },
  quotes: {
    columns: ['epoch', 'market', 'source', 'usd_per_unit'],
    key: [number(0), bytes(1), bytes(2), number(3)],
  },
  token: {
    columns: ['epoch', 'source', 'observed_at', 'price_usd', 'volume_usd'],
    key: [number(0), bytes(1), bytes(2)],
  },
  macro: { columns: ['epoch', 'index'], key: [number(0)] },
} as const satisfies Readonly<Record<string, InputTable>>;
export type InputTableName = keyof typeof INPUT_TABLES;

/** Row of the prices table in canonical text (spec §9). */
export function pricesRow(measures: MarketMeasures, price: MarketPrice, multipliers: MarketMultipliers): PricesRow {
  const { signals, contributions, differences } = price;
  return {
    market: measures.market,
    supply: decimalText(measures.supply),
    used: decimalText(measures.used),
    demand: decimalText(measures.demand),
    supply_mean: decimalText(measures.supplyMean),
    demand_mean: decimalText(measures.demandMean),
    family_fast: decimalText(measures.familyFast),
    family_slow: decimalText(measures.familySlow),
    forecast: decimalText(measures.forecast),
    competitor: measures.competitor === null ? '' : decimalText(measures.competitor),
    competitor_epoch: measures.competitorEpoch === null ? '' : String(measures.competitorEpoch),
    prev: decimalText(price.previousBase),
    base: decimalText(price.base),
    price: decimalText(price.price),
    s_supply: decimalText(signals.supply),
    s_demand: decimalText(signals.demand),
    s_market_conditions: decimalText(signals.marketConditions),
    s_available_capacity: decimalText(signals.availableCapacity),
    s_provider_growth: decimalText(signals.providerGrowth),
    s_usage_patterns: decimalText(signals.usagePatterns),
    s_peak_demand: decimalText(signals.peakDemand),
    s_competition: decimalText(signals.competition),
    s_market_trends: decimalText(signals.marketTrends),
    c_supply: decimalText(contributions.supply),
    c_demand: decimalText(contributions.demand),
    c_market_conditions: decimalText(contributions.marketConditions),
    c_available_capacity: decimalText(contributions.availableCapacity),
    c_provider_growth: decimalText(contributions.providerGrowth),
    c_usage_patterns: decimalText(contributions.usagePatterns),
    c_competition: decimalText(contributions.competition),
    c_market_trends: decimalText(contributions.marketTrends),
    d_band: decimalText(differences.band),
    d_step: decimalText(differences.step),
    d_bounds: decimalText(differences.bounds),
    d_premium: decimalText(differences.premium),
    d_ceiling: decimalText(differences.ceiling),
    m_market_conditions: decimalText(multipliers.marketConditions),
    m_network_demand: decimalText(multipliers.networkDemand),
    m_resource_availability: decimalText(multipliers.resourceAvailability),
    m_growth: decimalText(multipliers.growth),
    m_network: decimalText(multipliers.network),
    rate: multipliers.rate.toString(),
  };
}

/** The records that a row of the prices table was made of. */
export interface PricesRecords {
  readonly measures: MarketMeasures;
  readonly price: MarketPrice;
  readonly multipliers: MarketMultipliers;
}

/**
 * Inverse of {@link pricesRow}: `pricesRow(pricesRowRecords(row))` is the row again.
 *
 * @throws RulesetError `malformed-prices-row` naming market and column
 */
export function pricesRowRecords(row: PricesRow): PricesRecords {
  const { market } = row;
  const hours = (column: PricesColumn) => cell(row, column, () => parseDecimalText(row[column], 12) as UnitHours);
  const usd = (column: PricesColumn) => cell(row, column, () => parseDecimalText(row[column], 12) as UsdPrice);
  const ratio = (column: PricesColumn) => cell(row, column, () => parseDecimalText(row[column], 9) as Ratio);
  const previousBase = usd('prev');
  return {
    measures: {
      market,
      supply: hours('supply'),
      used: hours('used'),
      demand: hours('demand'),
      supplyMean: hours('supply_mean'),
      demandMean: hours('demand_mean'),
      familyFast: hours('family_fast'),
      familySlow: hours('family_slow'),
      forecast: hours('forecast'),
      competitor: row.competitor === '' ? null : usd('competitor'),
      competitorEpoch:
        row.competitor_epoch === '' ? null : cell(row, 'competitor_epoch', () => parseCount(row.competitor_epoch)),
      previousBase,
    },
    price: priceRecord(row, previousBase, usd, ratio),
    multipliers: {
      market,
      marketConditions: ratio('m_market_conditions'),
      networkDemand: ratio('m_network_demand'),
      resourceAvailability: ratio('m_resource_availability'),
      growth: ratio('m_growth'),
      network: ratio('m_network'),
      rate: cell(row, 'rate', () => parseAmount(row.rate) as bigint as Rate),
    },
  };
}

function priceRecord(
  row: PricesRow,
  previousBase: UsdPrice,
  usd: (column: PricesColumn) => UsdPrice,
  ratio: (column: PricesColumn) => Ratio,
): MarketPrice {
  return {
    market: row.market,
    previousBase,
    signals: {
      supply: ratio('s_supply'),
      demand: ratio('s_demand'),
      marketConditions: ratio('s_market_conditions'),
      availableCapacity: ratio('s_available_capacity'),
      providerGrowth: ratio('s_provider_growth'),
      usagePatterns: ratio('s_usage_patterns'),
      peakDemand: ratio('s_peak_demand'),
      competition: ratio('s_competition'),
      marketTrends: ratio('s_market_trends'),
    },
    contributions: {
      supply: usd('c_supply'),
      demand: usd('c_demand'),
      marketConditions: usd('c_market_conditions'),
      availableCapacity: usd('c_available_capacity'),
      providerGrowth: usd('c_provider_growth'),
      usagePatterns: usd('c_usage_patterns'),
      competition: usd('c_competition'),
      marketTrends: usd('c_market_trends'),
    },
    differences: {
      band: usd('d_band'),
      step: usd('d_step'),
      bounds: usd('d_bounds'),
      premium: usd('d_premium'),
      ceiling: usd('d_ceiling'),
    },
    base: usd('base'),
    price: usd('price'),
  };
}

function cell<T>(row: PricesRow, column: PricesColumn, read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw new RulesetError('malformed-prices-row', {
      what: `The cell is not what the column ${column} holds: ${(error as Error).message}.`,
      where: `prices table, market ${row.market}, column ${column}`,
      todo: 'compare the row with its digest: a published row cannot have changed.',
    });
  }
}

/** Row of the payouts table in canonical text (spec §9). */
export function payoutRow(payout: Payout): PayoutRow {
  return {
    provider: payout.provider,
    gross: amountText(payout.gross),
    cap_cut: amountText(payout.capCut),
    scale_cut: amountText(payout.scaleCut),
    amount: amountText(payout.amount),
    reason: payout.reason,
  };
}

/** {@link payoutRow} as a line without its end, for the loop over all providers. */
export function payoutLine({ provider, gross, capCut, scaleCut, amount, reason }: Payout): string {
  return `${provider},${gross},${capCut},${scaleCut},${amount},${reason}`;
}

/** Cells of a row in the order of its table's columns, as a canonical line joins them. */
export function cellsOf<Column extends string>(
  columns: readonly Column[],
  row: Readonly<Record<Column, string>>,
): string[] {
  return columns.map((column) => row[column]);
}
