import { Decimal as DecimalJs } from 'decimal.js';
import fc from 'fast-check';
import { compileCurve } from '../../../src/rulesets/1/curves';
import { compilePerformance, payoutReason, performanceVerdict } from '../../../src/rulesets/1/performance';
import {
  METRICS,
  type Metric,
  type PerformanceFacts,
  type PerformanceValues,
  type ProviderRows,
} from '../../../src/rulesets/1/records';
import { micro, policyWith, ratio } from './fixtures';

const policy = policyWith();
const PERFECT: PerformanceValues = {
  uptimeMicro: 1_000_000,
  responseMicroseconds: 50_000n,
  errorRateMicro: 0,
  ratingMilli: 5000,
};

const scoreOf = (values: PerformanceValues | null, measuredMetrics: readonly Metric[] = METRICS, changes = {}) =>
  compilePerformance(policyWith(changes), { performanceVerdict: true, measuredMetrics })(values);

describe('score', () => {
  test('of a perfect provider is 1, and its multiplier the top of the curve', () => {
    expect(scoreOf(PERFECT)).toEqual({
      scores: {
        uptime: 1_000_000_000n,
        responseTime: 1_000_000_000n,
        errorRate: 1_000_000_000n,
        userRating: 1_000_000_000n,
      },
      quality: 1_000_000_000n,
      multiplier: 1_200_000_000n,
    });
  });

  test('weighs each metric: uptime 3, response time 2, error rate 3, rating 2', () => {
    const bad = { uptimeMicro: 500_000, responseMicroseconds: 1_000_000n, errorRateMicro: 100_000, ratingMilli: 1000 };
    const only = (metric: keyof PerformanceValues) => scoreOf({ ...bad, [metric]: PERFECT[metric] }).quality;
    expect(only('uptimeMicro')).toBe(300_000_000n);
    expect(only('responseMicroseconds')).toBe(200_000_000n);
    expect(only('errorRateMicro')).toBe(300_000_000n);
    expect(only('ratingMilli')).toBe(200_000_000n);
  });

  test('each metric is read in its own unit', () => {
    const { scores } = scoreOf({
      uptimeMicro: 950_000,
      responseMicroseconds: 200_000n,
      errorRateMicro: 10_000,
      ratingMilli: 4000,
    });
    expect(scores).toEqual({
      uptime: 700_000_000n,
      responseTime: 700_000_000n,
      errorRate: 800_000_000n,
      userRating: 800_000_000n,
    });
  });

  test('a metric that this provider lacks gets its missingScore', () => {
    const lacking = { ...PERFECT, responseMicroseconds: null, errorRateMicro: null, ratingMilli: null };
    expect(scoreOf(lacking).scores).toEqual({
      uptime: 1_000_000_000n,
      responseTime: 0n,
      errorRate: 100_000_000n,
      userRating: 800_000_000n,
    });
  });

  test('a metric measured for nobody is left out, and its weight with it', () => {
    const lacking = { ...PERFECT, ratingMilli: null };
    expect(scoreOf(lacking, ['uptime', 'responseTime', 'errorRate'])).toMatchObject({ quality: 1_000_000_000n });
    expect(scoreOf(lacking, ['uptime', 'responseTime', 'errorRate']).scores).not.toHaveProperty('userRating');
  });

  test('quality is rounded half to even before the multiplier is taken', () => {
    // Weights 1 and 3: Q = (3 * 10^-9 * 2/3 ...) is read off a two-metric policy: (q1 + 3*q2)/4.
    const changes = {
      'rewards/performance/weights': { uptime: '1', responseTime: '1', errorRate: '1', userRating: '1' },
      'rewards/performance/curves/uptime': [['0', '0.000000001']],
      'rewards/performance/curves/errorRate': [['0', '0.000000002']],
      'rewards/performance/multiplier': [
        ['0', '0'],
        ['1', '1'],
      ],
    };
    // (1 + 2)/2 * 10^-9 = 1.5*10^-9, to even 2*10^-9
    expect(scoreOf(PERFECT, ['uptime', 'errorRate'], changes)).toMatchObject({ quality: 2n, multiplier: 2n });
  });

  test('an epoch without a verdict multiplies everybody by 1', () => {
    const score = compilePerformance(policy, { performanceVerdict: false, measuredMetrics: METRICS });
    for (const values of [PERFECT, null])
      expect(score(values)).toEqual({ scores: {}, quality: null, multiplier: 1_000_000_000n });
  });
});

