/** The prices table and the payouts table of a settlement as canonical cells (spec §9). */
import type { Payout } from './amounts';
import { decimalText } from './fraction';
import type { SettledMarket } from './guards';
import type { MarketMeasures } from './measures';
import { WEIGHTED_FACTORS } from './policy';
import { DIFFERENCES, FACTORS } from './prices';
import type { Row } from './tables';

const WORDS: Readonly<Record<(typeof FACTORS)[number], string>> = {
  supply: 'supply',
  demand: 'demand',
  marketConditions: 'market_conditions',
  availableCapacity: 'available_capacity',
  providerGrowth: 'provider_growth',
  usagePatterns: 'usage_patterns',
  peakDemand: 'peak_demand',
  competition: 'competition',
  marketTrends: 'market_trends',
};

/** Columns of the prices table, key `market`. */
export const PRICES_COLUMNS: readonly string[] = [
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
  ...FACTORS.map((factor) => `s_${WORDS[factor]}`),
  ...WEIGHTED_FACTORS.map((factor) => `c_${WORDS[factor]}`),
  ...DIFFERENCES.map((difference) => `d_${difference}`),
  'm_market_conditions',
  'm_network_demand',
  'm_resource_availability',
  'm_growth',
  'm_network',
  'rate',
];

/** Columns of the payouts table, key `provider`. */
export const PAYOUTS_COLUMNS: readonly string[] = ['provider', 'gross', 'cap_cut', 'scale_cut', 'amount', 'reason'];

/** One row of the prices table. */
export function pricesRow(measures: MarketMeasures, { price, multipliers, rate }: SettledMarket): Row {
  const { competitor } = measures;
  return [
    measures.market,
    ...[
      measures.supply,
      measures.used,
      measures.demand,
      measures.supplyMean,
      measures.demandMean,
      measures.familyFast,
      measures.familySlow,
      measures.forecast,
    ].map(decimalText),
    competitor === undefined ? '' : decimalText(competitor.price),
    competitor === undefined ? '' : String(competitor.epoch),
    ...[price.previous, price.base, price.price].map(decimalText),
    ...FACTORS.map((factor) => decimalText(price.signals[factor])),
    ...WEIGHTED_FACTORS.map((factor) => decimalText(price.contributions[factor])),
    ...DIFFERENCES.map((difference) => decimalText(price.differences[difference])),
    ...[
      multipliers.marketConditions,
      multipliers.networkDemand,
      multipliers.resourceAvailability,
      multipliers.growth,
      multipliers.network,
    ].map(decimalText),
    rate.toString(),
  ];
}

/** One row of the payouts table. */
export function payoutsRow(payout: Payout): Row {
  const { provider, gross, capCut, scaleCut, amount, reason } = payout;
  return [provider, ...[gross, capCut, scaleCut, amount].map(String), reason];
}
