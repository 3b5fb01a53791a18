import { roundHalfEvenDivide, toNano } from '../../numbers/amounts';
import type { NanoRatio } from '../../numbers/units';
import type { CurvePoints } from './policy';

/** A piecewise linear curve, flat outside, as a function from 10^-9 to q9 in 10^-9 (spec §6). */
export interface Curve {
  (x: bigint): NanoRatio;
  /** The same for an x of at most 2^53, or above that any number above 2^53; null: not exact in numbers. */
  readonly inNumbers: ((x: number) => number) | null;
  /** The largest value that it has. */
  readonly most: NanoRatio;
}

/**
 * Compiles a curve. Between two points y0 + (x - x0) * rise / run is one quotient, rounded once; with the slope in
 * lowest terms its numerator is below 2^53 for every curve that a person would write, so it is taken in numbers, which
 * are exact there and several times faster. A curve for which that cannot be shown is computed in bigint.
 */
export function compileCurve(points: CurvePoints): Curve {
  const exact = compileExact(points);
  const inNumbers = compileInNumbers(points);
  const most = points
    .map(([, y]) => toNano(y))
    .sort((a, b) => (a < b ? -1 : 1))
    .at(-1)!;
  if (inNumbers === null) return Object.assign((x: bigint) => exact(x), { inNumbers, most });
  // biome-ignore lint/plugin/exact-money: a number beyond 2^53 stays beyond it, where the curve is flat
  return Object.assign((x: bigint) => BigInt(inNumbers(Number(x))) as NanoRatio, { inNumbers, most });
}

function compileExact(points: CurvePoints): (x: bigint) => NanoRatio {
  const xs = points.map(([x]) => toNano(x) as bigint);
  const ys = points.map(([, y]) => toNano(y));
  const last = points.length - 1;
  return (x) => {
    if (x <= (xs[0] as bigint)) return ys[0] as NanoRatio;
    let upper = 1;
    while (upper <= last && x > (xs[upper] as bigint)) upper += 1;
    if (upper > last) return ys[last] as NanoRatio;
    const x0 = xs[upper - 1] as bigint;
    const y0 = ys[upper - 1] as bigint;
    const run = (xs[upper] as bigint) - x0;
    const rise = (ys[upper] as bigint) - y0;
    return roundHalfEvenDivide(y0 * run + (x - x0) * rise, run) as NanoRatio;
  };
}

/** A stretch of a curve: y0 + (x - x0) * rise / run, rise and run in lowest terms. */
interface Piece {
  readonly upTo: number;
  readonly x0: number;
  readonly y0: number;
  readonly rise: number;
  readonly run: number;
}

/** null: a numerator of the curve can reach 2^53. */
function compileInNumbers(points: CurvePoints): ((x: number) => number) | null {
  const xs = points.map(([x]) => toNano(x) as bigint);
  const ys = points.map(([, y]) => toNano(y) as bigint);
  const pieces: Piece[] = [];
  for (let upper = 1; upper < xs.length; upper += 1) {
    const [x0, x1, y0] = [xs[upper - 1]!, xs[upper]!, ys[upper - 1]!];
    const rise = ys[upper]! - y0;
    const divisor = greatestDivisor(rise < 0n ? -rise : rise, x1 - x0);
    const terms = [x1, x0, y0, rise / divisor, (x1 - x0) / divisor] as const;
    // Twice, since a rest is doubled for rounding.
    const reach = (2n * ((x1 - x0) * (rise < 0n ? -rise : rise))) / divisor;
    if ([...terms, reach].some((term) => term > SAFE || term < -SAFE)) return null;
    const [upTo, from, start, up, along] = terms.map(Number) as [number, number, number, number, number];
    pieces.push({ upTo, x0: from, y0: start, rise: up, run: along });
  }
  const ends = [xs[0]!, xs.at(-1)!, ys[0]!, ys.at(-1)!];
  if (ends.some((end) => end > SAFE || end < -SAFE)) return null;
  const [firstX, lastX, firstY, lastY] = ends.map(Number) as [number, number, number, number];
  return (x) => (x <= firstX ? firstY : x >= lastX ? lastY : pieceValue(pieces, x));
}

const SAFE = 2n ** 53n - 1n;

/** Of two integers that are not negative; with 0 it is the other one. */
export function greatestDivisor(a: bigint, b: bigint): bigint {
  return b === 0n ? a : greatestDivisor(b, a % b);
}

/** The value at an x strictly within the curve: every product and quotient is an exact integer below 2^53. */
function pieceValue(pieces: readonly Piece[], x: number): number {
  let at = 0;
  while (x > pieces[at]!.upTo) at += 1;
  const { x0, y0, rise, run } = pieces[at]!;
  const numerator = (x - x0) * rise;
  const rest = numerator % run;
  const floor = (numerator - rest) / run;
  if (rest === 0) return y0 + floor;
  const twice = (rest < 0 ? -rest : rest) * 2;
  // The floor is towards zero here: away from it if more than half, and on the half if that makes y0 + floor even.
  const away = twice > run || (twice === run && (y0 + floor) % 2 !== 0);
  if (!away) return y0 + floor;
  return y0 + floor + (rest < 0 ? -1 : 1);
}
