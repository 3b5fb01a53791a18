import { discoverPrice } from '../../../src/rulesets/1/prices';
import {
  CLAMPS,
  CONTRIBUTING_FACTORS,
  FACTORS,
  type Factor,
  type MarketMeasures,
  type MarketPrice,
  type NetworkMeasures,
} from '../../../src/rulesets/1/records';
import { hours, policyWith, ratio, text, usd } from './fixtures';

/** A V100 market in balance: every signal is 0 (S 10, D 5, target a half), and the price stays at 2. */
const BALANCED: MarketMeasures = {
  market: 'gpu.v100',
  supply: hours('10'),
  used: hours('5'),
  demand: hours('5'),
  supplyMean: hours('10'),
  demandMean: hours('5'),
  familyFast: hours('5'),
  familySlow: hours('5'),
  forecast: hours('5'),
  competitor: null,
  competitorEpoch: null,
  previousBase: usd('2'),
};
const QUIET: NetworkMeasures = {
  activeProviders: 10,
  activeProvidersThen: 10,
  tokenPrice: usd('0.5'),
  tokenSources: [],
  tokenVolume: usd('100') as never,
  tokenVolumeMean: usd('100') as never,
  macro: ratio('1'),
  everybodyIdle: false,
};

function priceOf(
  market: Partial<MarketMeasures>,
  network: Partial<NetworkMeasures> = {},
  changes: Readonly<Record<string, unknown>> = {},
): MarketPrice {
  return discoverPrice(policyWith(changes), { ...BALANCED, ...market }, { ...QUIET, ...network });
}

const texts = <K extends string>(record: Readonly<Record<K, Parameters<typeof text>[0]>>) =>
  Object.fromEntries(Object.entries(record).map(([key, value]) => [key, text(value as never)]));

test('in balance nothing moves', () => {
  const price = priceOf({});
  for (const factor of FACTORS) expect([factor, text(price.signals[factor])]).toEqual([factor, '0']);
  expect([text(price.base), text(price.price)]).toEqual(['2', '2']);
});

