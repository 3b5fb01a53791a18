import type { Amount, NanoRatio, Rate } from '../../../src/numbers/units';
import { derive, derivePinned, type KeptRevision } from '../../../src/rulesets/1/derive';
import { type Derivation, METRICS, type ProviderRows } from '../../../src/rulesets/1/records';
import { earnedOf, grossOf, payoutOf } from '../../../src/rulesets/1/reward';
import { factsOf, GOOD_PERFORMANCE, historyOf, micro, policyWith, published, REMOVED, ratio, usd } from './fixtures';

/** Rates of round primes: 3 and 7 tokens (of 10^6 base units) an hour, so that each line can be read off a sum. */
const RATES = { disk: 3_000_000_000n, 'gpu.t4': 7_000_000_000n };
const policy = policyWith();

const derivation = {
  epoch: 0,
  multipliers: Object.entries(RATES).map(([market, rate]) => ({ market, rate: rate as Rate })),
  pool: 1_000_000_000n as Amount,
  cap: 200_000_000n as Amount,
  performanceVerdict: true,
  measuredMetrics: METRICS,
} as unknown as Derivation;

/** A multiplier of exactly 1: quality 0.95. */
const GOOD = { uptimeMicro: 1_000_000, responseMicroseconds: 50_000n, errorRateMicro: 0, ratingMilli: 4000 };
const PERFECT = { ...GOOD, ratingMilli: 5000 };

const rows = (
  capacity: readonly (readonly [market: string, offered: string, served: string])[],
  more: Partial<ProviderRows> = {},
): ProviderRows => ({
  provider: 'p',
  status: 'active',
  performance: PERFECT,
  capacity: capacity.map(([market, offered, served]) => ({ market, offered: micro(offered), served: micro(served) })),
  ...more,
});

describe('first pass', () => {
  test('sums lines, each with its own rate and idle hours', () => {
    const reward = grossOf(
      derivation,
      policy,
      rows([
        ['disk', '5', '5'],
        ['gpu.t4', '13', '11'],
      ]),
    );
    // M4 = 1.2: 5*3*1.2 = 18; (11 + 2*0.1)*7*1.2 = 94.08
    expect(reward.lines.map(({ market, standby, gross }) => [market, standby, gross])).toEqual([
      ['disk', 0n, 18_000_000n],
      ['gpu.t4', 2_000_000n, 94_080_000n],
    ]);
    expect(reward).toMatchObject({ reason: 'paid', gross: 112_080_000n, capped: 112_080_000n });
    expect(reward.score?.multiplier).toBe(1_200_000_000n);
  });

  test('the multiplier follows performance', () => {
    // Ratings weigh 2 of 10: q = 0.8, Q = 0.96, M4 = 1 + 0.2 * 0.01/0.05.
    expect(grossOf(derivation, policy, rows([['disk', '1', '1']], { performance: GOOD })).score).toMatchObject({
      quality: 960_000_000n,
      multiplier: 1_040_000_000n,
    });
  });

  test('is capped', () => {
    expect(grossOf(derivation, policy, rows([['gpu.t4', '100', '100']]))).toMatchObject({
      gross: 840_000_000n,
      capped: 200_000_000n,
    });
  });

  test.each([
    ['suspended', rows([['disk', '5', '5']], { status: 'suspended' })],
    ['no-capacity', rows([['disk', '0', '0']])],
    ['no-performance-data', rows([['disk', '5', '5']], { performance: null })],
    ['below-minimum-uptime', rows([['disk', '5', '5']], { performance: { ...PERFECT, uptimeMicro: 1 } })],
  ] as const)('pays nothing to %s', (reason, provider) => {
    expect(grossOf(derivation, policy, provider)).toEqual({
      provider: 'p',
      reason,
      lines: [],
      score: null,
      gross: 0n,
      capped: 0n,
    });
  });

  test('without a verdict everybody with capacity is paid as with M4 = 1', () => {
    const open = { ...derivation, performanceVerdict: false };
    expect(grossOf(open, policy, rows([['disk', '5', '5']], { performance: null }))).toMatchObject({
      reason: 'paid',
      gross: 15_000_000n,
    });
  });

  test('prepared rules are those of the derivation and the policy at hand', () => {
    const stingy = policyWith({ 'market/gpu.t4/standbyShare': '0' });
    const provider = rows([['gpu.t4', '13', '11']]);
    expect(grossOf(derivation, policy, provider).gross).toBe(94_080_000n);
    expect(grossOf(derivation, stingy, provider).gross).toBe(92_400_000n);
    expect(grossOf(derivation, policy, provider).gross).toBe(94_080_000n);
  });

  test.each([
    ['a rate', derivation, policy, 'tape'],
    ['rules', derivation, policyWith({ 'market/gpu.t4': REMOVED }), 'gpu.t4'],
  ])('a market without %s is refused, not paid nothing', (_, derived, rules, market) => {
    const refusal = expect.objectContaining({
      id: 'unknown-market',
      message: expect.stringContaining(`names the market ${market}, which has no rate in epoch 0. Where: provider p,`),
    });
    expect(() => grossOf(derived, rules, rows([[market, '1', '1']]))).toThrow(refusal);
    expect(() => earnedOf(derived, rules, rows([[market, '1', '1']]))).toThrow(refusal);
  });

  test('another policy for the same derivation is not settled by the one before', () => {
    const half = policyWith({ 'market/disk/standbyShare': '0.5' });
    const idle = rows([['disk', '2', '1']]);
    // M4 = 1.2: (1 + 0.1)*3*1.2 = 3.96, (1 + 0.5)*3*1.2 = 5.4
    expect([policy, half, policy].map((one) => grossOf(derivation, one, idle).gross)).toEqual([
      3_960_000n,
      5_400_000n,
      3_960_000n,
    ]);
  });
});

