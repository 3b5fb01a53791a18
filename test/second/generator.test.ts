import { parse } from 'yaml';
import { compare, decimal, decimalText, sum } from '../../src/audit/second/fraction';
import { readBundle } from '../../src/audit/second/inputs';
import { readPolicy } from '../../src/audit/second/policy';
import { generateBundle } from '../generate/bundle';
import { CIRCUMSTANCES } from '../generate/rows';

interface Shape {
  history: { window: string; season: string };
  pricing: { weights: Record<string, string>; marketConditions: Record<string, string> };
  market: Record<string, { floor: string; basePrice: string; ceiling: string }>;
}

const total = (texts: string[]) => decimalText(sum(texts.map((text) => decimal(text, 9))));

test.each(Array.from({ length: 60 }, (_, index) => 1000 + index))('policy %i is valid where §2 counts', (seed) => {
  const { pricing, history, market } = parse(generateBundle(seed, { epochs: 1 }).policyYaml) as Shape;
  expect(total(Object.values(pricing.weights))).toBe('1');
  const { tradingActivityWeight = '', macroWeight = '' } = pricing.marketConditions;
  expect(total([tradingActivityWeight, macroWeight])).toBe('1');
  expect(Number(history.window)).toBeGreaterThanOrEqual(2 * Number(history.season));
  for (const prices of Object.values(market)) {
    const texts = ['0.000000000001', prices.floor, prices.basePrice, prices.ceiling];
    const ascending = texts.map((text) => decimal(text, 12)).sort(compare);
    expect(ascending.map(decimalText)).toEqual(texts.map((text) => decimalText(decimal(text, 12))));
  }
});

test.each(CIRCUMSTANCES)('bundles of nothing but %s are read without a refusal', (circumstance) => {
  for (const seed of [1, 2, 3, 4, 5]) {
    const { files, policyYaml } = generateBundle(seed, { circumstance, epochs: 4 });
    const markets = readPolicy(parse(policyYaml)).markets.map(({ market }) => market);
    const { tables } = readBundle(files, new Set(markets));
    expect(tables.token.length > 0).toBe(circumstance !== 'hole' && circumstance !== 'no-token');
  }
});
