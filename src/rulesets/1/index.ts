/** Ruleset 1 (docs/spec.md), in the order of the road: policy, calendar, inputs, measures, prices, multipliers, rewards, checks. */

export { amountOf, capOf, cappedOf, grossOfLine, poolOf, rateOf, standbyOf, unallocatedOf } from './amounts';
export {
  epochAt,
  epochEndSeconds,
  epochStartSeconds,
  epochTimes,
  instantText,
  isEpochNumber,
  parseInstant,
} from './calendar';
export { breakers, conservation, multiplierBounds, priceBounds } from './checks';
export { revisionContent } from './content';
export { derive, derivePinned } from './derive';
export { historyReach } from './history';
export { measure } from './measures';
export { growthPhaseOf, scaleRewards } from './multipliers';
export { compilePerformance, payoutReason, performanceVerdict } from './performance';
export { parsePolicy } from './policy';
export { discoverPrice, discoverPrices } from './prices';
export { grossOf, payoutOf } from './reward';
export { missingInputs } from './sealing';
export {
  cellsOf,
  INPUT_TABLES,
  PAYOUTS_COLUMNS,
  PAYOUTS_KEY,
  PRICES_COLUMNS,
  PRICES_KEY,
  payoutRow,
  pricesRow,
  pricesRowRecords,
} from './tables';
export { usableTokenPrice } from './token-price';
