import { PolicyError, type PolicyProblem } from '../../../src/rulesets/1/errors';
import { parsePolicy } from '../../../src/rulesets/1/policy';
import { DOCUMENT, documentWith, policyWith, REMOVED, text } from './fixtures';

function problemsOf(document: unknown): readonly PolicyProblem[] {
  try {
    parsePolicy(document);
  } catch (error) {
    if (error instanceof PolicyError) return error.problems;
    throw error;
  }
  return [];
}

const pathsOf = (document: unknown) => problemsOf(document).map(({ path }) => path);

/** Changing this key to this value is a defect at exactly this path. */
const DEFECTS: readonly (readonly [key: string, value: unknown, path?: string])[] = [
  ['ruleset', 2],
  ['ruleset', '1'],
  ['name', REMOVED],
  ['name', 7],
  ['name', '\ud800'],
  ['colour', 'red'],
  ['token', REMOVED],
  ['token/decimals', '18'],
  ['token/decimals', 1.5],
  ['token/decimals', -1],
  ['token/decimals', 37],
  ['token/symbol', null],
  ['token/extra', 'x'],
  ['epoch/genesis', '2020-02-30T00:00:00Z'],
  ['epoch/genesis', '2020-05-01T00:00:00'],
  ['epoch/genesis', '2020-05-01T24:00:00Z'],
  ['epoch/lengthSeconds', '0'],
  ['epoch/lengthSeconds', '9007199254740992'],
  ['epoch/graceSeconds', '-1'],
  ['epoch/inputDeadlineSeconds', '299'],
  ['epoch/holdSeconds', '0'],
  ['history/window', '3'],
  ['history/window', '8.5'],
  ['history/season', '0'],
  ['history/growthWindow', '0'],
  ['history/alpha', '0'],
  ['history/alpha', '1.1'],
  ['history/fastAlpha', '0'],
  ['history/slowAlpha', '1.000000001'],
  ['market', {}],
  ['market', []],
  ['market', 'a market'],
  ['market', null],
  ['market/gpu.v100/family', 'quantum'],
  ['market/gpu.v100/basePrice', '2.0000000000001'],
  ['market/gpu.v100/basePrice', '9', 'market.gpu.v100.ceiling'],
  ['market/gpu.v100/floor', '3'],
  ['market/gpu.v100/floor', '-1'],
  ['market/gpu.v100/ceiling', '1'],
  ['market/gpu.v100/targetUtilisation', '0'],
  ['market/gpu.v100/targetUtilisation', '1'],
  ['market/gpu.v100/standbyShare', '1.1'],
  ['market/gpu.v100/unit', REMOVED],
  ['market/gpu.v100/colour', 'red'],
  ['market/gpu v100', DOCUMENT.market.disk],
  ['market/tape', 'a tape'],
  ['pricing/maxStep', '0'],
  ['pricing/maxStep', '1'],
  ['pricing/weights/supply', '0.100000001', 'pricing.weights'],
  ['pricing/weights/peakDemand', '0'],
  ['pricing/weights/demand', REMOVED],
  ['pricing/marketConditions/macroWeight', '0.4', 'pricing.marketConditions'],
  ['pricing/marketConditions/macroRange', '0'],
  ['pricing/providerGrowth/range', '0'],
  ['pricing/providerGrowth/target', '0.0000000001'],
  ['pricing/peakDemand/threshold', '1.50'],
  ['pricing/peakDemand/premium', '-0.1'],
  ['pricing/competition/minQuotes', '0'],
  ['pricing/competition/bandLow', '1.6'],
  ['rewards/sensitivity/networkDemand', '1.1'],
  ['rewards/sensitivity/marketConditions', '-0.1'],
  ['rewards/sensitivity/resourceAvailability', '2'],
  ['rewards/networkMultiplier/min', '4'],
  ['rewards/growthPhases', []],
  ['rewards/growthPhases/0/belowProviders', REMOVED],
  ['rewards/growthPhases/0/belowProviders', '0'],
  ['rewards/growthPhases/1/belowProviders', '3'],
  ['rewards/growthPhases/2/belowProviders', '20'],
  ['rewards/growthPhases/2/belowProviders', '5'],
  ['rewards/growthPhases/2/name', 'bootstrap'],
  ['rewards/growthPhases/1/multiplier', '-1'],
  ['rewards/growthPhases/1/colour', 'red'],
  ['rewards/performance/minimumUptime', '1.1'],
  ['rewards/performance/weights/uptime', '0'],
  ['rewards/performance/weights/userRating', '-2'],
  ['rewards/performance/curves/uptime', []],
  ['rewards/performance/curves/uptime/1', ['0.95'], 'rewards.performance.curves.uptime.1'],
  ['rewards/performance/curves/uptime/1', ['0.5', '1'], 'rewards.performance.curves.uptime.1.0'],
  ['rewards/performance/curves/uptime/1', ['x', '1'], 'rewards.performance.curves.uptime.1.0'],
  ['rewards/performance/curves/responseTime/1', ['50', '0.7'], 'rewards.performance.curves.responseTime.1.0'],
  ['rewards/performance/curves/errorRate/1', ['0', '0.8'], 'rewards.performance.curves.errorRate.1.0'],
  ['rewards/performance/curves/userRating/1', ['0.9', '0.8'], 'rewards.performance.curves.userRating.1.0'],
  ['rewards/performance/curves/errorRate/2', ['0.10', '-1'], 'rewards.performance.curves.errorRate.2.1'],
  ['rewards/performance/curves/userRating/0', ['1', '0.0000000001'], 'rewards.performance.curves.userRating.0.1'],
  ['rewards/performance/missingScore/uptime', '0'],
  ['rewards/performance/missingScore/errorRate', '1.5'],
  ['rewards/performance/multiplier/1', ['0', '1'], 'rewards.performance.multiplier.1.0'],
  ['pool/perEpoch', '-1'],
  ['pool/perEpoch', `1${'0'.repeat(30)}`],
  ['pool/decay', '0'],
  ['pool/decay', '1.5'],
  ['pool/decayEpochs', '0'],
  ['caps/providerShare', '0'],
  ['caps/providerShare', '1.2'],
  ['tokenPrice/minSources', '0'],
  ['tokenPrice/maxAgeSeconds', '-1'],
  ['tokenPrice/maxSourceDeviation', '-0.1'],
  ['breakers/priceChange', '-0.1'],
  ['breakers/unmeasuredShare', 0.1],
  ['breakers/overServed', '1e-2'],
  ['breakers/topShare', ''],
];

