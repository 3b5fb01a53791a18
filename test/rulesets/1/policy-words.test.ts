import { PolicyError } from '../../../src/rulesets/1/errors';
import { parsePolicy } from '../../../src/rulesets/1/policy';
import { policyChanges } from '../../../src/rulesets/1/policy-changes';
import { documentWith, REMOVED } from './fixtures';

/** What somebody who wrote a policy reads: where, what is wrong, and what it should be. */
function wordsOf(changes: Readonly<Record<string, unknown>>): string[] {
  try {
    parsePolicy(documentWith(changes));
  } catch (error) {
    if (error instanceof PolicyError) return error.problems.map(({ path, message }) => `${path}: ${message}`);
    throw error;
  }
  return [];
}

const NO_NUMBER = 'is not a number: write digits with an optional point, like 12 or 0.5, without exponent or +';
const LONG = '1'.repeat(61);

test.each<[key: string, value: unknown, words: string]>([
  ['ruleset', 2, 'ruleset: must be 1'],
  ['name', REMOVED, 'name: is missing'],
  ['name', 7, 'name: must be text in quotes, is the number 7'],
  ['name', null, 'name: must be text in quotes, is nothing'],
  ['name', ['a'], 'name: must be text in quotes, is a list'],
  ['name', { a: 1 }, 'name: must be text in quotes, is a group of keys'],
  ['name', 'nul\0', 'name: must be Unicode text without NUL characters'],
  ['colour', 1, 'colour: is an unknown key: correct its spelling or remove it'],
  ['token', 'text', 'token: must be a group of keys, is the string text'],
  ['token', LONG.slice(1), `token: must be a group of keys, is the string ${LONG.slice(1)}`],
  ['token', LONG, `token: must be a group of keys, is the string ${LONG.slice(4)}...`],
  ['token/decimals', '18', 'token.decimals: must be an integer without quotes, is the string 18'],
  ['token/decimals', 1.5, 'token.decimals: must be an integer, is the number 1.5'],
  ['token/decimals', -1, 'token.decimals: must be at least 0'],
  ['token/decimals', 37, 'token.decimals: must be at most 36'],
  ['token/extra', 'x', 'token.extra: is an unknown key: correct its spelling or remove it'],
  ['epoch/genesis', '2020-02-30T00:00:00Z', 'epoch.genesis: must be a real instant of the form YYYY-MM-DDTHH:MM:SSZ'],
  ['epoch/lengthSeconds', '0', 'epoch.lengthSeconds: must be at least 1, is 0'],
  [
    'epoch/lengthSeconds',
    '9007199254740992',
    'epoch.lengthSeconds: must be at most 9007199254740991, is 9007199254740992',
  ],
  ['epoch/lengthSeconds', 'x', `epoch.lengthSeconds: "x" ${NO_NUMBER}`],
  ['epoch/lengthSeconds', 7, 'epoch.lengthSeconds: must be text in quotes, is the number 7'],
  ['market', [], 'market: must be a group of keys, is a list'],
  ['market', {}, 'market: must have at least one market'],
  ['market/tape', 'a tape', 'market.tape: must be a group of keys, is the string a tape'],
  ['market/disk/family', 'quantum', 'market.disk.family: must be compute, storage, network'],
  ['market/disk/floor', '0.02', 'market.disk.floor: floor (0.02) must not be above basePrice (0.01)'],
  ['market/disk/floor', 3, 'market.disk.floor: must be text in quotes, is the number 3'],
  ['market/disk/ceiling', '0.005', 'market.disk.ceiling: basePrice (0.01) must not be above ceiling (0.005)'],
  ['market/disk/targetUtilisation', '1', 'market.disk.targetUtilisation: must be below 1, is 1'],
  ['market/disk/standbyShare', '1.1', 'market.disk.standbyShare: must be at most 1, is 1.1'],
  ['pricing/maxStep', '0', 'pricing.maxStep: must be above 0, is 0'],
  [
    'pricing/peakDemand/threshold',
    '1.50',
    'pricing.peakDemand.threshold: pricing.peakDemand.threshold (1.5) must be below pricing.peakDemand.full (1.5)',
  ],
  ['rewards/growthPhases', 'none', 'rewards.growthPhases: must be a list, is the string none'],
  ['rewards/growthPhases', [], 'rewards.growthPhases: must have at least one phase'],
  [
    'rewards/growthPhases/2/name',
    'bootstrap',
    'rewards.growthPhases.2.name: the name "bootstrap" is given to an earlier phase',
  ],
  [
    'rewards/growthPhases/1/belowProviders',
    '3',
    'rewards.growthPhases.1.belowProviders: must be above the one before it (3), is 3',
  ],
  ['rewards/performance/curves/uptime', [], 'rewards.performance.curves.uptime: must have at least one point'],
  ['rewards/performance/curves/uptime/1', ['0.95'], 'rewards.performance.curves.uptime.1: must be at least 2 values'],
  [
    'rewards/performance/curves/uptime/1',
    ['0.95', '1', '1'],
    'rewards.performance.curves.uptime.1: must be at most 2 values',
  ],
  [
    'rewards/performance/curves/uptime/1',
    'x',
    'rewards.performance.curves.uptime.1: must be a pair [x, y], is the string x',
  ],
  ['pool/perEpoch', `1${'0'.repeat(30)}`, 'pool.perEpoch: must have at most 30 digits before the point'],
  ['pool/perEpoch', '-1', 'pool.perEpoch: must be at least 0, is -1'],
  ['breakers/overServed', '1e-2', `breakers.overServed: "1e-2" ${NO_NUMBER}`],
])('%s = %j', (key, value, words) => {
  expect(wordsOf({ [key]: value })).toEqual([words]);
});

