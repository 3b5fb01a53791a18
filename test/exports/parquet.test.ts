import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { DuckDBInstance } from '@duckdb/node-api';
import fc from 'fast-check';
import { parquetSink } from '../../src/exports/parquet';
import { EXPORT_TABLES, LEDGER_EXPORT_COLUMNS, PRICES_EXPORT_COLUMNS } from '../../src/exports/tables';
import { writeExports } from '../../src/exports/write-exports';

// What others read of our files: DuckDB shares no code with what wrote them.

const root = mkdtempSync(join(tmpdir(), 'settle-parquet-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));
const freshFolder = () => mkdtempSync(join(root, 'x'));

const PARQUET = { format: 'parquet', force: false } as const;

async function asked(sql: string): Promise<Record<string, string | null>[]> {
  const instance = await DuckDBInstance.create(':memory:');
  try {
    const connection = await instance.connect();
    const found = await connection.runAndReadAll(sql);
    connection.closeSync();
    return found.getRowObjectsJson() as Record<string, string | null>[];
  } finally {
    instance.closeSync();
  }
}

/** Every cell as text, by DuckDB's own casts. */
const cells = (file: string, columns: readonly string[]) =>
  asked(`select ${columns.map((name) => `"${name}"::varchar as "${name}"`).join(', ')} from '${file}'`);

/** Decimals that a column has but that say nothing; canonical text has none. */
const canonical = (text: string | null): string => {
  if (text === null) return '';
  const cut = text.includes('.') ? text.replace(/\.?0+$/, '') : text;
  return cut === '-0' ? '0' : cut;
};

test('payouts are read to the last digit, and can be summed', async () => {
  const folder = freshFolder();
  const largest = '9'.repeat(38);
  const rows = [
    ['9', '-p.1', '1000000000000000000001', '0', '1', '1000000000000000000000', 'paid'],
    ['9', 'p2', largest, '0', '0', largest, 'paid'],
    ['10', 'p1', '0', '0', '0', '0', 'below-minimum-uptime'],
  ];
  const [written] = await writeExports(folder, { payouts: rows }, PARQUET);
  expect(written).toMatchObject({ name: 'payouts', rows: 3, path: join(folder, 'payouts.parquet') });
  expect(await cells(written!.path, EXPORT_TABLES.payouts.columns)).toEqual(
    rows.map((row) => Object.fromEntries(EXPORT_TABLES.payouts.columns.map((name, index) => [name, row[index]]))),
  );
  const [sum] = await asked(`select sum(gross - cap_cut - scale_cut - amount)::varchar as rest, count(*)::varchar as n
    from '${written!.path}' where epoch = 9`);
  expect(sum).toEqual({ rest: '0', n: '2' });
});

test('each table has one schema, whatever is in it', async () => {
  const folder = freshFolder();
  await writeExports(folder, { prices: [], payouts: [], epochs: [], adjustments: [], ledger: [] }, PARQUET);
  const schemaOf = async (name: string) =>
    Object.fromEntries(
      (await asked(`describe select * from '${join(folder, `${name}.parquet`)}'`)).map((column) => [
        column.column_name,
        column.column_type,
      ]),
    );
  expect(await schemaOf('ledger')).toEqual({
    epoch: 'BIGINT',
    revision: 'BIGINT',
    batch: 'BIGINT',
    journal: 'VARCHAR',
    account: 'VARCHAR',
    amount: 'DECIMAL(38,0)',
    booked_at: expect.stringMatching(/^TIMESTAMP/),
  });
  expect(await schemaOf('adjustments')).toMatchObject({ previous: 'DECIMAL(38,0)', adjustment: 'DECIMAL(38,0)' });
  expect(await schemaOf('payouts')).toMatchObject({ amount: 'DECIMAL(38,0)', reason: 'VARCHAR' });
  expect(await schemaOf('epochs')).toMatchObject({ pool: 'DECIMAL(38,0)', token_price: 'DECIMAL(38,12)' });
  const prices = await schemaOf('prices');
  expect(Object.keys(prices)).toEqual([...PRICES_EXPORT_COLUMNS]);
  expect(prices).toMatchObject({ price: 'DECIMAL(38,12)', s_supply: 'DECIMAL(38,9)', rate: 'DECIMAL(38,0)' });
});

const digits = (count: number) => fc.bigInt({ min: -(10n ** BigInt(count)) + 1n, max: 10n ** BigInt(count) - 1n });

const scaled = (places: number) =>
  digits(20 + places).map((value) => {
    const negative = value < 0n;
    const text = (negative ? -value : value).toString().padStart(places + 1, '0');
    return canonical(`${negative ? '-' : ''}${text.slice(0, -places)}.${text.slice(-places)}`);
  });

test('whatever the figures are, DuckDB reads those that CSV has', async () => {
  const priceRow = fc.tuple(
    ...PRICES_EXPORT_COLUMNS.map((name, index) => {
      if (index === 0) return fc.constant('7');
      if (name === 'market') return fc.constant('gpu');
      if (name === 'competitor_epoch') return fc.constantFrom('', '5');
      if (name === 'competitor') return fc.oneof(fc.constant(''), scaled(12));
      if (name === 'rate') return digits(38).map(String);
      return scaled(/^[sm]_/.test(name) ? 9 : 12);
    }),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(priceRow, { minLength: 1, maxLength: 4 }), async (drawn) => {
      const rows = drawn.map((row, index) => row.with(1, `gpu${index}`));
      const [written] = await writeExports(freshFolder(), { prices: rows }, PARQUET);
      const found = await cells(written!.path, PRICES_EXPORT_COLUMNS);
      expect(found.map((row) => PRICES_EXPORT_COLUMNS.map((name) => canonical(row[name]!)))).toEqual(rows);
    }),
    { numRuns: 12 },
  );
});

test('the ledger has its instants and its empty cells', async () => {
  const rows = [
    ['3', '1', '', 'publication/3/1', 'emission', '-50', '2026-11-26T11:08:42Z'],
    ['3', '1', '', 'publication/3/1', 'providers', '50', '2026-11-26T11:08:42Z'],
    ['4', '', '2', 'confirmation/2/1', 'paid', '7', '2026-11-27T00:00:00Z'],
  ];
  const [written] = await writeExports(freshFolder(), { ledger: rows }, PARQUET);
  const found = await asked(
    `select epoch, revision, batch, amount::varchar as amount, epoch_ms(booked_at)::varchar as booked_at from '${written!.path}'`,
  );
  expect(found[0]).toEqual({
    epoch: '3',
    revision: '1',
    batch: null,
    amount: '-50',
    booked_at: String(Date.parse('2026-11-26T11:08:42Z')),
  });
  expect(found[2]).toMatchObject({ revision: null, batch: '2' });
  const csv = await writeExports(freshFolder(), { ledger: rows }, { format: 'csv', force: false });
  expect((await asked(`select count(*)::varchar as n from '${csv[0]!.path}'`))[0]).toEqual({ n: '3' });
  expect(LEDGER_EXPORT_COLUMNS[0]).toBe('epoch');
});

test('an amount of more digits than Parquet has is refused by name, and no file appears', async () => {
  const folder = freshFolder();
  const row = ['9', 'p1', `1${'0'.repeat(38)}`, '0', '0', `1${'0'.repeat(38)}`, 'paid'];
  await expect(writeExports(folder, { payouts: [row] }, PARQUET)).rejects.toMatchObject({
    id: 'export-row-not-valid',
    where: expect.stringContaining('"p1"'),
    todo: expect.stringContaining('csv'),
  });
  expect(readdirSync(folder)).toEqual([]);
  await writeExports(folder, { payouts: [row] }, { format: 'csv', force: false });
});

test('hundreds of thousands of payouts are written in groups, in bounded memory', async () => {
  const count = 500_000;
  const script = [join(__dirname, 'many-payouts.cjs'), freshFolder(), 'parquet', String(count)];
  const { stdout } = await promisify(execFile)(process.execPath, script);
  const written = JSON.parse(stdout) as { path: string; rows: number; mostMegabytes: number };
  expect(written.rows).toBe(count);
  const [found] = await asked(
    `select count(*)::varchar as n, sum(amount)::varchar as sum, count(distinct provider)::varchar as providers from '${written.path}'`,
  );
  const sum = BigInt(count) * 10n ** 18n + (BigInt(count) * BigInt(count - 1)) / 2n;
  expect(found).toEqual({ n: String(count), sum: String(sum), providers: String(count) });
  const groups = await asked(
    `select count(distinct row_group_id)::varchar as n from parquet_metadata('${written.path}')`,
  );
  expect(Number(groups[0]!.n)).toBe(4);
  // A group and what compressing it takes; the rows themselves would take more than twice that.
  expect(written.mostMegabytes).toBeLessThan(500);
});

test('a sink takes rows without waiting until a group is full', async () => {
  const pieces: number[] = [];
  const sink = parquetSink(EXPORT_TABLES.payouts, async (bytes) => {
    pieces.push(bytes.length);
  });
  for (let index = 0; index < 1000; index += 1) {
    expect(sink.add(['9', `p${index}`, '1', '0', '0', '1', 'paid'])).toBeUndefined();
  }
  expect(pieces).toEqual([]);
  await sink.end();
  expect(pieces.length).toBeGreaterThan(0);
});
