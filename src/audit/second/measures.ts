/** The measures of an epoch: each market's and the network's (spec §4). */
import { epochEndSeconds, instantSeconds } from './calendar';
import { type Fraction, fraction, isZero, median, ONE, quotient, subtract, sum } from './fraction';
import { ewma, forecast, type Observation } from './means';
import { groupBy } from './order';
import type { MarketPolicy, Policy } from './policy';
import { type Competitor, type EpochRecord, type MarketRecord, marketOf } from './records';
import { cellValue, type Row, type Tables } from './tables';

/** Hours in unit-hours, prices in USD per unit-hour. */
export interface MarketMeasures {
  readonly market: string;
  /** S, U and D. */
  readonly supply: Fraction;
  readonly used: Fraction;
  readonly demand: Fraction;
  /** The demand row's figure; undefined where there is no row. */
  readonly requested: Fraction | undefined;
  readonly supplyMean: Fraction;
  readonly demandMean: Fraction;
  readonly familyFast: Fraction;
  readonly familySlow: Fraction;
  readonly forecast: Fraction;
  readonly competitor: Competitor | undefined;
  /** Pprev. */
  readonly previous: Fraction;
}

/** The token's price in USD and its volume, with the sources that they are made of. */
export interface TokenMeasures {
  readonly price: Fraction;
  readonly volume: Fraction;
  readonly sourcePrices: readonly Fraction[];
}

export interface Measures {
  readonly epoch: number;
  /** N: the providers that are active and offered anything, by identifier. */
  readonly activeProviders: ReadonlySet<string>;
  /** g. */
  readonly growth: Fraction;
  readonly token: TokenMeasures;
  readonly tokenVolumeMean: Fraction;
  readonly macro: Fraction;
  readonly markets: readonly MarketMeasures[];
  /** D is 0 in every market. */
  readonly everybodyIdle: boolean;
}

/** T and V of an epoch; undefined where there is no usable token price (spec §4). */
export function measureToken(epoch: number, rows: Tables, policy: Policy): TokenMeasures | undefined {
  const end = epochEndSeconds(policy.calendar, epoch);
  const fresh = rows.token.filter((row) => {
    const observed = instantSeconds(row[2] as string);
    return end - policy.tokenPrice.maxAgeSeconds <= observed && observed <= end;
  });
  const sources = [...groupBy(fresh, (row) => row[1]).values()];
  if (sources.length < policy.tokenPrice.minSources) return undefined;
  const medianOf = (source: Row[], index: number) => median(source.map((row) => cellValue(row, index)));
  const sourcePrices = sources.map((source) => medianOf(source, 3));
  const price = median(sourcePrices);
  if (isZero(price)) return undefined;
  return { price, volume: sum(sources.map((source) => medianOf(source, 4))), sourcePrices };
}

function isActive(rows: Tables): (provider: string) => boolean {
  const active = new Set(rows.providers.filter((row) => row[2] === 'active').map((row) => row[0]));
  return (provider) => active.has(provider);
}

/** The N providers: active ones with any offered above zero (spec §4). */
function activeProviders(rows: Tables): Set<string> {
  const active = isActive(rows);
  const offering = rows.capacity.filter((row) => !isZero(cellValue(row, 3))).map((row) => row[1] as string);
  return new Set(offering.filter(active));
}

function everybodyWasIdle(record: EpochRecord): boolean {
  return record.markets.every((market) => isZero(market.demand));
}

/** History of a market: the last `window` published epochs, oldest first, less its gaps. */
function marketHistory(
  market: string,
  history: readonly EpochRecord[],
  window: number,
): { epoch: number; record: MarketRecord }[] {
  return history.slice(-window).flatMap((past) => {
    const record = marketOf(past, market);
    const isGap = record === undefined || isZero(record.supply) || everybodyWasIdle(past);
    return isGap ? [] : [{ epoch: past.epoch, record }];
  });
}

/** Total demand of a family in each epoch of its history; the family is what this epoch's policy puts there. */
function familyDemand(family: string, history: readonly EpochRecord[], policy: Policy): Fraction[] {
  const members = new Set(policy.markets.filter((market) => market.family === family).map((market) => market.market));
  return history.slice(-policy.history.window).flatMap((past) => {
    const records = past.markets.filter((record) => members.has(record.market));
    const isGap = isZero(sum(records.map((record) => record.supply))) || everybodyWasIdle(past);
    return isGap ? [] : [sum(records.map((record) => record.demand))];
  });
}

