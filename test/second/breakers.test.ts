import { type EpochSettlement, settleEpoch } from '../../src/audit/second/epoch';
import { trippedIds } from '../../src/audit/second/exports';
import { decimalText, fraction } from '../../src/audit/second/fraction';
import { brokenGuard } from '../../src/audit/second/guards';
import type { BreakerId } from '../../src/audit/second/policy';
import type { EpochRecord } from '../../src/audit/second/records';
import type { TableName } from '../../src/audit/second/tables';
import { instant, past, policyWith, rowsOf } from './world';

/** Two equal providers, gpu used to its target of 0.5: nothing moves the price of 2 but what a case changes. */
const LINES: Partial<Record<TableName, string[]>> = {
  providers: ['a,0,active,', 'b,0,active,'],
  capacity: ['10,a,gpu,10,5', '10,b,gpu,10,5'],
  performance: ['10,a,1,,,', '10,b,1,,,'],
  token: [`10,dex,${instant(1100)},1,100`],
};
const LENIENT = Object.fromEntries(
  ['priceChange', 'totalChange', 'supplyDrop', 'topShare', 'tokenMove', 'overServed'].map((id) => [
    `breakers/${id}`,
    '1000',
  ]),
);

function settle(
  lines: Partial<Record<TableName, string[]>> = {},
  history: EpochRecord[] = [],
  changes: Record<string, unknown> = {},
): EpochSettlement {
  const outcome = settleEpoch(10, rowsOf({ ...LINES, ...lines }), policyWith({ ...LENIENT, ...changes }), history);
  if (outcome.state === 'failed') throw new Error(`failed(${outcome.failure})`);
  return outcome;
}

function figure(settlement: EpochSettlement, id: BreakerId): string {
  const breaker = settlement.breakers.find((candidate) => candidate.id === id);
  if (breaker === undefined) throw new Error(`no breaker ${id}`);
  return `${decimalText(breaker.figure)} of ${decimalText(breaker.limit)}${breaker.tripped ? ' tripped' : ''}`;
}

const steady = (changes: Parameters<typeof past>[1] = {}, header: Parameters<typeof past>[2] = {}) =>
  past(9, { gpu: { supply: '20', demand: '10', price: '2' }, ...changes }, header);

