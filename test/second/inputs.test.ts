import { parseCsv } from '../../src/audit/second/csv';
import { type BundleFiles, canonicalTables, readBundle, rowsByEpoch } from '../../src/audit/second/inputs';

const EMPTY: BundleFiles = {
  providers: 'provider,joined_epoch,status,payee\n',
  capacity: 'epoch,provider,market,offered,served\n',
  performance: 'epoch,provider,uptime,response_ms,error_rate,rating\n',
  demand: 'epoch,market,requested\n',
  quotes: 'epoch,market,source,usd_per_unit\n',
  token: 'epoch,source,observed_at,price_usd,volume_usd\n',
  macro: 'epoch,index\n',
};
const MARKETS = new Set(['gpu', 'tpu']);

/** The bundle with lines put below the headers of some of its files. */
function bundle(lines: Partial<Record<keyof BundleFiles, string[]>>) {
  const files = Object.fromEntries(
    Object.entries(EMPTY).map(([name, header]) => {
      const more = lines[name as keyof BundleFiles] ?? [];
      return [name, header + more.map((line) => `${line}\n`).join('')];
    }),
  );
  return readBundle(files as unknown as BundleFiles, MARKETS);
}

describe('RFC 4180', () => {
  test.each([
    ['\n', 'a,b\n1,2\n'],
    ['CRLF', 'a,b\r\n1,2\r\n'],
    ['no end at the last line', 'a,b\n1,2'],
    ['quoted cells', '"a",b\n1,"2"\n'],
  ])('lines with %s', (_, text) => {
    expect(parseCsv(text)).toEqual([
      { line: 1, cells: ['a', 'b'] },
      { line: 2, cells: ['1', '2'] },
    ]);
  });

  test('commas, quotes and line ends inside of quotes belong to the cell', () => {
    expect(parseCsv('"a,""b""\nc",\nd,e\n')).toEqual([
      { line: 1, cells: ['a,"b"\nc', ''] },
      { line: 3, cells: ['d', 'e'] },
    ]);
  });

  test('a quote that is not closed, or followed by text, is an error', () => {
    expect(() => parseCsv('"a\n')).toThrow(/never closed/);
    expect(() => parseCsv('"a"b\n')).toThrow(/closing quote/);
  });
});

describe('canonical rows (spec §9)', () => {
  test('numbers are plain and shortest, payees lower-case, empty cells nothing', () => {
    const { tables } = bundle({
      providers: [`p,007,active,0x${'Ab'.repeat(20)}`],
      capacity: ['07,p,gpu,010.500000000,-0'],
      performance: ['7,p,,100.0,,'],
    });
    expect(tables.providers).toEqual([['p', '7', 'active', `0x${'ab'.repeat(20)}`]]);
    expect(tables.capacity).toEqual([['7', 'p', 'gpu', '10.5', '0']]);
    expect(tables.performance).toEqual([['7', 'p', '', '100', '', '']]);
  });

  test('identifiers sort by bytes, numbers by value', () => {
    const { tables } = bundle({
      providers: ['a,0,active,', 'B,0,active,', '10,0,active,', '9,0,active,', '_,0,active,'],
      quotes: ['10,gpu,x,10', '9,gpu,x,1', '10,gpu,x,9', '10,gpu,x,9.5'],
    });
    expect(tables.providers.map((row) => row[0])).toEqual(['10', '9', 'B', '_', 'a']);
    expect(tables.quotes.map((row) => [row[0], row[3]].join(':'))).toEqual(['9:1', '10:9', '10:9.5', '10:10']);
  });

  test('the same row again counts once, also in another spelling', () => {
    expect(bundle({ quotes: ['1,gpu,x,2.5', '1,gpu,x,2.50'] }).tables.quotes).toHaveLength(1);
    expect(bundle({ demand: ['1,gpu,2', '1,gpu,2.000'] }).tables.demand).toEqual([['1', 'gpu', '2']]);
  });
});

