import type { Amount, Rate } from '../../../src/numbers/units';
import { expectedGross } from '../../../src/rulesets/1/expected-gross';
import type { Derivation } from '../../../src/rulesets/1/records';
import { hours, policyWith } from './fixtures';

const derivation = {
  // 3 and 7 tokens of 10^6 base units an hour.
  multipliers: [
    { market: 'disk', rate: 3_000_000_000n as Rate },
    { market: 'gpu.t4', rate: 7_000_000_000n as Rate },
    { market: 'tape', rate: 9_000_000_000n as Rate },
  ],
  measures: {
    markets: [
      { market: 'disk', supply: hours('5'), used: hours('2') },
      { market: 'gpu.t4', supply: hours('3'), used: hours('3') },
      { market: 'gpu.v100', supply: hours('3'), used: hours('3') },
      { market: 'tape', supply: hours('3'), used: hours('3') },
    ],
  },
} as unknown as Derivation;

test('is what served and idle hours earn at the rates and a multiplier of 1; a market without rate or rules earns nothing', () => {
  // disk: (2 + 2 * 0.1) * 3; gpu.t4: 3 * 7; gpu.v100 has no rate, tape no rules.
  expect(expectedGross(policyWith(), derivation)).toBe(27_600_000n as Amount);
});

test('is nothing where nothing is offered', () => {
  expect(expectedGross(policyWith(), { ...derivation, measures: { ...derivation.measures, markets: [] } })).toBe(0n);
});
