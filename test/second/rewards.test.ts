import { allot, grossOf, poolOf, rateOf } from '../../src/audit/second/amounts';
import { decimal, decimalText, type Fraction, ZERO } from '../../src/audit/second/fraction';
import { growthPhase, multiplyMarket } from '../../src/audit/second/multipliers';
import { censusUptimes, curveValue, type Judgement, judgePerformance } from '../../src/audit/second/performance';
import { FACTORS, type Signals } from '../../src/audit/second/prices';
import { past, policyWith, rowsOf } from './world';

const of = (text: string) => decimal(text, 12);

function signals(changes: Record<string, string>): Signals {
  return Object.fromEntries(FACTORS.map((factor) => [factor, of(changes[factor] ?? '0')])) as Record<
    keyof Signals,
    Fraction
  >;
}

describe('the network multiplier (spec §6)', () => {
  const multiply = (changes: Record<string, string>, policyChanges: Record<string, unknown> = {}) => {
    const policy = policyWith(policyChanges);
    const result = multiplyMarket(signals(changes), growthPhase(1, policy, undefined), policy);
    return Object.values(result).map(decimalText);
  };

  test('M1 to M5 and their product', () => {
    const changes = { marketConditions: '0.38', marketTrends: '0.2', availableCapacity: '0.5' };
    // 1.038 * 1.04 = 1.07952, * 1.25 = 1.3494, * 1.5 = 2.0241
    expect(multiply(changes)).toEqual(['1.038', '1.04', '1.25', '1.5', '2.0241']);
  });

  test('is rounded after every factor', () => {
    const changes = { marketConditions: '0.111111111', marketTrends: '0.1111', availableCapacity: '0.111111111' };
    // Rounded once it would be 1.636498501.
    expect(multiply(changes)).toEqual(['1.011111111', '1.02222', '1.055555556', '1.5', '1.6364985']);
  });

  test('spare capacity costs nothing', () => {
    expect(multiply({ availableCapacity: '-0.5' })[2]).toBe('1');
  });

  test('is held within its bounds', () => {
    expect(multiply({}, { 'rewards/networkMultiplier/max': '1.1' })[4]).toBe('1.1');
    expect(multiply({}, { 'rewards/networkMultiplier/min': '2' })[4]).toBe('2');
  });
});

describe('the growth phase', () => {
  const phase = (providers: number, last?: string) =>
    growthPhase(providers, policyWith(), last === undefined ? undefined : past(9, {}, { growthPhase: last })).name;

  test('is the first whose limit is not yet reached', () => {
    expect([0, 2, 3, 4, 5, 1000].map((providers) => phase(providers))).toEqual([
      'bootstrap',
      'bootstrap',
      'expansion',
      'expansion',
      'maturity',
      'maturity',
    ]);
  });

  test('never goes back', () => {
    expect(phase(1, 'expansion')).toBe('expansion');
    expect(phase(1, 'maturity')).toBe('maturity');
    expect(phase(4, 'bootstrap')).toBe('expansion');
  });

  test('of an unknown name is before all', () => {
    expect(phase(1, 'infancy')).toBe('bootstrap');
  });
});

test('a curve is linear between its points, exact, and flat outside', () => {
  const curve = [
    { x: of('1'), y: of('2') },
    { x: of('4'), y: of('3') },
    { x: of('5'), y: of('1') },
  ];
  const value = (x: string) => curveValue(curve, of(x));
  expect(['0', '1', '2.5', '4', '4.25', '5', '9'].map((x) => decimalText(value(x)))).toEqual([
    '2',
    '2',
    '2.5',
    '3',
    '2.5',
    '1',
    '1',
  ]);
  const third = value('2');
  expect(third.numerator * 3n).toBe(7n * third.denominator);
});

