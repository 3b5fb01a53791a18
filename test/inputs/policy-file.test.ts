import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { PolicyFileError, type PolicyFileProblem, readPolicyYaml } from '../../src/inputs/policy-file';

const DEFAULT = readFileSync(join(__dirname, '../../policies/swarm-default.yaml'), 'utf8');
/** One key a line, so that a defect's line can be counted: the default policy without its comments and empty lines. */
const TEXT = DEFAULT.split('\n')
  .filter((line) => !/^\s*(#|$)/.test(line))
  .join('\n');

function problemsOf(text: string): readonly PolicyFileProblem[] {
  try {
    readPolicyYaml(text, 'p.yaml');
  } catch (error) {
    if (error instanceof PolicyFileError) return error.problems;
    throw error;
  }
  return [];
}

const lineOf = (text: string, part: string) => text.split('\n').findIndex((line) => line.includes(part)) + 1;
const placesOf = (text: string) => problemsOf(text).map(({ line, path }) => [line, path]);

test('the default policy is valid', () => {
  const policy = readPolicyYaml(DEFAULT, 'swarm-default.yaml');
  expect(policy.name).toBe('swarm-default');
  expect(policy.markets.size).toBeGreaterThan(2);
});

test('numbers keep the text that was written: it is what is hashed', () => {
  const policy = readPolicyYaml(TEXT, 'p.yaml');
  expect(policy.document).toMatchObject({ ruleset: 1, history: { alpha: '0.2' }, token: { decimals: 18 } });
});

test('a number without quotes is an error that names line and key', () => {
  const text = TEXT.replace('maxStep: "0.125"', 'maxStep: 0.125');
  expect(text).not.toBe(TEXT);
  expect(problemsOf(text)).toEqual([
    {
      line: lineOf(text, 'maxStep'),
      path: 'pricing.maxStep',
      message: 'must be text in quotes, is the number 0.125',
    },
  ]);
});

test('a key of a market with dots in its name has the right line', () => {
  const text = TEXT.replace('family: compute', 'family: quantum');
  expect(placesOf(text)).toEqual([[lineOf(text, 'quantum'), expect.stringMatching(/^market\..+\.family$/)]]);
});

test('a market whose name begins like another one is not taken for it', () => {
  const text = TEXT.replace('\n  cpu:', '\n  gpu:').replace(/(\n {2}gpu\.v100:\n\s+family: )compute/, '$1quantum');
  expect(placesOf(text)).toEqual([[lineOf(text, 'quantum'), 'market.gpu.v100.family']]);
});

test('a missing key has the line of its group', () => {
  const text = TEXT.replace(/\n\s*holdSeconds: .*/, '');
  expect(text).not.toBe(TEXT);
  expect(placesOf(text)).toEqual([[lineOf(text, 'epoch:'), 'epoch.holdSeconds']]);
});

test('every defect is listed, in the order of the lines, and the message says where', () => {
  const text = `${TEXT.replace('maxStep: "0.125"', 'maxStep: "2"').replace('ruleset: 1', 'ruleset: 3')}\ncolour: red\n`;
  expect(placesOf(text).map(([, path]) => path)).toEqual(['ruleset', 'pricing.maxStep', 'colour']);
  const last = text.trimEnd().split('\n').length;
  expect(() => readPolicyYaml(text, 'p.yaml')).toThrow(`p.yaml:${last}: colour: is an unknown key`);
});

describe('YAML that policies do not use', () => {
  test.each([
    ['a duplicate key', `${TEXT}\nname: again\n`, 'name', 'stands twice'],
    [
      'a duplicate key in a group',
      TEXT.replace('maxStep: "0.125"', 'maxStep: "0.125"\n  maxStep: "0.125"'),
      'pricing.maxStep',
      'stands twice',
    ],
    ['an anchor', TEXT.replace('name: swarm-default', 'name: &n swarm-default'), 'name', 'anchor &n'],
    ['a tag', TEXT.replace('name: swarm-default', 'name: !!str swarm-default'), 'name', 'tag'],
    ['a tag of its own', TEXT.replace('name: swarm-default', 'name: !label swarm-default'), 'name', 'tag'],
    ['a second document', `${TEXT}\n---\nname: again\n`, '', 'second document'],
    ['a version of its own', `%YAML 1.1\n---\n${TEXT}`, '', 'YAML 1.2'],
    ['a key that is no text', `${TEXT}\n7: seven\n`, '', 'a key must be text'],
  ])('%s', (_, text, path, message) => {
    expect(text).not.toBe(TEXT);
    expect(problemsOf(text)).toContainEqual({
      line: expect.any(Number),
      path,
      message: expect.stringContaining(message),
    });
  });

  test('an alias is named, and not followed: it can make a document endless', () => {
    const text = TEXT.replace('name: swarm-default', 'name: &n [*n]');
    expect(problemsOf(text)).toContainEqual(
      expect.objectContaining({ path: 'name.0', message: expect.stringContaining('alias *n') }),
    );
  });

  test.each([
    ['nothing', ''],
    ['comments only', '# nothing\n'],
    ['broken YAML', 'a: ['],
    ['a tab for an indent', 'a:\n\tb: 1'],
    ['a text', 'swarm'],
    ['a list', '- swarm'],
  ])('%s is refused', (_, text) => {
    expect(problemsOf(text).length).toBeGreaterThan(0);
  });
});

test('YAML 1.2 has no sexagesimals and no yes: what looks like text is text', () => {
  expect(readPolicyYaml(TEXT.replace('name: swarm-default', 'name: yes'), 'p.yaml').name).toBe('yes');
  expect(placesOf(TEXT.replace('name: swarm-default', 'name: true'))).toEqual([[lineOf(TEXT, 'name:'), 'name']]);
});
