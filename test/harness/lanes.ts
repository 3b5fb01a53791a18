/** Starts named work in order, at most so many pieces at a time; each piece is awaited where it is wanted. */
export function inLanes<T>(
  lanes: number,
  pieces: readonly (readonly [string, () => Promise<T>])[],
): ReadonlyMap<string, Promise<T>> {
  const waiting: (() => void)[] = [];
  let free = lanes;
  const turn = async () => {
    if (free > 0) free -= 1;
    else await new Promise<void>((resolve) => waiting.push(resolve));
  };
  const done = () => {
    const next = waiting.shift();
    if (next === undefined) free += 1;
    else next();
  };
  return new Map(
    pieces.map(([name, work]) => {
      const result = turn().then(work).finally(done);
      // A test that is not run does not await its piece.
      result.catch(() => undefined);
      return [name, result];
    }),
  );
}