describe('performance', () => {
  const REGISTRY = ['a,0,active,', 'b,0,active,', 'c,0,active,', 's,0,suspended,'];
  const ALL_OFFER = ['10,a,gpu,1,1', '10,b,gpu,1,1', '10,c,gpu,1,1', '10,s,gpu,1,1'];

  function judge(performance: string[], capacity = ALL_OFFER, changes: Record<string, unknown> = {}) {
    const policy = policyWith(changes);
    const present = new Set(capacity.map((line) => line.split(',')[1]));
    const providers = REGISTRY.filter((line) => present.has(line.split(',')[0]));
    const rows = rowsOf({ providers, capacity, performance });
    const offering = capacity.map((line) => line.split(',')).filter((cells) => cells[3] !== '0');
    const active = new Set(offering.map((cells) => cells[1] as string).filter((id) => id !== 's'));
    const census = censusUptimes(rows, active, policy);
    const judgements = judgePerformance(rows, active, census, policy);
    return { census, of: (id: string) => judgements.find(({ provider }) => provider === id) as Judgement };
  }
  const shown = ({ reason, score, multiplier }: Judgement) => [
    reason,
    score === undefined ? '' : decimalText(score),
    decimalText(multiplier),
  ];

  test('Q is the weighted mean of four scores', () => {
    // (2*0.5 + 3*0.8 + 5*0.5 + 7*0.5) / 17 = 9.4 / 17
    const judged = judge(['10,a,0.75,200,0.05,3', '10,b,1,,,', '10,c,1,,,']);
    expect(shown(judged.of('a'))).toEqual(['paid', '0.552941176', '1.105882352']);
  });

  test('each score is rounded before the mean is taken', () => {
    const changes = {
      'rewards/performance/weights/responseTime': '2',
      'rewards/performance/curves/responseTime': [
        ['0', '1'],
        ['3', '0'],
      ],
    };
    // (1 + 0.666666667) / 2 = 0.8333333335, half to even; from the exact 2/3 it would be 0.833333333.
    const judged = judge(['10,a,1,1,,', '10,b,1,,,', '10,c,1,,,'], ALL_OFFER, changes);
    expect(shown(judged.of('a'))).toEqual(['paid', '0.833333334', '1.666666668']);
  });

  test('a metric that this provider lacks has its missing score', () => {
    // (2*0.5 + 3*0.1 + 5*0.5 + 7*0.5) / 17 = 7.3 / 17
    const judged = judge(['10,a,0.75,,0.05,3', '10,b,1,0,,', '10,c,1,,,']);
    expect(shown(judged.of('a'))).toEqual(['paid', '0.429411765', '0.929411765']);
  });

  test('a metric measured for none of the N providers is left out, whatever others have', () => {
    // (2*0.5 + 3*0.8 + 7*0.5) / 12 = 6.9 / 12; the suspended provider is not one of the N.
    const judged = judge(['10,a,0.75,200,,3', '10,b,1,,,', '10,c,1,,,', '10,s,1,,0.05,']);
    expect(shown(judged.of('a'))).toEqual(['paid', '0.575', '1.15']);
  });

  test('reasons, the first that applies', () => {
    const capacity = ['10,a,gpu,0,0', '10,a,tpu,0,0', '10,b,gpu,0,0', '10,b,tpu,1,0', '10,c,gpu,1,1', '10,s,gpu,0,0'];
    const judged = judge(['10,c,0.499999,,,', '10,b,0.500001,,,', '10,a,1,,,'], capacity);
    expect(['a', 'b', 'c', 's'].map((id) => judged.of(id).reason)).toEqual([
      'no-capacity',
      'paid',
      'below-minimum-uptime',
      'suspended',
    ]);
  });

  test('an uptime at the minimum is eligible', () => {
    const judged = judge(['10,a,0.5,,,', '10,b,0.5,,,', '10,c,0.5,,,']);
    expect(judged.census.noVerdict).toBe(false);
    expect(judged.of('a').reason).toBe('paid');
  });

  test('an uptime that is hidden does not pay', () => {
    const judged = judge(['10,a,,0,0,5', '10,b,1,,,'], ALL_OFFER, { 'breakers/unmeasuredShare': '1' });
    expect(shown(judged.of('a'))).toEqual(['no-performance-data', '', '1']);
    expect(judged.of('c').reason).toBe('no-performance-data');
  });

  test('too many unmeasured give no verdict: the share itself is allowed, more is not', () => {
    const oneOfThree = ['10,a,1,,,', '10,b,0.1,,,'];
    const allowed = judge(oneOfThree, ALL_OFFER, { 'breakers/unmeasuredShare': '0.333333334' });
    expect(allowed.census).toEqual({ providers: 3, unmeasured: 1, belowMinimum: 1, noVerdict: false });
    const over = judge(oneOfThree, ALL_OFFER, { 'breakers/unmeasuredShare': '0.333333333' });
    expect(over.census.noVerdict).toBe(true);
    expect(['a', 'b', 'c', 's'].map((id) => shown(over.of(id)))).toEqual([
      ['paid', '', '1'],
      ['paid', '', '1'],
      ['paid', '', '1'],
      ['suspended', '', '1'],
    ]);
  });

  test('a share of unmeasured that equals its limit still gives a verdict', () => {
    const judged = judge(['10,a,1,,,', '10,b,1,,,', '10,c,1,,,'], ALL_OFFER, { 'breakers/unmeasuredShare': '0' });
    expect(judged.census.noVerdict).toBe(false);
  });

  test('a median uptime under the minimum gives no verdict, one at the minimum does', () => {
    const under = judge(['10,a,0.4,,,', '10,b,0.4,,,', '10,c,1,,,', '10,s,1,,,']);
    expect(under.census.noVerdict).toBe(true);
    expect(under.of('a').reason).toBe('paid');
    const at = judge(['10,a,0.4,,,', '10,b,0.6,,,'], ALL_OFFER, { 'breakers/unmeasuredShare': '1' });
    expect(at.census.noVerdict).toBe(false);
  });

  test('an epoch without any of the N gives a verdict on nobody', () => {
    const judged = judge([], ['10,s,gpu,1,1', '10,a,gpu,0,0']);
    expect(judged.census).toEqual({ providers: 0, unmeasured: 0, belowMinimum: 0, noVerdict: false });
  });
});

