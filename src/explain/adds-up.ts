import { NANO, parseScaled, powerOfTen, roundHalfEvenDivide } from '../numbers/amounts';
import type { TokenAmount } from './figures';
import type { LineExplanation, PayoutExplanation } from './payout-explanation';
import type { CurveSegment, PerformanceExplanation } from './performance-explanation';
import type { PriceExplanation } from './price-explanation';
import { bothTextsAgree, firstThatFails, unitsOf } from './steps';

/**
 * Whether an explanation adds up, seen from its own text alone: none of the functions that settled is used, so a
 * reader with a long pocket calculator comes to the same verdict.
 */
export const explanationAddsUp = (explanation: PayoutExplanation): boolean => firstDiscrepancy(explanation) === null;

/** The first step of a payout's explanation that does not follow from the steps before it; null: all do. */
export function firstDiscrepancy(explanation: PayoutExplanation): string | null {
  const { lines, gross, cap, scaling, amount, performance, token } = explanation;
  return firstThatFails([
    ['amounts in tokens', () => bothTextsAgree(amountsOf(explanation), token.decimals)],
    ['performance', () => performanceAddsUp(performance)],
    ...lines.map((line) => [`line ${line.market}`, () => lineAddsUp(line, explanation)] as const),
    ['sum of the lines', () => lines.reduce((sum, line) => sum + unitsOf(line.gross), 0n) === unitsOf(gross)],
    ['cap', () => unitsOf(cap.cap) === (unitsOf(cap.pool) * parseScaled(cap.share, 9)) / NANO],
    ['capped', () => unitsOf(cap.capped) === smaller(unitsOf(gross), unitsOf(cap.cap))],
    ['cut by the cap', () => unitsOf(gross) - unitsOf(cap.cut) === unitsOf(cap.capped)],
    ['amount', () => unitsOf(gross) - unitsOf(cap.cut) - unitsOf(scaling.cut) === unitsOf(amount)],
    ['scaling', () => scalingAddsUp(explanation)],
  ]);
}

/** The first line of a price's explanation whose subtotal is not the one before plus its amount; null: all are. */
export function firstPriceDiscrepancy(explanation: PriceExplanation): string | null {
  let subtotal = 0n;
  for (const line of explanation.lines) {
    subtotal += parseScaled(line.amount, 12);
    if (parseScaled(line.subtotal, 12) !== subtotal) return line.name;
    if (line.name === 'bounds' && explanation.base !== line.subtotal) return 'base';
  }
  return parseScaled(explanation.price, 12) === subtotal ? null : 'price';
}

const smaller = (left: bigint, right: bigint): bigint => (left < right ? left : right);
const larger = (left: bigint, right: bigint): bigint => (left > right ? left : right);

function amountsOf({ lines, gross, cap, scaling, amount }: PayoutExplanation): TokenAmount[] {
  const parts = [cap.pool, cap.cap, cap.cut, cap.capped, scaling.cappedSum, scaling.pool, scaling.cut];
  return [...lines.map((line) => line.gross), gross, ...parts, amount];
}

function performanceAddsUp(performance: PerformanceExplanation): boolean {
  const { verdict, metrics, weights, weighted, quality, segment, multiplier } = performance;
  if (quality === null) {
    // Nobody is scored without a verdict, and the multiplier of everybody who is paid is 1 then.
    const unscored = [weights, weighted, ...metrics.map(({ score }) => score)].every((figure) => figure === null);
    return unscored && (multiplier === null || (!verdict && multiplier === '1'));
  }
  if (weights === null || weighted === null) return false;
  const scored = metrics.filter((metric) => metric.score !== null);
  const parts = scored.map(({ weight, score }) => parseScaled(weight, 9) * parseScaled(score ?? '0', 9));
  const whole = scored.reduce((sum, metric) => sum + parseScaled(metric.weight, 9), 0n);
  const sum = parts.reduce((total, part) => total + part, 0n);
  const each = scored.every((metric, index) => parseScaled(metric.weighted ?? '0', 18) === parts[index]);
  const mean = whole === 0n ? 0n : roundHalfEvenDivide(sum, whole);
  const onCurves = scored.every(({ value, segment: piece, score }) => piece === null || onCurve(value, piece, score));
  const multiplied = segment !== null && onCurve(quality, segment, multiplier);
  return (
    each &&
    onCurves &&
    multiplied &&
    parseScaled(weights, 9) === whole &&
    parseScaled(weighted, 18) === sum &&
    parseScaled(quality, 9) === mean
  );
}

