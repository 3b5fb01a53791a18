import {
  bound,
  clamp,
  decimal,
  decimalText,
  floorOf,
  fraction,
  median,
  q9,
  q12,
  quotient,
  roundHalfEven,
  ZERO,
} from '../../src/audit/second/fraction';

const of = (text: string) => decimal(text, 30);

describe('qN rounds once, half to even (spec §1)', () => {
  test.each([
    ['0.5', 0, '0'],
    ['1.5', 0, '2'],
    ['2.5', 0, '2'],
    ['-0.5', 0, '0'],
    ['-1.5', 0, '-2'],
    ['-2.5', 0, '-2'],
    ['2.500000001', 0, '3'],
    ['-2.500000001', 0, '-3'],
    ['2.499999999', 0, '2'],
    ['0.0000000005', 9, '0'],
    ['0.0000000015', 9, '0.000000002'],
    ['0.0000000025', 9, '0.000000002'],
  ])('%s to %i decimals is %s', (text, decimals, expected) => {
    expect(decimalText(roundHalfEven(of(text), decimals))).toBe(expected);
  });

  test('an endless quotient is rounded from its exact value', () => {
    expect(decimalText(q9(fraction(2n, 3n)))).toBe('0.666666667');
    expect(decimalText(q12(fraction(-1n, 3n)))).toBe('-0.333333333333');
  });

  test('a value a hair above the half is not taken for the half', () => {
    const hair = fraction(5n * 10n ** 200n + 1n, 10n ** 210n);
    expect(decimalText(q9(hair))).toBe('0.000000001');
  });
});

test('floor goes down, also below zero', () => {
  expect(floorOf(fraction(-7n, 2n))).toBe(-4n);
  expect(floorOf(fraction(-8n, 2n))).toBe(-4n);
  expect(floorOf(fraction(7n, 2n))).toBe(3n);
});

test('a negative denominator moves its sign up', () => {
  expect(fraction(1n, -2n)).toEqual({ numerator: -1n, denominator: 2n });
  expect(() => fraction(1n, 0n)).toThrow(RangeError);
});

test('a quotient with a zero denominator counts as 0', () => {
  expect(quotient(of('7'), ZERO)).toEqual(ZERO);
});

test('clamp and bound', () => {
  expect(decimalText(clamp(of('-1.0001')))).toBe('-1');
  expect(decimalText(clamp(of('0.3')))).toBe('0.3');
  // bound = max(lo, min(hi, x)): the lower limit wins where the two cross.
  expect(decimalText(bound(of('5'), of('3'), of('2')))).toBe('3');
});

describe('median', () => {
  test('of an odd count is the middle value by size', () => {
    expect(decimalText(median(['10', '9', '-1'].map(of)))).toBe('9');
  });

  test('of an even count is the mean of the middle two, q12 at once', () => {
    const pair = ['0.000000000002', '0.000000000001'].map(of);
    expect(decimalText(median(pair))).toBe('0.000000000002');
    expect(decimalText(median(['0.000000000002', '0.000000000003'].map(of)))).toBe('0.000000000002');
    expect(decimalText(median(['1', '2', '4', '100'].map(of)))).toBe('3');
  });

  test('of nothing is an error', () => {
    expect(() => median([])).toThrow(RangeError);
  });
});

describe('decimal text', () => {
  test.each([
    ['-0', '0'],
    ['-0.000', '0'],
    ['007.500', '7.5'],
    ['1000000000000', '1000000000000'],
    ['0.000000000001', '0.000000000001'],
    ['-12.30', '-12.3'],
    ['100', '100'],
  ])('%s is %s in canonical text', (text, expected) => {
    expect(decimalText(of(text))).toBe(expected);
  });

  test.each(['', '1.', '.5', '+1', '1e3', '1,5', ' 1', '--1', 'NaN', '٣'])('%p is no number', (text) => {
    expect(() => of(text)).toThrow(RangeError);
  });

  test('more decimals than allowed are an error, trailing zeros do not count', () => {
    expect(() => decimal('0.1234567', 6)).toThrow(/7 decimals/);
    expect(decimalText(decimal('0.123456000', 6))).toBe('0.123456');
  });

  test('an endless decimal has no text', () => {
    expect(() => decimalText(fraction(1n, 3n))).toThrow(RangeError);
  });
});
