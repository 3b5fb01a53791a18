import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse } from 'csv-parse/sync';
import { EPOCHS_EXPORT_COLUMNS, PAYOUTS_EXPORT_COLUMNS, PRICES_EXPORT_COLUMNS } from '../../src/exports/tables';
import { writeExports } from '../../src/exports/write-exports';

const root = mkdtempSync(join(tmpdir(), 'settle-exports-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(root, 'x'));
});

const CSV = { format: 'csv', force: false } as const;
const read = (file: string) => readFileSync(join(folder, file), 'utf8');

const PAYOUTS = [
  ['9', 'p1', '100', '0', '10', '90', 'paid'],
  ['9', 'p2', '0', '0', '0', '0', 'below-minimum-uptime'],
  ['10', 'a-1', '7', '1', '0', '6', 'paid'],
];
const PRICES_ROW: string[] = PRICES_EXPORT_COLUMNS.map((column) =>
  column === 'market' ? 'gpu.v100' : column.endsWith('epoch') ? '5' : '-0.5',
);
const EPOCH = [
  '9',
  '2',
  '50000',
  '49999',
  '1',
  'rounding',
  '3',
  'bootstrap',
  '0.25',
  '1000.5',
  'priceChange;topShare',
  'a'.repeat(64),
  'b'.repeat(64),
  'c'.repeat(64),
  `0x${'d'.repeat(64)}`,
  'e'.repeat(64),
];
const FAILED = ['10', '0', ...Array(8).fill(''), 'failed(incomplete-inputs)', ...Array(5).fill('')];

describe('the columns', () => {
  test('are those of the specification, epoch first', () => {
    expect(PRICES_EXPORT_COLUMNS.join(', ')).toBe(
      'epoch, market, supply, used, demand, supply_mean, demand_mean, family_fast, family_slow, forecast, ' +
        'competitor, competitor_epoch, prev, base, price, s_supply, s_demand, s_market_conditions, ' +
        's_available_capacity, s_provider_growth, s_usage_patterns, s_peak_demand, s_competition, s_market_trends, ' +
        'c_supply, c_demand, c_market_conditions, c_available_capacity, c_provider_growth, c_usage_patterns, ' +
        'c_competition, c_market_trends, d_band, d_step, d_bounds, d_premium, d_ceiling, m_market_conditions, ' +
        'm_network_demand, m_resource_availability, m_growth, m_network, rate',
    );
    expect(PAYOUTS_EXPORT_COLUMNS.join(', ')).toBe('epoch, provider, gross, cap_cut, scale_cut, amount, reason');
    expect(EPOCHS_EXPORT_COLUMNS.join(', ')).toBe(
      'epoch, revision, pool, sum, unallocated, unallocated_reason, active_providers, growth_phase, token_price, ' +
        'token_volume, breakers, snapshot_digest, prices_digest, payouts_digest, claims_root, head',
    );
  });
});

describe('CSV', () => {
  test('has the header and one line a row', async () => {
    const written = await writeExports(folder, { payouts: PAYOUTS }, CSV);
    expect(written).toEqual([{ name: 'payouts', path: join(folder, 'payouts.csv'), rows: 3 }]);
    expect(read('payouts.csv')).toBe(
      'epoch,provider,gross,cap_cut,scale_cut,amount,reason\n' +
        '9,p1,100,0,10,90,paid\n' +
        '9,p2,0,0,0,0,below-minimum-uptime\n' +
        '10,a-1,7,1,0,6,paid\n',
    );
  });

  test('has the header alone where there is no row', async () => {
    await writeExports(folder, { prices: [] }, CSV);
    expect(read('prices.csv')).toBe(`${PRICES_EXPORT_COLUMNS.join(',')}\n`);
  });

  test('has a failed epoch with its number, revision 0 and its failure', async () => {
    await writeExports(folder, { epochs: [EPOCH, FAILED] }, CSV);
    expect(read('epochs.csv').split('\n')[2]).toBe('10,0,,,,,,,,,failed(incomplete-inputs),,,,,');
  });

  test('quotes the name of a growth phase where it must, and nothing else', async () => {
    const names = ['phase "one", early', 'line\nbreak', 'plain'];
    const rows = names.map((name, i) => EPOCH.with(0, String(i)).with(7, name));
    await writeExports(folder, { epochs: rows }, CSV);
    expect(read('epochs.csv')).toContain(',"phase ""one"", early",');
    expect(parse(read('epochs.csv'), { from_line: 2 })).toEqual(rows);
  });

  test('of many rows is whole', async () => {
    async function* rows() {
      for (let i = 0; i < 20_000; i++)
        yield ['5', `provider-${String(i).padStart(6, '0')}`, '1', '0', '0', '1', 'paid'];
    }
    const [written] = await writeExports(folder, { payouts: rows() }, CSV);
    expect(written?.rows).toBe(20_000);
    const lines = read('payouts.csv').split('\n');
    expect(lines).toHaveLength(20_002);
    expect(lines[20_000]).toBe('5,provider-019999,1,0,0,1,paid');
    expect(new Set(lines).size).toBe(20_002);
  });
});

