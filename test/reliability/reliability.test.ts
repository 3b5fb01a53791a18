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