describe('figures against limits (spec §8)', () => {
  test('priceChange: greater than its limit trips, equal does not', () => {
    const before = [steady({ gpu: { supply: '20', demand: '10', price: '1.6' }, tpu: { price: '2.5' } })];
    // gpu 1.6 to 2, tpu 2.5 to 2 (kept at its base).
    expect(figure(settle({}, before, { 'breakers/priceChange': '0.25' }), 'priceChange')).toBe('0.25 of 0.25');
    expect(figure(settle({}, before, { 'breakers/priceChange': '0.249999999' }), 'priceChange')).toBe(
      '0.25 of 0.249999999 tripped',
    );
  });

  test('a market that the last epoch did not price passes', () => {
    expect(figure(settle({}, [past(9, {})], { 'breakers/priceChange': '0' }), 'priceChange')).toBe('0 of 0');
  });

  test('the first epoch passes all that compare', () => {
    const zero = { priceChange: '0', totalChange: '0', supplyDrop: '0', tokenMove: '0' };
    const changes = Object.fromEntries(Object.entries(zero).map(([id, limit]) => [`breakers/${id}`, limit]));
    expect(trippedIds(settle({}, [], changes).breakers)).toBe('');
  });

  test('totalChange looks at the sum of amounts, and passes where it was 0', () => {
    const now = settle().allotment.sum;
    const havingPaid = (sum: bigint) => [steady({}, { sum: sum.toString() })];
    expect(figure(settle({}, havingPaid(now * 2n)), 'totalChange')).toBe('0.5 of 1000');
    expect(figure(settle({}, havingPaid(0n)), 'totalChange')).toBe('0 of 1000');
  });

  test('supplyDrop is the largest fall of a market that both priced', () => {
    const before = [steady({ gpu: { supply: '25', demand: '10' }, tpu: { supply: '0' }, disk: { supply: '8' } })];
    expect(figure(settle({}, before, { 'breakers/supplyDrop': '0.99' }), 'supplyDrop')).toBe('1 of 0.99 tripped');
    const gpuOnly = [steady({ gpu: { supply: '25', demand: '10' } })];
    expect(figure(settle({}, gpuOnly, { 'breakers/supplyDrop': '0.2' }), 'supplyDrop')).toBe('0.2 of 0.2');
    const rise = [steady({ gpu: { supply: '5', demand: '10' } })];
    expect(figure(settle({}, rise, { 'breakers/supplyDrop': '0' }), 'supplyDrop')).toBe('0 of 0');
  });

  test('topShare is of the sum of amounts, 0 where nothing is paid', () => {
    expect(figure(settle(), 'topShare')).toBe('0.5 of 1000');
    expect(figure(settle({}, [], { 'pool/perEpoch': '0' }), 'topShare')).toBe('0 of 1000');
  });

  test('belowMinimumUptimeShare and unmeasuredShare are of the N providers', () => {
    const lines = {
      providers: ['a,0,active,', 'b,0,active,', 'c,0,active,', 'd,0,active,', 's,0,suspended,'],
      capacity: ['10,a,gpu,10,5', '10,b,gpu,10,5', '10,c,gpu,1,0', '10,d,gpu,1,0', '10,s,gpu,1,0'],
      performance: ['10,a,1,,,', '10,b,0.4,,,', '10,c,1,,,', '10,d,,1,1,1', '10,s,0.1,,,'],
    };
    const settlement = settle(lines);
    expect(figure(settlement, 'belowMinimumUptimeShare')).toBe('0.25 of 0.5');
    expect(figure(settlement, 'unmeasuredShare')).toBe('0.25 of 0.25');
  });

  test('overServed compares with what was requested, market by market', () => {
    expect(figure(settle({ demand: ['10,gpu,8'] }), 'overServed')).toBe('0.25 of 1000');
    expect(figure(settle({ demand: ['10,gpu,0'] }), 'overServed')).toBe('1 of 1000');
    expect(
      figure(settle({ demand: ['10,gpu,10', '10,tpu,0'] }, [], { 'breakers/overServed': '0' }), 'overServed'),
    ).toBe('0 of 0');
    expect(figure(settle({}, [], { 'breakers/overServed': '0' }), 'overServed')).toBe('0 of 0');
  });

  test('tokenMove is the change of T', () => {
    const before = [steady({}, { tokenPrice: '0.8' })];
    expect(figure(settle({}, before, { 'breakers/tokenMove': '0.25' }), 'tokenMove')).toBe('0.25 of 0.25');
    expect(figure(settle({}, before, { 'breakers/tokenMove': '0.24' }), 'tokenMove')).toBe('0.25 of 0.24 tripped');
  });

  test('tokenMove trips as well where too few sources lie within the deviation', () => {
    const sources = (...prices: string[]) => ({
      token: prices.map((price, index) => `10,source${index},${instant(1100)},${price},1`),
    });
    const three = { 'tokenPrice/minSources': '3' };
    expect(figure(settle(sources('0.9', '1', '1.1'), [], three), 'tokenMove')).toBe('0 of 1000');
    expect(figure(settle(sources('0.9', '1', '1.100000000001'), [], three), 'tokenMove')).toBe('2 of 3 tripped');
    // T = 1.5: neither source is near it.
    expect(figure(settle(sources('1', '2'), [], { 'tokenPrice/minSources': '1' }), 'tokenMove')).toBe('0 of 1 tripped');
  });

  test('ids come in the order of the specification, joined by a semicolon', () => {
    const before = [
      steady({ gpu: { supply: '100', demand: '10', price: '4' } }, { tokenPrice: '9', sum: '1', activeProviders: 2 }),
    ];
    const limits = ['priceChange', 'totalChange', 'supplyDrop', 'topShare', 'tokenMove', 'overServed'];
    const changes = Object.fromEntries(limits.map((id) => [`breakers/${id}`, '0.1']));
    const lines = {
      demand: ['10,gpu,0.1'],
      performance: ['10,a,0.1,,,'],
    };
    const strict = { ...changes, 'breakers/belowMinimumUptimeShare': '0.1', 'breakers/unmeasuredShare': '0.1' };
    expect(trippedIds(settle(lines, before, strict).breakers)).toBe(
      'priceChange;totalChange;supplyDrop;topShare;belowMinimumUptimeShare;tokenMove;overServed;unmeasuredShare',
    );
  });
});