describe('JSON lines', () => {
  test('have amounts as text, counts as numbers, and null for an empty cell', async () => {
    const amount = '123456789012345678901234567890';
    await writeExports(
      folder,
      { payouts: [['9', 'p1', amount, '0', '0', amount, 'paid']] },
      { ...CSV, format: 'jsonl' },
    );
    expect(read('payouts.jsonl')).toBe(
      `{"epoch":9,"provider":"p1","gross":"${amount}","cap_cut":"0","scale_cut":"0","amount":"${amount}","reason":"paid"}\n`,
    );
    await writeExports(folder, { epochs: [EPOCH.with(7, 'a "b"'), FAILED] }, { ...CSV, format: 'jsonl' });
    const [settled, failed] = read('epochs.jsonl')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(settled).toMatchObject({ epoch: 9, revision: 2, active_providers: 3, growth_phase: 'a "b"', pool: '50000' });
    expect(Object.keys(settled ?? {})).toEqual([...EPOCHS_EXPORT_COLUMNS]);
    expect(failed).toMatchObject({
      epoch: 10,
      revision: 0,
      pool: null,
      head: null,
      breakers: 'failed(incomplete-inputs)',
    });
  });
});

describe('a row', () => {
  test.each([
    ['too few cells', 'payouts', PAYOUTS[0]!.slice(1), /has 6 cells where 7 are due/],
    ['a formula', 'payouts', PAYOUTS[0]!.with(1, '=1+1'), /column provider can/],
    ['a comma', 'payouts', PAYOUTS[0]!.with(1, 'a,b'), /column provider can/],
    ['a newline', 'payouts', PAYOUTS[0]!.with(6, 'paid\n10'), /column reason can/],
    ['a space in a price', 'prices', PRICES_ROW.with(14, '1 0'), /column price can/],
    ['no epoch', 'payouts', PAYOUTS[0]!.with(0, ''), /column epoch can/],
    ['an epoch with zeros in front', 'payouts', PAYOUTS[0]!.with(0, '09'), /column epoch can/],
    ['breakers of another form', 'epochs', EPOCH.with(10, 'priceChange,topShare'), /column breakers can/],
    ['a failure of another form', 'epochs', EPOCH.with(10, 'failed(a b)'), /column breakers can/],
  ] as const)('with %s is not exported', async (_name, table, row, message) => {
    await expect(writeExports(folder, { [table]: [row] }, CSV)).rejects.toMatchObject({
      id: 'export-row-not-valid',
      message: expect.stringMatching(message),
    });
    expect(readdirSync(folder)).toEqual([]);
  });

  test.each([
    ['before the one before it', PAYOUTS.toReversed()],
    ['twice', [PAYOUTS[0]!, PAYOUTS[0]!]],
    ['of an epoch compared as text', [PAYOUTS[2]!, PAYOUTS[0]!]],
  ])('%s is not exported', async (_name, rows) => {
    await expect(writeExports(folder, { payouts: rows }, CSV)).rejects.toMatchObject({ id: 'export-row-order' });
    expect(readdirSync(folder)).toEqual([]);
  });
});

