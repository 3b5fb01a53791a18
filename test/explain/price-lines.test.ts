import { said, saidPercent } from '../../src/explain/figures';
import { explainPrice } from '../../src/explain/price-explanation';
import { Decimal } from '../../src/numbers/decimal';
import { derive } from '../../src/rulesets/1/derive';
import { factsOf, historyOf, policyWith, published, ratio, usd } from '../rulesets/1/fixtures';

/** Every line of a price, word by word, worked out by hand from the round numbers of the policy. */

const POLICY = policyWith();
const QUOTES = ['a', 'b', 'c'].map((source) => ({ market: 'gpu.v100', source, usdPerUnit: usd('2.5') }));
const DERIVATION = derive(
  POLICY,
  factsOf(
    2,
    { 'gpu.v100': ['100', '90', '110'], 'gpu.t4': ['0', '0', '5'], disk: ['10', '0', '0'] },
    { quotes: QUOTES, macro: ratio('0.9') },
  ),
  historyOf(published(1, { 'gpu.v100': ['100', '80'] }, { market: { base: usd('2'), price: usd('2') } })),
);

const BUSY = explainPrice(POLICY, DERIVATION, 'gpu.v100', 1);
/** Asked for and not offered, with no competitors. */
const SCARCE = explainPrice(POLICY, DERIVATION, 'gpu.t4', 1);
/** Offered and not asked for. */
const UNWANTED = explainPrice(POLICY, DERIVATION, 'disk', 1);

test('the factors: what was measured, signal, weight, and 2 USD * an eighth * weight * signal', () => {
  const factors = BUSY.lines
    .filter(({ kind }) => kind === 'factor')
    .map(({ name, title, measured, signal, weight, amount }) => [name, title, measured, signal, weight, amount]);
  const volume = 'token volume 100 USD against its mean 100 USD, macro index 0.9';
  const providers = '5 active providers, 5 at the start of the window, target growth 0 %';
  const trend = 'demand of the compute markets: recent mean 80, long mean 80';
  expect(factors).toEqual([
    ['supply', 'supply', 'supply 100 against its mean 100', '0', '0.1', '0'],
    ['demand', 'demand', 'demand 110 against its mean 80', '0.375', '0.15', '0.0140625'],
    ['marketConditions', 'market conditions', volume, '-0.25', '0.05', '-0.003125'],
    [
      'availableCapacity',
      'available capacity',
      'demand is 110 % of supply against the target 50 %',
      '1',
      '0.3',
      '0.075',
    ],
    ['providerGrowth', 'provider growth', providers, '0', '0.05', '0'],
    ['usagePatterns', 'usage patterns', 'forecast for the next epoch 110 against the demand 110', '0', '0.1', '0'],
    [
      'competition',
      'competition',
      'competitors ask 2.5 USD (quotes of epoch 2) against 2 USD',
      '0.2',
      '0.15',
      '0.0075',
    ],
    ['marketTrends', 'market trends', trend, '0', '0.1', '0'],
  ]);
});

test('the limits, of which the premium shows the ninth factor', () => {
  const limits = BUSY.lines
    .filter(({ kind }) => kind === 'limit')
    .map(({ name, title, measured, signal, weight, amount }) => [name, title, measured, signal, weight, amount]);
  const band = 'kept between 1 and 3.75 USD, 0.4 and 1.5 times the competitors';
  const peak = 'demand is 1.375 times its mean; a peak begins at 1.1 and is full at 1.5';
  expect(limits).toEqual([
    ['band', 'competition band', band, null, null, '0'],
    ['step', 'largest step', 'at most 12.5 % up or down in one epoch', null, null, '0'],
    ['bounds', 'floor and ceiling', 'floor 0.5 USD, ceiling 8 USD', null, null, '0'],
    // 2.0934375 * 0.25 * 0.6875, at 12 decimals.
    ['premium', 'peak premium', peak, '0.6875', '0.25', '0.359809570312'],
    ['ceiling', 'ceiling', 'with the premium, too, at most 8 USD', null, null, '0'],
  ]);
});

