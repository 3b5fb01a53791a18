import { Decimal as DecimalJs } from 'decimal.js';
import fc from 'fast-check';
import { Decimal, decimalText } from '../../src/numbers/decimal';
import {
  clamp,
  clampSignal,
  compare,
  exact,
  fraction,
  larger,
  minus,
  ONE,
  over,
  plus,
  q9Of,
  quotient,
  smaller,
  times,
  ZERO,
} from '../../src/numbers/fractions';

const Oracle = DecimalJs.clone({ precision: 200, rounding: DecimalJs.ROUND_HALF_EVEN });
const d = (text: string) => new Decimal(text);
const decimal = fc
  .tuple(fc.bigInt({ min: -(10n ** 25n), max: 10n ** 25n }), fc.nat(12))
  .map(([digits, decimals]) => d(digits.toString()).times(`1e-${decimals}`));

test('a quotient with a zero denominator counts as 0', () => {
  expect(quotient(d('7'), d('0'))).toEqual(ZERO);
  expect(over(ONE, ZERO)).toEqual(ZERO);
  expect(fraction(7n, 0n)).toEqual(ZERO);
});

test('the denominator is above zero, whatever the signs', () => {
  expect(compare(quotient(d('1'), d('-2')), ZERO)).toBe(-1);
  expect(compare(over(ONE, minus(ZERO, ONE)), ZERO)).toBe(-1);
});

test('a half over two thirds is three quarters', () => {
  expect(over(fraction(1n, 2n), fraction(2n, 3n))).toEqual({ numerator: 3n, denominator: 4n });
});

test('of equals, the first is the smaller and the larger', () => {
  const [half, same] = [fraction(1n, 2n), fraction(2n, 4n)];
  expect(compare(half, same)).toBe(0);
  expect(smaller(half, same)).toBe(half);
  expect(larger(half, same)).toBe(half);
});

test('two thirds and a third are one: nothing is rounded before the sum', () => {
  const third = quotient(d('1'), d('3'));
  expect(compare(plus(third, plus(third, third)), ONE)).toBe(0);
});

test('quotients are added on one denominator: rounding each would show', () => {
  // 1/2000000000 twice is 10^-9; each alone is a tie that rounds to 0.
  const half = fraction(1n, 2_000_000_000n);
  expect(decimalText(q9Of(half))).toBe('0');
  expect(decimalText(q9Of(plus(half, half)))).toBe('0.000000001');
});

test.each([
  ['3', '2', '1'],
  ['-3', '2', '-1'],
  ['1', '3', '0.333333333'],
  ['-2', '3', '-0.666666667'],
  ['1', '2000000000', '0'],
  ['3', '2000000000', '0.000000002'],
])('clampSignal(%s / %s) is %s', (numerator, denominator, expected) => {
  expect(decimalText(clampSignal(quotient(d(numerator), d(denominator))))).toBe(expected);
});

test('q9 of sums, products and quotients equals decimal.js at precision 200', () => {
  fc.assert(
    fc.property(decimal, decimal, decimal, decimal, (a, b, c, e) => {
      const left = quotient(a, b);
      const oracleQuotient = (x: Decimal, y: Decimal) => (y.isZero() ? new Oracle(0) : new Oracle(x).div(y));
      const combined = plus(times(exact(c), left), minus(exact(e), quotient(c, e)));
      const expected = new Oracle(c).times(oracleQuotient(a, b)).plus(e).minus(oracleQuotient(c, e));
      expect(decimalText(q9Of(combined))).toBe(expected.toDecimalPlaces(9).plus(0).toFixed());
    }),
  );
});

test('compare, smaller, larger and clamp order like decimals', () => {
  fc.assert(
    fc.property(decimal, decimal, (a, b) => {
      const [x, y] = [exact(a), exact(b)];
      expect(compare(x, y)).toBe(a.comparedTo(b));
      expect(compare(smaller(x, y), exact(Decimal.min(a, b)))).toBe(0);
      expect(compare(larger(x, y), exact(Decimal.max(a, b)))).toBe(0);
      expect(compare(clamp(x), exact(Decimal.max(-1, Decimal.min(1, a))))).toBe(0);
    }),
  );
});
