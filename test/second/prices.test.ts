import { decimal, decimalText, type Fraction } from '../../src/audit/second/fraction';
import type { MarketMeasures, Measures } from '../../src/audit/second/measures';
import { WEIGHTED_FACTORS } from '../../src/audit/second/policy';
import { discoverPrice, type MarketPrice } from '../../src/audit/second/prices';
import { policyWith } from './world';

const of = (text: string) => decimal(text, 12);
const texts = (values: Readonly<Record<string, Fraction>>) =>
  Object.fromEntries(Object.entries(values).map(([key, value]) => [key, decimalText(value)]));

interface Figures {
  supply: string;
  demand: string;
  supplyMean: string;
  demandMean: string;
  familyFast: string;
  familySlow: string;
  forecast: string;
  competitor: string;
  previous: string;
  volume: string;
  volumeMean: string;
  macro: string;
  growth: string;
}

// Each signal is another round figure, so that every term can be read off the result.
const FIGURES: Figures = {
  supply: '8',
  demand: '6',
  supplyMean: '10',
  demandMean: '5',
  familyFast: '6',
  familySlow: '5',
  forecast: '5.5',
  competitor: '4',
  previous: '2',
  volume: '110',
  volumeMean: '100',
  macro: '1.1',
  growth: '0.1',
};

function price(
  changes: Partial<Figures> = {},
  policyChanges: Record<string, unknown> = {},
  everybodyIdle = false,
): MarketPrice {
  const figures = { ...FIGURES, ...changes };
  const policy = policyWith(policyChanges);
  const measures: MarketMeasures = {
    market: 'gpu',
    supply: of(figures.supply),
    used: of('0'),
    demand: of(figures.demand),
    requested: undefined,
    supplyMean: of(figures.supplyMean),
    demandMean: of(figures.demandMean),
    familyFast: of(figures.familyFast),
    familySlow: of(figures.familySlow),
    forecast: of(figures.forecast),
    competitor: figures.competitor === '' ? undefined : { price: of(figures.competitor), epoch: 10 },
    previous: of(figures.previous),
  };
  const network: Measures = {
    epoch: 10,
    activeProviders: new Set(),
    growth: of(figures.growth),
    token: { price: of('1'), volume: of(figures.volume), sourcePrices: [] },
    tokenVolumeMean: of(figures.volumeMean),
    macro: of(figures.macro),
    markets: [measures],
    everybodyIdle,
  };
  const market = policy.markets.find(({ market: name }) => name === 'gpu');
  if (market === undefined) throw new Error('no market');
  return discoverPrice(measures, network, policy, market);
}

const NO_DIFFERENCES = { band: '0', step: '0', bounds: '0', premium: '0', ceiling: '0' };

describe('the nine factors', () => {
  test('signals', () => {
    expect(texts(price().signals)).toEqual({
      supply: '0.2',
      demand: '0.2',
      // 0.3 * 0.1 + 0.7 * (0.1 / 0.2)
      marketConditions: '0.38',
      // (0.75 - 0.5) / 0.5
      availableCapacity: '0.5',
      providerGrowth: '-0.2',
      usagePatterns: '-0.1',
      // min(0.5, (1.2 - 1) / (2 - 1))
      peakDemand: '0.2',
      competition: '0.5',
      marketTrends: '0.2',
    });
  });

  test('contributions are weight times signal where Pprev * maxStep is 1', () => {
    expect(texts(price().contributions)).toEqual({
      supply: '0.004',
      demand: '0.006',
      marketConditions: '0.019',
      availableCapacity: '0.035',
      providerGrowth: '-0.022',
      usagePatterns: '-0.013',
      competition: '0.085',
      marketTrends: '0.084',
    });
  });

  test('the base price drifts by their sum and the premium comes on top', () => {
    const { base, price: shown, differences } = price();
    expect([base, shown].map(decimalText)).toEqual(['2.198', '2.24196']);
    expect(texts(differences)).toEqual({ ...NO_DIFFERENCES, premium: '0.04396' });
  });

  test('signals are clamped to -1 and 1', () => {
    const { signals } = price({ demand: '1000', volume: '0', macro: '5', growth: '100', familyFast: '0' });
    expect(texts(signals)).toMatchObject({
      demand: '1',
      // 0.3 * -1 + 0.7 * 1: each part is clamped before it is weighted.
      marketConditions: '0.4',
      providerGrowth: '-1',
      marketTrends: '-1',
    });
  });

  test('a zero denominator makes a signal 0', () => {
    const { signals } = price({ supplyMean: '0', demandMean: '0', familySlow: '0', volumeMean: '0', macro: '1' });
    expect(texts(signals)).toMatchObject({
      supply: '0',
      demand: '0',
      marketConditions: '0',
      usagePatterns: '0',
      peakDemand: '0',
      marketTrends: '0',
    });
  });

  test('without a competitor there is neither signal nor band', () => {
    const { signals, differences } = price({ competitor: '' }, { 'pricing/competition/bandLow': '9' });
    expect([signals.competition, differences.band].map(decimalText)).toEqual(['0', '0']);
  });

  test('demand without any supply is the strongest shortage', () => {
    expect(decimalText(price({ supply: '0' }).signals.availableCapacity)).toBe('1');
  });

  test('a peak is one only where capacity is short', () => {
    // Utilisation 6 of 24 lies below its target of 0.5.
    const { signals, base, price: shown } = price({ supply: '24' });
    expect(decimalText(signals.availableCapacity)).toBe('-0.5');
    expect(decimalText(signals.peakDemand)).toBe('0');
    expect(decimalText(shown)).toBe(decimalText(base));
  });

  test('a peak is no higher than the shortage', () => {
    // D/S - t = 0.1 of 0.5; D/Dbar is far above the threshold.
    expect(decimalText(price({ supply: '10', demandMean: '1' }).signals.peakDemand)).toBe('0.2');
  });
});

