import { explanationAddsUp, firstDiscrepancy } from '../../src/explain/adds-up';
import type { PayoutExplanation } from '../../src/explain/payout-explanation';
import { firstThatFails } from '../../src/explain/steps';
import type { ProviderRows } from '../../src/rulesets/1/records';
import { micro } from '../rulesets/1/fixtures';
import { changedAmount, changedAt, explanationOf, GOOD, nextFigure } from './explained-epochs';

/** Two markets, a score of each kind: on a curve, beyond its end, assumed; its uptime lies off the ends of its piece. */
const BUSY: ProviderRows = {
  ...GOOD,
  capacity: [...GOOD.capacity, { market: 'disk', offered: micro('7'), served: micro('2.5') }],
  performance: { uptimeMicro: 970_000, responseMicroseconds: 2_000_000n, errorRateMicro: 5_000, ratingMilli: null },
};
const RATED: ProviderRows = {
  ...GOOD,
  provider: 'p1',
  performance: { ...GOOD.performance!, ratingMilli: 4_000 },
};

/** Cap and pool both cut: a gross of 54.73 tokens, a cap of 54, and more than the pool of 60 over all. */
const CUT = explanationOf([BUSY, RATED], { 'pool/perEpoch': '60', 'caps/providerShare': '0.9' });
/** Neither does. */
const WHOLE = explanationOf([BUSY, RATED], { 'caps/providerShare': '1' });
const SUSPENDED = explanationOf([{ ...GOOD, status: 'suspended' }, RATED]);
const NO_VERDICT = explanationOf([{ ...GOOD, performance: { ...GOOD.performance!, uptimeMicro: 0 } }]);

/** The changed explanation's first step that does not follow; the unchanged one must add up, or the test says nothing. */
function stepAfter(change: (found: PayoutExplanation) => PayoutExplanation, found = CUT): string | null {
  expect(explanationAddsUp(found)).toBe(true);
  const changed = change(found);
  const step = firstDiscrepancy(changed);
  expect(explanationAddsUp(changed)).toBe(step === null);
  return step;
}

test('what adds up: cut by cap and pool, not cut, nothing for the ineligible, and without a verdict', () => {
  expect([CUT, WHOLE, SUSPENDED, NO_VERDICT].map(firstDiscrepancy)).toEqual([null, null, null, null]);
  expect([CUT.scaling.binds, WHOLE.scaling.binds]).toEqual([true, false]);
  expect(CUT.cap.capped.baseUnits).toBe(CUT.cap.cap.baseUnits);
});

describe('a figure with one more in its last digit', () => {
  test.each([
    'metrics.0.value',
    'metrics.0.weight',
    'metrics.0.score',
    'metrics.0.weighted',
    'metrics.0.segment.from.x',
    'metrics.0.segment.from.y',
    'metrics.0.segment.to.x',
    'metrics.0.segment.to.y',
    'metrics.1.score',
    'metrics.1.segment.from.y',
    'metrics.3.score',
    'metrics.3.weighted',
    'weights',
    'weighted',
    'quality',
    'segment.from.x',
    'segment.from.y',
    'segment.to.x',
    'segment.to.y',
    'multiplier',
  ])('performance: %s', (path) => {
    expect(stepAfter((found) => changedAt(found, `performance.${path}`, nextFigure))).toBe('performance');
  });

  test.each([
    'offered',
    'served',
    'idle',
    'standbyHours',
    'standbyShare',
    'paidHours',
    'multipliers.marketConditions',
    'multipliers.networkDemand',
    'multipliers.resourceAvailability',
    'multipliers.growth',
    'multipliers.product',
    'multipliers.network',
    'multipliers.performance',
    'rate',
    'tokensPerUnitHour',
    'roundedOff',
  ])('line: %s', (path) => {
    expect(stepAfter((found) => changedAt(found, `lines.0.${path}`, nextFigure))).toBe('line gpu.v100');
    expect(stepAfter((found) => changedAt(found, `lines.1.${path}`, nextFigure))).toBe('line disk');
  });

  test.each([
    ['lines.0.gross', 'line gpu.v100'],
    ['gross', 'sum of the lines'],
    ['cap.cap', 'cap'],
    ['cap.capped', 'capped'],
    ['cap.cut', 'cut by the cap'],
    ['scaling.cut', 'amount'],
    ['amount', 'amount'],
    ['scaling.pool', 'scaling'],
  ])('amount: %s', (path, step) => {
    expect(stepAfter((found) => changedAmount(found, path, (units) => units + 1n))).toBe(step);
  });

  test.each([
    'lines.1.gross',
    'gross',
    'cap.pool',
    'cap.cap',
    'cap.cut',
    'cap.capped',
    'scaling.cappedSum',
    'scaling.pool',
    'scaling.cut',
    'amount',
  ])('amount, in tokens only: %s', (path) => {
    expect(stepAfter((found) => changedAt(found, `${path}.tokens`, nextFigure))).toBe('amounts in tokens');
  });
});