describe('multiplier alone', () => {
  const values = fc.record({
    uptimeMicro: fc.option(fc.nat({ max: 1_000_000 })),
    responseMicroseconds: fc.option(
      fc.oneof(fc.bigInt({ min: 0n, max: 2_000_000n }), fc.bigInt({ min: 0n, max: 2n ** 70n })),
    ),
    errorRateMicro: fc.option(fc.nat({ max: 1_000_000 })),
    ratingMilli: fc.option(fc.integer({ min: 1000, max: 5000 })),
  });
  const weight = (decimals: number) =>
    fc.integer({ min: 1, max: 10 ** decimals }).map((count) => (count / 10 ** decimals).toFixed(decimals));

  // Weights with few digits are summed in numbers, those with many in bigint.
  test.each([1, 9])('is that of the whole score, with weights of %i decimals', (decimals) => {
    const each = weight(decimals);
    const weights = fc.record({ uptime: each, responseTime: each, errorRate: each, userRating: each });
    const measured = fc.subarray([...METRICS]);
    fc.assert(
      fc.property(weights, measured, fc.array(fc.option(values)), (chosen, measuredMetrics, providers) => {
        const score = compilePerformance(policyWith({ 'rewards/performance/weights': chosen }), {
          performanceVerdict: true,
          measuredMetrics,
        });
        for (const one of providers) expect(score.multiplier(one)).toBe(score(one).multiplier);
      }),
    );
  });

  test('takes what was not measured for what the policy says, on either road', () => {
    for (const weights of [
      { uptime: '1', responseTime: '1', errorRate: '1', userRating: '1' },
      { uptime: '0.123456789', responseTime: '0.987654321', errorRate: '0.333333333', userRating: '0.777777777' },
    ]) {
      const score = compilePerformance(policyWith({ 'rewards/performance/weights': weights }), {
        performanceVerdict: true,
        measuredMetrics: METRICS,
      });
      const none = { uptimeMicro: null, responseMicroseconds: null, errorRateMicro: null, ratingMilli: null };
      for (const one of [none, null, { ...none, uptimeMicro: 1_000_000 }]) {
        expect(score.multiplier(one)).toBe(score(one).multiplier);
      }
    }
  });

  // A half of 10^-9 more or less, which numbers of 53 bits do not see in sums of this size.
  test.each([
    [-1n, 999_999_999n],
    [1n, 1_000_000_000n],
  ])('is exact where the weights are too large for numbers: %s beside a half', (beside, rounded) => {
    const part = 123_456_789_000n;
    const weights = { uptime: `${part}`, responseTime: '1', errorRate: `${1_999n * part + beside}`, userRating: '1' };
    const linear = [
      ['0', '0'],
      ['1', '1'],
    ];
    const changes = {
      'rewards/performance/weights': weights,
      'rewards/performance/curves/uptime': linear,
      'rewards/performance/multiplier': linear,
    };
    const score = compilePerformance(policyWith(changes), {
      performanceVerdict: true,
      measuredMetrics: ['uptime', 'errorRate'],
    });
    const values = { uptimeMicro: 999_999, responseMicroseconds: null, errorRateMicro: 0, ratingMilli: null };
    expect(score(values)).toMatchObject({ quality: rounded, multiplier: rounded });
    expect(score.multiplier(values)).toBe(rounded);
  });

  test('rounds its quality half to even as the score does', () => {
    const changes = {
      'rewards/performance/weights': { uptime: '1', responseTime: '1', errorRate: '1', userRating: '1' },
      'rewards/performance/curves/uptime': [['0', '0.000000001']],
      'rewards/performance/multiplier': [
        ['0', '0'],
        ['1', '1'],
      ],
    };
    for (const [other, rounded] of [
      ['0.000000002', 2n],
      ['0.000000004', 2n],
      ['0.000000003', 2n],
      ['0.000000006', 4n],
    ] as const) {
      const own = { ...changes, 'rewards/performance/curves/errorRate': [['0', other]] };
      const score = compilePerformance(policyWith(own), {
        performanceVerdict: true,
        measuredMetrics: ['uptime', 'errorRate'],
      });
      expect([score.multiplier(PERFECT), score(PERFECT).multiplier]).toEqual([rounded, rounded]);
    }
    // (3 * 1 + 3)/4 * 10^-9 = 1.5*10^-9: half of a sum of weights that is not 2.
    const own = {
      ...changes,
      'rewards/performance/weights': { uptime: '3', responseTime: '1', errorRate: '1', userRating: '1' },
      'rewards/performance/curves/errorRate': [['0', '0.000000003']],
    };
    const score = compilePerformance(policyWith(own), {
      performanceVerdict: true,
      measuredMetrics: ['uptime', 'errorRate'],
    });
    expect([score.multiplier(PERFECT), score(PERFECT).multiplier]).toEqual([2n, 2n]);
  });

  test('is that of the whole score where one curve is too large for numbers', () => {
    const large = [
      ['0', '1'],
      ['9000000000', '0.333333333'],
    ];
    const score = compilePerformance(policyWith({ 'rewards/performance/curves/responseTime': large }), {
      performanceVerdict: true,
      measuredMetrics: METRICS,
    });
    expect(score.multiplier(PERFECT)).toBe(score(PERFECT).multiplier);
    expect(score.multiplier(PERFECT)).toBeGreaterThan(1_000_000_000n);
  });
});

