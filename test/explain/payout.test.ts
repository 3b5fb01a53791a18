import fc from 'fast-check';
import { firstDiscrepancy } from '../../src/explain/adds-up';
import { ExplainError } from '../../src/explain/errors';
import { explainPayout } from '../../src/explain/explain-payout';
import type { Amount, NanoRatio, Rate } from '../../src/numbers/units';
import type { PayoutReason, ProviderRows } from '../../src/rulesets/1/records';
import { grossOf, payoutOf } from '../../src/rulesets/1/reward';
import { epochs } from '../rulesets/1/arbitrary-epochs';
import { micro } from '../rulesets/1/fixtures';
import { type ExplainedEpoch, explained, explanationOf, GOOD, settledEpoch } from './explained-epochs';

const RUNS = { numRuns: 60 };

test('every explanation of every epoch adds up, and ends at the stored amount', () => {
  fc.assert(
    fc.property(epochs, ([policy, rows, around, past]) => {
      const { revision, providers } = settledEpoch(policy, rows, around, past);
      for (const provider of providers) {
        const explanation = explainPayout(revision, provider);
        expect(firstDiscrepancy(explanation)).toBeNull();
        expect(explanation.amount.baseUnits).toBe(provider.stored.amount.toString());
        expect(explanation.reason).toBe(provider.stored.reason);
      }
    }),
    RUNS,
  );
});

test('an explanation survives JSON: nothing of it is a bigint or a decimal object', () => {
  const explanation = explanationOf();
  expect(JSON.parse(JSON.stringify(explanation))).toEqual(explanation);
});

test('paid hours are the served ones and, at the standby share, at most as many idle ones', () => {
  const [line] = explanationOf().lines;
  expect(line).toMatchObject({ offered: '10', served: '8', idle: '2', standbyHours: '2', standbyShare: '0.1' });
  expect(line?.paidHours).toBe('8.2');
});

test('an idle machine with little served is paid for as many idle hours as served ones', () => {
  const capacity = [{ market: 'gpu.v100', offered: micro('10'), served: micro('1') }];
  const [line] = explanationOf([{ ...GOOD, capacity }]).lines;
  expect(line).toMatchObject({ idle: '9', standbyHours: '1', paidHours: '1.1' });
});

test('a metric that nobody has does not count, and one that only this provider lacks gets the score of the policy', () => {
  const rated = { ...GOOD, provider: 'p1', performance: { ...GOOD.performance!, ratingMilli: 4_000 } };
  const rating = (rows: readonly ProviderRows[]) =>
    explanationOf(rows).performance.metrics.find(({ metric }) => metric === 'userRating');
  expect(rating([GOOD])).toMatchObject({ counts: false, score: null, weighted: null });
  expect(rating([GOOD, rated])).toMatchObject({ counts: true, assumed: true, value: null, score: '0.8' });
});

test('a score names the piece of the curve that it lies on', () => {
  const { metrics, segment, quality } = explanationOf().performance;
  const uptime = metrics.find(({ metric }) => metric === 'uptime');
  expect(uptime).toMatchObject({ value: '0.99', segment: { from: { x: '0.95', y: '0.7' }, to: { x: '1', y: '1' } } });
  expect(uptime?.score).toBe('0.94');
  expect(Number(segment?.from.x)).toBeLessThanOrEqual(Number(quality));
  expect(Number(segment?.to.x)).toBeGreaterThanOrEqual(Number(quality));
});

test('a value beyond the end of its curve lies on its last point', () => {
  const performance = { ...GOOD.performance!, responseMicroseconds: 9_000_000n };
  const [, response] = explanationOf([{ ...GOOD, performance }]).performance.metrics;
  expect(response).toMatchObject({
    metric: 'responseTime',
    score: '0',
    segment: { from: { x: '1000' }, to: { x: '1000' } },
  });
});

test('the ineligible are told why, keep their inputs, and get nothing', () => {
  const explanation = explanationOf([
    { ...GOOD, status: 'suspended' },
    { ...GOOD, provider: 'p1' },
  ]);
  expect(explanation).toMatchObject({ reason: 'suspended', amount: { baseUnits: '0' }, gross: { baseUnits: '0' } });
  expect(explanation.lines).toHaveLength(1);
  expect(explanation.lines[0]).toMatchObject({ served: '8', gross: { baseUnits: '0' } });
  expect(explanation.because).toMatch(/suspended/);
  expect(explanation.performance).toMatchObject({ quality: null, multiplier: null });
});

