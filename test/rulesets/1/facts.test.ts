import {
  type ProviderFacts,
  ProviderTally,
  parseProviderFacts,
  providerFactsText,
} from '../../../src/rulesets/1/facts';
import type { ProviderRows } from '../../../src/rulesets/1/records';
import { GOOD_PERFORMANCE, micro, ratio, text } from './fixtures';

const FACTS: ProviderFacts = {
  totals: [
    { market: 'disk', supply: micro('7.5'), used: micro('0') },
    { market: 'gpu.v100', supply: micro('10'), used: micro('8.000001') },
  ],
  performance: GOOD_PERFORMANCE,
};

test('facts are written in unit-hours and read back as they were', () => {
  const text = providerFactsText(FACTS);
  expect(text).toEqual({
    totals: [
      { market: 'disk', supply: '7.5', used: '0' },
      { market: 'gpu.v100', supply: '10', used: '8.000001' },
    ],
    performance: { ...GOOD_PERFORMANCE, medianUptime: '0.99' },
  });
  expect(parseProviderFacts(JSON.parse(JSON.stringify(text)))).toEqual(FACTS);
});

test('where nobody was measured there is no median, on either side', () => {
  const nobody = { ...FACTS, performance: { ...GOOD_PERFORMANCE, measuredUptimes: 0, medianUptime: null } };
  expect(providerFactsText(nobody).performance.medianUptime).toBeNull();
  expect(parseProviderFacts(providerFactsText(nobody))).toEqual(nobody);
});

test('the median is of all that were measured, also where they are thousands', () => {
  const tally = new ProviderTally(ratio('0.5'));
  const count = 5_000;
  for (let index = 0; index < count; index += 1) {
    tally.add({
      provider: `p${index}`,
      status: 'active',
      capacity: [{ market: 'disk', offered: micro('1'), served: micro('0') }],
      // 0.000001 to 0.005 in an order of its own: 7 and 5,000 have no common divisor.
      performance: {
        uptimeMicro: 1 + ((7 * index) % count),
        responseMicroseconds: null,
        errorRateMicro: null,
        ratingMilli: null,
      },
    });
  }
  const { performance } = tally.facts();
  expect(performance).toMatchObject({ measuredUptimes: count, belowMinimumUptime: count, measuredMetrics: ['uptime'] });
  expect(text(performance.medianUptime)).toBe('0.0025005');
});

describe('the sums over providers', () => {
  const gpu = (offered: string, served: string) => ({
    market: 'gpu.v100',
    offered: micro(offered),
    served: micro(served),
  });
  const disk = (offered: string) => ({ market: 'disk', offered: micro(offered), served: micro('0') });
  const measured = { uptimeMicro: 600_000, responseMicroseconds: 1n, errorRateMicro: null, ratingMilli: 4_000 };
  const nothing = { uptimeMicro: null, responseMicroseconds: null, errorRateMicro: 0, ratingMilli: null };
  const tallied = (rows: readonly Omit<ProviderRows, 'provider'>[]) => {
    const tally = new ProviderTally(ratio('0.5'));
    for (const [index, row] of rows.entries()) tally.add({ provider: `p${index}`, ...row });
    return tally.facts();
  };

  test('are over active ones, market by market, in the order of bytes', () => {
    const { totals, performance } = tallied([
      { status: 'active', capacity: [gpu('10', '8'), disk('3')], performance: measured },
      {
        status: 'active',
        capacity: [gpu('5', '0.5'), { ...disk('2'), market: 'tape' }],
        performance: { ...measured, uptimeMicro: 499_999 },
      },
      { status: 'suspended', capacity: [gpu('100', '100'), { ...disk('1'), market: 'tape' }], performance: measured },
    ]);
    expect(totals).toEqual([
      { market: 'disk', supply: 3_000_000n, used: 0n },
      { market: 'gpu.v100', supply: 15_000_000n, used: 8_500_000n },
      { market: 'tape', supply: 2_000_000n, used: 0n },
    ]);
    expect(performance).toEqual({
      activeProviders: 2,
      measuredUptimes: 2,
      belowMinimumUptime: 1,
      medianUptime: expect.anything(),
      measuredMetrics: ['uptime', 'responseTime', 'userRating'],
    });
    expect(text(performance.medianUptime)).toBe('0.5499995');
  });

  test('count who offers nothing in no figure but the totals', () => {
    const { totals, performance } = tallied([
      { status: 'active', capacity: [gpu('0', '0')], performance: measured },
      { status: 'active', capacity: [], performance: measured },
    ]);
    expect(totals).toEqual([{ market: 'gpu.v100', supply: 0n, used: 0n }]);
    expect(performance).toMatchObject({ activeProviders: 0, measuredUptimes: 0, measuredMetrics: [] });
  });

  test('count who was not measured as active, and what of it was', () => {
    const { performance } = tallied([
      { status: 'active', capacity: [gpu('1', '1')], performance: null },
      { status: 'active', capacity: [gpu('1', '1')], performance: nothing },
      { status: 'active', capacity: [gpu('1', '1')], performance: { ...nothing, uptimeMicro: 500_000 } },
    ]);
    expect(performance).toMatchObject({
      activeProviders: 3,
      measuredUptimes: 1,
      belowMinimumUptime: 0,
      measuredMetrics: ['uptime', 'errorRate'],
    });
    expect(text(performance.medianUptime)).toBe('0.5');
    expect(tallied([]).performance.medianUptime).toBeNull();
  });
});
