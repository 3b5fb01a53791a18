import type { ProviderFacts } from '../../../src/rulesets/1/facts';
import { epochFacts, type SealedLines, tokenObservationOf } from '../../../src/rulesets/1/sealed-rows';
import { GOOD_PERFORMANCE, micro, text } from './fixtures';

const PROVIDERS: ProviderFacts = {
  totals: [{ market: 'gpu.v100', supply: micro('10'), used: micro('8') }],
  performance: GOOD_PERFORMANCE,
};

const NOTHING: SealedLines = { demand: [], quotes: [], token: [], macro: [] };

const factsOf = (lines: Partial<SealedLines>) =>
  epochFacts(12, ['disk', 'gpu.v100'], PROVIDERS, { ...NOTHING, ...lines });

test('each market of the policy has its sums; one without rows has zeros, and what nobody reported is null', () => {
  expect(factsOf({}).totals).toEqual([
    { market: 'disk', supply: 0n, used: 0n, requested: null },
    { market: 'gpu.v100', supply: 10_000_000n, used: 8_000_000n, requested: null },
  ]);
  const asked = factsOf({ demand: ['12,disk,0', '12,gpu.v100,2.5', '12,tape,7'] });
  expect(asked.totals.map(({ requested }) => requested)).toEqual([0n, 2_500_000n]);
});

test('the epoch, the performance of the providers, and no macro index where none is sealed', () => {
  expect(factsOf({})).toMatchObject({ epoch: 12, performance: GOOD_PERFORMANCE, macro: null, quotes: [], token: [] });
});

test('a quote is its market, its source and its price', () => {
  const [quote] = factsOf({ quotes: ['12,gpu.v100,a cloud,2.5'] }).quotes;
  expect({ ...quote, usdPerUnit: text(quote!.usdPerUnit) }).toEqual({
    market: 'gpu.v100',
    source: 'a cloud',
    usdPerUnit: '2.5',
  });
});

test('the macro index is the second cell', () => {
  expect(text(factsOf({ macro: ['12,0.975'] }).macro)).toBe('0.975');
});

const TOKEN = '12,exchange,2020-05-01T12:59:00Z,0.5,1000.25';

test('a token row is its source, instant, price and volume', () => {
  const row = tokenObservationOf(TOKEN);
  expect(factsOf({ token: [TOKEN] }).token).toEqual([row]);
  expect({ ...row, priceUsd: text(row.priceUsd), volumeUsd: text(row.volumeUsd) }).toEqual({
    source: 'exchange',
    observedAtSeconds: 1_588_291_200 + 13 * 3600 - 60,
    priceUsd: '0.5',
    volumeUsd: '1000.25',
  });
});

test('a token row without an instant is refused', () => {
  const row = TOKEN.replace('T', ' ');
  expect(() => tokenObservationOf(row)).toThrow(`sealed token row ${row} has no instant`);
});

test.each([
  [{ demand: ['12,disk'] }, 'sealed row 12,disk has 2 cells, not 3'],
  [{ demand: ['12,disk,1,2'] }, 'sealed row 12,disk,1,2 has 4 cells, not 3'],
  [{ quotes: ['12,disk,1'] }, 'sealed row 12,disk,1 has 3 cells, not 4'],
  [{ token: ['12,exchange'] }, 'sealed row 12,exchange has 2 cells, not 5'],
  [{ macro: ['12'] }, 'sealed row 12 has 1 cells, not 2'],
])('a row of another width is refused: %j', (lines, words) => {
  expect(() => factsOf(lines)).toThrow(words);
});