test('the rest of the record: where it starts and ends, its measures and multipliers', () => {
  const { lines, ...rest } = BUSY;
  const [start] = lines;
  expect(start).toEqual({
    kind: 'start',
    name: 'previous',
    title: 'previous base price',
    signal: null,
    weight: null,
    measured: 'base price of epoch 1',
    amount: '2',
    subtotal: '2',
  });
  expect(lines.map(({ subtotal }) => subtotal).slice(-3)).toEqual(['2.0934375', '2.453247070312', '2.453247070312']);
  expect(rest).toEqual({
    market: 'gpu.v100',
    unit: 'hour',
    family: 'compute',
    previous: { price: '2', epoch: 1 },
    base: '2.0934375',
    price: '2.453247070312',
    kept: false,
    measures: {
      supply: '100',
      used: '90',
      demand: '110',
      supplyMean: '100',
      demandMean: '80',
      familyFast: '80',
      familySlow: '80',
      forecast: '110',
      competitor: '2.5',
      competitorEpoch: 2,
    },
    multipliers: {
      marketConditions: '0.975',
      networkDemand: '1',
      resourceAvailability: '1.5',
      growth: '1.2',
      growthPhase: 'expansion',
      network: '1.755',
      // floor(2.453247070312 USD * 1.755 / 0.5 USD a token * 10^6 base units / 10^6 micro-units * 10^9)
      rate: '8610897216',
    },
  });
});

test('what is not there is said in words', () => {
  const words = ({ lines }: typeof BUSY, name: string) => lines.find((line) => line.name === name)?.measured;
  expect(words(SCARCE, 'availableCapacity')).toBe('nothing offered against the target 50 %');
  expect(words(SCARCE, 'band')).toBe('no band without competitors');
  expect(words(SCARCE, 'competition')).toBe("too few competitors' quotes");
  expect(words(UNWANTED, 'availableCapacity')).toBe('demand is 0 % of supply against the target 50 %');
  expect(words(UNWANTED, 'premium')).toBe('demand has no mean; a peak begins at 1.1 and is full at 1.5');
  expect([SCARCE, UNWANTED].map(({ measures }) => measures.competitor)).toEqual([null, null]);
  expect([SCARCE, UNWANTED].map(({ kept }) => kept)).toEqual([false, false]);
});

describe('a market that stands still', () => {
  const still = derive(POLICY, factsOf(2, { 'gpu.v100': ['100', '0', '0'], disk: ['10', '0', null] }), historyOf());
  const { kept, lines } = explainPrice(POLICY, still, 'gpu.v100', null);

  test('because everybody was idle keeps its price, too', () => {
    expect(kept).toBe(true);
  });

  test('has bounds, and neither band, nor step, nor ceiling', () => {
    const limits = lines.filter(({ kind }) => kind === 'limit').map(({ name, measured }) => [name, measured]);
    const idle = 'not applied: the market stood still';
    expect(Object.fromEntries(limits)).toMatchObject({
      band: idle,
      step: idle,
      bounds: 'floor 0.5 USD, ceiling 8 USD',
      ceiling: idle,
    });
  });

  test('because nothing was offered and asked for in it does so while others are busy', () => {
    const busy = derive(POLICY, factsOf(2, { 'gpu.v100': ['100', '90', '110'], disk: ['0', '0', '0'] }), historyOf());
    expect(['gpu.v100', 'disk'].map((market) => explainPrice(POLICY, busy, market, null).kept)).toEqual([false, true]);
  });

  test('has nothing offered and nothing asked for, where that is why', () => {
    const empty = explainPrice(POLICY, derive(POLICY, factsOf(2, {}), historyOf()), 'gpu.t4', null);
    const capacity = empty.lines.find(({ name }) => name === 'availableCapacity');
    expect(capacity?.measured).toBe('nothing offered and nothing asked for against the target 50 %');
  });
});

describe('a record without a part of the market is refused by name', () => {
  const refused = (change: Partial<typeof DERIVATION>, policy = POLICY) => {
    try {
      explainPrice(policy, { ...DERIVATION, ...change }, 'gpu.v100', 1);
    } catch (error) {
      return error;
    }
    throw new Error('it was explained');
  };
  const missing = {
    id: 'price-mismatch',
    what: expect.stringContaining('the computation or its policy does not have the market'),
    where: 'epoch 2, market gpu.v100',
  };

  test('price, measures, multipliers, rules', () => {
    const { measures } = DERIVATION;
    expect(refused({ prices: [] })).toMatchObject(missing);
    expect(refused({ measures: { ...measures, markets: [] } })).toMatchObject(missing);
    expect(refused({ multipliers: [] })).toMatchObject(missing);
    expect(refused({}, { ...POLICY, markets: new Map() })).toMatchObject(missing);
  });
});

test.each([
  ['1234567.89', '1234568'],
  ['123456.789', '123457'],
  ['12345.6789', '12345.7'],
  ['0.000123456789', '0.000123457'],
  ['0', '0'],
])('a figure in a sentence has six digits, or all before the point: %s is %s', (text, spoken) => {
  expect(said(new Decimal(text))).toBe(spoken);
});

test('a share in a sentence has one decimal', () => {
  expect([saidPercent(new Decimal('0.12345')), saidPercent(new Decimal(1))]).toEqual(['12.3 %', '100 %']);
});