describe('curve', () => {
  const curve = compileCurve(policy.rewards.performance.curves.responseTime);

  test.each([
    [0n, 1_000_000_000n],
    [50_000_000_000n, 1_000_000_000n],
    [125_000_000_000n, 850_000_000n],
    [200_000_000_000n, 700_000_000n],
    [600_000_000_000n, 350_000_000n],
    [1_000_000_000_000n, 0n],
    [10n ** 40n, 0n],
  ])('of 50, 200 and 1000 ms at %s is %s', (x, y) => {
    expect(curve(x)).toBe(y);
  });

  test('of one point is flat', () => {
    const flat = compileCurve([[ratio('0.5'), ratio('0.3')]]);
    expect([flat(0n), flat(500_000_000n), flat(9_000_000_000n)]).toEqual([300_000_000n, 300_000_000n, 300_000_000n]);
  });

  // Points with few decimals are computed in numbers, those with many in bigint.
  test.each([1n, 50_000_000n])('equals decimal.js at precision 200, rising or falling, points by %i', (unit) => {
    const Oracle = DecimalJs.clone({ precision: 200, rounding: DecimalJs.ROUND_HALF_EVEN });
    const nano = fc.bigInt({ min: 0n, max: 2_000_000_000n / unit }).map((count) => count * unit);
    const points = fc
      .uniqueArray(nano, { minLength: 2, maxLength: 5 })
      .chain((xs) =>
        fc
          .array(nano, { minLength: xs.length, maxLength: xs.length })
          .map((ys) => xs.sort((a, b) => (a < b ? -1 : 1)).map((x, index) => [x, ys[index] as bigint] as const)),
      );
    const real = (x: bigint) => new Oracle(x.toString()).times('1e-9');
    fc.assert(
      fc.property(points, fc.bigInt({ min: 0n, max: 2_000_000_000n }), (line, x) => {
        const compiled = compileCurve(line.map(([px, py]) => [ratio(real(px).toFixed()), ratio(real(py).toFixed())]));
        const upper = line.findIndex(([px]) => px >= x);
        const [first, last] = [line[0], line.at(-1)] as [(typeof line)[0], (typeof line)[0]];
        let expected: DecimalJs;
        if (upper === 0) expected = real(first[1]);
        else if (upper < 0) expected = real(last[1]);
        else {
          const [x0, y0] = (line[upper - 1] as (typeof line)[0]).map(real) as [DecimalJs, DecimalJs];
          const [x1, y1] = (line[upper] as (typeof line)[0]).map(real) as [DecimalJs, DecimalJs];
          expected = y0.plus(real(x).minus(x0).times(y1.minus(y0)).div(x1.minus(x0)));
        }
        expect(compiled(x).toString()).toBe(expected.toDecimalPlaces(9).times('1e9').toFixed());
      }),
    );
  });
});

