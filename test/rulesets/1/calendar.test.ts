import {
  epochAt,
  epochStartSeconds,
  epochTimes,
  instantText,
  isEpochNumber,
  parseInstant,
} from '../../../src/rulesets/1/calendar';
import { policyWith } from './fixtures';

const { epoch: rules } = policyWith();

test('epoch e covers [genesis + e*length, genesis + (e+1)*length)', () => {
  const times = epochTimes(rules, 7);
  expect(instantText(times.startSeconds)).toBe('2020-05-01T07:00:00Z');
  expect(instantText(times.endSeconds)).toBe('2020-05-01T08:00:00Z');
  expect(instantText(times.sealSeconds)).toBe('2020-05-01T08:05:00Z');
  expect(instantText(times.deadlineSeconds)).toBe('2020-05-01T14:00:00Z');
});

test('an instant belongs to the epoch that it begins, not to the one it ends', () => {
  expect(epochAt(rules, rules.genesisSeconds - 1)).toBeNull();
  expect(epochAt(rules, rules.genesisSeconds)).toBe(0);
  expect(epochAt(rules, rules.genesisSeconds + 3599)).toBe(0);
  expect(epochAt(rules, rules.genesisSeconds + 3600)).toBe(1);
});

test('instants of an epoch find their epoch again', () => {
  for (const epoch of [0, 1, 8759, 1_000_000]) {
    expect(epochAt(rules, epochStartSeconds(rules, epoch))).toBe(epoch);
    expect(epochAt(rules, epochTimes(rules, epoch).endSeconds - 1)).toBe(epoch);
  }
});

test.each([-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53, '7', 7n, null])('%p is no epoch number', (value) => {
  expect(isEpochNumber(value)).toBe(false);
});

test.each([-1, 1.5, 2 ** 53, 100_000_000])('epoch %p has no place in the calendar', (epoch) => {
  expect(() => epochTimes(rules, epoch)).toThrow(expect.objectContaining({ id: 'epoch-out-of-calendar' }));
  expect(() => epochTimes(rules, epoch)).toThrow(`Epoch ${epoch} has no place in the calendar.`);
});

test('the last epoch is the one that ends within the year 9999', () => {
  const seconds = parseInstant('9999-12-31T23:59:59Z') as number;
  const calendar = { genesisSeconds: seconds - 100, lengthSeconds: 10 };
  expect(epochStartSeconds(calendar, 9)).toBe(seconds - 10);
  expect(() => epochStartSeconds(calendar, 10)).toThrow(expect.objectContaining({ id: 'epoch-out-of-calendar' }));
});

test.each(['2020-02-29T23:59:59Z', '1969-12-31T23:59:59Z', '0099-01-01T00:00:00Z', '9999-12-31T23:59:59Z'])(
  '%s is an instant and is written as it was read',
  (text) => {
    const seconds = parseInstant(text);
    expect(seconds).not.toBeNull();
    expect(instantText(seconds as number)).toBe(text);
  },
);

test.each([
  '2021-02-29T00:00:00Z',
  '2020-13-01T00:00:00Z',
  '2020-01-01T24:00:00Z',
  '2020-01-01T00:00:60Z',
  '2020-01-01T00:00:00',
  '2020-01-01T00:00:00.0Z',
  '2020-01-01T00:00:00+00:00',
  '2020-01-01 00:00:00Z',
  ' 2020-01-01T00:00:00Z',
])('%s is no instant', (text) => {
  expect(parseInstant(text)).toBeNull();
});
