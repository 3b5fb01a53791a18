import type { Amount, NanoRatio, Rate } from '../../../src/numbers/units';
import {
  type BreakerFigures,
  breakers,
  conservation,
  multiplierBounds,
  priceBounds,
} from '../../../src/rulesets/1/checks';
import type { MarketMultipliers, MarketPrice } from '../../../src/rulesets/1/records';
import { factsOf, GOOD_PERFORMANCE, hours, policyWith, published, ratio, usd } from './fixtures';

const policy = policyWith();
const amount = (x: bigint) => x as Amount;

interface Epoch {
  readonly prices?: Readonly<Record<string, string>>;
  readonly supplies?: Readonly<Record<string, string>>;
  readonly sources?: readonly string[];
  readonly token?: string;
  readonly sum?: bigint;
  readonly top?: bigint;
  readonly totals?: Parameters<typeof factsOf>[1];
  readonly performance?: Partial<typeof GOOD_PERFORMANCE>;
  readonly last?: BreakerFigures['last'];
}

/** An epoch like its last one: price 2 and supply 10 of the V100, T 0.5, 1000 paid out. */
function tripped(epoch: Epoch = {}, rules = policy) {
  const token = usd(epoch.token ?? '0.5');
  const figures = {
    facts: factsOf(5, epoch.totals ?? {}, { performance: { ...GOOD_PERFORMANCE, ...epoch.performance } }),
    derivation: {
      prices: Object.entries(epoch.prices ?? { 'gpu.v100': '2' }).map(([market, price]) => ({
        market,
        price: usd(price),
      })),
      measures: {
        markets: Object.entries(epoch.supplies ?? { 'gpu.v100': '10' }).map(([market, supply]) => ({
          market,
          supply: hours(supply),
        })),
        network: {
          tokenPrice: token,
          tokenSources: (epoch.sources ?? ['0.5', '0.5']).map((price, index) => ({
            source: `s${index}`,
            priceUsd: usd(price),
          })),
        },
      },
    },
    sum: amount(epoch.sum ?? 1000n),
    top: { provider: 'p1', amount: amount(epoch.top ?? 100n) },
    last: epoch.last === undefined ? published(4, { 'gpu.v100': ['10', '5'] }) : epoch.last,
  } as unknown as BreakerFigures;
  return breakers(rules, figures).map(({ id, figure, limit, subject }) => [id, figure, limit, subject]);
}

test('an epoch like the last one trips nothing', () => {
  expect(tripped()).toEqual([]);
});

describe('a figure on its limit does not trip, one above it does', () => {
  test.each<[string, Epoch, Epoch, unknown[]]>([
    [
      'priceChange up',
      { prices: { 'gpu.v100': '2.5' } },
      { prices: { 'gpu.v100': '2.500000000001' } },
      ['priceChange', '0.25', '0.25', 'gpu.v100'],
    ],
    [
      'priceChange down',
      { prices: { 'gpu.v100': '1.5' } },
      { prices: { 'gpu.v100': '1.4' } },
      ['priceChange', '0.3', '0.25', 'gpu.v100'],
    ],
    ['totalChange up', { sum: 1550n }, { sum: 1551n }, ['totalChange', '0.551', '0.55', null]],
    ['totalChange down', { sum: 450n }, { sum: 449n }, ['totalChange', '0.551', '0.55', null]],
    [
      'supplyDrop',
      { supplies: { 'gpu.v100': '7.5' } },
      { supplies: { 'gpu.v100': '7' } },
      ['supplyDrop', '0.3', '0.25', 'gpu.v100'],
    ],
    ['topShare', { top: 500n }, { top: 501n }, ['topShare', '0.501', '0.5', 'p1']],
    [
      'belowMinimumUptimeShare',
      { performance: { activeProviders: 8, measuredUptimes: 8, belowMinimumUptime: 2 } },
      { performance: { activeProviders: 8, measuredUptimes: 8, belowMinimumUptime: 3 } },
      ['belowMinimumUptimeShare', '0.375', '0.25', null],
    ],
    [
      'tokenMove',
      { token: '0.625', sources: ['0.625', '0.625'] },
      { token: '0.65', sources: ['0.65', '0.65'] },
      ['tokenMove', '0.3', '0.25', null],
    ],
    [
      'token sources',
      { sources: ['0.45', '0.55'] },
      { sources: ['0.45', '0.550000000001'] },
      ['tokenMove', '1', '2', 's1'],
    ],
    [
      'overServed',
      { totals: { 'gpu.v100': ['100', '51', '50'] } },
      { totals: { 'gpu.v100': ['100', '51.000001', '50'] } },
      ['overServed', '0.02000002', '0.02', 'gpu.v100'],
    ],
    [
      'unmeasuredShare',
      { performance: { activeProviders: 10, measuredUptimes: 9 } },
      { performance: { activeProviders: 19, measuredUptimes: 17 } },
      ['unmeasuredShare', '0.105263158', '0.1', null],
    ],
  ])('%s', (_, on, above, expected) => {
    expect(tripped(on)).toEqual([]);
    expect(tripped(above)).toEqual([expected]);
  });

  test('exactly, beyond the nine decimals that are shown', () => {
    expect(
      tripped({ sum: 1_550_000_000_001n, top: 1n, last: published(4, {}, { sum: amount(1_000_000_000_000n) }) }),
    ).toEqual([['totalChange', '0.55', '0.55', null]]);
  });
});

