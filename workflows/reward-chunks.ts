import type { Derived, Sealed } from '../activities/contracts';
import { compute } from './road';

/** Chunks that are under way at once: as many as keep two workers busy without filling a small connection pool. */
const LANES = 4;

/**
 * Rewards all chunks, and all of them again with G where the pool binds. Where it most likely will, the first round only
 * sums G; that is a guess about time alone, since either way ends with drafts for the G that was found. Returns G in
 * base units.
 */
export async function rewardChunks(
  derived: Derived,
  rows: Pick<Sealed, 'providers' | 'chunks'>,
  enter: (detail: string) => void,
): Promise<string> {
  enter(`${rows.providers} providers in ${rows.chunks} chunk${rows.chunks === 1 ? '' : 's'}`);
  const sumsFirst = rows.chunks > 1 && derived.poolLikelyBinds;
  const sums = await inLanes(rows.chunks, (chunk) =>
    sumsFirst ? compute.sumChunk(derived.key, chunk) : compute.reward(derived.key, chunk, null),
  );
  const cappedSum = sums.reduce((sum, one) => sum + BigInt(one.capped), 0n);
  const binds = rows.chunks > 1 && cappedSum > BigInt(derived.pool);
  if (binds) enter('the pool binds: scaling to it');
  if (binds || sumsFirst) {
    await inLanes(rows.chunks, (chunk) => compute.reward(derived.key, chunk, cappedSum.toString()));
  }
  return cappedSum.toString();
}

/** Runs `count` tasks with at most LANES of them under way, results in order. */
async function inLanes<T>(count: number, task: (index: number) => Promise<T>): Promise<T[]> {
  const results: T[] = new Array(count);
  let next = 0;
  const lane = async () => {
    while (next < count) {
      const index = next;
      next += 1;
      results[index] = await task(index);
    }
  };
  await Promise.all(Array.from({ length: Math.min(LANES, count) }, lane));
  return results;
}