describe('signals', () => {
  const cases: readonly [Factor, string, Partial<MarketMeasures>, Partial<NetworkMeasures>, string, string][] = [
    ['supply', 'a supply a fifth below its mean', { supplyMean: hours('12.5') }, {}, '0.2', '0.005'],
    ['supply', 'no mean supply', { supplyMean: hours('0') }, {}, '0', '0'],
    ['supply', 'a supply three times its mean', { supplyMean: hours('2.5') }, {}, '-1', '-0.025'],
    ['demand', 'a demand a quarter above its mean', { demandMean: hours('4') }, {}, '0.25', '0.009375'],
    ['demand', 'no mean demand', { demandMean: hours('0') }, {}, '0', '0'],
    ['demand', 'a demand a third below its mean', { demandMean: hours('7.5') }, {}, '-0.333333333', '-0.012499999988'],
    // 0.5*(10/90) + 0.5*0.5 = 11/36: rounding each part first would give 0.3055555555, then to even 0.305555556.
    [
      'marketConditions',
      'trading and economy up',
      {},
      { tokenVolumeMean: usd('90') as never, macro: ratio('1.1') },
      '0.305555556',
      '0.00381944445',
    ],
    ['marketConditions', 'trading five times its mean', {}, { tokenVolumeMean: usd('20') as never }, '0.5', '0.00625'],
    ['marketConditions', 'no mean trading', {}, { tokenVolumeMean: usd('0') as never }, '0', '0'],
    ['marketConditions', 'a macro index far below', {}, { macro: ratio('0.1') }, '-0.5', '-0.00625'],
    [
      'availableCapacity',
      'utilisation 0.6 with a target of 0.5',
      { supply: hours('8.333333'), supplyMean: hours('8.333333') },
      {},
      '0.200000048',
      '0.0150000036',
    ],
    [
      'availableCapacity',
      'half of the target',
      { supply: hours('20'), supplyMean: hours('20') },
      {},
      '-0.5',
      '-0.0375',
    ],
    ['availableCapacity', 'demand and no supply', { supply: hours('0') }, {}, '1', '0.075'],
    ['providerGrowth', 'a network a fifth smaller', {}, { activeProviders: 8 }, '0.4', '0.005'],
    ['providerGrowth', 'a network three times as large', {}, { activeProviders: 30 }, '-1', '-0.0125'],
    ['providerGrowth', 'a network that was empty', {}, { activeProvidersThen: 0 }, '0', '0'],
    ['usagePatterns', 'a forecast above demand', { forecast: hours('6') }, {}, '0.2', '0.005'],
    [
      'usagePatterns',
      'a forecast above a demand that is above its mean',
      { forecast: hours('6'), demandMean: hours('4') },
      {},
      '0.25',
      '0.00625',
    ],
    ['usagePatterns', 'a forecast of nothing', { forecast: hours('0') }, {}, '-1', '-0.025'],
    ['competition', 'competitors at 2.5', { competitor: usd('2.5') }, {}, '0.2', '0.0075'],
    ['competition', 'competitors at half', { competitor: usd('1') }, {}, '-1', '-0.0375'],
    ['marketTrends', 'a family that grows by half', { familyFast: hours('7.5') }, {}, '0.5', '0.0125'],
    ['marketTrends', 'a family that is new', { familySlow: hours('0') }, {}, '0', '0'],
  ];
  test.each(cases)('%s: %s', (factor, _, market, network, signal, contribution) => {
    const price = priceOf(market, network);
    expect(text(price.signals[factor])).toBe(signal);
    // 2 * 0.125 * weight * signal, q12.
    expect(text(price.contributions[factor as 'supply'])).toBe(contribution);
  });

  test('provider growth is measured against its target, which may be negative', () => {
    expect(text(priceOf({}, {}, { 'pricing/providerGrowth/target': '-0.1' }).signals.providerGrowth)).toBe('-0.2');
    expect(
      text(priceOf({}, { activeProvidersThen: 0 }, { 'pricing/providerGrowth/target': '0.1' }).signals.providerGrowth),
    ).toBe('0.2');
  });

  test('signal 3 brings both quotients to one denominator before the one rounding', () => {
    // 0.5 * 1/(2*10^9) + 0.5 * 1/(2*10^9) = 5*10^-10: a tie, to even 0. And three halves: 1.5*10^-9, to even 2*10^-9.
    const tiny = (mean: string) =>
      text(
        priceOf(
          {},
          { tokenVolume: usd('2000000001') as never, tokenVolumeMean: usd(mean) as never, macro: ratio('1.000000001') },
          { 'pricing/marketConditions/macroRange': '1' },
        ).signals.marketConditions,
      );
    expect(tiny('2000000001')).toBe('0'); // macro alone: 0.5*10^-9
    expect(tiny('2000000000')).toBe('0.000000001'); // with 0.25*10^-9 more: 0.75*10^-9
  });
});

describe('peak demand', () => {
  // threshold 1.1, full 1.5, premium 0.25
  const peak = (demandMean: string, supply: string) => {
    const price = priceOf({ demandMean: hours(demandMean), supply: hours(supply), supplyMean: hours(supply) });
    return [text(price.signals.peakDemand), text(price.differences.premium)];
  };

  test('is the smaller of shortage and peak', () => {
    expect(peak('4', '5')[0]).toBe('0.375'); // D/Dbar 1.25: 0.15/0.4; shortage 1
    expect(peak('2', '8')[0]).toBe('0.25'); // D/Dbar 2.5: 1; shortage 0.25
  });

  test('is none where capacity is plenty, or demand not above the threshold', () => {
    expect(peak('2', '20')).toEqual(['0', '0']);
    expect(peak('5', '5')).toEqual(['0', '0']);
    expect(peak('0', '5')).toEqual(['0', '0']);
  });

  test('adds its premium to the price and nothing to the base price', () => {
    const price = priceOf({ demandMean: hours('4'), supply: hours('5'), supplyMean: hours('5') });
    // base: 2 + 0.25*0.15*0.25 (demand) + 0.25*0.3*1 (capacity); forecast at 5 with mean 4 is no change.
    expect(text(price.base)).toBe('2.084375');
    expect(text(price.differences.premium)).toBe('0.19541015625'); // 2.084375 * 0.25 * 0.375
    expect(text(price.price)).toBe('2.27978515625');
  });
});

