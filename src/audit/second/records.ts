/** What a published epoch leaves behind for later ones: the history that they read (spec §4, §5, §6, §8). */
import { decimal, type Fraction } from './fraction';
import type { Row } from './tables';

/** The competitors' price C in USD per unit-hour and the epoch whose quotes it comes from. */
export interface Competitor {
  readonly price: Fraction;
  readonly epoch: number;
}

/** One market of a published epoch: hours in unit-hours, prices in USD per unit-hour. */
export interface MarketRecord {
  readonly market: string;
  readonly supply: Fraction;
  readonly demand: Fraction;
  readonly competitor: Competitor | undefined;
  /** P0, which the next epoch starts from. */
  readonly base: Fraction;
  /** P, the premium included. */
  readonly price: Fraction;
}

/** A published epoch in its newest revision. */
export interface EpochRecord {
  readonly epoch: number;
  readonly markets: readonly MarketRecord[];
  readonly activeProviders: number;
  readonly growthPhase: string;
  readonly tokenPrice: Fraction;
  readonly tokenVolume: Fraction;
  /** Sum of the amounts, in base units. */
  readonly sum: bigint;
}

/** A published epoch as its header and its prices table have it: texts of spec §9 and §11. */
export interface EpochTexts {
  readonly epoch: number;
  readonly activeProviders: number;
  readonly growthPhase: string;
  readonly tokenPrice: string;
  readonly tokenVolume: string;
  readonly sum: string;
  /** Rows of the prices table, cells in the order of spec §9. */
  readonly prices: readonly Row[];
}

// Places in the prices table (spec §9).
const COLUMN = { market: 0, supply: 1, demand: 3, competitor: 9, competitorEpoch: 10, base: 12, price: 13 } as const;

function readMarketRecord(row: Row): MarketRecord {
  const value = (column: keyof typeof COLUMN) => decimal(row[COLUMN[column]] as string, 12);
  const hasCompetitor = row[COLUMN.competitor] !== '';
  return {
    market: row[COLUMN.market] as string,
    supply: value('supply'),
    demand: value('demand'),
    // biome-ignore lint/plugin/exact-money: an epoch number, written by this program
    competitor: hasCompetitor ? { price: value('competitor'), epoch: Number(row[COLUMN.competitorEpoch]) } : undefined,
    base: value('base'),
    price: value('price'),
  };
}

/** Reads a record from the texts of a published epoch. Throws a RangeError for a cell that is no number. */
export function readRecord(texts: EpochTexts): EpochRecord {
  return {
    epoch: texts.epoch,
    markets: texts.prices.map(readMarketRecord),
    activeProviders: texts.activeProviders,
    growthPhase: texts.growthPhase,
    tokenPrice: decimal(texts.tokenPrice, 12),
    tokenVolume: decimal(texts.tokenVolume, 12),
    sum: BigInt(texts.sum),
  };
}

/** The record of a market in a published epoch; undefined where the epoch did not price it. */
export function marketOf(record: EpochRecord, market: string): MarketRecord | undefined {
  return record.markets.find((candidate) => candidate.market === market);
}
