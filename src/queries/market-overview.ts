import { Decimal, decimalText, q9 } from '../numbers/decimal';
import { FACTORS, type Factor, type FullDerivation, type MarketPrice } from '../rulesets/1/records';
import { type MarketPoint, marketPoints } from '../store/market-reports';
import type { Queryable } from '../store/pool';
import { derivationOf } from './derivations';
import { type SettledEpoch, settledEpoch } from './epochs';

/** A market in an epoch at a glance. Prices in USD per unit, quantities in unit-hours, ratios as plain decimals. */
export interface MarketGlance {
  readonly market: string;
  readonly unit: string;
  readonly family: string;
  readonly price: string;
  readonly base: string;
  /** (P - last P) / last P against the last published epoch; null: it did not price the market. */
  readonly change: string | null;
  readonly previousPrice: string | null;
  readonly supply: string;
  readonly used: string;
  readonly demand: string;
  /** U/S and D/S; null where nothing was offered. */
  readonly utilisation: string | null;
  readonly demandShare: string | null;
  /** Mnet. */
  readonly multiplier: string;
  readonly tokensPerUnitHour: string;
  /** What moved the price, the peak premium included, largest first, zeros left out. */
  readonly factors: readonly { readonly factor: Factor; readonly amount: string }[];
  /** Prices of the last published epochs up to this one, oldest first. */
  readonly series: readonly { readonly epoch: number; readonly price: string }[];
}

export interface MarketOverview {
  readonly network: string;
  readonly epoch: number;
  readonly revision: number;
  readonly state: 'published' | 'held';
  readonly tokenPrice: string;
  readonly symbol: string;
  readonly markets: readonly MarketGlance[];
}

/** @param seriesEpochs how many published epochs the price series covers */
export async function marketOverview(
  db: Queryable,
  network: string,
  epoch: number,
  seriesEpochs: number,
): Promise<MarketOverview> {
  const settled = await settledEpoch(db, network, epoch);
  const derivation = await derivationOf(db, settled.key);
  const points = await marketPoints(db, network, epoch, seriesEpochs + 1, null);
  return {
    network,
    epoch,
    revision: settled.key.revision,
    state: settled.report.state === 'held' ? 'held' : 'published',
    tokenPrice: settled.content.tokenPrice,
    symbol: settled.policy.token.symbol,
    markets: derivation.prices.map((price, index) => glance(settled, derivation, price, index, points, seriesEpochs)),
  };
}

function glance(
  { policy, key }: SettledEpoch,
  derivation: FullDerivation,
  price: MarketPrice,
  index: number,
  points: readonly MarketPoint[],
  seriesEpochs: number,
): MarketGlance {
  const measures = derivation.measures.markets[index]!;
  const multipliers = derivation.multipliers[index]!;
  const rules = policy.markets.get(price.market)!;
  const before = points.filter((point) => point.epoch < key.epoch);
  const last = before.at(-1)?.epoch;
  const previous = before.find((point) => point.epoch === last && point.market === price.market);
  const own = before.filter((point) => point.market === price.market);
  const series = [...own, { epoch: key.epoch, price: decimalText(price.price) }].slice(-seriesEpochs);
  return {
    market: price.market,
    unit: rules.unit,
    family: rules.family,
    price: decimalText(price.price),
    base: decimalText(price.base),
    change: previous === undefined ? null : changeText(price.price, new Decimal(previous.price)),
    previousPrice: previous?.price ?? null,
    supply: decimalText(measures.supply),
    used: decimalText(measures.used),
    demand: decimalText(measures.demand),
    utilisation: shareText(measures.used, measures.supply),
    demandShare: shareText(measures.demand, measures.supply),
    multiplier: decimalText(multipliers.network),
    tokensPerUnitHour: decimalText(new Decimal(multipliers.rate.toString()).div(tenTo(policy.token.decimals + 3))),
    factors: strongest(price),
    series: series.map((point) => ({ epoch: point.epoch, price: point.price })),
  };
}

const tenTo = (exponent: number): Decimal => new Decimal(10).pow(exponent);

function changeText(now: Decimal, last: Decimal): string | null {
  return shareText(now.minus(last), last);
}

/** Rounded to 9 decimals: for reading, nothing is computed from it. */
function shareText(part: Decimal, whole: Decimal): string | null {
  return whole.isZero() ? null : decimalText(q9(part.div(whole)));
}

function strongest(price: MarketPrice): MarketGlance['factors'] {
  const moves = FACTORS.map((factor) => ({
    factor,
    amount: factor === 'peakDemand' ? price.differences.premium : price.contributions[factor],
  }));
  return moves
    .filter(({ amount }) => !amount.isZero())
    .sort((left, right) => right.amount.abs().comparedTo(left.amount.abs()))
    .map(({ factor, amount }) => ({ factor, amount: decimalText(amount) }));
}
