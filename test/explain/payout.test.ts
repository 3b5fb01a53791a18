import fc from 'fast-check';
import { explanationAddsUp, firstDiscrepancy } from '../../src/explain/adds-up';
import { ExplainError } from '../../src/explain/errors';
import { explainPayout } from '../../src/explain/explain-payout';
import type { PayoutExplanation } from '../../src/explain/payout-explanation';
import type { Amount } from '../../src/numbers/units';
import type { ProviderRows } from '../../src/rulesets/1/records';
import { epochs } from '../rulesets/1/arbitrary-epochs';
import { historyOf, micro, policyWith } from '../rulesets/1/fixtures';
import { type ExplainedEpoch, settledEpoch } from './explained-epochs';

const RUNS = { numRuns: 60 };

/** Round figures: 8 of 10 GPU-hours served, everything measured but the rating. */
const GOOD: ProviderRows = {
  provider: 'p0',
  status: 'active',
  capacity: [{ market: 'gpu.v100', offered: micro('10'), served: micro('8') }],
  performance: { uptimeMicro: 990_000, responseMicroseconds: 200_000n, errorRateMicro: 0, ratingMilli: null },
};

const AROUND = {
  demand: { 'gpu.v100': 20_000_000n },
  quotes: [],
  token: ['0.5', '0.5'] as [string, string],
  macro: null,
};

function explained(rows: readonly ProviderRows[] = [GOOD], changes: Record<string, unknown> = {}): ExplainedEpoch {
  return settledEpoch(policyWith(changes), rows, AROUND, historyOf());
}

function explanationOf(rows: readonly ProviderRows[] = [GOOD], changes: Record<string, unknown> = {}) {
  const { revision, providers } = explained(rows, changes);
  return explainPayout(revision, providers[0]!);
}

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

test('where everybody fails together the multiplier is 1 and no score is shown', () => {
  const performance = { ...GOOD.performance!, uptimeMicro: 0 };
  const explanation = explanationOf([{ ...GOOD, performance }]);
  expect(explanation.performance).toMatchObject({ verdict: false, quality: null, multiplier: '1' });
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

  test('a changed pool', () => {
    const error = refused(({ revision, providers: [provider] }) => {
      const derivation = { ...revision.derivation, pool: (revision.derivation.pool + 1n) as Amount };
      return [{ ...revision, derivation }, provider!];
    });
    expect(error.what).toContain('The stored pool is');
  });
});

describe('an explanation that was changed does not add up', () => {
  const changes: readonly (readonly [string, (found: PayoutExplanation) => PayoutExplanation, string])[] = [
    ['the amount', (e) => ({ ...e, amount: plusOne(e.amount) }), 'amounts in tokens'],
    ['both texts of the gross', (e) => ({ ...e, gross: { baseUnits: '1', tokens: '0.000001' } }), 'sum of the lines'],
    ['a score', (e) => withMetric(e, { score: '0.5' }), 'performance'],
    ['a measured value', (e) => withMetric(e, { value: '0.96' }), 'performance'],
    ['a weight', (e) => withMetric(e, { weight: '4' }), 'performance'],
    ['served hours', (e) => withLine(e, { served: '9' }), 'line gpu.v100'],
    ['a price', (e) => withLine(e, { priceUsd: '1' }), 'line gpu.v100'],
    ['a multiplier', (e) => withLine(e, { multipliers: { ...e.lines[0]!.multipliers, growth: '2' } }), 'line gpu.v100'],
    ['the cap', (e) => ({ ...e, cap: { ...e.cap, share: '0.1' } }), 'cap'],
    ['a figure to no figure', (e) => withLine(e, { served: 'eight' }), 'line gpu.v100'],
    ['the sum of all', (e) => ({ ...e, scaling: { ...e.scaling, binds: true } }), 'scaling'],
  ];

  test.each(changes)('%s', (_, change, step) => {
    const explanation = explanationOf();
    expect(explanationAddsUp(explanation)).toBe(true);
    expect(firstDiscrepancy(change(explanation))).toBe(step);
  });
});

function plusOne(amount: PayoutExplanation['amount']): PayoutExplanation['amount'] {
  return { ...amount, baseUnits: (BigInt(amount.baseUnits) + 1n).toString() };
}

function withLine(found: PayoutExplanation, change: Partial<PayoutExplanation['lines'][number]>): PayoutExplanation {
  return { ...found, lines: found.lines.map((line) => ({ ...line, ...change })) };
}

function withMetric(
  found: PayoutExplanation,
  change: Partial<PayoutExplanation['performance']['metrics'][number]>,
): PayoutExplanation {
  const [first, ...rest] = found.performance.metrics;
  return { ...found, performance: { ...found.performance, metrics: [{ ...first!, ...change }, ...rest] } };
}
