import fc from 'fast-check';
import { decimal, epoch, identifier, instant, payee } from '../../src/inputs/cells';
import { Refusal } from '../../src/inputs/refusals';
import { IDENTIFIER_PATTERN } from '../../src/numbers/patterns';

const hours = decimal({ decimals: 6, integerDigits: 18, min: '0' });
const share = decimal({ decimals: 6, integerDigits: 18, min: '0', max: '1' });
const price = decimal({ decimals: 12, integerDigits: 30, above: '0' });
const signed = decimal({ decimals: 6, integerDigits: 18 });

const reason = (checked: string | Refusal) => (checked instanceof Refusal ? checked.reason : `accepted ${checked}`);

describe('decimals', () => {
  test.each([
    ['0', '0'],
    ['0.0', '0'],
    ['-0', '0'],
    ['-0.000', '0'],
    ['000', '0'],
    ['007.50', '7.5'],
    ['1.0000000', '1'],
    ['1.500000000000', '1.5'],
    ['0.000001', '0.000001'],
    ['10', '10'],
    ['100.00', '100'],
    ['1000000000000', '1000000000000'],
    ['999999999999999999.999999', '999999999999999999.999999'],
    ['0000000000000000000001', '1'],
  ])('%s is %s in canonical text', (text, canonical) => {
    expect(hours(text)).toBe(canonical);
  });

  test.each(['-1.50', '-1.5', '-001.5'])('the sign of %s stays', (text) => {
    expect(signed(text)).toBe('-1.5');
  });

  test.each([
    ['0.0000001', 'has more than 6 decimals'],
    ['1.00000010', 'has more than 6 decimals'],
    ['1000000000000000000', 'has more than 18 digits before the point'],
    ['-1', 'is out of range'],
    ['-0.000001', 'is out of range'],
    ['', 'is empty'],
    ['NaN', 'is not a number'],
    ['Infinity', 'is not a number'],
    ['null', 'is not a number'],
    ['1e999', 'is not a number'],
    ['1e3', 'is not a number'],
    ['0x10', 'is not a number'],
    ['+1', 'is not a number'],
    ['.5', 'is not a number'],
    ['5.', 'is not a number'],
    ['1,5', 'is not a number'],
    ['1.2.3', 'is not a number'],
    ['--1', 'is not a number'],
    ['-', 'is not a number'],
    [' 1', 'is not a number'],
    ['1 ', 'is not a number'],
    ['1\r', 'is not a number'],
    ['1\0', 'is not a number'],
    ['\u0661', 'is not a number'],
  ])('%j %s', (text, expected) => {
    expect(reason(hours(text))).toBe(expected);
  });

  test('bounds are exact, at any number of digits', () => {
    expect(share('1.000000')).toBe('1');
    expect(reason(share('1.000001'))).toBe('is out of range');
    expect(reason(share('1.7'))).toBe('is out of range');
    expect(price('0.000000000001')).toBe('0.000000000001');
    expect(reason(price('0.000000000000'))).toBe('is out of range');
    expect(price(`${'9'.repeat(30)}.000000000001`)).toBe(`${'9'.repeat(30)}.000000000001`);
  });

  test('canonical text has the value that exact arithmetic gives the input', () => {
    const text = fc
      .tuple(fc.constantFrom('', '-'), fc.stringMatching(/^[0-9]{1,18}$/), fc.stringMatching(/^[0-9]{0,6}$/))
      .map(([sign, whole, decimals]) => sign + whole + (decimals === '' ? '' : `.${decimals}`));
    const micro = (number: string) => {
      const [whole = '', decimals = ''] = number.replace('-', '').split('.');
      return BigInt(whole + decimals.padEnd(6, '0')) * (number.startsWith('-') ? -1n : 1n);
    };
    fc.assert(
      fc.property(text, (number) => {
        const canonical = signed(number);
        if (canonical instanceof Refusal) throw new Error(canonical.reason);
        expect(micro(canonical)).toBe(micro(number));
        expect(canonical).toMatch(/^(0|-?(0|[1-9][0-9]*)\.[0-9]*[1-9]|-?[1-9][0-9]*)$/);
      }),
    );
  });
});

describe('identifiers', () => {
  test('are accepted exactly where they match the pattern of the specification', () => {
    const nearly = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 140 }),
      fc.stringMatching(/^[A-Za-z0-9._:-]{0,130}$/),
      fc.constantFrom('__proto__', 'constructor', 'toString', '', 'a'.repeat(128), 'a'.repeat(129), 'a\n', 'a\tb', 'é'),
    );
    fc.assert(
      fc.property(nearly, (text) => {
        expect(identifier(text) === text).toBe(IDENTIFIER_PATTERN.test(text));
      }),
    );
  });

  test.each(['__proto__', 'constructor', 'toString'])('%s is one like any other', (name) => {
    expect(identifier(name)).toBe(name);
  });
});

describe('epochs', () => {
  test.each([
    ['0', '0'],
    ['007', '7'],
    ['00', '0'],
    ['2147483647', '2147483647'],
  ])('%s is %s', (text, canonical) => {
    expect(epoch(text)).toBe(canonical);
  });

  test.each(['-1', '-0', '1.5', '1.0', '1e3', '+1', ' 1', '2147483648', '9'.repeat(400), 'five'])(
    '%s is none',
    (text) => {
      expect(reason(epoch(text))).toBe('is not an epoch');
    },
  );
});

describe('instants', () => {
  test.each(['2020-02-29T23:59:59Z', '2000-02-29T00:00:00Z', '0001-01-01T00:00:00Z', '9999-12-31T23:59:59Z'])(
    '%s is one',
    (text) => {
      expect(instant(text)).toBe(text);
    },
  );

  test.each([
    '2021-02-29T00:00:00Z',
    '1900-02-29T00:00:00Z',
    '2020-04-31T00:00:00Z',
    '2020-00-01T00:00:00Z',
    '2020-13-01T00:00:00Z',
    '2020-01-00T00:00:00Z',
    '2020-01-01T24:00:00Z',
    '2020-01-01T00:60:00Z',
    '2016-12-31T23:59:60Z',
    '0000-01-01T00:00:00Z',
    '2020-01-01T00:00:00',
    '2020-01-01 00:00:00Z',
    '2020-01-01T00:00:00.5Z',
    '2020-01-01T00:00:00+00:00',
    '2020-1-1T00:00:00Z',
    '1588291200',
  ])('%s is none', (text) => {
    expect(reason(instant(text))).toBe('is not an instant');
  });
});

describe('payees', () => {
  test('are lower case in canonical text', () => {
    expect(payee('0xAbCdEf0123456789aBcDeF0123456789ABCDEF01')).toBe('0xabcdef0123456789abcdef0123456789abcdef01');
  });

  test('the zero address is none', () => {
    expect(reason(payee(`0x${'0'.repeat(40)}`))).toBe('is the zero address, which is no payee');
  });

  test.each([
    `0X${'1'.repeat(40)}`,
    `0x${'1'.repeat(39)}`,
    `0x${'1'.repeat(41)}`,
    '1'.repeat(42),
    `0x${'g'.repeat(40)}`,
  ])('%s is none', (text) => {
    expect(reason(payee(text))).toBe('is not a payee address');
  });
});
