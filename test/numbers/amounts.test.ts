import { Decimal as DecimalJs } from 'decimal.js';
import fc from 'fast-check';
import {
  amountText,
  decimalOf,
  floorDivide,
  fromNano,
  microUnitsText,
  parseAmount,
  parseCount,
  parseMicroUnits,
  parseScaled,
  parseSmallScaled,
  roundHalfEvenDivide,
  scaledOf,
  scaledText,
  toNano,
  unitHoursOf,
} from '../../src/numbers/amounts';
import { Decimal } from '../../src/numbers/decimal';
import type { Amount, MicroUnits, NanoRatio, Ratio } from '../../src/numbers/units';

/** The oracle of this file: decimal.js at precision 200. */
const Oracle = DecimalJs.clone({
  precision: 200,
  rounding: DecimalJs.ROUND_HALF_EVEN,
  toExpPos: 9e15,
  toExpNeg: -9e15,
});
const integer = fc.bigInt({ min: -(10n ** 60n), max: 10n ** 60n });
const divisor = fc.bigInt({ min: 1n, max: 10n ** 40n });

describe('roundHalfEvenDivide', () => {
  test.each([
    [5n, 2n, 2n],
    [7n, 2n, 4n],
    [-5n, 2n, -2n],
    [-7n, 2n, -4n],
    [1n, 2n, 0n],
    [-1n, 2n, 0n],
    [3n, 2n, 2n],
    [2n, 3n, 1n],
    [1n, 3n, 0n],
    [-2n, 3n, -1n],
    [6n, 3n, 2n],
  ])('%s / %s is %s', (numerator, denominator, expected) => {
    expect(roundHalfEvenDivide(numerator, denominator)).toBe(expected);
  });

  test('equals decimal.js at precision 200, ties included', () => {
    const tie = fc.tuple(integer, divisor).map(([n, d]) => [n * d * 2n + d, d * 2n] as const);
    fc.assert(
      fc.property(fc.oneof(fc.tuple(integer, divisor), tie), ([numerator, denominator]) => {
        const expected = new Oracle(numerator.toString()).div(denominator.toString()).toDecimalPlaces(0);
        expect(roundHalfEvenDivide(numerator, denominator).toString()).toBe(expected.plus(0).toFixed());
      }),
    );
  });
});

test('floorDivide rounds down on both sides of zero', () => {
  expect([floorDivide(7n, 2n), floorDivide(-7n, 2n), floorDivide(-6n, 2n), floorDivide(0n, 5n)]).toEqual([
    3n,
    -4n,
    -3n,
    0n,
  ]);
  fc.assert(
    fc.property(integer, divisor, (numerator, denominator) => {
      const quotient = floorDivide(numerator, denominator);
      expect(quotient * denominator <= numerator && numerator < (quotient + 1n) * denominator).toBe(true);
    }),
  );
});

describe('texts of scaled integers', () => {
  test.each([
    ['1.5', 1_500_000n, '1.5'],
    ['0.000001', 1n, '0.000001'],
    ['-0.5', -500_000n, '-0.5'],
    ['-0', 0n, '0'],
    ['-0.0', 0n, '0'],
    ['007.1000000', 7_100_000n, '7.1'],
    ['12', 12_000_000n, '12'],
  ])('%s is %s micro-units and written back as %s', (text, scaled, canonical) => {
    expect(parseScaled(text, 6)).toBe(scaled);
    expect(scaledText(scaled, 6)).toBe(canonical);
  });

  test('read and write are inverse for any size', () => {
    fc.assert(
      fc.property(integer, fc.nat(20), (scaled, decimals) => {
        expect(parseScaled(scaledText(scaled, decimals), decimals)).toBe(scaled);
        expect(scaledOf(decimalOf(scaled, decimals), decimals)).toBe(scaled);
      }),
    );
  });

  test('what does not fit is refused', () => {
    expect(() => parseMicroUnits('0.0000001')).toThrow('allowed are 6');
    expect(() => parseMicroUnits('1e3')).toThrow('is not a number');
    expect(() => parseAmount('1.5')).toThrow('allowed are 0');
    expect(parseAmount('340282366920938463463374607431768211456')).toBe(2n ** 128n);
    expect(microUnitsText(parseMicroUnits('2.50'))).toBe('2.5');
  });

  test('each unit has its own scale', () => {
    expect(unitHoursOf(1_500_000n as MicroUnits).toFixed()).toBe('1.5');
    expect(fromNano(1_500_000_000n as NanoRatio).toFixed()).toBe('1.5');
    expect(amountText(1_500_000n as Amount)).toBe('1500000');
  });

  test('whole numbers keep the zeros at their end', () => {
    expect([scaledText(100n, 0), scaledText(0n, 0), scaledText(100_000_000n, 6)]).toEqual(['100', '0', '100']);
  });

  test('a value that was not quantised is not cut off in silence', () => {
    expect(() => toNano(new Decimal('0.0000000001') as Ratio)).toThrow(RangeError);
    expect(toNano(new Decimal('-0.5') as Ratio)).toBe(-500_000_000n);
  });
});

describe('parseCount', () => {
  test.each([
    ['0', 0],
    ['0042', 42],
    ['9007199254740991', 9007199254740991],
  ])('%s is %s', (text, count) => {
    expect(parseCount(text)).toBe(count);
  });

  test.each([
    ['-1', 'not-a-count'],
    ['1.0', 'not-a-count'],
    ['', 'not-a-count'],
    ['9007199254740992', 'too-large'],
  ])('refuses %j as %s', (text, reason) => {
    expect(() => parseCount(text)).toThrow(expect.objectContaining({ reason }));
  });
});

describe('parseSmallScaled', () => {
  test('of short plain numbers is what parseScaled makes of them, wherever they stand', () => {
    const decimals = fc.integer({ min: 0, max: 9 });
    const digits = fc.bigInt({ min: 0n, max: 10n ** 18n });
    fc.assert(
      fc.property(digits, decimals, decimals, (value, own, allowed) => {
        const text = scaledText(value, own);
        const small = parseSmallScaled(`x,${text},y`, allowed, 2, 2 + text.length);
        if (small >= 0) expect(BigInt(small)).toBe(parseScaled(text, allowed));
        else expect(text.length + allowed > 15 || (text.split('.')[1] ?? '').length > allowed).toBe(true);
      }),
    );
  });

  test('takes 15 digits with those that the decimals add, from wherever they stand', () => {
    expect(parseSmallScaled('123456789012345', 0)).toBe(123_456_789_012_345);
    expect(parseSmallScaled('123456789', 6)).toBe(123_456_789_000_000);
    expect(parseSmallScaled('1', 14)).toBe(100_000_000_000_000);
    expect(parseSmallScaled(`${'x'.repeat(20)}9.9,7`, 1, 20, 23)).toBe(99);
    expect(parseSmallScaled('1.05', 6)).toBe(1_050_000);
    expect(parseSmallScaled('1234567890123456', 0)).toBe(-1);
    expect(parseSmallScaled('1', 15)).toBe(-1);
  });

  test.each(['', '.', '.5', '1.', '-1', '+1', '1e3', '1a', '1.a', '1.2.3', ' 1', '0x1', '1234567890123456'])(
    'leaves %p to parseScaled',
    (text) => {
      expect(parseSmallScaled(text, 6)).toBe(-1);
    },
  );

  test('more decimals than allowed are not rounded away', () => {
    expect(parseSmallScaled('1.2345678', 6)).toBe(-1);
    expect(() => parseScaled('1.2345678', 6)).toThrow();
  });
});
