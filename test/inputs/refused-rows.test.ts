import { refusedRowText } from '../../src/inputs/refusals';
import { INPUT_TABLES, type InputTableName } from '../../src/inputs/tables';
import { bundleErrorOf, HEADERS, removeFolders, rowsOf } from './sample-bundle';

afterAll(removeFolders);

/** A good row of each table; the tests below spoil one cell of it. */
const GOOD: Readonly<Record<InputTableName, string>> = {
  providers: 'p1,0,active,0x1111111111111111111111111111111111111111',
  capacity: '5,p1,gpu.v100,10,7.5',
  performance: '5,p1,0.99,120.5,0.001,4.5',
  demand: '5,gpu.v100,12',
  quotes: '5,gpu.v100,aws,2.30',
  token: '5,exchange,2020-05-01T05:30:00Z,0.25,1000000',
  macro: '5,1.01',
};

test('the columns of every table are those of the specification, in its order', () => {
  const headers = INPUT_TABLES.map(({ name, columns }) => [name, columns.map((column) => column.name).join(',')]);
  expect(headers).toEqual(Object.entries(HEADERS));
});

test.each(Object.keys(GOOD) as InputTableName[])('a good row of %s is read with its line', async (table) => {
  const rows = await rowsOf(table, `${HEADERS[table]}\n${GOOD[table]}\n`);
  expect(rows).toEqual([{ line: 2, values: GOOD[table].replace('2.30', '2.3').split(',') }]);
});

test('performance cells and payees may be empty, and stay empty', async () => {
  const performance = await rowsOf('performance', `${HEADERS.performance}\n5,p1,,,,\n5,p2,"",1,,5.000\n`);
  expect(performance.map(({ values }) => values)).toEqual([
    ['5', 'p1', '', '', '', ''],
    ['5', 'p2', '', '1', '', '5'],
  ]);
  const providers = await rowsOf('providers', `${HEADERS.providers}\np1,3,suspended,\n`);
  expect(providers[0]?.values).toEqual(['p1', '3', 'suspended', '']);
});

test('__proto__ is a provider like any other', async () => {
  const rows = await rowsOf('capacity', `${HEADERS.capacity}\n5,__proto__,constructor,1,1\n`);
  expect(rows).toEqual([{ line: 2, values: ['5', '__proto__', 'constructor', '1', '1'] }]);
});

type Case = [table: InputTableName, row: string, column: string | null, value: string | null, reason: string];

