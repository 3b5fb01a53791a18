import picocolors from 'picocolors';
import { type Sheet, safeJson, safeText, sheetText } from '../../src/cli/output';

const plain = picocolors.createColors(false);

interface Row {
  readonly name: string;
  readonly amount: string;
  readonly count: number;
  readonly note: string | null;
}

const sheet = (rows: readonly Row[]): Sheet<Row> => ({
  columns: [
    { key: 'name', title: 'Name', type: 'id', value: (row) => row.name },
    { key: 'amount', title: 'Amount', type: 'amount', value: (row) => row.amount },
    { key: 'count', title: 'Count', type: 'count', value: (row) => row.count },
    { key: 'note', title: 'Note', type: 'text', value: (row) => row.note },
  ],
  rows,
  empty: 'Nothing here.',
});

const ROW: Row = { name: '-a.b', amount: '123456789012345678901234567890', count: 3, note: null };

describe('sheetText', () => {
  it('writes amounts of any size as text in JSON, and counts as numbers', () => {
    expect(JSON.parse(sheetText(sheet([ROW]), 'json', plain, 80))).toEqual([
      { name: '-a.b', amount: '123456789012345678901234567890', count: 3, note: null },
    ]);
  });

  it('writes one object a line as jsonl, and nothing for no rows', () => {
    expect(
      sheetText(sheet([ROW, ROW]), 'jsonl', plain, 80)
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line)),
    ).toHaveLength(2);
    expect(sheetText(sheet([]), 'jsonl', plain, 80)).toBe('');
  });

  it('writes CSV with a heading, quoted where RFC 4180 asks for it', () => {
    const row = { ...ROW, note: 'one, "two"' };
    expect(sheetText(sheet([row]), 'csv', plain, 80)).toBe(
      'name,amount,count,note\n-a.b,123456789012345678901234567890,3,"one, ""two"""\n',
    );
  });

  it('keeps a spreadsheet from taking a text of a person for a formula, but leaves identifiers as they are', () => {
    const row = { ...ROW, note: '=HYPERLINK("x")' };
    expect(sheetText(sheet([row]), 'csv', plain, 80)).toContain(
      `-a.b,123456789012345678901234567890,3,"'=HYPERLINK(""x"")"`,
    );
  });

  it.each(['=1+1', '+1+1', '-1+1', '@SUM(A1)', '-A1', '\uff1dcmd', '--1'])('defuses %j in a text column', (note) => {
    expect(sheetText(sheet([{ ...ROW, note }]), 'csv', plain, 80)).toContain(`,'${note}\n`);
  });

  it('leaves numbers below zero numbers, in every column', () => {
    const row = { ...ROW, amount: '-20370547843674150100940', note: '-0.5' };
    expect(sheetText(sheet([row]), 'csv', plain, 80)).toContain('-a.b,-20370547843674150100940,3,-0.5\n');
  });

  it('aligns figures right in the table and says so where there is nothing', () => {
    const table = sheetText(sheet([ROW, { ...ROW, amount: '7' }]), 'table', plain, 80).split('\n');
    expect(table[2]!.indexOf('0  ')).toBe(table[3]!.indexOf('7  '));
    expect(sheetText(sheet([]), 'table', plain, 80)).toBe('Nothing here.\n');
  });

  it.each(['table', 'json', 'jsonl', 'csv'] as const)(
    'lets no control character of a value through as %s',
    (format) => {
      const row = { ...ROW, note: 'red \u001b[31m, back \u0008, turned \u202e, wide \u009b1m' };
      // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not be there
      expect(sheetText(sheet([row]), format, plain, 80)).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/);
    },
  );
});

describe('safeJson', () => {
  it('parses to the same value that it was made from', () => {
    const value = { text: 'a\u001b[0m\u202e\u2028b' };
    expect(JSON.parse(safeJson(value, 2))).toEqual(value);
  });
});

describe('safeText', () => {
  it('leaves letters of all languages alone', () => {
    expect(safeText('Zürich 東京 –')).toBe('Zürich 東京 –');
  });
});