test('several trip in the order of the specification', () => {
  const ids = tripped({
    prices: { 'gpu.v100': '8' },
    supplies: { 'gpu.v100': '0' },
    sum: 1n,
    top: 1n,
    token: '5',
    sources: ['5', '5'],
    totals: { 'gpu.v100': ['9', '9', '1'] },
    performance: { activeProviders: 4, measuredUptimes: 3, belowMinimumUptime: 2 },
  }).map(([id]) => id);
  expect(ids).toEqual([
    'priceChange',
    'totalChange',
    'supplyDrop',
    'topShare',
    'belowMinimumUptimeShare',
    'tokenMove',
    'overServed',
    'unmeasuredShare',
  ]);
});

test('the market with the largest figure is named, the first by bytes of equals', () => {
  const last = published(4, { a: ['10', '1'], b: ['10', '1'], c: ['10', '1'] });
  expect(tripped({ prices: { a: '2', b: '4', c: '4' }, supplies: { a: '5', b: '2', c: '2' }, last })).toEqual([
    ['priceChange', '1', '0.25', 'b'],
    ['supplyDrop', '0.8', '0.25', 'b'],
  ]);
  expect(tripped({ totals: { b: ['9', '9', '1'], a: ['9', '9', '1'] } })).toEqual([['overServed', '8', '0.02', 'a']]);
});

describe('without something to compare with', () => {
  const wild: Epoch = {
    prices: { 'gpu.v100': '99' },
    supplies: { 'gpu.v100': '0' },
    token: '9',
    sources: ['9', '9'],
    sum: 9999n,
  };

  test('the comparing breakers pass in the first epoch', () => {
    expect(tripped({ ...wild, last: null })).toEqual([]);
  });

  test('a market that the last epoch did not price passes', () => {
    expect(
      tripped({ ...wild, token: '0.5', sources: ['0.5', '0.5'], sum: 1000n, last: published(4, { disk: ['1', '1'] }) }),
    ).toEqual([]);
  });

  test('the number of sources near T is no comparison', () => {
    expect(tripped({ sources: ['0.1', '0.9'], last: null })).toEqual([['tokenMove', '0', '2', 's0']]);
  });

  test('a last total or supply of 0 is no change', () => {
    expect(tripped({ last: published(4, { 'gpu.v100': ['0', '5'] }, { sum: amount(0n) }) })).toEqual([]);
  });

  test('nobody paid is no top share', () => {
    expect(tripped({ sum: 0n, top: 0n, last: null })).toEqual([]);
  });
});

test('tokenMove stands once, with the change, where both of its conditions hold', () => {
  expect(tripped({ token: '1', sources: ['0.5', '1.5'] })).toEqual([['tokenMove', '1', '0.25', null]]);
});

test('overServed: hours served where none were asked for count as 1', () => {
  expect(tripped({ totals: { disk: ['9', '0.000001', '0'] } })).toEqual([['overServed', '1', '0.02', 'disk']]);
  expect(tripped({ totals: { disk: ['9', '0', '0'] } })).toEqual([]);
  expect(tripped({ totals: { disk: ['9', '9', null] } })).toEqual([]);
  expect(tripped({ totals: { disk: ['9', '9', '0'] } }, policyWith({ 'breakers/overServed': '1' }))).toEqual([]);
});

