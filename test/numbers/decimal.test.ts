import fc from 'fast-check';
import { bound, Decimal, decimalText, NumberTextError, parseDecimalText, q9, q12 } from '../../src/numbers/decimal';

const d = (text: string) => new Decimal(text);

describe('q9 and q12', () => {
  test.each([
    ['0.0000000005', '0'],
    ['0.0000000015', '0.000000002'],
    ['0.0000000025', '0.000000002'],
    ['-0.0000000015', '-0.000000002'],
    ['-0.0000000005', '0'],
    ['0.00000000250000000000000000000000000000000000000001', '0.000000003'],
    ['123456789012345678901234567890.1234567895', '123456789012345678901234567890.12345679'],
  ])('q9(%s) is %s: half to even', (x, expected) => {
    expect(decimalText(q9(d(x)))).toBe(expected);
  });

  test.each([
    ['0.0000000000005', '0'],
    ['0.0000000000015', '0.000000000002'],
    ['7', '7'],
  ])('q12(%s) is %s', (x, expected) => {
    expect(decimalText(q12(d(x)))).toBe(expected);
  });

  test('rounding once differs from rounding twice, and q9 rounds once', () => {
    const x = d('0.0000000014999999999996');
    expect(decimalText(q9(x))).toBe('0.000000001');
    expect(decimalText(q9(q12(x)))).toBe('0.000000002');
  });
});

test('sums and products keep every digit, far beyond what a row can hold', () => {
  const x = d(`1${'0'.repeat(150)}.000000000001`);
  expect(decimalText(x.times('0.5'))).toBe(`5${'0'.repeat(149)}.0000000000005`);
  expect(decimalText(x.times(x).minus(x.times(`1${'0'.repeat(150)}`)))).toBe(
    `1${'0'.repeat(138)}.000000000000000000000001`,
  );
});

describe('bound', () => {
  test.each([
    ['5', '1', '3', '3'],
    ['0', '1', '3', '1'],
    ['2', '1', '3', '2'],
    // max(lo, min(hi, x)): the lower bound wins where they are out of order.
    ['2', '4', '3', '4'],
  ])('bound(%s, %s, %s) is %s', (x, lowest, highest, expected) => {
    expect(decimalText(bound(d(x), d(lowest), d(highest)))).toBe(expected);
  });
});

describe('parseDecimalText', () => {
  test.each(['1', '-1', '0.5', '007', '1.100000', '-0.0'])('takes %s', (text) => {
    expect(parseDecimalText(text, 1).equals(d(text))).toBe(true);
  });

  test.each(['', '+1', '1e3', '.5', '1.', ' 1', '1\n', 'NaN', 'Infinity', '0x10', '1,5', '--1', '１'])(
    'refuses %j as no number',
    (text) => {
      expect(() => parseDecimalText(text, 9)).toThrow(expect.objectContaining({ reason: 'not-a-number' }));
    },
  );

  test('more decimals than allowed are refused, never rounded away', () => {
    expect(() => parseDecimalText('0.0000000001', 9)).toThrow(NumberTextError);
    expect(() => parseDecimalText('0.0000000001', 9)).toThrow(
      expect.objectContaining({ id: 'number-text', name: 'NumberTextError', reason: 'too-many-decimals' }),
    );
    expect(() => parseDecimalText('0.0000000001', 9)).toThrow('"0.0000000001" has 10 decimals, allowed are 9');
  });

  test('a long text is shown shortened, one of 60 characters whole', () => {
    expect(() => parseDecimalText('x'.repeat(60), 9)).toThrow(`"${'x'.repeat(60)}" is not a number`);
    expect(() => parseDecimalText('x'.repeat(61), 9)).toThrow(`"${'x'.repeat(57)}..." is not a number`);
  });

  test('trailing zeros do not count as decimals', () => {
    expect(decimalText(parseDecimalText('0.1000000000000000', 1))).toBe('0.1');
    expect(decimalText(parseDecimalText('3.000', 0))).toBe('3');
  });
});

describe('decimalText', () => {
  test.each([
    ['-0', '0'],
    ['1.500', '1.5'],
    ['1e30', `1${'0'.repeat(30)}`],
    ['1e-12', '0.000000000001'],
    ['-7.0', '-7'],
  ])('%s is written %s', (x, expected) => {
    expect(decimalText(d(x))).toBe(expected);
  });

  test('is the shortest text that reads back as the same number', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(10n ** 40n), max: 10n ** 40n }), fc.nat(20), (digits, decimals) => {
        const x = d(digits.toString()).times(`1e-${decimals}`);
        const text = decimalText(x);
        expect(d(text).equals(x)).toBe(true);
        expect(text).toMatch(/^(0|-?(0|[1-9]\d*)(\.\d*[1-9])?)$/);
        expect(text).not.toBe('-0');
      }),
    );
  });
});