/** Spec §6: y0 + (x - x0) * (y1 - y0) / (x1 - x0), q9; flat outside, where both ends are one. */
function onCurve(value: string | null, { from, to }: CurveSegment, score: string | null): boolean {
  if (value === null || score === null) return false;
  const [x, x0, x1] = [parseScaled(value, 9), parseScaled(from.x, 9), parseScaled(to.x, 9)];
  const [y0, y1] = [parseScaled(from.y, 9), parseScaled(to.y, 9)];
  const run = x1 - x0;
  const wanted = run === 0n ? y0 : roundHalfEvenDivide(y0 * run + (x - x0) * (y1 - y0), run);
  return parseScaled(score, 9) === wanted;
}

function lineAddsUp(line: LineExplanation, { token, reason, performance }: PayoutExplanation): boolean {
  const offered = parseScaled(line.offered, 6);
  const served = parseScaled(line.served, 6);
  const standby = parseScaled(line.standbyHours, 6);
  const paid = parseScaled(line.paidHours, 15);
  const rate = BigInt(line.rate);
  const roundedOff = parseScaled(line.roundedOff, 27);
  const own = line.multipliers.performance;
  const exact = paid * rate * (own === null ? 0n : parseScaled(own, 9));
  const wanted = parseScaled(line.priceUsd, 12) * network(line) * powerOfTen(token.decimals + 3);
  const tokenPrice = parseScaled(token.priceUsd, 12) * NANO;
  return [
    parseScaled(line.idle, 6) === offered - served,
    standby === smaller(offered - served, served),
    paid === served * NANO + standby * parseScaled(line.standbyShare, 9),
    rate * tokenPrice <= wanted && wanted < (rate + 1n) * tokenPrice,
    parseScaled(line.tokensPerUnitHour, token.decimals + 3) === rate,
    roundedOff >= 0n && roundedOff < powerOfTen(27),
    exact === unitsOf(line.gross) * powerOfTen(27) + roundedOff,
    own === performance.multiplier && (own === null) === (reason !== 'paid'),
    multipliersAddUp(line),
  ].every(Boolean);
}

const network = (line: LineExplanation): bigint => parseScaled(line.multipliers.network, 9);

function multipliersAddUp({ multipliers }: LineExplanation): boolean {
  const factors = [multipliers.networkDemand, multipliers.resourceAvailability, multipliers.growth];
  const product = factors.reduce(
    (soFar, factor) => roundHalfEvenDivide(soFar * parseScaled(factor, 9), NANO),
    parseScaled(multipliers.marketConditions, 9),
  );
  const [minimum, maximum] = [parseScaled(multipliers.minimum, 9), parseScaled(multipliers.maximum, 9)];
  const bounded = product > maximum ? maximum : larger(product, minimum);
  return parseScaled(multipliers.product, 9) === product && parseScaled(multipliers.network, 9) === bounded;
}

/** What scaling cut follows from the amount, which is compared before. */
function scalingAddsUp({ cap, scaling, amount }: PayoutExplanation): boolean {
  const [capped, sum, pool] = [unitsOf(cap.capped), unitsOf(scaling.cappedSum), unitsOf(scaling.pool)];
  if (pool !== unitsOf(cap.pool) || scaling.binds !== sum > pool) return false;
  const wanted = scaling.binds ? (capped * pool) / sum : capped;
  return unitsOf(amount) === wanted;
}