describe('second pass', () => {
  const reward = { provider: 'p', reason: 'paid', gross: 300n as Amount, capped: 200n as Amount } as const;

  test('keeps the capped amount while G is at most B', () => {
    expect(payoutOf({ pool: 500n as Amount }, reward, 500n as Amount)).toEqual({
      provider: 'p',
      gross: 300n,
      capCut: 100n,
      scaleCut: 0n,
      amount: 200n,
      reason: 'paid',
    });
  });

  test('scales it down where G is above B', () => {
    expect(payoutOf({ pool: 500n as Amount }, reward, 700n as Amount)).toMatchObject({
      capCut: 100n,
      scaleCut: 58n,
      amount: 142n,
    });
  });

  test('paid stays the reason where the amount is 0', () => {
    const tiny = { ...reward, gross: 1n as Amount, capped: 1n as Amount };
    expect(payoutOf({ pool: 1n as Amount }, tiny, 9n as Amount)).toMatchObject({
      amount: 0n,
      scaleCut: 1n,
      reason: 'paid',
    });
  });
});

test('a derivation stays in the growth phase of the last published epoch, not of an older one', () => {
  const phases = (...names: readonly string[]) =>
    historyOf(...names.map((growthPhase, epoch) => published(epoch, { disk: ['1', '1'] }, { growthPhase })));
  const phaseAfter = (...names: readonly string[]) =>
    derive(policy, factsOf(9, { disk: ['2', '1', '1'] }), phases(...names)).growthPhase;
  expect(phaseAfter('bootstrap', 'maturity')).toBe('maturity');
  expect(phaseAfter('maturity', 'bootstrap')).toBe('expansion'); // that of five providers
});

describe('pinned derivation', () => {
  const kept: KeptRevision = {
    markets: [
      {
        measures: { market: 'disk' },
        price: { market: 'disk', price: usd('2') },
        multipliers: { market: 'disk', rate: 3_000_000_000n, network: ratio('1') },
      } as never,
    ],
    network: { activeProviders: 77, tokenPrice: usd('0.5'), tokenVolume: usd('100') as never, macro: ratio('1') },
    growthPhase: 'expansion',
  };

  test('keeps prices, rates, N and phase, and takes the verdict from the corrected rows', () => {
    const pinned = derivePinned(policy, 100, kept, {
      ...GOOD_PERFORMANCE,
      measuredUptimes: 1,
      measuredMetrics: ['uptime'],
    });
    expect(pinned).toMatchObject({
      epoch: 100,
      growthPhase: 'expansion',
      pool: 500_000_000n,
      cap: 100_000_000n,
      performanceVerdict: false,
      measuredMetrics: ['uptime'],
    });
    expect(pinned.measures.network.activeProviders).toBe(77);
    expect(pinned.multipliers.map(({ rate }) => rate)).toEqual([3_000_000_000n]);
    expect(grossOf(pinned, policy, rows([['disk', '5', '5']], { performance: null })).gross).toBe(15_000_000n);
  });

  test('gives a verdict where the corrected rows allow one', () => {
    expect(derivePinned(policy, 0, kept, GOOD_PERFORMANCE).performanceVerdict).toBe(true);
  });
});

test('M4 of the score is the one that lines are multiplied by', () => {
  const reward = grossOf(derivation, policy, rows([['disk', '5', '5']], { performance: GOOD }));
  expect(reward.gross).toBe((15_000_000n * (reward.score?.multiplier as NanoRatio)) / 1_000_000_000n);
});
