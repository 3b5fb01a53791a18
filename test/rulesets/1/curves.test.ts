import { scaledText } from '../../../src/numbers/amounts';
import { Decimal } from '../../../src/numbers/decimal';
import { type Curve, compileCurve, greatestDivisor } from '../../../src/rulesets/1/curves';
import type { CurvePoints } from '../../../src/rulesets/1/policy';

type Points = readonly (readonly [x: bigint, y: bigint])[];

/** A curve of points in 10^-9. */
const curveOf = (points: Points): Curve =>
  compileCurve(
    points.map((point) => point.map((value) => new Decimal(scaledText(value, 9)))) as unknown as CurvePoints,
  );

/** Spec §6 word by word: flat outside, else y0 + (x - x0) * (y1 - y0) / (x1 - x0), rounded half to even. */
function byHand(points: Points, x: bigint): bigint {
  if (x <= points[0]![0]) return points[0]![1];
  const upper = points.findIndex(([end]) => x <= end);
  if (upper === -1) return points.at(-1)![1];
  const [[x0, y0], [x1, y1]] = [points[upper - 1]!, points[upper]!];
  const [numerator, run] = [y0 * (x1 - x0) + (x - x0) * (y1 - y0), x1 - x0];
  const floor = numerator / run;
  const twice = 2n * (numerator % run);
  if (twice === run) return floor % 2n === 0n ? floor : floor + 1n;
  return twice > run ? floor + 1n : floor;
}

const upTo = (most: number) => Array.from({ length: most + 1 }, (_, value) => BigInt(value));

test('every small curve, rising and falling, is rounded half to even at every point', () => {
  for (const start of [0n, 3n]) {
    for (const run of upTo(6).slice(1)) {
      for (const [y0, y1] of upTo(6).flatMap((from) => upTo(6).map((to) => [from, to] as const))) {
        const points = [
          [start, y0],
          [start + run, y1],
        ] as const;
        const curve = curveOf(points);
        for (const x of upTo(10)) {
          const wanted = byHand(points, x);
          expect([curve(x), curve.inNumbers!(Number(x))]).toEqual([wanted, Number(wanted)]);
        }
      }
    }
  }
});

test('of several pieces each has its own slope, and the points are on the curve', () => {
  const points = [
    [2n, 9n],
    [5n, 4n],
    [6n, 11n],
    [13n, 0n],
    [20n, 0n],
  ] as const;
  const curve = curveOf(points);
  for (const x of upTo(25)) {
    expect([curve(x), curve.inNumbers!(Number(x))]).toEqual([byHand(points, x), Number(byHand(points, x))]);
  }
  expect(curve.most).toBe(11n);
});

test('a curve that numbers cannot hold is computed in integers of any size, and has no function of numbers', () => {
  const points = [
    [5n, 1n],
    [3_000_000_000_000_000_001n, 7_000_000_003n],
    [9_000_000_000_000_000_000n, 2n],
    [9_000_000_000_000_000_002n, 5n],
  ] as const;
  const curve = curveOf(points);
  expect(curve.inNumbers).toBeNull();
  expect(curve.most).toBe(7_000_000_003n);
  const around = points.flatMap(([x]) => [-2n, -1n, 0n, 1n, 2n].map((step) => x + step));
  const between = upTo(40).map((part) => (part * 9_000_000_000_000_000_002n) / 40n);
  for (const x of [...around, ...between, 10n ** 30n]) expect(curve(x)).toBe(byHand(points, x));
});

test.each([
  // At most 2^53 - 1 in a doubled numerator: 2 * run * rise.
  [4_503_599_627_370_495n, 1n, true],
  [4_503_599_627_370_496n, 1n, false],
  [1n, 4_503_599_627_370_495n, true],
  [1n, 4_503_599_627_370_497n, false],
])('whether numbers hold it is known beforehand: a run of %s, a rise of %s', (run, rise, held) => {
  const rising = curveOf([
    [0n, 0n],
    [run, rise],
  ]);
  const falling = curveOf([
    [0n, rise],
    [run, 0n],
  ]);
  expect([rising.inNumbers !== null, falling.inNumbers !== null]).toEqual([held, held]);
});

test('a single point that numbers cannot hold is flat all the same', () => {
  const large = 2n ** 53n;
  const curve = curveOf([[large, large + 1n]]);
  expect([curve.inNumbers, curve(0n), curve(large), curve(2n * large)]).toEqual([
    null,
    large + 1n,
    large + 1n,
    large + 1n,
  ]);
});

test('the greatest divisor of 0 and a number is the number', () => {
  expect([
    greatestDivisor(12n, 18n),
    greatestDivisor(0n, 7n),
    greatestDivisor(7n, 0n),
    greatestDivisor(5n, 3n),
  ]).toEqual([6n, 7n, 7n, 1n]);
});