describe('clamps', () => {
  const HOT: Partial<MarketMeasures> = {
    supply: hours('0'),
    supplyMean: hours('0'),
    forecast: hours('10'),
    familyFast: hours('10'),
  };

  test('the band pulls towards competitors, as far as the step allows', () => {
    const price = priceOf({ competitor: usd('1') });
    // drifted 2 - 0.0375, band at most 1.5, step at least 1.75
    expect(texts(price.differences)).toEqual({
      band: '-0.4625',
      step: '0.25',
      bounds: '0',
      premium: '0',
      ceiling: '0',
    });
    expect(text(price.base)).toBe('1.75');
  });

  test('the band pulls up too: never below 0.4 of the competitors', () => {
    const price = priceOf({ competitor: usd('10') });
    expect(texts(price.differences)).toMatchObject({ band: '1.97', step: '-1.75' }); // 2.03 to 4, then at most 2.25
    expect(text(price.base)).toBe('2.25');
  });

  test('floor and ceiling win over the step', () => {
    const raised = priceOf({}, {}, { 'market/gpu.v100/floor': '3', 'market/gpu.v100/basePrice': '3' });
    expect([text(raised.base), text(raised.differences.bounds)]).toEqual(['3', '1']);
    const cut = priceOf({}, {}, { 'market/gpu.v100/ceiling': '1', 'market/gpu.v100/basePrice': '1' });
    expect([text(cut.base), text(cut.differences.bounds), text(cut.price)]).toEqual(['1', '-1', '1']);
  });

  test('the ceiling cuts the premium', () => {
    const price = priceOf(
      { demandMean: hours('2'), supply: hours('5'), supplyMean: hours('5') },
      {},
      { 'market/gpu.v100/ceiling': '2.2' },
    );
    // s_demand clamps at 1, s_capacity at 1: base 2 + 0.0375 + 0.075 = 2.1125; premium 0.528125
    expect(texts(price.differences)).toEqual({
      band: '0',
      step: '0',
      bounds: '0',
      premium: '0.528125',
      ceiling: '-0.440625',
    });
    expect(text(price.price)).toBe('2.2');
  });

  test('step limits are rounded like prices', () => {
    const price = priceOf({ ...HOT, previousBase: usd('1.000000000004'), competitor: usd('100') });
    expect(text(price.base)).toBe('1.125000000004'); // 1.0000000000040 * 1.125 = 1.1250000000045, to even
  });
});

describe('a price stands still', () => {
  const MOVING: Partial<MarketMeasures> = {
    supplyMean: hours('99'),
    forecast: hours('99'),
    familyFast: hours('99'),
    competitor: usd('1'),
  };

  const still = (price: MarketPrice) => {
    for (const factor of FACTORS) expect([factor, text(price.signals[factor])]).toEqual([factor, '0']);
    for (const factor of CONTRIBUTING_FACTORS)
      expect([factor, text(price.contributions[factor])]).toEqual([factor, '0']);
    for (const clamp of CLAMPS.filter((name) => name !== 'bounds'))
      expect([clamp, text(price.differences[clamp])]).toEqual([clamp, '0']);
  };

  test('where neither supply nor demand is there', () => {
    const price = priceOf({ ...MOVING, supply: hours('0'), demand: hours('0') }, { macro: ratio('2') });
    still(price);
    expect([text(price.base), text(price.price)]).toEqual(['2', '2']);
  });

  test('where everybody is idle', () => {
    const price = priceOf({ ...MOVING, demand: hours('0') }, { everybodyIdle: true });
    still(price);
    expect(text(price.price)).toBe('2');
  });

  test('but within the bounds of the policy, which may be new', () => {
    const price = priceOf({ ...MOVING, demand: hours('0'), previousBase: usd('9') }, { everybodyIdle: true });
    still(price);
    expect([text(price.differences.bounds), text(price.base), text(price.price)]).toEqual(['-1', '8', '8']);
  });

  test('and not where one market alone is idle', () => {
    expect(text(priceOf({ demand: hours('0') }).signals.availableCapacity)).toBe('-1');
  });
});