describe('rows that are refused, by file and line', () => {
  const provider = 'p,3,active,';
  test.each<[string, Partial<Record<keyof BundleFiles, string[]>>]>([
    ['demand.csv:3', { demand: ['1,gpu,2', '1,gpu,3'] }],
    ['demand.csv:2', { demand: ['1,cpu,2'] }],
    ['demand.csv:2', { demand: ['1,gpu,-2'] }],
    ['demand.csv:2', { demand: ['1,gpu,0.1234567'] }],
    ['demand.csv:2', { demand: ['1.0,gpu,2'] }],
    ['demand.csv:2', { demand: ['1,gpu'] }],
    ['demand.csv:2', { demand: [''] }],
    ['quotes.csv:2', { quotes: ['1,gpu,x,0'] }],
    ['quotes.csv:2', { quotes: ['1,cpu,x,1'] }],
    ['quotes.csv:2', { quotes: ['1,gpu,x y,1'] }],
    ['capacity.csv:2', { capacity: ['3,q,gpu,1,1'], providers: [provider] }],
    ['capacity.csv:2', { capacity: ['2,p,gpu,1,1'], providers: [provider] }],
    ['capacity.csv:2', { capacity: ['3,p,gpu,1,1.000001'], providers: [provider] }],
    ['capacity.csv:2', { capacity: ['3,p,cpu,1,1'], providers: [provider] }],
    ['performance.csv:2', { performance: ['3,q,1,,,'] }],
    ['performance.csv:2', { performance: ['3,p,1.1,,,'], providers: [provider] }],
    ['performance.csv:2', { performance: ['3,p,1,,,0.9'], providers: [provider] }],
    ['performance.csv:2', { performance: ['3,p,1,1.0001,,'], providers: [provider] }],
    ['providers.csv:2', { providers: ['p,3,paused,'] }],
    ['providers.csv:2', { providers: [`p,3,active,0x${'0'.repeat(40)}`] }],
    ['providers.csv:2', { providers: ['p,3,active,0x12'] }],
    ['providers.csv:3', { providers: [provider, 'p,4,active,'] }],
    ['token.csv:2', { token: ['1,x,2020-02-30T00:00:00Z,1,1'] }],
    ['token.csv:2', { token: ['1,x,2020-02-03T00:00:00Z,0,1'] }],
    ['macro.csv:2', { macro: ['1,0'] }],
    ['macro.csv:2', { macro: ['1,0.0000000001'] }],
  ])('%s of case %#', (place, lines) => {
    expect(() => bundle(lines)).toThrow(new RegExp(`^${place.replace('.', '\\.')}: `));
  });

  test('a header with other columns', () => {
    expect(() => readBundle({ ...EMPTY, macro: 'index,epoch\n' }, MARKETS)).toThrow(/^macro.csv:1: /);
    expect(() => readBundle({ ...EMPTY, macro: '' }, MARKETS)).toThrow(/^macro.csv:1: /);
  });
});

describe('epochs of a bundle', () => {
  test('go from the lowest to the highest of the epoch columns, joined_epoch not among them', () => {
    expect(bundle({ providers: ['p,1,active,'], macro: ['4,1'], demand: ['12,gpu,1'] }).span).toEqual({
      first: 4,
      last: 12,
    });
    expect(bundle({ providers: ['p,1,active,'] }).span).toBeUndefined();
  });

  test('an epoch has its own rows and the providers with a capacity row in it', () => {
    const { tables } = bundle({
      providers: ['q,0,active,', 'p,0,suspended,', 'r,0,active,'],
      capacity: ['4,q,gpu,1,1', '4,q,tpu,1,1', '4,p,gpu,1,1', '5,r,gpu,1,1'],
      performance: ['4,r,1,,,'],
    });
    const rows = rowsByEpoch(tables)(4);
    expect(rows.providers.map((row) => row[0])).toEqual(['p', 'q']);
    expect(rows.capacity).toHaveLength(3);
    expect(rows.performance).toEqual([['4', 'r', '1', '', '', '']]);
    expect(rowsByEpoch(tables)(6).capacity).toEqual([]);
  });
});

test('sealed rows of any origin become canonical, and one key has one row', () => {
  const none = { providers: [], capacity: [], performance: [], demand: [], quotes: [], token: [], macro: [] };
  const demand = [
    ['1', 'tpu', '3.10'],
    ['1', 'gpu', '02'],
    ['1', 'gpu', '2'],
  ];
  expect(canonicalTables({ ...none, demand }).demand).toEqual([
    ['1', 'gpu', '2'],
    ['1', 'tpu', '3.1'],
  ]);
  expect(() => canonicalTables({ ...none, demand: [...demand, ['1', 'gpu', '5']] })).toThrow(
    /demand: 1,gpu has two rows/,
  );
});