test('tokenMove: without any source there are too few, and none to name', () => {
  expect(tripped({ sources: [] })).toEqual([['tokenMove', '0', '2', null]]);
});

describe('guard conservation', () => {
  test('holds where amounts and rest are the pool', () => {
    expect(conservation(amount(10n), amount(7n), amount(3n))).toEqual([]);
  });

  test.each([
    ['one lost', 10n, 7n, 2n],
    ['one made', 10n, 7n, 4n],
    ['more paid than there is', 10n, 11n, -1n],
  ])('fails with %s', (_, pool, sum, rest) => {
    expect(conservation(amount(pool), amount(sum), amount(rest))).toMatchObject([
      { guard: 'conservation', where: 'epoch' },
    ]);
  });
});

describe('guard price-bounds', () => {
  // floor 0.5, ceiling 8, step an eighth
  const check = (previousBase: string, base: string, price = base, market = 'gpu.v100') =>
    priceBounds(policy, [
      { market, previousBase: usd(previousBase), base: usd(base), price: usd(price) } as MarketPrice,
    ]).map(({ guard, where, message }) => {
      expect(guard).toBe('price-bounds');
      expect(message).toEqual(expect.any(String));
      return where;
    });

  test.each([
    ['2', '2.25', '2.25'],
    ['2', '1.75', '2.5'],
    ['0.1', '0.5', '0.5'], // lifted by the floor, far beyond the step
    ['99', '8', '8'], // pressed by the ceiling
  ])('from %s to %s, price %s', (previousBase, base, price) => {
    expect(check(previousBase, base, price)).toEqual([]);
  });

  test.each([
    ['above the step', '2', '2.250000000001', '2.250000000001'],
    ['below the step', '2', '1.749999999999', '1.749999999999'],
    ['below the floor', '0.5', '0.499999999999', '0.5'],
    ['above the ceiling', '8', '8', '8.000000000001'],
    ['price below base', '2', '2', '1.999999999999'],
    ['falling to the floor faster than the step', '2', '0.5', '0.5'],
    ['rising to the ceiling faster than the step', '2', '8', '8'],
  ])('fails %s', (_, previousBase, base, price) => {
    expect(check(previousBase, base, price)).toEqual(['gpu.v100']);
  });

  test('fails for a market that the policy does not have', () => {
    expect(check('2', '2', '2', 'tape')).toEqual(['tape']);
  });
});

describe('guard multiplier-bounds', () => {
  const row = (network: string) => ({ market: 'disk', network: ratio(network), rate: 1n as Rate }) as MarketMultipliers;
  const m4 = (lowest: bigint, highest: bigint) => ({ lowest: lowest as NanoRatio, highest: highest as NanoRatio });

  test('holds on the bounds', () => {
    expect(multiplierBounds(policy, [row('0.5'), row('3')], m4(250_000_000n, 1_200_000_000n))).toEqual([]);
    expect(multiplierBounds(policy, [], null)).toEqual([]);
  });

  test.each(['0.499999999', '3.000000001'])('fails with a network multiplier of %s', (network) => {
    expect(multiplierBounds(policy, [row(network)], null)).toMatchObject([
      { guard: 'multiplier-bounds', where: 'disk' },
    ]);
  });

  test.each([
    [249_999_999n, 1_000_000_000n],
    [1_000_000_000n, 1_200_000_001n],
  ])('fails with performance multipliers from %s to %s', (lowest, highest) => {
    expect(multiplierBounds(policy, [], m4(lowest, highest))).toMatchObject([
      { guard: 'multiplier-bounds', where: 'epoch', message: expect.any(String) },
    ]);
  });

  test('1 is allowed where the curve does not reach it: an epoch without a verdict', () => {
    const low = policyWith({
      'rewards/performance/multiplier': [
        ['0', '0.2'],
        ['1', '0.8'],
      ],
    });
    expect(multiplierBounds(low, [], m4(1_000_000_000n, 1_000_000_000n))).toEqual([]);
    expect(multiplierBounds(low, [], m4(900_000_000n, 1_000_000_000n))).toHaveLength(1);
  });
});
