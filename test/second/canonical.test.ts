import { canonicalJson, utf8 } from '../../src/audit/second/canonical';

describe('RFC 8785', () => {
  test('the sample of §3.2.2 and §3.2.4', () => {
    const sample = JSON.parse(
      '{"numbers":[333333333.33333329,1E30,4.50,2e-3,0.000000000000000000000000001],' +
        '"string":"\\u20ac$\\u000F\\u000aA\'\\u0042\\u0022\\u005c\\\\\\"\\/","literals":[null,true,false]}',
    );
    expect(canonicalJson(sample)).toBe(
      '{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],' +
        '"string":"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}',
    );
  });

  test('keys sort by UTF-16 code units, the sample of §3.2.3', () => {
    const sample = {
      '\u20ac': 'Euro Sign',
      '\r': 'Carriage Return',
      '\ufb33': 'Hebrew Letter Dalet With Dagesh',
      '1': 'One',
      '\ud83d\ude00': 'Emoji: Grinning Face',
      '\u0080': 'Control',
      '\u00f6': 'Latin Small Letter O With Diaeresis',
    };
    const order = [...canonicalJson(sample).matchAll(/:"([^"]+)"/g)].map((match) => match[1]);
    expect(order).toEqual([
      'Carriage Return',
      'One',
      'Control',
      'Latin Small Letter O With Diaeresis',
      'Euro Sign',
      'Emoji: Grinning Face',
      'Hebrew Letter Dalet With Dagesh',
    ]);
  });

  test('nested objects sort too, and integer-like keys sort as text', () => {
    expect(canonicalJson({ b: { 10: 1, 9: 2 }, a: [] })).toBe('{"a":[],"b":{"10":1,"9":2}}');
  });

  test('minus zero is 0', () => {
    expect(canonicalJson(-0)).toBe('0');
  });

  test.each([
    [Number.NaN],
    [Number.POSITIVE_INFINITY],
    [undefined],
    [1n],
    ['\ud800'],
    [{ '\udc00': 1 }],
    [{ a: undefined }],
  ])('case %# has no JSON text', (value) => {
    expect(() => canonicalJson(value)).toThrow(TypeError);
  });

  test('surrogate pairs are whole', () => {
    expect(utf8(canonicalJson('\ud83d\ude00'))).toEqual(new Uint8Array([0x22, 0xf0, 0x9f, 0x98, 0x80, 0x22]));
  });
});
