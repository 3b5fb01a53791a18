import { readFileSync } from 'node:fs';
import type { Amount } from '../../../src/numbers/units';
import { SNAPSHOT_TABLES } from '../../../src/proofs/digests';
import { derive } from '../../../src/rulesets/1/derive';
import type { Payout } from '../../../src/rulesets/1/records';
import {
  cellsOf,
  INPUT_TABLES,
  PAYOUTS_COLUMNS,
  PAYOUTS_KEY,
  PRICES_COLUMNS,
  PRICES_KEY,
  payoutLine,
  payoutRow,
  pricesRow,
  pricesRowRecords,
} from '../../../src/rulesets/1/tables';
import { factsOf, historyOf, policyWith, published, usd } from './fixtures';

function exampleRow() {
  const quotes = ['1', '3', '2'].map((price, index) => ({
    market: 'gpu.v100',
    source: `s${index}`,
    usdPerUnit: usd(price),
  }));
  const past = historyOf(published(0, { 'gpu.v100': ['10', '4'] }), published(1, { 'gpu.v100': ['20', '8'] }));
  const facts = factsOf(2, { 'gpu.v100': ['10', '4', '6.50'], disk: ['1', '0.5', null] }, { quotes });
  const { measures, prices, multipliers } = derive(policyWith(), facts, past);
  return (index: number) =>
    pricesRow(measures.markets[index] as never, prices[index] as never, multipliers[index] as never);
}

test('the prices table has the columns of the specification, in its order', () => {
  expect(PRICES_COLUMNS.join(', ')).toBe(
    'market, supply, used, demand, supply_mean, demand_mean, family_fast, family_slow, forecast, competitor, ' +
      'competitor_epoch, prev, base, price, s_supply, s_demand, s_market_conditions, s_available_capacity, ' +
      's_provider_growth, s_usage_patterns, s_peak_demand, s_competition, s_market_trends, c_supply, c_demand, ' +
      'c_market_conditions, c_available_capacity, c_provider_growth, c_usage_patterns, c_competition, c_market_trends, ' +
      'd_band, d_step, d_bounds, d_premium, d_ceiling, m_market_conditions, m_network_demand, m_resource_availability, ' +
      'm_growth, m_network, rate',
  );
  expect(PAYOUTS_COLUMNS.join(', ')).toBe('provider, gross, cap_cut, scale_cut, amount, reason');
});

test('the input tables are those of the snapshot digest, in its order', () => {
  expect(Object.keys(INPUT_TABLES)).toEqual([...SNAPSHOT_TABLES]);
  for (const { columns, key } of Object.values(INPUT_TABLES)) {
    for (const { index } of key) expect(columns[index]).toBeDefined();
  }
});

test('every cell stands in its own column', () => {
  const row = exampleRow()(2);
  // Worked by hand: means 15 and 6, signals (15-10)/15, 0.5/6, (0.65-0.5)/0.5, peak (1.083... - 1.1) below 0, (2-2)/2.
  expect(row).toMatchObject({
    market: 'gpu.v100',
    supply: '10',
    used: '4',
    demand: '6.5',
    supply_mean: '15',
    demand_mean: '6',
    family_fast: '6',
    family_slow: '5',
    forecast: '6.5',
    competitor: '2',
    competitor_epoch: '2',
    prev: '2',
    s_supply: '0.333333333',
    s_demand: '0.083333333',
    s_market_conditions: '0',
    s_available_capacity: '0.3',
    s_provider_growth: '0',
    s_usage_patterns: '0',
    s_peak_demand: '0',
    s_competition: '0',
    s_market_trends: '0.2',
    c_supply: '0.008333333325',
    c_demand: '0.003124999988',
    c_market_conditions: '0',
    c_available_capacity: '0.0225',
    c_provider_growth: '0',
    c_usage_patterns: '0',
    c_competition: '0',
    c_market_trends: '0.005',
    d_band: '0',
    d_step: '0',
    d_bounds: '0',
    d_premium: '0',
    d_ceiling: '0',
    base: '2.038958333313',
    price: '2.038958333313',
    m_market_conditions: '1',
    m_network_demand: '1.04',
    m_resource_availability: '1.15',
    m_growth: '1.2',
    m_network: '1.4352',
    // P * 1.4352 / 0.5 tokens an hour, times 10^9
    rate: String((2_038_958_333_313n * 14_352n * 2n) / 10_000_000n),
  });
});

test('a competitor that is not defined leaves two empty cells', () => {
  expect(exampleRow()(0)).toMatchObject({ market: 'disk', competitor: '', competitor_epoch: '' });
});

test('a row reads back as the records that it was made of', () => {
  for (const index of [0, 1, 2]) {
    const row = exampleRow()(index);
    const { measures, price, multipliers } = pricesRowRecords(row);
    expect(pricesRow(measures, price, multipliers)).toEqual(row);
    expect(measures.previousBase.equals(price.previousBase)).toBe(true);
  }
});

test.each([
  ['supply', 'x'],
  ['price', '1e3'],
  ['s_demand', '0.0000000001'],
  ['competitor_epoch', '1.5'],
  ['rate', '-'],
  ['base', ''],
] as const)('a row with %s = %j is refused by market and column', (column, value) => {
  expect(() => pricesRowRecords({ ...exampleRow()(2), [column]: value })).toThrow(
    expect.objectContaining({
      id: 'malformed-prices-row',
      message: expect.stringContaining(`gpu.v100, column ${column}`),
    }),
  );
});

test('payouts are base units and the reason', () => {
  const amounts = { gross: 7n as Amount, capCut: 3n as Amount, scaleCut: 2n as Amount, amount: 2n as Amount };
  const payout: Payout = { provider: 'p', ...amounts, reason: 'paid' };
  expect(cellsOf(PAYOUTS_COLUMNS, payoutRow(payout)).join(',')).toBe('p,7,3,2,2,paid');
  expect(payoutLine(payout)).toBe('p,7,3,2,2,paid');
});

test('the pure rooms import nothing but pure rooms', () => {
  // The walls are checked for the whole project elsewhere; here the two that the browser and the workflows load.
  const folder = `${__dirname}/../../../src/rulesets/1`;
  const source = ['measures', 'prices', 'multipliers', 'amounts', 'reward', 'derive', 'checks', 'policy', 'content']
    .map((name) => readFileSync(`${folder}/${name}.ts`, 'utf8'))
    .join('\n');
  expect(source).not.toMatch(/from '(node:|pg|crypto|hash-wasm)/);
  expect(source).not.toMatch(/Date\.now|Math\.random|parseFloat|new Date\(\)/);
});

test('tables are sorted by the keys of the specification: identifiers by bytes, epochs and prices by value', () => {
  const keys = Object.entries(INPUT_TABLES).map(([name, { columns, key }]) => [
    name,
    key.map(({ index, order }) => `${columns[index]} ${order}`).join(', '),
  ]);
  expect(Object.fromEntries(keys)).toEqual({
    providers: 'provider bytes',
    capacity: 'epoch number, provider bytes, market bytes',
    performance: 'epoch number, provider bytes',
    demand: 'epoch number, market bytes',
    quotes: 'epoch number, market bytes, source bytes, usd_per_unit number',
    token: 'epoch number, source bytes, observed_at bytes',
    macro: 'epoch number',
  });
  expect([PRICES_KEY, PAYOUTS_KEY]).toEqual([[{ index: 0, order: 'bytes' }], [{ index: 0, order: 'bytes' }]]);
});
