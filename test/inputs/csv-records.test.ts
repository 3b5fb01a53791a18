import { parse } from 'csv-parse/sync';
import fc from 'fast-check';
import { type CsvFault, type CsvRecord, csvRecords, RECORD_BYTES } from '../../src/inputs/csv-records';

/** Reads a text in chunks of the given size; what is read must not depend on where the chunks end. */
async function read(text: string | Buffer, chunkBytes = 7): Promise<{ records: CsvRecord[]; faults: CsvFault[] }> {
  const bytes = Buffer.from(text as string);
  async function* chunks() {
    for (let at = 0; at < bytes.length; at += chunkBytes) yield bytes.subarray(at, at + chunkBytes);
  }
  const records: CsvRecord[] = [];
  const faults: CsvFault[] = [];
  for await (const piece of csvRecords(chunks())) {
    records.push(...piece.records);
    faults.push(...piece.faults);
  }
  return { records, faults };
}

const cellsOf = (records: readonly CsvRecord[]) => records.map(({ cells }) => cells);

describe.each([1, 2, 3, 5, 1000])('in chunks of %i bytes', (chunkBytes) => {
  test.each([
    ['plain lines', 'a,b\nc,d\n'],
    ['CRLF', 'a,b\r\nc,d\r\n'],
    ['no newline at the end', 'a,b\nc,d'],
    ['CRLF and no newline at the end', 'a,b\r\nc,d\r'],
    ['quotes around cells', '"a","b"\n"c","d"\n'],
    ['quotes and CRLF', '"a","b"\r\nc,"d"\r\n'],
    ['quotes and no newline at the end', 'a,b\n"c","d"'],
    ['quotes around some cells', 'a,"b"\n"c",d\n'],
    ['a byte order mark', '\ufeffa,b\nc,d\n'],
    ['a byte order mark and quotes', '\ufeff"a",b\nc,d\n'],
  ])('%s', async (_name, text) => {
    expect(await read(text, chunkBytes)).toEqual({
      records: [
        { line: 1, cells: ['a', 'b'] },
        { line: 2, cells: ['c', 'd'] },
      ],
      faults: [],
    });
  });

  test('quotes hold commas, doubled quotes and line breaks, and lines are counted through them', async () => {
    const { records, faults } = await read('a,"x,y"\n"1\n2\r\n3","say ""hi"""\nlast,""\n', chunkBytes);
    expect(faults).toEqual([]);
    expect(records).toEqual([
      { line: 1, cells: ['a', 'x,y'] },
      { line: 2, cells: ['1\n2\r\n3', 'say "hi"'] },
      { line: 5, cells: ['last', ''] },
    ]);
  });

  test('a faulty line leaves those around it readable', async () => {
    const { records, faults } = await read('a,b\nx"y,z\n"m"n,o\n\n\r\nc,d\n', chunkBytes);
    expect(cellsOf(records)).toEqual([
      ['a', 'b'],
      ['c', 'd'],
    ]);
    expect(records[1]?.line).toBe(6);
    expect(faults.map(({ line, text, refusal }) => [line, text, refusal.reason])).toEqual([
      [2, 'x"y,z', 'has a quote inside an unquoted cell'],
      [3, '"m"n,o', 'has text after the quote that closes a cell'],
      [4, '', 'is a blank line'],
      [5, '', 'is a blank line'],
    ]);
  });

  test('a quote that is never closed is named by the line it opens on', async () => {
    const { records, faults } = await read('a,b\nc,"d\ne,f\n', chunkBytes);
    expect(faults.map(({ line, refusal }) => [line, refusal.reason])).toEqual([
      [2, 'has a quote that is never closed'],
    ]);
    expect(records.map(({ line }) => line)).toEqual([1, 3]);
  });
});

test('an empty stream has neither records nor faults', async () => {
  expect(await read('')).toEqual({ records: [], faults: [] });
});

test.each([
  ['without quotes', 'x'.repeat(RECORD_BYTES + 1)],
  ['inside quotes', `"${'x'.repeat(RECORD_BYTES)}`],
  ['ended by a newline', `${'x'.repeat(RECORD_BYTES + 1)}\n`],
  ['quoted and ended', `"${'x'.repeat(RECORD_BYTES)}"\n`],
])('a record over the limit, %s, stops the reading', async (_name, long) => {
  for (const chunkBytes of [10_000, 1_000_000]) {
    const { records, faults } = await read(`a,b\n${long}${'\nc,d'.repeat(30_000)}`, chunkBytes);
    expect(cellsOf(records)).toEqual([['a', 'b']]);
    expect(faults.map(({ line }) => line)).toEqual([2]);
    expect(faults[0]?.refusal.reason).toContain(`longer than ${RECORD_BYTES} bytes`);
  }
});

test('a record of just the limit is read', async () => {
  const { records, faults } = await read(`${'x'.repeat(RECORD_BYTES)}\nc`, 10_000);
  expect(faults).toEqual([]);
  expect(records.map(({ cells }) => cells[0]?.length)).toEqual([RECORD_BYTES, 1]);
});

test('an endless line is given up after the limit, whatever follows', async () => {
  let pulled = 0;
  async function* endless() {
    for (;;) {
      pulled++;
      yield Buffer.alloc(RECORD_BYTES, 'x');
    }
  }
  let faults = 0;
  for await (const piece of csvRecords(endless())) faults += piece.faults.length;
  expect([faults, pulled]).toEqual([1, 2]);
});

test('records are those that csv-parse reads', async () => {
  const cell = fc.string({ unit: fc.constantFrom('a', 'b', '0', '"', ',', '\n', '\r\n', ' '), maxLength: 6 });
  const written = fc.tuple(cell, fc.boolean()).map(([text, quote]) => {
    return quote || /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  });
  const row = fc.array(written, { minLength: 2, maxLength: 4 });
  const file = fc.record({
    rows: fc.array(row, { minLength: 1, maxLength: 6 }),
    newline: fc.constantFrom('\n', '\r\n'),
    ended: fc.boolean(),
    chunkBytes: fc.integer({ min: 1, max: 12 }),
  });
  await fc.assert(
    fc.asyncProperty(file, async ({ rows, newline, ended, chunkBytes }) => {
      const text = rows.map((cells) => cells.join(',')).join(newline) + (ended ? newline : '');
      const { records, faults } = await read(text, chunkBytes);
      expect(faults).toEqual([]);
      expect(cellsOf(records)).toEqual(parse(text, { relax_column_count: true, record_delimiter: newline }));
    }),
    { numRuns: 500 },
  );
});
