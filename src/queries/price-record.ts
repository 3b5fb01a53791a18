import { explainPrice, type PriceExplanation } from '../explain/price-explanation';
import { lastPricedEpoch, type MarketPoint, marketPoints, pricedMarkets } from '../store/market-reports';
import type { Queryable } from '../store/pool';
import { derivationOf } from './derivations';
import { settledEpoch } from './epochs';
import { QueryError } from './errors';
import { meantWords, nearest } from './nearest';

/** The record of one price, and the course of the price before it. */
export interface PriceRecord {
  readonly network: string;
  readonly epoch: number;
  readonly revision: number;
  readonly state: 'published' | 'held';
  readonly explanation: PriceExplanation;
  /** Published epochs up to this one that priced the market, oldest first; the epoch itself last, also where it is held. */
  readonly series: readonly Pick<MarketPoint, 'epoch' | 'price' | 'base'>[];
}

/** @throws QueryError `market-unknown` naming the markets that the epoch has */
export async function priceRecord(
  db: Queryable,
  network: string,
  epoch: number,
  market: string,
  seriesEpochs: number,
): Promise<PriceRecord> {
  const settled = await settledEpoch(db, network, epoch);
  const markets = await pricedMarkets(db, settled.key);
  if (!markets.includes(market)) {
    throw new QueryError('market-unknown', {
      what: `Epoch ${epoch} has no market ${market}.${meantWords(nearest(market, markets))}`,
      where: `network ${network}, epoch ${epoch}`,
      todo: `name one of its markets: ${markets.join(', ')}.`,
    });
  }
  const derivation = await derivationOf(db, settled.key);
  const previous = await lastPricedEpoch(db, network, market, epoch);
  const explanation = explainPrice(settled.policy, derivation, market, previous);
  const points = await marketPoints(db, network, epoch, seriesEpochs, market);
  const before = points.filter((point) => point.epoch < epoch);
  const own = { epoch, price: explanation.price, base: explanation.base };
  return {
    network,
    epoch,
    revision: settled.key.revision,
    state: settled.report.state === 'held' ? 'held' : 'published',
    explanation,
    series: [...before.map(({ epoch: at, price, base }) => ({ epoch: at, price, base })), own].slice(-seriesEpochs),
  };
}