test.each<[PayoutReason, Partial<ProviderRows>, RegExp]>([
  ['paid', {}, /^eligible: active, with capacity and enough uptime$/],
  ['suspended', { status: 'suspended' }, /suspended in the registry/],
  ['no-capacity', { capacity: [] }, /offered nothing in any market/],
  ['no-performance-data', { performance: null }, /no measured uptime/],
  [
    'below-minimum-uptime',
    { performance: { ...GOOD.performance!, uptimeMicro: 400_000 } },
    /uptime under the minimum of 0\.5:/,
  ],
])('%s is said in a sentence', (reason, change, words) => {
  // As many as it takes for the epoch to give a verdict without one of them.
  const others = Array.from({ length: 20 }, (_, index) => ({ ...GOOD, provider: `p${index + 1}` }));
  const explanation = explanationOf([{ ...GOOD, ...change }, ...others]);
  expect(explanation.reason).toBe(reason);
  expect(explanation.because).toMatch(words);
});

test('each metric is shown as it was measured, and what was not measured as null', () => {
  const others = ['p1', 'p2'].map((provider) => ({ ...GOOD, provider }));
  const shown = (performance: ProviderRows['performance']) =>
    explanationOf([{ ...GOOD, performance }, ...others]).performance.metrics.map(
      ({ metric, title, value, unit, weight, segment, counts, assumed }) =>
        [metric, title, value, unit, weight, segment !== null, counts, assumed] as const,
    );
  const all = { uptimeMicro: 987_654, responseMicroseconds: 123_456n, errorRateMicro: 1_234, ratingMilli: 4_321 };
  expect(shown(all)).toEqual([
    ['uptime', 'uptime', '0.987654', 'share', '3', true, true, false],
    ['responseTime', 'response time', '123.456', 'ms', '2', true, true, false],
    ['errorRate', 'error rate', '0.001234', 'share', '3', true, true, false],
    ['userRating', 'user rating', '4.321', '1 to 5', '2', true, true, false],
  ]);
  expect(shown({ ...all, responseMicroseconds: null, errorRateMicro: null, ratingMilli: null })).toEqual([
    ['uptime', 'uptime', '0.987654', 'share', '3', true, true, false],
    ['responseTime', 'response time', null, 'ms', '2', false, true, true],
    ['errorRate', 'error rate', null, 'share', '3', false, true, true],
    // Nobody is rated.
    ['userRating', 'user rating', null, '1 to 5', '2', false, false, false],
  ]);
  // Below the minimum: what was measured is shown, and none of it is scored.
  expect(shown({ ...all, uptimeMicro: 400_000 })).toEqual([
    ['uptime', 'uptime', '0.4', 'share', '3', false, true, false],
    ['responseTime', 'response time', '123.456', 'ms', '2', false, true, false],
    ['errorRate', 'error rate', '0.001234', 'share', '3', false, true, false],
    ['userRating', 'user rating', '4.321', '1 to 5', '2', false, true, false],
  ]);
  expect(shown({ ...all, uptimeMicro: null }).map(([, , value]) => value)).toEqual([
    null,
    '123.456',
    '0.001234',
    '4.321',
  ]);
});

test('where everybody fails together the multiplier is 1 and no score is shown', () => {
  const performance = { ...GOOD.performance!, uptimeMicro: 0 };
  const explanation = explanationOf([{ ...GOOD, performance }]);
  expect(explanation.performance).toMatchObject({ verdict: false, quality: null, multiplier: '1' });
  expect(explanation.because).toMatch(/no verdict on performance/);
  expect(explanation.performance.metrics.some(({ counts }) => counts)).toBe(false);
  expect(explanation).toMatchObject({ reason: 'paid' });
});

test('the cap and the pool cut what is above them, and both cuts are shown', () => {
  const explanation = explanationOf([GOOD, { ...GOOD, provider: 'p1' }], {
    'pool/perEpoch': '0.000007',
    'caps/providerShare': '0.9',
  });
  const { cap, scaling, gross, amount } = explanation;
  expect(cap.capped.baseUnits).toBe(cap.cap.baseUnits);
  expect(BigInt(cap.cut.baseUnits)).toBe(BigInt(gross.baseUnits) - BigInt(cap.cap.baseUnits));
  expect(scaling.binds).toBe(true);
  expect(BigInt(scaling.cut.baseUnits)).toBe(BigInt(cap.cap.baseUnits) - BigInt(amount.baseUnits));
});