/** C: from this epoch's quotes, or the newest that a published epoch of the last season had from its own quotes. */
function competitorOf(
  epoch: number,
  market: string,
  rows: Tables,
  history: readonly EpochRecord[],
  policy: Policy,
): Competitor | undefined {
  const quotes = rows.quotes.filter((row) => row[1] === market);
  const sources = [...groupBy(quotes, (row) => row[2]).values()];
  if (sources.length >= policy.pricing.minQuotes) {
    const prices = sources.map((source) => median(source.map((row) => cellValue(row, 3))));
    return { price: median(prices), epoch };
  }
  const recent = history.filter((past) => past.epoch >= epoch - policy.history.season);
  const own = recent
    .map((past) => marketOf(past, market)?.competitor)
    .filter((past, index) => {
      return past !== undefined && past.epoch === recent[index]?.epoch;
    });
  return own.at(-1);
}

/** Pprev: the market's P0 in the last published epoch that priced it, or basePrice (spec §5). */
function previousBase(market: MarketPolicy, history: readonly EpochRecord[]): Fraction {
  const priced = history.map((past) => marketOf(past, market.market)).filter((record) => record !== undefined);
  return priced.at(-1)?.base ?? market.basePrice;
}

interface Current {
  readonly supply: Fraction;
  readonly used: Fraction;
  readonly demand: Fraction;
  readonly requested: Fraction | undefined;
}

/** S, U and D of this epoch. */
function measureCurrent(market: string, rows: Tables): Current {
  const active = isActive(rows);
  const capacity = rows.capacity.filter((row) => row[2] === market && active(row[1] as string));
  const used = sum(capacity.map((row) => cellValue(row, 4)));
  const demandRow = rows.demand.find((row) => row[1] === market);
  const requested = demandRow === undefined ? undefined : cellValue(demandRow, 2);
  return { supply: sum(capacity.map((row) => cellValue(row, 3))), used, demand: requested ?? used, requested };
}

function measureMarket(
  epoch: number,
  market: MarketPolicy,
  current: ReadonlyMap<string, Current>,
  rows: Tables,
  policy: Policy,
  history: readonly EpochRecord[],
): MarketMeasures {
  const { alpha, fastAlpha, slowAlpha, season, window } = policy.history;
  const own = current.get(market.market) as Current;
  const past = marketHistory(market.market, history, window);
  const pastDemand: Observation[] = past.map(({ epoch: when, record }) => ({ epoch: when, value: record.demand }));
  const siblings = policy.markets.filter((other) => other.family === market.family);
  const familyNow = sum(siblings.map((other) => (current.get(other.market) as Current).demand));
  const familyPast = familyDemand(market.family, history, policy);
  return {
    market: market.market,
    ...own,
    supplyMean: ewma(
      alpha,
      past.map(({ record }) => record.supply),
      own.supply,
    ),
    demandMean: ewma(
      alpha,
      pastDemand.map(({ value }) => value),
      own.demand,
    ),
    familyFast: ewma(fastAlpha, familyPast, familyNow),
    familySlow: ewma(slowAlpha, familyPast, familyNow),
    forecast: forecast(epoch, own.demand, pastDemand, season),
    competitor: competitorOf(epoch, market.market, rows, history, policy),
    previous: previousBase(market, history),
  };
}

/**
 * The measures of an epoch with a usable token price. `history` is the published epochs below it, oldest first; it
 * must reach back over window, season and growthWindow, and to the last epoch that priced each market.
 */
export function measureEpoch(
  epoch: number,
  rows: Tables,
  token: TokenMeasures,
  policy: Policy,
  history: readonly EpochRecord[],
): Measures {
  const current = new Map(policy.markets.map((market) => [market.market, measureCurrent(market.market, rows)]));
  const providers = activeProviders(rows);
  const now = fraction(BigInt(providers.size));
  const base = history.find((past) => past.epoch >= epoch - policy.history.growthWindow);
  const then = base === undefined ? now : fraction(BigInt(base.activeProviders));
  const macroRow = rows.macro[0];
  const volumes = history.slice(-policy.history.window).map((past) => past.tokenVolume);
  return {
    epoch,
    activeProviders: providers,
    growth: quotient(subtract(now, then), then),
    token,
    tokenVolumeMean: ewma(policy.history.alpha, volumes, token.volume),
    macro: macroRow === undefined ? ONE : cellValue(macroRow, 1),
    markets: policy.markets.map((market) => measureMarket(epoch, market, current, rows, policy, history)),
    everybodyIdle: [...current.values()].every((market) => isZero(market.demand)),
  };
}