describe('a policy with one defect', () => {
  test.each(
    DEFECTS.map(([key, value, path]) => [key, String(value?.toString()), value, path ?? key.replaceAll('/', '.')]),
  )('%s = %s is refused at its path', (key, _, value, path) => {
    const paths = pathsOf(documentWith({ [key as string]: value }));
    expect(paths).toEqual([path]);
  });
});

test('every key is required, except the limit of the last phase', () => {
  const missing: string[] = [];
  const visitKeys = (node: unknown, path: readonly string[]) => {
    if (typeof node !== 'object' || node === null || Array.isArray(node)) return;
    for (const key of Object.keys(node)) {
      const way = [...path, key];
      // Markets are entries, not keys: leaving one out is another policy.
      if (way.length !== 2 || way[0] !== 'market') {
        expect(pathsOf(documentWith({ [way.join('/')]: REMOVED }))).toEqual([way.join('.')]);
        missing.push(way.join('.'));
      }
      visitKeys((node as Record<string, unknown>)[key], way);
    }
  };
  visitKeys(DOCUMENT, []);
  expect(missing.length).toBeGreaterThan(90);
});

test('every number must be text: a bare one is named with its path', () => {
  expect(problemsOf(documentWith({ 'pricing/maxStep': 0.125 }))).toEqual([
    { path: 'pricing.maxStep', message: 'must be text in quotes, is the number 0.125' },
  ]);
});

