import { missingInputs } from '../../../src/rulesets/1/sealing';
import { GOOD_PERFORMANCE, policyWith, tokenRows } from './fixtures';

const complete = { capacityRows: 1, token: tokenRows(7), performance: GOOD_PERFORMANCE };
const missing = (more: Partial<typeof complete>) => missingInputs(policyWith(), 7, { ...complete, ...more });

test('inputs with capacity, a token price and measured uptimes lack nothing', () => {
  expect(missing({})).toEqual([]);
});

test('no capacity row is no epoch', () => {
  expect(missing({ capacityRows: 0 })).toEqual(['capacity']);
});

test('a token price of another hour is none', () => {
  expect(missing({ token: tokenRows(9) })).toEqual(['token-price']);
  expect(missing({ token: tokenRows(6) })).toEqual([]); // an hour old: maxAgeSeconds is two
  expect(missing({ token: tokenRows(7).slice(1) })).toEqual(['token-price']);
});

test('F39: uptimes may be missing for at most the share unmeasuredShare (a tenth) of the N providers', () => {
  expect(missing({ performance: { ...GOOD_PERFORMANCE, activeProviders: 10, measuredUptimes: 9 } })).toEqual([]);
  expect(missing({ performance: { ...GOOD_PERFORMANCE, activeProviders: 9, measuredUptimes: 8 } })).toEqual([
    'uptimes',
  ]);
  expect(missing({ performance: { ...GOOD_PERFORMANCE, activeProviders: 0, measuredUptimes: 0 } })).toEqual([]);
});

test('all that is missing is said at once', () => {
  expect(missing({ capacityRows: 0, token: [], performance: { ...GOOD_PERFORMANCE, measuredUptimes: 0 } })).toEqual([
    'capacity',
    'token-price',
    'uptimes',
  ]);
});