describe('payout reason: the first that applies', () => {
  const rows = (more: Partial<ProviderRows>): ProviderRows => ({
    provider: 'p',
    status: 'active',
    capacity: [{ market: 'disk', offered: micro('1'), served: micro('0') }],
    performance: PERFECT,
    ...more,
  });
  const none = [{ market: 'disk', offered: micro('0'), served: micro('0') }];

  test.each([
    ['paid', rows({})],
    ['suspended', rows({ status: 'suspended', capacity: none, performance: null })],
    ['no-capacity', rows({ capacity: none, performance: null })],
    ['no-performance-data', rows({ performance: null })],
    ['no-performance-data', rows({ performance: { ...PERFECT, uptimeMicro: null } })],
    ['below-minimum-uptime', rows({ performance: { ...PERFECT, uptimeMicro: 499_999 } })],
    ['paid', rows({ performance: { ...PERFECT, uptimeMicro: 500_000, responseMicroseconds: null } })],
  ] as const)('%s', (reason, provider) => {
    expect(payoutReason(policy, provider, true)).toBe(reason);
  });

  test('no-capacity means 0 offered everywhere', () => {
    const capacity = [...none, { market: 'gpu.t4', offered: micro('0.000001'), served: micro('0') }];
    expect(payoutReason(policy, rows({ capacity }), true)).toBe('paid');
  });

  test.each([
    ['paid', rows({ performance: null })],
    ['paid', rows({ performance: { ...PERFECT, uptimeMicro: 0 } })],
    ['suspended', rows({ status: 'suspended' })],
    ['no-capacity', rows({ capacity: none })],
  ] as const)('without a verdict on performance: %s', (reason, provider) => {
    expect(payoutReason(policy, provider, false)).toBe(reason);
  });
});

describe('verdict', () => {
  const facts = (activeProviders: number, measuredUptimes: number, medianUptime: string | null): PerformanceFacts => ({
    activeProviders,
    measuredUptimes,
    belowMinimumUptime: 0,
    medianUptime: medianUptime === null ? null : ratio(medianUptime),
    measuredMetrics: METRICS,
  });

  test.each([
    ['all measured', facts(10, 10, '0.99'), true],
    ['a tenth unmeasured, which is on the limit', facts(10, 9, '0.99'), true],
    ['more than a tenth unmeasured', facts(19, 17, '0.99'), false],
    ['nobody measured', facts(10, 0, null), false],
    ['the median on the minimum', facts(10, 10, '0.5'), true],
    ['the median under the minimum', facts(10, 10, '0.4999995'), false],
    ['no providers', facts(0, 0, null), true],
  ])('%s: %#', (_, performance, verdict) => {
    expect(performanceVerdict(policy, performance)).toBe(verdict);
  });

  test('is given over nobody measured where the policy puts up with that', () => {
    expect(performanceVerdict(policyWith({ 'breakers/unmeasuredShare': '1' }), facts(10, 0, null))).toBe(true);
  });
});