describe('amounts (spec §7)', () => {
  test('the rate is floored', () => {
    expect(rateOf(of('2'), of('1.5'), of('3'), 6)).toBe(1_000_000_000n);
    expect(rateOf(of('2'), of('1'), of('3'), 0)).toBe(666n);
  });

  test('idle hours are paid the standby share, at most one per served hour', () => {
    const gross = (offered: string, served: string) => grossOf(of(offered), of(served), of('0.1'), 10n ** 9n, of('1'));
    expect(gross('5', '3')).toBe(3_200_000n);
    expect(gross('10', '3')).toBe(3_300_000n);
    expect(gross('10', '0')).toBe(0n);
    expect(gross('3', '3')).toBe(3_000_000n);
  });

  test('gross is floored once for each market', () => {
    // 1 micro-unit-hour at 1.999999999 base units, times 1.5: 2.9999999985.
    expect(grossOf(of('0.000001'), of('0.000001'), ZERO, 1_999_999_999n, of('1.5'))).toBe(2n);
    const rows = rowsOf({
      providers: ['a,0,active,'],
      capacity: ['10,a,gpu,0.000001,0.000001', '10,a,tpu,0.000001,0.000001'],
    });
    const paid: Judgement = { provider: 'a', reason: 'paid', score: undefined, multiplier: of('1') };
    const rates = new Map([
      ['gpu', 1_999_999_999n],
      ['tpu', 1_999_999_999n],
    ]);
    expect(allot(10, rows, [paid], rates, policyWith()).payouts[0]?.gross).toBe(2n);
  });

  test('the pool decays by steps and is floored', () => {
    const policy = policyWith({ 'pool/perEpoch': '7', 'token/decimals': 0 });
    expect([0, 9, 10, 19, 20, 30].map((epoch) => poolOf(epoch, policy))).toEqual([7n, 7n, 3n, 3n, 1n, 0n]);
  });

  function share(grosses: Record<string, bigint>, changes: Record<string, unknown> = {}) {
    const ids = Object.keys(grosses);
    const rows = rowsOf({
      providers: ids.map((id) => `${id},0,active,`),
      capacity: ids.map((id) => `0,${id},gpu,0.000001,0.000001`),
    });
    const policy = policyWith(changes);
    // The multiplier stands for the figure: 1 micro-unit-hour at 1 base unit.
    const judgements = ids.map((provider): Judgement => {
      return { provider, reason: 'paid', score: undefined, multiplier: of((grosses[provider] as bigint).toString()) };
    });
    return allot(0, rows, judgements, new Map([['gpu', 10n ** 9n]]), policy);
  }

  test('a pool that suffices leaves what is unspent', () => {
    const { payouts, sum, unallocated, unallocatedReason } = share({ a: 600_000_000n, b: 100n });
    expect(payouts).toEqual([
      { provider: 'a', gross: 600_000_000n, capCut: 100_000_000n, scaleCut: 0n, amount: 500_000_000n, reason: 'paid' },
      { provider: 'b', gross: 100n, capCut: 0n, scaleCut: 0n, amount: 100n, reason: 'paid' },
    ]);
    expect([sum, unallocated, unallocatedReason]).toEqual([500_000_100n, 499_999_900n, 'unspent']);
  });

  test('a pool that does not is shared in proportion to what is capped', () => {
    const { payouts, unallocated, unallocatedReason } = share({ a: 700_000_000n, b: 400_000_000n, c: 300_000_000n });
    expect(payouts.map(({ amount }) => amount)).toEqual([416_666_666n, 333_333_333n, 250_000_000n]);
    expect(payouts.map(({ scaleCut }) => scaleCut)).toEqual([83_333_334n, 66_666_667n, 50_000_000n]);
    expect([unallocated, unallocatedReason]).toEqual([1n, 'rounding']);
  });

  test('exactly the pool is not scaled', () => {
    const { unallocated, unallocatedReason } = share({ a: 500_000_000n, b: 500_000_000n });
    expect([unallocated, unallocatedReason]).toEqual([0n, 'unspent']);
  });

  test('the cap is floored', () => {
    const odd = { 'pool/perEpoch': '0.000007' };
    expect(share({ a: 100n }, odd).payouts[0]).toMatchObject({ capCut: 97n, amount: 3n });
  });

  test('who is not eligible has a line of zeros with its reason', () => {
    const rows = rowsOf({ providers: ['a,0,suspended,'], capacity: ['0,a,gpu,5,5'] });
    const judgement: Judgement = { provider: 'a', reason: 'suspended', score: undefined, multiplier: of('1') };
    const allotment = allot(0, rows, [judgement], new Map([['gpu', 10n ** 9n]]), policyWith());
    expect(allotment.payouts).toEqual([
      { provider: 'a', gross: 0n, capCut: 0n, scaleCut: 0n, amount: 0n, reason: 'suspended' },
    ]);
  });
});
