import { Decimal } from '../../numbers/decimal';
import { NUMBER_PATTERN } from '../../numbers/patterns';
import type { PolicyProblem } from './errors';

/**
 * Rules between keys of a policy (spec §2). They read the document as written, so that one malformed key does not
 * hide a defect elsewhere: where a number they need is missing or malformed, that key already has its own problem,
 * and the rule is silent.
 */
export function problemsBetweenKeys(document: unknown): PolicyProblem[] {
  return [
    ...sumsOfWeights(document),
    ...boundsInOrder(document),
    ...problemsOfMarkets(document),
    ...problemsOfGrowthPhases(document),
    ...problemsOfCurves(document),
  ];
}

/** An own key of an object or array of the document; undefined where there is none. */
function keyOf(node: unknown, key: string): unknown {
  if (typeof node !== 'object' || node === null || !Object.hasOwn(node, key)) return undefined;
  return (node as Readonly<Record<string, unknown>>)[key];
}

function at(document: unknown, path: string): unknown {
  return path.split('.').reduce(keyOf, document);
}

function listAt(document: unknown, path: string): readonly unknown[] {
  const list = at(document, path);
  return Array.isArray(list) ? list : [];
}

/** The number written in a node, or null: malformed ones are named by the schema. */
function numberOf(node: unknown): Decimal | null {
  return typeof node === 'string' && NUMBER_PATTERN.test(node) ? new Decimal(node) : null;
}

function* sumsOfWeights(document: unknown): Generator<PolicyProblem> {
  const sums: readonly (readonly [path: string, keys: readonly string[]])[] = [
    [
      'pricing.weights',
      [
        'supply',
        'demand',
        'marketConditions',
        'availableCapacity',
        'providerGrowth',
        'usagePatterns',
        'competition',
        'marketTrends',
      ],
    ],
    ['pricing.marketConditions', ['tradingActivityWeight', 'macroWeight']],
  ];
  for (const [path, keys] of sums) {
    const weights = keys.map((key) => numberOf(keyOf(at(document, path), key)));
    if (weights.some((weight) => weight === null)) continue;
    const sum = weights.reduce<Decimal>((total, weight) => total.plus(weight ?? 0), new Decimal(0));
    if (!sum.equals(1)) yield { path, message: `${keys.join(' + ')} must be exactly 1, is ${sum.toFixed()}` };
  }
}

/** left must be at most right (or below it); the problem is named at `blame`. */
function* ordered(
  document: unknown,
  left: string,
  sign: '<=' | '<',
  right: string,
  blame: string,
): Generator<PolicyProblem> {
  yield* orderedNumbers(numberOf(at(document, left)), left, sign, numberOf(at(document, right)), right, blame);
}

function* orderedNumbers(
  left: Decimal | null,
  leftName: string,
  sign: '<=' | '<',
  right: Decimal | null,
  rightName: string,
  blame: string,
): Generator<PolicyProblem> {
  if (left === null || right === null) return;
  if (sign === '<' ? left.lessThan(right) : left.lessThanOrEqualTo(right)) return;
  const wanted = sign === '<' ? 'must be below' : 'must not be above';
  yield {
    path: blame,
    message: `${leftName} (${left.toFixed()}) ${wanted} ${rightName} (${right.toFixed()})`,
  };
}

function* boundsInOrder(document: unknown): Generator<PolicyProblem> {
  const window = numberOf(at(document, 'history.window'));
  const season = numberOf(at(document, 'history.season'));
  if (window !== null && season !== null && window.lessThan(season.times(2))) {
    yield {
      path: 'history.window',
      message: `must be at least 2 * season (${season.times(2).toFixed()}), is ${window.toFixed()}`,
    };
  }
  const deadline = 'epoch.inputDeadlineSeconds';
  yield* ordered(document, 'epoch.graceSeconds', '<=', deadline, deadline);
  const multiplier = 'rewards.networkMultiplier';
  yield* ordered(document, `${multiplier}.min`, '<=', `${multiplier}.max`, `${multiplier}.min`);
  const competition = 'pricing.competition';
  yield* ordered(document, `${competition}.bandLow`, '<=', `${competition}.bandHigh`, `${competition}.bandLow`);
  const peak = 'pricing.peakDemand';
  yield* ordered(document, `${peak}.threshold`, '<', `${peak}.full`, `${peak}.threshold`);
}

function* problemsOfMarkets(document: unknown): Generator<PolicyProblem> {
  const markets = keyOf(document, 'market');
  if (typeof markets !== 'object' || markets === null || Array.isArray(markets)) return;
  if (Object.keys(markets).length === 0) yield { path: 'market', message: 'must have at least one market' };
  for (const name of Object.keys(markets)) {
    // A market's name may contain dots, so its keys are not reached by a joined path.
    const price = (key: string) => numberOf(keyOf(keyOf(markets, name), key));
    const [floor, base, ceiling] = [price('floor'), price('basePrice'), price('ceiling')];
    yield* orderedNumbers(floor, 'floor', '<=', base, 'basePrice', `market.${name}.floor`);
    yield* orderedNumbers(base, 'basePrice', '<=', ceiling, 'ceiling', `market.${name}.ceiling`);
    // Without a readable basePrice the two bounds can still be out of order.
    if (base === null) yield* orderedNumbers(floor, 'floor', '<=', ceiling, 'ceiling', `market.${name}.floor`);
  }
}

function* problemsOfGrowthPhases(document: unknown): Generator<PolicyProblem> {
  const path = 'rewards.growthPhases';
  const phases = listAt(document, path);
  const names = new Set<unknown>();
  let highest: Decimal | null = null;
  for (const [index, phase] of phases.entries()) {
    const name = keyOf(phase, 'name');
    if (name !== undefined && names.has(name)) {
      yield { path: `${path}.${index}.name`, message: `the name ${JSON.stringify(name)} is given to an earlier phase` };
    }
    names.add(name);
    const limit = keyOf(phase, 'belowProviders');
    const limitPath = `${path}.${index}.belowProviders`;
    const last = index === phases.length - 1;
    if (last && limit !== undefined) yield { path: limitPath, message: 'the last phase has no limit: leave it out' };
    if (!last && limit === undefined)
      yield { path: limitPath, message: 'is missing: only the last phase has no limit' };
    if (last) continue;
    const providers = numberOf(limit);
    yield* ascending(highest, providers, limitPath);
    highest = providers ?? highest;
  }
}

function* problemsOfCurves(document: unknown): Generator<PolicyProblem> {
  const performance = 'rewards.performance';
  const paths = ['uptime', 'responseTime', 'errorRate', 'userRating'].map(
    (metric) => `${performance}.curves.${metric}`,
  );
  for (const path of [...paths, `${performance}.multiplier`]) {
    let highest: Decimal | null = null;
    for (const [index, point] of listAt(document, path).entries()) {
      const x = numberOf(keyOf(point, '0'));
      yield* ascending(highest, x, `${path}.${index}.0`);
      highest = x ?? highest;
    }
  }
}

function* ascending(before: Decimal | null, x: Decimal | null, path: string): Generator<PolicyProblem> {
  if (before === null || x === null || x.greaterThan(before)) return;
  yield { path, message: `must be above the one before it (${before.toFixed()}), is ${x.toFixed()}` };
}
