import fc from 'fast-check';
import { firstPriceDiscrepancy } from '../../src/explain/adds-up';
import { explainPrice } from '../../src/explain/price-explanation';
import { derive } from '../../src/rulesets/1/derive';
import type { FullDerivation } from '../../src/rulesets/1/records';
import { epochs, factsFrom } from '../rulesets/1/arbitrary-epochs';
import { factsOf, historyOf, policyWith, published, usd } from '../rulesets/1/fixtures';

const RUNS = { numRuns: 60 };

test('every price is reached line by line from the one before it, and is the stored price', () => {
  fc.assert(
    fc.property(epochs, ([policy, rows, around, past]) => {
      const derivation = derive(policy, factsFrom(policy, rows, around), past);
      for (const { market, price, base } of derivation.prices) {
        const explanation = explainPrice(policy, derivation, market, null);
        expect(firstPriceDiscrepancy(explanation)).toBeNull();
        expect(explanation.price).toBe(price.toFixed());
        expect(explanation.base).toBe(base.toFixed());
        expect(explanation.lines).toHaveLength(14);
      }
    }),
    RUNS,
  );
});

const POLICY = policyWith();

function busyMarket(): FullDerivation {
  const facts = factsOf(2, { 'gpu.v100': ['100', '90', '120'] });
  const past = historyOf(published(1, { 'gpu.v100': ['100', '80'] }, { market: { base: usd('2'), price: usd('2') } }));
  return derive(POLICY, facts, past);
}

test('a factor says what was measured, its signal and its weight', () => {
  const { lines } = explainPrice(POLICY, busyMarket(), 'gpu.v100', 1);
  const line = (name: string) => lines.find((one) => one.name === name);
  expect(line('previous')).toMatchObject({ kind: 'start', amount: '2', measured: 'base price of epoch 1' });
  expect(line('demand')).toMatchObject({ signal: '0.5', weight: '0.15', measured: 'demand 120 against its mean 80' });
  expect(line('supply')).toMatchObject({ signal: '0', measured: 'supply 100 against its mean 100' });
  expect(line('competition')?.measured).toBe("too few competitors' quotes");
});

test('the contribution of a factor is price * largest step * weight * signal', () => {
  const demand = explainPrice(POLICY, busyMarket(), 'gpu.v100', 1).lines.find(({ name }) => name === 'demand');
  expect(demand?.amount).toBe('0.01875'); // 2 * 0.125 * 0.15 * 0.5
});

test('without an earlier price the lines start from the price of the policy', () => {
  const derivation = derive(POLICY, factsOf(2, { 'gpu.v100': ['100', '90', '120'] }), historyOf());
  const { previous, lines } = explainPrice(POLICY, derivation, 'gpu.v100', null);
  expect(previous.epoch).toBeNull();
  expect(lines[0]?.measured).toBe("the policy's base price");
});

test('a market that stood still says so, and nothing moves it but its bounds', () => {
  const derivation = derive(POLICY, factsOf(2, {}), historyOf());
  const { kept, lines } = explainPrice(POLICY, derivation, 'gpu.v100', null);
  expect(kept).toBe(true);
  expect(lines.filter(({ kind }) => kind === 'factor').every(({ amount }) => amount === '0')).toBe(true);
  expect(lines.find(({ name }) => name === 'step')?.measured).toBe('not applied: the market stood still');
});

test('a price that its record does not come to is refused', () => {
  const derivation = busyMarket();
  const prices = derivation.prices.map((row) => ({ ...row, price: usd('9') }));
  expect(() => explainPrice(POLICY, { ...derivation, prices }, 'gpu.v100', 1)).toThrow(
    expect.objectContaining({ name: 'ExplainError', id: 'price-mismatch' }),
  );
  expect(() => explainPrice(POLICY, { ...derivation, prices }, 'gpu.v100', 1)).toThrow(/the price is 9/);
});

test('a base or a price that its lines do not come to is found', () => {
  const explanation = explainPrice(POLICY, busyMarket(), 'gpu.v100', 1);
  expect(firstPriceDiscrepancy({ ...explanation, base: '2' })).toBe('base');
  expect(firstPriceDiscrepancy({ ...explanation, price: '2' })).toBe('price');
});

test('a changed line of an explanation is found', () => {
  const explanation = explainPrice(POLICY, busyMarket(), 'gpu.v100', 1);
  const lines = explanation.lines.map((line) => (line.name === 'demand' ? { ...line, amount: '0.02' } : line));
  expect(firstPriceDiscrepancy({ ...explanation, lines })).toBe('demand');
});
