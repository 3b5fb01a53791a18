import {
  type ProviderFacts,
  ProviderTally,
  parseProviderFacts,
  providerFactsText,
} from '../../../src/rulesets/1/facts';
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