test('all defects are listed at once, each rule on its own', () => {
  const document = documentWith({
    'pricing/maxStep': 'x',
    'pricing/weights/supply': '0.2',
    'history/window': '3',
    'market/disk/floor': '1',
    'rewards/growthPhases/2/belowProviders': '20',
    extra: '1',
  });
  expect(pathsOf(document).sort()).toEqual([
    'extra',
    'history.window',
    'market.disk.floor',
    'pricing.maxStep',
    'pricing.weights',
    'rewards.growthPhases.2.belowProviders',
  ]);
});

test('phases without names are named for that, and not for having the same one', () => {
  const phases = [
    { belowProviders: '3', multiplier: '1' },
    { belowProviders: '9', multiplier: '1' },
    { multiplier: '1' },
  ];
  expect(pathsOf(documentWith({ 'rewards/growthPhases': phases }))).toEqual(
    [0, 1, 2].map((index) => `rewards.growthPhases.${index}.name`),
  );
});

test('a key can break two rules, and is named for each', () => {
  expect(problemsOf(documentWith({ 'history/window': '0' }))).toEqual([
    { path: 'history.window', message: 'must be at least 1, is 0' },
    { path: 'history.window', message: 'must be at least 2 * season (4), is 0' },
  ]);
  expect(pathsOf(documentWith({ 'market/disk/basePrice': '0' }))).toEqual([
    'market.disk.basePrice',
    'market.disk.floor',
  ]);
});

test('what is no group of keys at all is refused', () => {
  for (const document of [null, undefined, 'text', 7, []]) expect(pathsOf(document)).toEqual(['']);
});

describe('a valid policy', () => {
  test('keeps the document as written, since that is what is hashed', () => {
    const document = documentWith({ 'pool/perEpoch': '1000.000' });
    const policy = parsePolicy(document);
    expect(policy.document).toBe(document);
    expect(text(policy.pool.perEpoch)).toBe('1000');
  });

  test('has its markets in the order of bytes', () => {
    expect([...policyWith().markets.keys()]).toEqual(['disk', 'gpu.t4', 'gpu.v100']);
    expect([...policyWith({ 'market/GPU': DOCUMENT.market.disk }).markets.keys()][0]).toBe('GPU');
  });

  test('may name a market like a property of every object', () => {
    const document = JSON.parse(JSON.stringify(DOCUMENT).replace('"disk":', '"__proto__":'));
    expect([...parsePolicy(document).markets.keys()]).toEqual(['__proto__', 'gpu.t4', 'gpu.v100']);
    const broken = JSON.parse(JSON.stringify(DOCUMENT).replace('"disk":{', '"__proto__":{"colour":"red",'));
    expect(pathsOf(broken)).toEqual(['market.__proto__.colour']);
  });

  test.each([
    ['{', '__proto__'],
    ['"token":{', 'token.__proto__'],
    ['"growthPhases":[{', 'rewards.growthPhases.0.__proto__'],
  ])('but %s"__proto__" is an unknown key like any other', (group, path) => {
    const document = JSON.parse(JSON.stringify(DOCUMENT).replace(group, `${group}"__proto__":1,`));
    expect(pathsOf(document)).toEqual([path]);
  });

  test('may have equal bounds, a curve of one point, one phase and integers with a zero fraction', () => {
    const policy = policyWith({
      'market/disk/floor': '0.01',
      'market/disk/ceiling': '0.01',
      'epoch/inputDeadlineSeconds': '300',
      'history/window': '4.0',
      'pricing/competition/bandLow': '1.50',
      'rewards/networkMultiplier/min': '3.0',
      'rewards/growthPhases': [{ name: 'only', multiplier: '1' }],
      'rewards/performance/multiplier': [['0', '1']],
    });
    expect(policy.history.window).toBe(4);
    expect(policy.rewards.growthPhases).toHaveLength(1);
  });

  test('may aim at a shrinking network: the one number that can be negative', () => {
    expect(text(policyWith({ 'pricing/providerGrowth/target': '-0.5' }).pricing.providerGrowth.target)).toBe('-0.5');
  });

  test('reads genesis as an instant', () => {
    expect(policyWith().epoch).toMatchObject({ genesis: '2020-05-01T00:00:00Z', genesisSeconds: 1_588_291_200 });
  });
});