describe('the folder', () => {
  test('is made if need be', async () => {
    await writeExports(join(folder, 'a/b'), { payouts: [] }, CSV);
    expect(readdirSync(join(folder, 'a/b'))).toEqual(['payouts.csv']);
  });

  test('shows no file before all of them are whole', async () => {
    let seen: string[] | null = null;
    async function* payouts() {
      yield PAYOUTS[0]!;
      seen = readdirSync(folder).filter((name) => !name.startsWith('.'));
      yield PAYOUTS[1]!;
    }
    await writeExports(folder, { prices: [PRICES_ROW], payouts: payouts() }, CSV);
    expect(seen).toEqual([]);
    expect(readdirSync(folder).sort()).toEqual(['payouts.csv', 'prices.csv']);
  });

  test('stays as it was where the rows end in an error', async () => {
    writeFileSync(join(folder, 'payouts.csv'), 'old');
    async function* broken() {
      yield PAYOUTS[0]!;
      throw new Error('the database went away');
    }
    const attempt = writeExports(folder, { prices: [PRICES_ROW], payouts: broken() }, { ...CSV, force: true });
    await expect(attempt).rejects.toThrow('the database went away');
    expect(readdirSync(folder)).toEqual(['payouts.csv']);
    expect(read('payouts.csv')).toBe('old');
  });

  test('keeps a file that is there, and no row is read', async () => {
    writeFileSync(join(folder, 'payouts.csv'), 'old');
    let pulled = 0;
    function* rows() {
      pulled++;
      yield PRICES_ROW;
    }
    await expect(writeExports(folder, { prices: rows(), payouts: [] }, CSV)).rejects.toMatchObject({
      id: 'export-exists',
      where: join(folder, 'payouts.csv'),
    });
    expect([pulled, readdirSync(folder), read('payouts.csv')]).toEqual([0, ['payouts.csv'], 'old']);
  });

  test('keeps a file that appears while the rows are written', async () => {
    async function* rows() {
      yield PAYOUTS[0]!;
      writeFileSync(join(folder, 'payouts.csv'), 'theirs');
    }
    await expect(writeExports(folder, { payouts: rows() }, CSV)).rejects.toMatchObject({ id: 'export-exists' });
    expect([readdirSync(folder), read('payouts.csv')]).toEqual([['payouts.csv'], 'theirs']);
  });

  test('keeps a link that leads nowhere', async () => {
    symlinkSync(join(folder, 'gone'), join(folder, 'payouts.csv'));
    await expect(writeExports(folder, { payouts: [] }, CSV)).rejects.toMatchObject({ id: 'export-exists' });
  });

  test('has its files replaced when told to', async () => {
    writeFileSync(join(folder, 'payouts.csv'), 'old');
    await writeExports(folder, { payouts: [] }, { ...CSV, force: true });
    expect(read('payouts.csv')).toBe(`${PAYOUTS_EXPORT_COLUMNS.join(',')}\n`);
  });

  test('gets exactly one of two exports written at once', async () => {
    const attempts = await Promise.allSettled([
      writeExports(folder, { payouts: PAYOUTS.slice(0, 1) }, CSV),
      writeExports(folder, { payouts: PAYOUTS.slice(1, 2) }, CSV),
    ]);
    expect(attempts.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    expect(readdirSync(folder)).toEqual(['payouts.csv']);
  });

  test('that is a file is an error that names it', async () => {
    writeFileSync(join(folder, 'file'), '');
    await expect(writeExports(join(folder, 'file'), { payouts: [] }, CSV)).rejects.toMatchObject({
      id: 'export-not-written',
      where: join(folder, 'file'),
    });
    mkdirSync(join(folder, 'payouts.csv'));
    await expect(writeExports(folder, { payouts: [] }, { ...CSV, force: true })).rejects.toMatchObject({
      id: 'export-not-written',
    });
    expect(readdirSync(folder).sort()).toEqual(['file', 'payouts.csv']);
  });
});