const CASES: Case[] = [
  ['providers', 'p 1,0,active,', 'provider', '"p 1"', 'is not an identifier'],
  ['providers', ',0,active,', 'provider', null, 'is empty'],
  [
    'providers',
    `${'a'.repeat(129)},0,active,`,
    'provider',
    `"${'a'.repeat(60)}… (129 characters)"`,
    'is not an identifier',
  ],
  ['providers', 'p1,-1,active,', 'joined_epoch', '"-1"', 'is not an epoch'],
  ['providers', 'p1,1.5,active,', 'joined_epoch', '"1.5"', 'is not an epoch'],
  ['providers', 'p1,0,Active,', 'status', '"Active"', 'is none of the words allowed here'],
  ['providers', 'p1,0,,', 'status', null, 'is empty'],
  ['providers', 'p1,0,active,0x12', 'payee', '"0x12"', 'is not a payee address'],
  [
    'providers',
    `p1,0,active,0x${'0'.repeat(40)}`,
    'payee',
    `"0x${'0'.repeat(40)}"`,
    'is the zero address, which is no payee',
  ],
  ['capacity', '5.0,p1,gpu,1,1', 'epoch', '"5.0"', 'is not an epoch'],
  ['capacity', '2147483648,p1,gpu,1,1', 'epoch', '"2147483648"', 'is not an epoch'],
  ['capacity', '5,p1,gpu,-1,0', 'offered', '"-1"', 'is out of range'],
  ['capacity', '5,p1,gpu,1,-0.5', 'served', '"-0.5"', 'is out of range'],
  ['capacity', '5,p1,gpu,1,1.000001', 'served', '"1.000001"', 'is more than offered'],
  ['capacity', '5,p1,gpu,9,10', 'served', '"10"', 'is more than offered'],
  ['capacity', '5,p1,gpu,1.0000001,1', 'offered', '"1.0000001"', 'has more than 6 decimals'],
  ['capacity', '5,p1,gpu,1e3,1', 'offered', '"1e3"', 'is not a number'],
  ['capacity', '5,p1,gpu,NaN,1', 'offered', '"NaN"', 'is not a number'],
  ['capacity', '5,p1,gpu,10,Infinity', 'served', '"Infinity"', 'is not a number'],
  ['capacity', '5,p1,gpu,10,', 'served', null, 'is empty'],
  [
    'capacity',
    `5,p1,gpu,${'1'.repeat(19)},1`,
    'offered',
    `"${'1'.repeat(19)}"`,
    'has more than 18 digits before the point',
  ],
  ['capacity', '5,p1,gpu,1', null, '"5,p1,gpu,1"', 'has 4 cells where the header has 5'],
  ['capacity', '5,p1,gpu,1,1,', null, '"5,p1,gpu,1,1,"', 'has 6 cells where the header has 5'],
  ['capacity', '5,p1;gpu;1;1', null, '"5,p1;gpu;1;1"', 'has 2 cells where the header has 5'],
  ['capacity', '', null, null, 'is a blank line'],
  ['capacity', '5,p1\t,gpu,1,1', 'provider', '"p1\\u{9}"', 'is not an identifier'],
  ['capacity', '5,"p1\nvictim",gpu,1,1', 'provider', '"p1\\u{a}victim"', 'is not an identifier'],
  ['capacity', '5,p1\0,gpu,1,1', 'provider', '"p1\\u{0}"', 'is not an identifier'],
  ['capacity', '5,café,gpu,1,1', 'provider', '"café"', 'is not an identifier'],
  ['capacity', '5,cafe\u0301,gpu,1,1', 'provider', '"cafe\u0301"', 'is not an identifier'],
  ['capacity', '5,a\u202eb,gpu,1,1', 'provider', '"a\\u{202e}b"', 'is not an identifier'],
  ['capacity', '5,p1,gpu,1,1\rx', 'served', '"1\\u{d}x"', 'is not a number'],
  ['capacity', '5,p"1,gpu,1,1', null, '"5,p\\"1,gpu,1,1"', 'has a quote inside an unquoted cell'],
  ['capacity', '5,"p1"x,gpu,1,1', null, '"5,\\"p1\\"x,gpu,1,1"', 'has text after the quote that closes a cell'],
  ['performance', '5,p1,1.7,,,', 'uptime', '"1.7"', 'is out of range'],
  ['performance', '5,p1,-0.1,,,', 'uptime', '"-0.1"', 'is out of range'],
  ['performance', '5,p1,0.1234567,,,', 'uptime', '"0.1234567"', 'has more than 6 decimals'],
  ['performance', '5,p1,null,,,', 'uptime', '"null"', 'is not a number'],
  ['performance', '5,p1,,-1,,', 'response_ms', '"-1"', 'is out of range'],
  ['performance', '5,p1,,1.0001,,', 'response_ms', '"1.0001"', 'has more than 3 decimals'],
  ['performance', '5,p1,,1e999,,', 'response_ms', '"1e999"', 'is not a number'],
  ['performance', '5,p1,,,1.000001,', 'error_rate', '"1.000001"', 'is out of range'],
  ['performance', '5,p1,,,,0.999', 'rating', '"0.999"', 'is out of range'],
  ['performance', '5,p1,,,,5.001', 'rating', '"5.001"', 'is out of range'],
  ['performance', '5,p1,,,,4.1234', 'rating', '"4.1234"', 'has more than 3 decimals'],
  ['demand', '5,gpu,-3', 'requested', '"-3"', 'is out of range'],
  ['demand', '5,gpu,', 'requested', null, 'is empty'],
  ['quotes', '5,gpu,aws,0', 'usd_per_unit', '"0"', 'is out of range'],
  ['quotes', '5,gpu,aws,-1', 'usd_per_unit', '"-1"', 'is out of range'],
  ['quotes', '5,gpu,aws,0.1234567890123', 'usd_per_unit', '"0.1234567890123"', 'has more than 12 decimals'],
  ['quotes', '5,gpu,,1', 'source', null, 'is empty'],
  ['token', '5,ex,2021-02-29T00:00:00Z,1,1', 'observed_at', '"2021-02-29T00:00:00Z"', 'is not an instant'],
  ['token', '5,ex,2020-05-01T05:30:00Z,0,1', 'price_usd', '"0"', 'is out of range'],
  ['token', '5,ex,2020-05-01T05:30:00Z,1,-1', 'volume_usd', '"-1"', 'is out of range'],
  [
    'token',
    `5,ex,2020-05-01T05:30:00Z,1,1${'0'.repeat(30)}`,
    'volume_usd',
    `"1${'0'.repeat(30)}"`,
    'has more than 30 digits before the point',
  ],
  ['macro', '5,0', 'index', '"0"', 'is out of range'],
  ['macro', '5,1.0000000001', 'index', '"1.0000000001"', 'has more than 9 decimals'],
];

