import fc from 'fast-check';
import { parseScaled } from '../../../src/numbers/amounts';
import { LineCursor } from '../../../src/rulesets/1/line-cursor';

const bytes = (lines: readonly string[]) => new TextEncoder().encode(lines.map((line) => `${line}\n`).join(''));

test('cells and lines are passed one after the other, each exactly', () => {
  const line = new LineCursor(bytes(['a,bc,', 'def', 'g,h,i', 'j,k']));
  expect([line.text(), line.text(), line.empty(), line.line()]).toEqual(['a', 'bc', true, 'def']);
  expect(line.empty()).toBe(false);
  const start = line.at;
  line.skip();
  expect(line.textFrom(start)).toBe('g');
  line.nextLine();
  expect([line.line(), line.ended]).toEqual(['j,k', true]);
});

test.each(['text', 'line', 'skip', 'nextLine', 'knownText'] as const)(
  'a table that is cut short is refused: %s',
  (what) => {
    const line = new LineCursor(new TextEncoder().encode('a\nbc'));
    line.nextLine();
    expect(() => line[what]()).toThrow('a table of canonical lines ends in the middle of a line, after its byte 2');
  },
);

describe('compareSecond', () => {
  const other = new TextEncoder().encode('..p1..');
  const compared = (second: string) => new LineCursor(bytes([`7,${second},x`])).compareSecond(other, 2, 4);

  test.each([
    ['p1', 0],
    ['p', -1],
    ['p10', 1],
    ['p2', 1],
    ['p0', -1],
    ['q', 1],
    ['o9', -1],
  ])('%s against p1', (second, sign) => {
    expect(Math.sign(compared(second))).toBe(sign);
  });

  test('is above all at the end of the table, and passes nothing before it', () => {
    const line = new LineCursor(bytes(['7,p1,x']));
    expect([line.compareSecond(other, 2, 4), line.at]).toEqual([0, 0]);
    line.nextLine();
    expect(line.compareSecond(other, 2, 4)).toBe(1);
  });
});

describe('small', () => {
  const small = (text: string, decimals: number) => {
    // Not at the beginning, so that a length is none of a place.
    const line = new LineCursor(bytes([`before,${text},next`]));
    line.skip();
    const value = line.small(decimals);
    return { value, next: line.text() };
  };

  test('is what parseScaled makes of the cell, or leaves the cell to it', () => {
    fc.assert(
      fc.property(
        fc.nat(),
        fc.stringMatching(/^[0-9]{0,12}$/),
        fc.integer({ min: 0, max: 9 }),
        (whole, part, decimals) => {
          const text = part === '' ? `${whole}` : `${whole}.${part}`;
          const { value, next } = small(text, decimals);
          expect(next).toBe('next');
          if (value >= 0) expect(BigInt(value)).toBe(parseScaled(text, decimals));
          else expect(String(whole).length + decimals > 15 || part.length > decimals).toBe(true);
        },
      ),
    );
  });

  test.each([
    ['5', 6, 5_000_000],
    ['5', 0, 5],
    ['0', 6, 0],
    ['0.000001', 6, 1],
    ['12.5', 1, 125],
    ['123456789', 6, 123_456_789_000_000],
    ['123456789.012345', 6, 123_456_789_012_345],
    ['1234567890', 6, -1],
  ])('%s with %i decimals is %i', (text, decimals, value) => {
    expect(small(text, decimals)).toEqual({ value, next: 'next' });
  });

  test('of the last cell of a line ends before the next line', () => {
    const line = new LineCursor(bytes(['a,1.5', 'b,2']));
    line.skip();
    expect([line.small(1), line.text(), line.small(0), line.ended]).toEqual([15, 'b', 2, true]);
  });

  test.each(['', '.', '.5', '1.', '-1', '+1', '1e3', '1.2.3', ' 1', '0x1', '1234567890123456', '1.2345678'])(
    'leaves %p to parseScaled',
    (text) => {
      expect(small(text, 6)).toEqual({ value: -1, next: 'next' });
    },
  );
});

test('knownText tells texts apart that share their place', () => {
  const markets = Array.from({ length: 5000 }, (_, index) => `market-${index % 2500}`);
  const line = new LineCursor(bytes(markets));
  for (const market of markets) expect(line.knownText()).toBe(market);
  expect(line.ended).toBe(true);
});
