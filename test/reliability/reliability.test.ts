import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { FAULTS } from './faults';
import { reliabilityTable, testsByFault } from './reliability-table';

test('docs/reliability.md is what the tests say: after naming a fault in a title, `npm run reliability`', () => {
  expect(readFileSync(join(__dirname, '..', '..', 'docs', 'reliability.md'), 'utf8')).toBe(reliabilityTable());
});

test('no fault that a test names has a reason why there is no test', () => {
  const tests = testsByFault();
  expect(FAULTS.filter(({ id, reason }) => reason !== undefined && tests.has(id))).toEqual([]);
});

test('every fault has a test, or a reason why there is none', () => {
  const tests = testsByFault();
  const open = FAULTS.filter(({ id, reason }) => !tests.has(id) && (reason ?? '').trim() === '');
  expect(open.map(({ id }) => id)).toEqual([]);
});

test('the table has every fault of its kinds, once', () => {
  const numbers = [...range(1, 17), ...range(20, 28), ...range(30, 45)].map((number) => `F${number}`);
  expect(FAULTS.map(({ id }) => id)).toEqual([...numbers, 'S1', 'S2', 'S3', 'S4', 'S5', 'S6', 'S8']);
});

const range = (first: number, last: number) => Array.from({ length: last - first + 1 }, (_, index) => first + index);
