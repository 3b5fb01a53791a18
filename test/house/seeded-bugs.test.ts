import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { SEEDED_BUGS } from '../bugs/catalogue';
import { type NamedTest, withBug } from '../bugs/seeded-bug';

const ROOT = join(__dirname, '..', '..');
const read = (file: string) => readFileSync(join(ROOT, file), 'utf8');

/** Literals of a test file, any of which could be a title or a part of one that `test.each` puts together. */
function titlesIn(file: string): RegExp[] {
  const literals = [...read(file).matchAll(/(['"`])((?:\\.|(?!\1)[^\\\n])+)\1/g)].map((match) => match[2]!);
  const escaped = literals.map((text) => text.replace(/\\(.)/g, '$1').replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  // A title of nothing but placeholders would match any other.
  return escaped
    .filter((text) => !/^(%.|\W)+$/.test(text))
    .map((text) => new RegExp(`^${text.replace(/%[sijp]/g, '.+')}$`));
}

const isThere = ({ file, title }: NamedTest) => titlesIn(file).some((literal) => literal.test(title));

test('each seeded bug can still be made: its place stands in the file exactly once, and it changes something', () => {
  for (const bug of SEEDED_BUGS) {
    const sound = read(bug.file);
    expect(withBug(sound, bug)).not.toBe(sound);
  }
});

test('a place that is not there, or there twice, is an error that names the bug', () => {
  const bug = { ...SEEDED_BUGS[0]!, find: 'a' };
  expect(() => withBug('b', bug)).toThrow(`bug ${bug.id} has to stand in ${bug.file} exactly once and does 0 times`);
  expect(() => withBug('aba', bug)).toThrow('does 2 times');
});

test('the tests that are named to catch a bug are there', () => {
  const missing = SEEDED_BUGS.flatMap(({ id, caughtBy }) =>
    caughtBy.filter((one) => !isThere(one)).map(({ file, title }) => `${id}: ${file}: ${title}`),
  );
  expect(missing).toEqual([]);
});

test('there are at least 20 of them, each with a name of its own, a mistake in words and a test', () => {
  expect(SEEDED_BUGS.length).toBeGreaterThanOrEqual(20);
  expect(new Set(SEEDED_BUGS.map(({ id }) => id)).size).toBe(SEEDED_BUGS.length);
  expect(SEEDED_BUGS.filter(({ mistake, caughtBy }) => mistake === '' || caughtBy.length === 0)).toEqual([]);
});
