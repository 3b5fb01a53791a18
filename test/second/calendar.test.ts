import { epochEndSeconds, instantSeconds } from '../../src/audit/second/calendar';

test.each([
  '1970-01-01T00:00:00Z',
  '2020-02-29T23:59:59Z',
  '2000-02-29T12:00:00Z',
  '1999-12-31T23:59:59Z',
  '0000-01-01T00:00:00Z',
  '0000-12-31T00:00:00Z',
  '1600-03-01T00:00:01Z',
  '2100-03-01T00:00:00Z',
  '9999-12-31T23:59:59Z',
])('%s is the second that the ECMAScript calendar gives', (text) => {
  expect(instantSeconds(text)).toBe(Date.parse(text) / 1000);
});

test.each([
  '2021-02-29T00:00:00Z',
  '1900-02-29T00:00:00Z',
  '2020-04-31T00:00:00Z',
  '2020-00-10T00:00:00Z',
  '2020-13-10T00:00:00Z',
  '2020-01-00T00:00:00Z',
  '2020-01-01T24:00:00Z',
  '2020-01-01T00:60:00Z',
  '2016-12-31T23:59:60Z',
])('%s is not a real instant', (text) => {
  expect(() => instantSeconds(text)).toThrow(/real instant/);
});

test.each(['2020-01-01T00:00:00', '2020-01-01 00:00:00Z', '2020-01-01T00:00:00.5Z', '2020-01-01T00:00:00+00:00'])(
  '%s has another form',
  (text) => {
    expect(() => instantSeconds(text)).toThrow(/YYYY/);
  },
);

test('epoch e ends at genesis + (e+1)*length', () => {
  expect(epochEndSeconds({ genesisSeconds: 1000, lengthSeconds: 7 }, 0)).toBe(1007);
  expect(epochEndSeconds({ genesisSeconds: 1000, lengthSeconds: 7 }, 4)).toBe(1035);
});