describe('performance', () => {
  test.each([
    ['weights', CUT],
    ['weighted', CUT],
    ['multiplier', CUT],
    ['segment', CUT],
    ['metrics.0.value', CUT],
    ['metrics.0.weighted', CUT],
  ])('without its %s', (path, found) => {
    expect(stepAfter((one) => changedAt(one, `performance.${path}`, () => null), found)).toBe('performance');
  });

  test('a score without a curve is the one that is assumed, and none other is left out', () => {
    const without = (index: number) =>
      stepAfter((one) => changedAt(one, `performance.metrics.${index}.score`, () => null));
    expect([0, 1, 2, 3].map(without)).toEqual(['performance', 'performance', 'performance', 'performance']);
  });

  test.each(['weights', 'weighted', 'metrics.0.score', 'metrics.3.score'])('who has no quality has no %s', (path) => {
    const change = (one: PayoutExplanation) => changedAt(one, `performance.${path}`, () => '0');
    expect(stepAfter(change, SUSPENDED)).toBe('performance');
    expect(stepAfter(change, NO_VERDICT)).toBe('performance');
  });

  test('who has no quality has no multiplier, but where there is no verdict, where it is 1', () => {
    const multiplied = (text: string) => (one: PayoutExplanation) =>
      changedAt(one, 'performance.multiplier', () => text);
    expect(stepAfter(multiplied('1'), SUSPENDED)).toBe('performance');
    expect(stepAfter(multiplied('1.1'), NO_VERDICT)).toBe('performance');
    expect(stepAfter((one) => changedAt(one, 'performance.verdict', () => true), NO_VERDICT)).toBe('performance');
  });

  test('nobody weighs anything: the quality is 0', () => {
    const nobody = (text: string) => (found: PayoutExplanation) => {
      const metrics = found.performance.metrics.map((metric) => ({ ...metric, weight: '0', weighted: '0' }));
      const segment = { from: { x: '0', y: '0.71475' }, to: { x: '0', y: '0.71475' } };
      const performance = { ...found.performance, metrics, segment, weights: '0', weighted: '0', quality: text };
      return { ...found, performance };
    };
    expect(stepAfter(nobody('0'))).toBeNull();
    expect(stepAfter(nobody('1'))).toBe('performance');
  });
});

describe('lines', () => {
  const line = (path: string, text: string | null) => (found: PayoutExplanation) =>
    changedAt(found, `lines.0.${path}`, () => text);

  test('the idle hours, and of them as many as were served, are on standby', () => {
    const idle = explanationOf([{ ...GOOD, capacity: [{ ...GOOD.capacity[0]!, served: micro('1') }] }]);
    expect(idle.lines[0]).toMatchObject({ idle: '9', standbyHours: '1' });
    expect(stepAfter((found) => changedAt(found, 'lines.0.standbyHours', () => '9'), idle)).toBe('line gpu.v100');
  });

  test('the price of a unit-hour is the one that the rate is made of', () => {
    expect(stepAfter((found) => changedAt(found, 'lines.0.priceUsd', nextFigure))).toBe('line gpu.v100');
    expect(stepAfter(line('priceUsd', '2.075000000001'))).toBeNull();
  });

  test('the rate is floored: the next lower one is too low by one', () => {
    const lower = (found: PayoutExplanation) => {
      const rate = BigInt(found.lines[0]!.rate) - 1n;
      const changed = changedAt(found, 'lines.0.rate', () => rate.toString());
      return changedAt(changed, 'lines.0.tokensPerUnitHour', () => '9.337499999');
    };
    expect(stepAfter(lower)).toBe('line gpu.v100');
  });

  test.each(['-0.375', '1.625'])('less than a base unit is rounded off, and downwards: not %s', (roundedOff) => {
    const shift = roundedOff === '1.625' ? -1n : 1n;
    const moved = (found: PayoutExplanation) =>
      changedAmount(line('roundedOff', roundedOff)(found), 'lines.0.gross', (units) => units + shift);
    expect(stepAfter(moved)).toBe('line gpu.v100');
  });

  // Of who gets nothing the amounts follow whatever the terms are, so each term is compared for itself.
  test.each([
    ['more on standby than is idle', { standbyHours: '1', paidHours: '8.1' }],
    ['a rate that is too high by one', { rate: '9337500001', tokensPerUnitHour: '9.337500001' }],
    ['a rate that is too low by one', { rate: '9337499999', tokensPerUnitHour: '9.337499999' }],
    ['a whole base unit rounded off', { roundedOff: '1', gross: { baseUnits: '-1', tokens: '-0.000001' } }],
  ])('terms of who gets nothing: %s', (_, change) => {
    expect(SUSPENDED.lines[0]).toMatchObject({ rate: '9337500000', paidHours: '8.2', roundedOff: '0' });
    const changed = (found: PayoutExplanation) => ({ ...found, lines: [{ ...found.lines[0]!, ...change }] });
    expect(stepAfter(changed, SUSPENDED)).toBe('line gpu.v100');
  });

  test('the multiplier of who served nothing is that of the performance, too', () => {
    const served = [{ ...GOOD.capacity[0]!, served: micro('0') }];
    const nothing = explanationOf([{ ...GOOD, capacity: served }, RATED]);
    expect(nothing.gross.baseUnits).toBe('0');
    expect(stepAfter(line('multipliers.performance', '0.5'), nothing)).toBe('line gpu.v100');
  });

  test('the product of the multipliers counts within its bounds', () => {
    expect(stepAfter(line('multipliers.maximum', '2'))).toBe('line gpu.v100');
    expect(stepAfter(line('multipliers.minimum', '2.5'))).toBe('line gpu.v100');
    expect(stepAfter(line('multipliers.maximum', '2.25'))).toBeNull();
    expect(stepAfter(line('multipliers.minimum', '2.25'))).toBeNull();
    const bounded = explanationOf([BUSY, RATED], { 'rewards/networkMultiplier': { min: '0.5', max: '2' } });
    expect(bounded.lines[0]?.multipliers).toMatchObject({ product: '2.25', network: '2' });
    expect(firstDiscrepancy(bounded)).toBeNull();
  });

  test('a line is of the provider whose performance is explained', () => {
    expect(stepAfter(line('multipliers.performance', null), SUSPENDED)).toBeNull();
    expect(stepAfter(line('multipliers.performance', '0'), SUSPENDED)).toBe('line gpu.v100');
    expect(stepAfter((found) => ({ ...found, reason: 'suspended' }))).toBe('line gpu.v100');
    expect(stepAfter((found) => ({ ...found, reason: 'paid' }), SUSPENDED)).toBe('line gpu.v100');
    const free = (found: PayoutExplanation) => changedAt(found, 'performance.multiplier', () => null);
    expect(stepAfter((found) => ({ ...free(found), reason: 'suspended' }), NO_VERDICT)).toBe('line gpu.v100');
  });

  test.each(['eight', '', '0x8', '8.0000001'])('a figure that is none is named: %j', (text) => {
    expect(stepAfter(line('served', text))).toBe('line gpu.v100');
  });

  test('base units that are no integer are named', () => {
    expect(stepAfter(line('rate', 'nine'))).toBe('line gpu.v100');
  });
});