describe('a stored row that does not follow from its rows is refused, with what it should be', () => {
  const refused = (change: (epoch: ExplainedEpoch) => Parameters<typeof explainPayout>) => {
    const [revision, provider] = change(explained());
    try {
      explainPayout(revision, provider);
    } catch (error) {
      if (error instanceof ExplainError) return error;
      throw error;
    }
    throw new Error('it was explained');
  };

  test.each(['gross', 'capCut', 'scaleCut', 'amount'] as const)('a changed %s', (column) => {
    const error = refused(({ revision, providers: [provider] }) => {
      const stored = { ...provider!.stored, [column]: (provider!.stored[column] + 1n) as Amount };
      return [revision, { ...provider!, stored }];
    });
    expect(error.id).toBe('payout-mismatch');
    expect(error.message).toContain(`The stored ${column} is`);
    expect(error.message).toContain('provider p0');
  });

  test('changed capacity', () => {
    const error = refused(({ revision, providers: [provider] }) => {
      const capacity = [{ ...GOOD.capacity[0]!, served: micro('9') }];
      return [revision, { ...provider!, rows: { ...GOOD, capacity } }];
    });
    expect(error.what).toContain('The stored gross is');
  });

  test('a changed rate', () => {
    const error = refused(({ revision, providers: [provider] }) => {
      const multipliers = revision.derivation.multipliers.map((row) => ({ ...row, rate: 7n as typeof row.rate }));
      return [{ ...revision, derivation: { ...revision.derivation, multipliers } }, provider!];
    });
    expect(error.id).toBe('payout-mismatch');
  });

  test('another multiplier, or none', () => {
    for (const multiplier of [0n as NanoRatio, null]) {
      const error = refused(({ revision, providers: [provider] }) => [
        revision,
        { ...provider!, stored: { ...provider!.stored, multiplier } },
      ]);
      expect(error.what).toContain(`The stored multiplier is ${multiplier ?? 'missing'}`);
    }
  });

  test('a rate that the stored one was not made with, though it gives the same base units', () => {
    const error = refused(({ revision, providers: [provider] }) => {
      const multipliers = revision.derivation.multipliers.map((row) => ({ ...row, rate: (row.rate + 1n) as Rate }));
      const capacity = [{ market: 'gpu.v100', offered: micro('0.000001'), served: micro('0.000001') }];
      const rows = { ...GOOD, capacity };
      const changed = { ...revision, derivation: { ...revision.derivation, multipliers } };
      return [changed, { ...provider!, rows, stored: storedOf(changed, rows) }];
    });
    expect(error.what).toContain('The stored rate of gpu.v100 is');
  });

  test.each(['prices', 'multipliers', 'markets'] as const)(
    'a market without its %s, also of who gets nothing',
    (part) => {
      const error = refused(({ revision, providers: [provider] }) => {
        const rows = { ...GOOD, status: 'suspended' as const };
        const stored = storedOf(revision, rows);
        if (part === 'markets') {
          const policy = { ...revision.policy, markets: new Map() };
          return [
            { ...revision, policy },
            { ...provider!, rows, stored },
          ];
        }
        const derivation = { ...revision.derivation, [part]: [] };
        return [
          { ...revision, derivation },
          { ...provider!, rows, stored },
        ];
      });
      expect(error.id).toBe('payout-mismatch');
      expect(error.what).toContain('rate of gpu.v100');
    },
  );

  test('a changed cap', () => {
    const error = refused(({ revision, providers: [provider] }) => {
      const derivation = { ...revision.derivation, cap: (revision.derivation.cap + 1n) as Amount };
      return [{ ...revision, derivation }, provider!];
    });
    expect(error.what).toContain('The stored cap is');
  });

  test('a changed pool', () => {
    const error = refused(({ revision, providers: [provider] }) => {
      const derivation = { ...revision.derivation, pool: (revision.derivation.pool + 1n) as Amount };
      return [{ ...revision, derivation }, provider!];
    });
    expect(error.what).toContain('The stored pool is');
  });
});

/** What would be stored of these rows. */
function storedOf({ policy, derivation, cappedSum }: ExplainedEpoch['revision'], rows: ProviderRows) {
  const reward = grossOf(derivation, policy, rows);
  return { ...payoutOf(derivation, reward, cappedSum), multiplier: reward.score?.multiplier ?? null };
}
