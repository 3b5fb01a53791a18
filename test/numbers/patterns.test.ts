import { COUNT_PATTERN, compareBytes, IDENTIFIER_PATTERN, isPayee } from '../../src/numbers/patterns';

test('identifiers are 1 to 128 ASCII characters of the list', () => {
  for (const id of ['a', 'gpu.v100', 'A-Z_0:9', 'x'.repeat(128)]) expect(id).toMatch(IDENTIFIER_PATTERN);
  for (const id of ['', 'x'.repeat(129), 'a b', 'a\n', 'é', 'a,b', 'a/b', '"a"'])
    expect(id).not.toMatch(IDENTIFIER_PATTERN);
});

test('identifiers compare by bytes, not by a locale', () => {
  expect(['b', 'a', 'B', '_', '-', '10', '9', ':'].sort(compareBytes)).toEqual([
    '-',
    '10',
    '9',
    ':',
    'B',
    '_',
    'a',
    'b',
  ]);
  expect(compareBytes('a', 'a')).toBe(0);
  expect(compareBytes('a', 'ab')).toBe(-1);
  expect(compareBytes('ab', 'a')).toBe(1);
});

test('a payee is a 20-byte address and not the zero address', () => {
  expect(isPayee(`0x${'aB'.repeat(20)}`)).toBe(true);
  expect(isPayee(`0x${'0'.repeat(40)}`)).toBe(false);
  for (const text of ['', `0x${'a'.repeat(39)}`, `0X${'a'.repeat(40)}`, 'a'.repeat(42), `0x${'g'.repeat(40)}`]) {
    expect(isPayee(text)).toBe(false);
  }
});

test('nothing stands before or behind an address', () => {
  const address = `0x${'a'.repeat(40)}`;
  expect([address, ` ${address}`, `${address}0`, `${address}\n`].map(isPayee)).toEqual([true, false, false, false]);
});

test('counts have digits only', () => {
  for (const text of ['', '-1', '1.0', '1e3', '+1']) expect(text).not.toMatch(COUNT_PATTERN);
});
