import { canonicalJson } from '../../src/proofs/canonical-json';

describe('RFC 8785', () => {
  test('its first example (section 3.2.2 and 3.2.3)', () => {
    const input = String.raw`{
      "numbers": [333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001],
      "string": "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/",
      "literals": [null, true, false]
    }`;
    expect(canonicalJson(JSON.parse(input))).toBe(
      String.raw`{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],"string":"€$\u000f\nA'B\"\\\\\"/"}`,
    );
  });

  test('keys are sorted by UTF-16 units (section 3.2.3)', () => {
    const input = String.raw`{
      "\u20ac": "Euro Sign",
      "\r": "Carriage Return",
      "\ufb33": "Hebrew Letter Dalet With Dagesh",
      "1": "One",
      "\ud83d\ude00": "Emoji: Grinning Face",
      "\u0080": "Control",
      "\u00f6": "Latin Small Letter O With Diaeresis"
    }`;
    const values = Object.values(JSON.parse(canonicalJson(JSON.parse(input))) as Record<string, string>);
    // JSON.parse puts the integer key first; in the text itself the carriage return is.
    expect(canonicalJson(JSON.parse(input))).toMatch(/^\{"\\r":"Carriage Return","1":"One","\u0080":"Control",/);
    expect(values.slice(2)).toEqual([
      'Control',
      'Latin Small Letter O With Diaeresis',
      'Euro Sign',
      'Emoji: Grinning Face',
      'Hebrew Letter Dalet With Dagesh',
    ]);
  });

  test.each([
    ['0000000000000000', '0'],
    ['8000000000000000', '0'],
    ['0000000000000001', '5e-324'],
    ['8000000000000001', '-5e-324'],
    ['7fefffffffffffff', '1.7976931348623157e+308'],
    ['ffefffffffffffff', '-1.7976931348623157e+308'],
    ['4340000000000000', '9007199254740992'],
    ['c340000000000000', '-9007199254740992'],
    ['4430000000000000', '295147905179352830000'],
    ['44b52d02c7e14af5', '9.999999999999997e+22'],
    ['44b52d02c7e14af6', '1e+23'],
    ['44b52d02c7e14af7', '1.0000000000000001e+23'],
    ['444b1ae4d6e2ef4e', '999999999999999700000'],
    ['444b1ae4d6e2ef4f', '999999999999999900000'],
    ['444b1ae4d6e2ef50', '1e+21'],
    ['3eb0c6f7a0b5ed8c', '9.999999999999997e-7'],
    ['3eb0c6f7a0b5ed8d', '0.000001'],
    ['41b3de4355555553', '333333333.3333332'],
    ['41b3de4355555554', '333333333.33333325'],
    ['41b3de4355555555', '333333333.3333333'],
    ['41b3de4355555556', '333333333.3333334'],
    ['41b3de4355555557', '333333333.33333343'],
    ['becbf647612f3696', '-0.0000033333333333333333'],
    ['43143ff3c1cb0959', '1424953923781206.2'],
  ])('the number %s is written %s (appendix B)', (bits, text) => {
    expect(canonicalJson(Buffer.from(bits, 'hex').readDoubleBE())).toBe(text);
  });
});

describe('what canonical JSON cannot hold', () => {
  class Money {}
  test.each([
    ['NaN', { a: [1, Number.NaN] }, '$.a[1]'],
    ['Infinity', Number.POSITIVE_INFINITY, '$'],
    ['a bigint', { amount: 1n }, '$.amount'],
    ['undefined', { a: undefined }, '$.a'],
    ['a hole in an array', { a: new Array(1) }, '$.a[0]'],
    ['a function', { f: () => 1 }, '$.f'],
    ['a date', { at: new Date(0) }, '$.at'],
    ['an object of a class', { m: new Money() }, '$.m'],
    ['an object that says what it is in JSON', { m: { toJSON: () => 1 } }, '$.m'],
    ['a map', new Map(), '$'],
    ['a lone high surrogate', { s: 'a\ud800' }, '$.s'],
    ['a lone low surrogate', ['\udc00a'], '$[0]'],
    ['a lone surrogate in a key', { '\ud800': 1 }, '$'],
  ])('%s is refused with its path', (_name, value, where) => {
    expect(() => canonicalJson(value)).toThrow(expect.objectContaining({ id: 'not-json', where }));
  });

  test.each([
    [new Date(0), 'an object of a class'],
    [1n, 'a value of type bigint'],
    [Number.NaN, 'the number NaN'],
  ])('%s is refused by what it is', (value, words) => {
    expect(() => canonicalJson(value)).toThrow(`Canonical JSON cannot hold ${words}.`);
  });

  test('an object without a prototype is data', () => {
    expect(canonicalJson(Object.assign(Object.create(null), { a: 1 }))).toBe('{"a":1}');
  });

  test('a whole surrogate pair and a key named __proto__ are data', () => {
    expect(canonicalJson(JSON.parse('{"__proto__":1,"a":"\\ud83d\\ude00"}'))).toBe('{"__proto__":1,"a":"😀"}');
  });
});
