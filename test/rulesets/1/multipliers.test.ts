import { growthPhaseOf, scaleRewards } from '../../../src/rulesets/1/multipliers';
import { FACTORS, type Factor, type MarketPrice, type Measures } from '../../../src/rulesets/1/records';
import { policyWith, ratio, text, usd } from './fixtures';

function scaled(
  signals: Partial<Readonly<Record<Factor, string>>>,
  {
    activeProviders = 20,
    previousPhase = null as string | null,
    changes = {} as Readonly<Record<string, unknown>>,
    price = '2',
    tokenPrice = '0.5',
  } = {},
) {
  const record = {
    market: 'gpu.v100',
    signals: Object.fromEntries(FACTORS.map((factor) => [factor, ratio(signals[factor] ?? '0')])),
    price: usd(price),
  } as unknown as MarketPrice;
  const measures = { network: { activeProviders, tokenPrice: usd(tokenPrice) } } as Measures;
  const { multipliers, growthPhase } = scaleRewards(policyWith(changes), measures, [record], previousPhase);
  const [row] = multipliers;
  if (row === undefined) throw new Error('no multipliers');
  return {
    growthPhase,
    rate: row.rate,
    factors: [row.marketConditions, row.networkDemand, row.resourceAvailability, row.growth].map(text),
    network: text(row.network),
  };
}

test('without signals, in the last phase, nothing is multiplied', () => {
  expect(scaled({})).toMatchObject({ factors: ['1', '1', '1', '1'], network: '1', growthPhase: 'maturity' });
});

test('each factor reads its own signal: 3, 9 and 4', () => {
  expect(scaled({ marketConditions: '0.5' }).factors).toEqual(['1.05', '1', '1', '1']);
  expect(scaled({ marketTrends: '-0.5' }).factors).toEqual(['1', '0.9', '1', '1']);
  expect(scaled({ availableCapacity: '0.5' }).factors).toEqual(['1', '1', '1.25', '1']);
});

test('idle capacity does not lower rewards', () => {
  expect(scaled({ availableCapacity: '-1' }).factors).toEqual(['1', '1', '1', '1']);
});

test('other signals are none of its business', () => {
  const others = {
    supply: '1',
    demand: '1',
    providerGrowth: '1',
    usagePatterns: '1',
    peakDemand: '1',
    competition: '1',
  };
  expect(scaled(others).network).toBe('1');
});

test('the product is rounded after each factor', () => {
  // M1 = 1.000000001, M2 = 1.000000001: their product 1.000000002000000001 is 1.000000002.
  const changes = { 'rewards/sensitivity/marketConditions': '1', 'rewards/sensitivity/networkDemand': '1' };
  const tiny = { marketConditions: '0.000000001', marketTrends: '0.000000001' };
  expect(scaled(tiny, { changes }).network).toBe('1.000000002');
  // q9(1.000000001 * 0.5) = 0.5 (a tie, to even); then * 1.5 = 0.75. Rounding at the end only: 0.750000001.
  const half = { marketConditions: '0.000000001', marketTrends: '-0.5', availableCapacity: '0.5' };
  const { network } = scaled(half, { changes: { ...changes, 'rewards/sensitivity/resourceAvailability': '1' } });
  expect(network).toBe('0.75');
});

test('the network multiplier stays within its bounds', () => {
  const changes = { 'rewards/networkMultiplier': { min: '0.95', max: '1.1' } };
  expect(scaled({ availableCapacity: '1' }, { changes }).network).toBe('1.1');
  expect(scaled({ marketTrends: '-1' }, { changes }).network).toBe('0.95');
});

test('rate = floor(P * Mnet * 10^(decimals + 3) / T)', () => {
  // 2 USD * 1.25 / 0.5 USD a token = 5 tokens an hour = 5*10^6 base units per 10^6 micro-unit-hours, times 10^9.
  expect(scaled({ availableCapacity: '0.5' }).rate).toBe(5_000_000_000n);
  // 2 / 0.3 = 6.66...: rounded down.
  expect(scaled({}, { tokenPrice: '0.3' }).rate).toBe(6_666_666_666n);
  expect(scaled({}, { price: '0.000000000001', tokenPrice: '1000' }).rate).toBe(0n);
});

describe('growth phase', () => {
  const phase = (activeProviders: number, previousPhase: string | null) =>
    growthPhaseOf(policyWith(), activeProviders, previousPhase).name;

  test.each([
    [0, 'bootstrap'],
    [2, 'bootstrap'],
    [3, 'expansion'],
    [9, 'expansion'],
    [10, 'maturity'],
    [1_000_000, 'maturity'],
  ])('of %i providers is %s', (activeProviders, name) => {
    expect(phase(activeProviders, null)).toBe(name);
  });

  test('a network grows up once', () => {
    expect(phase(2, 'maturity')).toBe('maturity');
    expect(phase(2, 'expansion')).toBe('expansion');
    expect(phase(10, 'expansion')).toBe('maturity');
  });

  test('a phase that the policy does not know is before all', () => {
    expect(phase(2, 'infancy')).toBe('bootstrap');
  });

  test('its multiplier is that of the phase it stays in', () => {
    const { factors, growthPhase } = scaled({}, { activeProviders: 2, previousPhase: 'expansion' });
    expect([factors[3], growthPhase]).toEqual(['1.2', 'expansion']);
  });
});