test.each(CASES)('%s: %j is refused', async (table, row, column, value, reason) => {
  const error = await bundleErrorOf(rowsOf(table, `${HEADERS[table]}\n${GOOD[table]}\n${row}\n`));
  expect(error.id).toBe('bundle-rows-refused');
  expect(error.refused).toEqual([{ file: `${table}.csv`, line: 3, column, value, reason, todo: expect.any(String) }]);
  expect(error.refused[0]?.todo).not.toBe('');
  expect(error.message).toContain(`${table}.csv:3: `);
});

test.each([
  ['a byte that begins nothing', Buffer.from([0xff]), '"p1\\xff"'],
  ['a lone surrogate (D800)', Buffer.from([0xed, 0xa0, 0x80]), '"p1\\xed\\xa0\\x80"'],
  ['an overlong slash', Buffer.from([0xc0, 0xaf]), '"p1\\xc0\\xaf"'],
  ['a sequence cut short', Buffer.from([0xe2, 0x82]), '"p1\\xe2\\x82"'],
])('%s is not valid UTF-8', async (_what, bytes, value) => {
  const file = Buffer.concat([Buffer.from(`${HEADERS.capacity}\n5,p1`), bytes, Buffer.from(',gpu,1,1\n')]);
  const error = await bundleErrorOf(rowsOf('capacity', file));
  expect(error.refused).toMatchObject([{ line: 2, column: 'provider', value, reason: 'is not valid UTF-8' }]);
});

test('every bad cell of a row is named', async () => {
  const error = await bundleErrorOf(rowsOf('capacity', `${HEADERS.capacity}\nx,p 1,gpu,-1,NaN\n`));
  expect(error.refused.map(refusedRowText)).toEqual([
    'capacity.csv:2: epoch "x" is not an epoch; give a whole number from 0 to 2147483647, digits only',
    'capacity.csv:2: provider "p 1" is not an identifier; use 1 to 128 of the characters A-Z a-z 0-9 . _ : -',
    'capacity.csv:2: offered "-1" is out of range; give a number of at least 0',
    'capacity.csv:2: served "NaN" is not a number; write plain decimals like 12.5: no exponent, no +, no spaces',
  ]);
});

test('twenty refusals are shown, and all of them counted', async () => {
  const rows = Array.from({ length: 25 }, (_, i) => `5,gpu.${i},-1\n`).join('');
  const error = await bundleErrorOf(rowsOf('demand', `${HEADERS.demand}\n${rows}`));
  expect(error.refused).toHaveLength(20);
  expect(error.refusedInAll).toBe(25);
  expect(error.refused[19]?.line).toBe(21);
  expect(error.message).toContain('and 5 more');
});