describe('scaling', () => {
  test('binds where all are capped to more than the pool, and nowhere else', () => {
    const bind = (binds: boolean) => (found: PayoutExplanation) => changedAt(found, 'scaling.binds', () => binds);
    expect(stepAfter(bind(false), CUT)).toBe('scaling');
    expect(stepAfter(bind(true), WHOLE)).toBe('scaling');
    const pool = BigInt(CUT.scaling.pool.baseUnits);
    expect(stepAfter((found) => changedAmount(found, 'scaling.cappedSum', () => pool))).toBe('scaling');
  });

  test('a sum that is the pool does not bind, though it would cut nothing', () => {
    const pool = BigInt(WHOLE.scaling.pool.baseUnits);
    const exact = (binds: boolean) => (found: PayoutExplanation) =>
      changedAt(
        changedAmount(found, 'scaling.cappedSum', () => pool),
        'scaling.binds',
        () => binds,
      );
    expect([stepAfter(exact(false), WHOLE), stepAfter(exact(true), WHOLE)]).toEqual([null, 'scaling']);
  });

  test('another sum gives another amount', () => {
    expect(stepAfter((found) => changedAmount(found, 'scaling.cappedSum', (sum) => sum * 2n))).toBe('scaling');
  });

  test('an amount that the cuts lead to is still compared with the share of the pool', () => {
    const moved = (found: PayoutExplanation) =>
      changedAmount(
        changedAmount(found, 'scaling.cut', (units) => units - 1n),
        'amount',
        (units) => units + 1n,
      );
    expect(stepAfter(moved, CUT)).toBe('scaling');
    expect(stepAfter(moved, WHOLE)).toBe('scaling');
  });

  test('the pool is the one that the cap is of', () => {
    const other = (found: PayoutExplanation) => changedAmount(found, 'scaling.pool', (units) => units + 1n);
    expect([stepAfter(other, CUT), stepAfter(other, WHOLE)]).toEqual(['scaling', 'scaling']);
    const pool = (found: PayoutExplanation) => changedAmount(found, 'cap.pool', (units) => units + 1n);
    expect(stepAfter((found) => changedAt(pool(found), 'cap.share', () => '0.9'))).toBe('scaling');
    expect(stepAfter((found) => changedAt(found, 'cap.share', () => '0.8'))).toBe('cap');
  });
});

test('what a step throws that is not about a figure is not taken for one', () => {
  const fails = () => {
    throw new RangeError('a defect');
  };
  expect(() => firstThatFails([['first', () => true] as const, ['second', fails] as const])).toThrow('a defect');
  expect(firstThatFails([])).toBeNull();
});
