import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { EXPLAINED } from '../mutation/explained';
import { type Measured, mutationPage } from '../mutation/page';
import { roomResult, scoreOf } from '../mutation/results';

const ROOT = join(__dirname, '..', '..');
const read = (...path: readonly string[]) => readFileSync(join(ROOT, ...path), 'utf8');

test('docs/mutation.md is what was measured: `npm run mutation` writes both', () => {
  const measured = JSON.parse(read('test', 'mutation', 'measured.json')) as Measured;
  expect(read('docs', 'mutation.md')).toBe(mutationPage(measured));
});

test('every measured room kills at least 90 %, and every survivor is explained', () => {
  const measured = JSON.parse(read('test', 'mutation', 'measured.json')) as Measured;
  for (const files of Object.values(measured)) {
    expect(scoreOf(files)).toBeGreaterThanOrEqual(90);
    expect(files.filter(({ survived, explained }) => survived !== explained)).toEqual([]);
  }
});

test('an explained survivor stands on a line that is there', () => {
  const gone = EXPLAINED.filter(
    ({ file, line }) =>
      !read(file)
        .split('\n')
        .some((one) => one.trim() === line),
  );
  expect(gone).toEqual([]);
});

test('a survivor is explained by its own line and replacement alone, and an explanation of none is told', () => {
  const mutant = (line: number, replacement: string, status: string) => ({
    mutatorName: 'EqualityOperator',
    replacement,
    status,
    location: { start: { line } },
  });
  const reason = { file: 'a.ts', line: 'x < 1', mutator: 'EqualityOperator', replacement: 'x <= 1', reason: 'equal' };
  const stale = { ...reason, line: 'z < 1' };
  const report = {
    files: {
      'a.ts': {
        source: '  x < 1\n  y < 1\n',
        mutants: [
          mutant(1, 'x <= 1', 'Survived'),
          mutant(1, 'x >= 1', 'Killed'),
          mutant(2, 'y <= 1', 'NoCoverage'),
          mutant(2, 'y >= 1', 'Timeout'),
        ],
      },
    },
  };
  const result = roomResult('room', report, [reason, stale]);
  expect(result.files).toEqual([{ file: 'a.ts', killed: 1, timeout: 1, survived: 2, explained: 1, ignored: 0 }]);
  expect(result.unexplained).toMatchObject([{ line: 'y < 1', lineNumber: 2, replacement: 'y <= 1' }]);
  expect(result.stale).toEqual([stale]);
  expect(scoreOf(result.files)).toBe(50);
});
