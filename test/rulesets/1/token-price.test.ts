import { epochEndSeconds } from '../../../src/rulesets/1/calendar';
import type { TokenObservation } from '../../../src/rulesets/1/records';
import { usableTokenPrice } from '../../../src/rulesets/1/token-price';
import { policyWith, text, usd } from './fixtures';

const policy = policyWith();
const END = epochEndSeconds(policy.epoch, 0);

const row = (source: string, price: string, volume = '1', secondsBeforeEnd = 0): TokenObservation => ({
  source,
  observedAtSeconds: END - secondsBeforeEnd,
  priceUsd: usd(price),
  volumeUsd: usd(volume) as never,
});
const priceOf = (...rows: readonly TokenObservation[]) => {
  const found = usableTokenPrice(policy, END, rows);
  return found && [text(found.price), text(found.volume)];
};

test('T is the median over sources, V the sum of their volumes', () => {
  expect(priceOf(row('a', '2', '3'), row('b', '5', '5'), row('c', '7', '7'))).toEqual(['5', '15']);
});

test('of an even count of sources it is the mean of the middle two, q12', () => {
  expect(priceOf(row('a', '0.000000000001'), row('b', '0.000000000002'))).toEqual(['0.000000000002', '2']);
  expect(priceOf(row('a', '2'), row('b', '3'))).toEqual(['2.5', '2']);
});

test('a source counts with the median of its rows, for price and for volume', () => {
  const a = [row('a', '1', '10', 3), row('a', '9', '30', 2), row('a', '2', '20', 1)];
  expect(priceOf(...a, row('b', '4', '5'))).toEqual(['3', '25']);
});

test('rows count from end - maxAgeSeconds to end, both included', () => {
  expect(priceOf(row('a', '2', '1', 7200), row('b', '2', '1', 0))).toEqual(['2', '2']);
  expect(priceOf(row('a', '2', '1', 7201), row('b', '2'))).toBeNull();
  expect(priceOf(row('a', '2', '1', -1), row('b', '2'))).toBeNull();
});

test('fewer sources than minSources are no price', () => {
  expect(priceOf(row('a', '2', '1', 1), row('a', '2', '1', 2))).toBeNull();
  expect(priceOf()).toBeNull();
});

test('sources are listed by bytes with their own price, in whatever order the rows come', () => {
  const rows = [row('b', '3'), row('B', '2'), row('a', '1'), row('a', '2', '1', 5)];
  const sources = [
    ['B', '2'],
    ['a', '1.5'],
    ['b', '3'],
  ];
  for (const order of [rows, [...rows].reverse()]) {
    expect(
      usableTokenPrice(policy, END, order)?.sources.map(({ source, priceUsd }) => [source, text(priceUsd)]),
    ).toEqual(sources);
  }
});

test('a token that is worth nothing to most sources has no usable price', () => {
  expect(priceOf(row('a', '0'), row('b', '0'), row('c', '7'))).toBeNull();
  expect(priceOf(row('a', '0'), row('b', '7'), row('c', '7'))).toEqual(['7', '3']);
});