describe('limits in their order', () => {
  test('band from above', () => {
    const { differences, base } = price({}, { 'pricing/competition/bandHigh': '0.5' });
    expect(decimalText(base)).toBe('2');
    expect(texts(differences)).toEqual({ ...NO_DIFFERENCES, band: '-0.198', premium: '0.04' });
  });

  test('the step wins over the band', () => {
    // C = 40: band from 4, signal (40 - 2) / 40 = 0.95, drifted 2.198 - 0.085 + 0.1615 = 2.2745, step to 3.
    const { differences, base } = price({ competitor: '40' });
    expect(decimalText(base)).toBe('3');
    expect(texts(differences)).toEqual({ ...NO_DIFFERENCES, band: '1.7255', step: '-1', premium: '0.06' });
  });

  test('the ceiling wins over the step and cuts the premium', () => {
    const { differences, base, price: shown } = price({}, { 'market/gpu/ceiling': '2.1' });
    expect([base, shown].map(decimalText)).toEqual(['2.1', '2.1']);
    expect(texts(differences)).toEqual({ ...NO_DIFFERENCES, bounds: '-0.098', premium: '0.042', ceiling: '-0.042' });
  });

  test('the floor wins over the step', () => {
    expect(decimalText(price({ previous: '0.1' }).base)).toBe('0.5');
  });

  test('contributions and step limits are rounded to 12 decimals, half to even', () => {
    const { contributions } = price({ previous: '0.500000000125' });
    // 0.500000000125 * 0.5 * 0.02 * 0.2 = 0.00100000000025
    expect(decimalText(contributions.supply)).toBe('0.001');
    // 0.500000000125 * 0.5 * 0.07 * 0.5 = 0.0087500000021875
    expect(decimalText(contributions.availableCapacity)).toBe('0.008750000002');
  });
});

test('the premium is rounded to 12 decimals, half to even', () => {
  const weights = Object.fromEntries(WEIGHTED_FACTORS.map((factor) => [factor, '0']));
  // 0.500000000125 * 1.02 = 0.5100000001275
  const { price: shown } = price({ previous: '0.500000000125' }, { 'pricing/weights': weights });
  expect(decimalText(shown)).toBe('0.510000000128');
});

describe('a price that is kept', () => {
  test.each([
    ['without supply and demand', { supply: '0', demand: '0' }, false],
    ['while everybody is idle', { demand: '0' }, true],
  ])('%s has no signals, no contributions and no premium', (_, changes, everybodyIdle) => {
    const kept = price({ ...changes, competitor: '40' }, {}, everybodyIdle);
    expect(new Set([...Object.values(kept.signals), ...Object.values(kept.contributions)].map(decimalText))).toEqual(
      new Set(['0']),
    );
    expect(texts(kept.differences)).toEqual(NO_DIFFERENCES);
    expect([kept.base, kept.price].map(decimalText)).toEqual(['2', '2']);
  });

  test('is still held within floor and ceiling', () => {
    const kept = price({ supply: '0', demand: '0', previous: '9' });
    expect(decimalText(kept.price)).toBe('8');
    expect(decimalText(kept.differences.bounds)).toBe('-1');
  });

  test('demand without supply, or supply without demand, moves the price', () => {
    expect(decimalText(price({ supply: '0' }).signals.supply)).toBe('1');
    expect(decimalText(price({ demand: '0' }).signals.demand)).toBe('-1');
  });
});
