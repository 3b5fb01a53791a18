import { type SeededBug, tests } from './seeded-bug';

/** Mistakes in numbers, measures and prices (spec §1, §4, §5). */
export const ARITHMETIC_BUGS: readonly SeededBug[] = [
  {
    id: 'half-up-in-division',
    mistake: 'a half is rounded up instead of to even, where integers are divided',
    file: 'src/numbers/amounts.ts',
    find: 'return floor % 2n === 0n ? floor : floor + 1n;',
    replace: 'return floor + 1n;',
    caughtBy: [
      ...tests('test/numbers/amounts.test.ts', 'equals decimal.js at precision 200, ties included'),
      ...tests('test/rulesets/1/measures.test.ts', 'each step of the mean is rounded to 9 decimals, half to even'),
    ],
  },
  {
    id: 'half-up-in-q9',
    mistake: 'q9 rounds a half up instead of to even',
    file: 'src/numbers/decimal.ts',
    find: 'x.toDecimalPlaces(9, DecimalJs.ROUND_HALF_EVEN)',
    replace: 'x.toDecimalPlaces(9, DecimalJs.ROUND_HALF_UP)',
    caughtBy: tests('test/numbers/decimal.test.ts', 'q9(0.0000000005) is 0: half to even'),
  },
  {
    id: 'mean-not-rounded',
    mistake: 'the moving mean is cut off at 12 decimals instead of rounded to 9 at each step',
    file: 'src/rulesets/1/means.ts',
    find: 'roundHalfEvenDivide(alpha * value + rest * mean, NANO * SERIES_TO_NANO) * SERIES_TO_NANO',
    replace: 'roundHalfEvenDivide(alpha * value + rest * mean, NANO)',
    caughtBy: tests(
      'test/rulesets/1/measures.test.ts',
      'each step of the mean is rounded to 9 decimals, half to even',
      'ewma equals decimal.js at precision 200',
    ),
  },
  {
    id: 'upper-median',
    mistake: 'the median of an even count is the upper of the middle two',
    file: 'src/rulesets/1/means.ts',
    find: "return q12(lower.plus(upper).times('0.5')) as Decimal as T;",
    replace: 'return lower.greaterThan(upper) ? lower : upper;',
    caughtBy: [
      ...tests('test/rulesets/1/measures.test.ts', 'of an even count is the mean of the middle two, q12'),
      ...tests(
        'test/rulesets/1/token-price.test.ts',
        'of an even count of sources it is the mean of the middle two, q12',
      ),
    ],
  },
  {
    id: 'idle-hole-averaged',
    mistake: 'an epoch in which everybody was idle counts as history instead of as a gap',
    file: 'src/rulesets/1/history.ts',
    find: 'if (sums.idle || offered === 0n) continue;',
    replace: 'if (offered === 0n) continue;',
    caughtBy: tests(
      'test/rulesets/1/measures.test.ts',
      'F33: a market skips epochs that did not price it, had none of it, or had everybody idle',
    ),
  },
  {
    id: 'season-by-place',
    mistake: 'the forecast counts the phase of the season from the place in the history and not from the epoch',
    file: 'src/rulesets/1/measures.ts',
    find: 'if ((series.epochs[index] as number) % season !== phase) continue;',
    replace: 'if (index % season !== phase) continue;',
    caughtBy: tests('test/rulesets/1/measures.test.ts', 'brings both means to one denominator before the one rounding'),
  },
  {
    id: 'premium-becomes-base',
    mistake: 'the next epoch starts from the price with its peak premium',
    file: 'src/rulesets/1/prices.ts',
    find: 'base: base as UsdPrice,\n    price,',
    replace: 'base: price,\n    price,',
    caughtBy: tests('test/rulesets/1/prices.test.ts', 'adds its premium to the price and nothing to the base price'),
  },
  {
    id: 'step-over-floor',
    mistake: 'the step wins over floor and ceiling',
    file: 'src/rulesets/1/prices.ts',
    find: 'const base = bound<Decimal>(stepped, rules.floor, rules.ceiling);',
    replace:
      'const base = withinStep(policy, market.previousBase, bound<Decimal>(stepped, rules.floor, rules.ceiling));',
    caughtBy: tests('test/rulesets/1/prices.test.ts', 'floor and ceiling win over the step'),
  },
  {
    id: 'old-token-price',
    mistake: 'token prices of any age count',
    file: 'src/rulesets/1/token-price.ts',
    find: 'row.observedAtSeconds < epochEndSeconds - maxAgeSeconds || row.observedAtSeconds > epochEndSeconds',
    replace: 'row.observedAtSeconds > epochEndSeconds',
    caughtBy: tests('test/rulesets/1/token-price.test.ts', 'rows count from end - maxAgeSeconds to end, both included'),
  },
  {
    id: 'identifiers-by-locale',
    mistake: 'identifiers are sorted as a person would, which depends on where the machine stands',
    file: 'src/numbers/patterns.ts',
    find: 'return left > right ? 1 : 0;',
    replace: 'return left.localeCompare(right);',
    caughtBy: tests('test/numbers/patterns.test.ts', 'identifiers compare by bytes, not by a locale'),
  },
];
