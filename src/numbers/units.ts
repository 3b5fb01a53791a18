import type { Decimal } from './decimal';

/**
 * Units of the settlement as distinct types, so that a price cannot be passed where an amount is meant (spec §1).
 * A bare `number` is a count, an index or an epoch number; everything that is money or a measure carries its unit.
 */
declare const unit: unique symbol;
type Unit<T, Name extends string> = T & { readonly [unit]: Name };

/** Token base units (10^-decimals of a token). Never negative in payouts; adjustments may be. */
export type Amount = Unit<bigint, 'Amount'>;
/** Millionths of a resource unit-hour: the integer form of a quantity, which has at most 6 decimals. */
export type MicroUnits = Unit<bigint, 'MicroUnits'>;
/** Base units per micro-unit-hour, scaled by 10^9 (spec §7). */
export type Rate = Unit<bigint, 'Rate'>;
/** A ratio, multiplier or score as an integer of 10^-9. */
export type NanoRatio = Unit<bigint, 'NanoRatio'>;

/** USD per unit-hour, or per token, with at most 12 decimals once it is quantised. */
export type UsdPrice = Unit<Decimal, 'UsdPrice'>;
/** A signal, ratio, multiplier, score or weight, with at most 9 decimals once it is quantised. */
export type Ratio = Unit<Decimal, 'Ratio'>;
/** Resource unit-hours as a decimal: inputs have at most 6 decimals, means and forecasts 9. */
export type UnitHours = Unit<Decimal, 'UnitHours'>;
/** USD traded, 12 decimals at most as input, 9 once averaged. */
export type UsdVolume = Unit<Decimal, 'UsdVolume'>;
