import fc from 'fast-check';
import { inputTable } from '../../src/inputs/tables';
import { canonicalLine, compareDecimals, compareRows, requireCanonicalLines } from '../../src/proofs/canonical-lines';

describe('canonical lines', () => {
  const cell = fc.stringMatching(/^[A-Za-z0-9._:-]{0,8}$/);
  const anyCell = fc.oneof(cell, fc.string({ unit: 'binary', maxLength: 4 }), fc.constantFrom(',', '\n', 'a,b', ''));

  test('split at commas into the cells they were made of, or are not made', () => {
    fc.assert(
      fc.property(fc.array(anyCell, { minLength: 1, maxLength: 5 }), (values) => {
        const safe = values.every((value) => /^[A-Za-z0-9._:-]*$/.test(value));
        if (!safe) {
          expect(() => canonicalLine(values)).toThrow(expect.objectContaining({ id: 'unsafe-cell' }));
          return;
        }
        const line = canonicalLine(values);
        expect(line.endsWith('\n')).toBe(true);
        expect(line.slice(0, -1).split(',')).toEqual(values);
      }),
    );
  });

  test('as bytes they are refused where any of them would have been, or has another number of cells', () => {
    const rows = fc.array(fc.array(fc.oneof({ weight: 20, arbitrary: cell }, anyCell), { minLength: 2, maxLength: 3 }));
    fc.assert(
      fc.property(rows, fc.constantFrom('\n', ''), (values, end) => {
        const text = values.map((row) => row.join(',')).join('\n') + (values.length === 0 ? '' : end);
        const sound = values.every((row) => row.length === 3 && row.every((one) => /^[A-Za-z0-9._:-]*$/.test(one)));
        const check = () => requireCanonicalLines(new TextEncoder().encode(text), 3);
        if (values.length === 0 || (sound && end !== '')) check();
        else expect(check).toThrow(expect.objectContaining({ id: 'unsafe-cell' }));
      }),
    );
  });

  test('numbers compare as exact arithmetic compares them', () => {
    const micro = fc.bigInt({ min: -(10n ** 24n), max: 10n ** 24n });
    const text = (value: bigint) => {
      const digits = (value < 0n ? -value : value).toString().padStart(7, '0');
      const number = `${digits.slice(0, -6)}.${digits.slice(-6)}`.replace(/\.?0+$/, '');
      return value < 0n ? `-${number}` : number;
    };
    const near = fc.tuple(micro, fc.integer({ min: -2, max: 2 })).map(([a, step]) => [a, a + BigInt(step)] as const);
    fc.assert(
      fc.property(fc.oneof(fc.tuple(micro, micro), near), ([a, b]) => {
        expect(Math.sign(compareDecimals(text(a), text(b)))).toBe(a < b ? -1 : a > b ? 1 : 0);
      }),
    );
  });

  test('rows compare column by column', () => {
    const { key } = inputTable('capacity');
    const row = (epoch: string, provider: string, market: string) => [epoch, provider, market, '1', '1'];
    expect(compareRows(row('9', 'z', 'z'), row('10', 'a', 'a'), key)).toBeLessThan(0);
    expect(compareRows(row('9', 'a', 'z'), row('9', 'b', 'a'), key)).toBeLessThan(0);
    expect(compareRows(row('9', 'a', 'b'), row('9', 'a', 'a'), key)).toBeGreaterThan(0);
    expect(compareRows(row('9', 'a', 'b'), row('9', 'a', 'b'), key)).toBe(0);
  });
});

describe('a cell that cannot stand in a line is named', () => {
  const bytes = (text: string) => () => requireCanonicalLines(new TextEncoder().encode(text), 2);
  const named = (what: string, where: string) => expect.objectContaining({ id: 'unsafe-cell', what, where });
  const unsafe = (cell: string, column: number, first: string) =>
    named(
      `The cell ${cell} cannot stand in a canonical line.`,
      `column ${column} of the row that begins with ${first}`,
    );

  test('by its column, and its row by the first cell', () => {
    expect(() => canonicalLine(['p1', 'a b'])).toThrow(unsafe('"a b"', 2, '"p1"'));
    expect(() => canonicalLine(['a,b', 'c'])).toThrow(unsafe('"a,b"', 1, '"a,b"'));
    expect(() => canonicalLine(['p1', 'a\n'])).toThrow(unsafe('"a\\n"', 2, '"p1"'));
    expect(bytes('p1,1\np2,a b\n')).toThrow(unsafe('"a b"', 2, '"p2"'));
    expect(bytes('p1,1\n%2,1\n')).toThrow(unsafe('"%2"', 1, '"%2"'));
  });

  test('shortened, if it is long', () => {
    const long = `"${'%'.repeat(79)}`;
    expect(() => canonicalLine(['%'.repeat(200)])).toThrow(unsafe(long, 1, long));
  });

  test('a line of another width is named by where it begins', () => {
    const line = (text: string, cells: number, start: number) =>
      named(`The line ${JSON.stringify(text)} has ${cells} cells, or no end.`, `byte ${start} of the lines`);
    expect(bytes('p1,1\np2\np3,1\n')).toThrow(line('p2', 1, 6));
    expect(bytes('p1,1\np2,1,2\n')).toThrow(line('p2,1,2', 3, 6));
    expect(bytes('p1,1\np2,1')).toThrow(line('p2,1', 2, 6));
    expect(bytes('p1')).toThrow(line('p1', 1, 1));
    expect(bytes(`${'p1,1\n'.repeat(600)}p2\np3,1\n`)).toThrow(line('p2', 1, 3001));
    expect(bytes('')).not.toThrow();
    expect(bytes('p1,1\n,\n')).not.toThrow();
  });
});

test('rows that lack a cell of the key sort like empty cells', () => {
  const key = [{ index: 1, order: 'bytes' }] as const;
  expect(compareRows(['5'], ['5', ''], key)).toBe(0);
  expect(compareRows(['5'], ['5', '-'], key)).toBe(-1);
  expect(compareRows(['5', '-'], ['5'], key)).toBe(1);
});

test.each([
  ['-1', '1', -1],
  ['1', '-1', 1],
  ['-2', '-1', -1],
  ['-1', '-2', 1],
  ['-1.5', '-1.5', 0],
  ['1.5', '1.25', 1],
  ['1', '1.5', -1],
  ['9.5', '10', -1],
])('%s against %s', (left, right, sign) => {
  expect(Math.sign(compareDecimals(left, right))).toBe(sign);
});