test('the largest numbers that are allowed are', () => {
  expect(wordsOf({ 'pool/perEpoch': `1${'0'.repeat(29)}`, 'epoch/holdSeconds': '9007199254740991' })).toEqual([]);
});

test('without a readable base price the two bounds are compared with each other', () => {
  const words = wordsOf({ 'market/disk/basePrice': 'x', 'market/disk/floor': '0.2' });
  expect(words).toEqual([
    `market.disk.basePrice: "x" ${NO_NUMBER}`,
    'market.disk.floor: floor (0.2) must not be above ceiling (0.1)',
  ]);
});

test('a market of a name that is none is named for that, and for each key that it lacks', () => {
  const keys = ['family', 'unit', 'basePrice', 'floor', 'ceiling', 'targetUtilisation', 'standbyShare'];
  expect(wordsOf({ 'market/a disk': {} })).toEqual([
    'market.a disk: a market is named with 1 to 128 of A-Z a-z 0-9 . _ : -',
    ...keys.map((key) => `market.a disk.${key}: is missing`),
  ]);
});

describe('what another policy changes', () => {
  const changes = (...args: Parameters<typeof documentWith>) =>
    policyChanges(documentOf({}), documentOf(...args)).map(({ path, before, after }) => [path, before, after]);
  const documentOf = (...args: Parameters<typeof documentWith>) => parsePolicy(documentWith(...args)).document;

  test('nothing, where it is the same', () => {
    expect(changes({})).toEqual([]);
  });

  test('is named key by key, in the order of the paths, with both values as they are written', () => {
    expect(changes({ 'pricing/maxStep': '0.20', 'caps/providerShare': '0.3', 'token/decimals': 8 })).toEqual([
      ['caps.providerShare', '0.20', '0.3'],
      ['pricing.maxStep', '0.125', '0.20'],
      ['token.decimals', '6', '8'],
    ]);
  });

  test('counts the places of a list from 0; what one of the two does not have is null there', () => {
    expect(changes({ 'rewards/growthPhases': [{ name: 'bootstrap', multiplier: '1.5' }] })).toEqual([
      ['rewards.growthPhases.0.belowProviders', '3', null],
      ['rewards.growthPhases.1.belowProviders', '10', null],
      ['rewards.growthPhases.1.multiplier', '1.2', null],
      ['rewards.growthPhases.1.name', 'expansion', null],
      ['rewards.growthPhases.2.multiplier', '1', null],
      ['rewards.growthPhases.2.name', 'maturity', null],
    ]);
    const tape = { family: 'storage', unit: 'hour', basePrice: '2', floor: '1', ceiling: '4' };
    const added = changes({ 'market/tape': { ...tape, targetUtilisation: '0.5', standbyShare: '0' } });
    expect(added.map(([path, before]) => [path, before])).toEqual(
      ['basePrice', 'ceiling', 'family', 'floor', 'standbyShare', 'targetUtilisation', 'unit'].map((key) => [
        `market.tape.${key}`,
        null,
      ]),
    );
  });
});
