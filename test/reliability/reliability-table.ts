import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { chaosDescription } from '../chaos/description';
import { FAULTS } from './faults';

const TESTS = join(__dirname, '..');

export interface NamedTest {
  readonly file: string;
  readonly title: string;
}

/** A title names its faults at its beginning: `F15: the server forgets`, `S2, S4: the database grants`. */
const TITLE = /(['"`])((?:[FS][0-9]{1,2}(?:, )?)+): ((?:(?!\1).)+)\1/g;

/** Every title of a test, or of a group of tests, that names faults, by fault. Skipped ones do not count. */
export function testsByFault(): ReadonlyMap<string, readonly NamedTest[]> {
  const found = new Map<string, NamedTest[]>();
  for (const path of readdirSync(TESTS, { recursive: true, encoding: 'utf8' }).sort()) {
    if (!path.endsWith('.test.ts') || path.startsWith('reliability')) continue;
    const text = readFileSync(join(TESTS, path), 'utf8');
    for (const match of text.matchAll(TITLE)) {
      const called = text.slice(Math.max(0, match.index - 60), match.index);
      if (/\.(skip|todo)[^;]*$/.test(called)) continue;
      for (const id of match[2]!.split(', ')) {
        found.set(id, [...(found.get(id) ?? []), { file: join('test', path), title: match[3]! }]);
      }
    }
  }
  return found;
}

/** docs/reliability.md, as the tests of now make it. */
export function reliabilityTable(): string {
  const tests = testsByFault();
  const rows = FAULTS.map(({ id, fault, reason }) => {
    const named = (tests.get(id) ?? []).map(({ file, title }) => `${title} (\`${file}\`)`);
    const answer = named.length > 0 ? named.join('<br>') : (reason ?? '**no test names it yet**');
    return `| ${id} | ${fault} | ${answer.replaceAll('|', '\\|')} |`;
  });
  return [
    '# Reliability',
    '',
    'What can go wrong, and the test that makes it go wrong. Written by `npm run reliability` from the titles of the tests;',
    'a test fails when this page is not what they say.',
    '',
    '| id | fault | test, or why there is none |',
    '| --- | --- | --- |',
    ...rows,
    '',
    ...chaosDescription(),
  ].join('\n');
}