describe('guards', () => {
  const policy = policyWith(LENIENT);
  const whole = settle();
  const one = fraction(1n);
  const market = whole.markets[0] as EpochSettlement['markets'][number];
  const payout = whole.allotment.payouts[0] as EpochSettlement['allotment']['payouts'][number];

  test('hold of what was settled', () => {
    expect(brokenGuard(whole, policy)).toBeUndefined();
  });

  test('conservation', () => {
    const allotment = { ...whole.allotment, unallocated: whole.allotment.unallocated + 1n };
    expect(brokenGuard({ ...whole, allotment }, policy)).toBe('conservation');
  });

  test.each([
    ['a price over the ceiling', { price: fraction(9n) }],
    ['a price under its base', { price: one }],
    ['a base under the floor', { base: fraction(1n, 3n) }],
    // Step limits 1 and 3.
    ['a base beyond the step', { base: fraction(7n, 2n), price: fraction(7n, 2n) }],
  ])('price-bounds: %s', (_, changes) => {
    const markets = [{ ...market, price: { ...market.price, ...changes } }];
    expect(brokenGuard({ ...whole, markets }, policy)).toBe('price-bounds');
  });

  test('price-bounds: floor and ceiling may move a base beyond the step', () => {
    const differences = { ...market.price.differences, bounds: one };
    const price = { ...market.price, base: fraction(7n, 2n), price: fraction(7n, 2n), differences };
    expect(brokenGuard({ ...whole, markets: [{ ...market, price }] }, policy)).toBeUndefined();
  });

  test('multiplier-bounds', () => {
    const multipliers = { ...market.multipliers, network: fraction(31n, 10n) };
    expect(brokenGuard({ ...whole, markets: [{ ...market, multipliers }] }, policy)).toBe('multiplier-bounds');
    const judgements = whole.judgements.map((judgement) => ({ ...judgement, multiplier: fraction(21n, 10n) }));
    expect(brokenGuard({ ...whole, judgements }, policy)).toBe('multiplier-bounds');
  });

  test.each([
    ['one line twice', [payout, payout]],
    ['a line too few', [payout]],
    ['somebody without a capacity row', [payout, { ...payout, provider: 'nobody' }]],
  ])('payees: %s', (_, payouts) => {
    const sum = payouts.reduce((total, { amount }) => total + amount, 0n);
    const allotment = { ...whole.allotment, payouts, unallocated: whole.allotment.pool - sum };
    expect(brokenGuard({ ...whole, allotment }, policy)).toBe('payees');
  });

  test('payees: nobody is paid over the cap or below zero', () => {
    for (const change of [whole.allotment.cap + 1n - payout.amount, -payout.amount - 1n]) {
      const payouts = whole.allotment.payouts.map((line, index) =>
        index === 0 ? { ...line, amount: line.amount + change } : line,
      );
      const allotment = { ...whole.allotment, payouts, unallocated: whole.allotment.unallocated - change };
      expect(brokenGuard({ ...whole, allotment }, policy)).toBe('payees');
    }
  });
});
