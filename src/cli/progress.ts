import { Presets, SingleBar } from 'cli-progress';
import type { Pool } from 'pg';
import { type RowsOfEpoch, rowsOfNextEpoch } from '../store/standing';
import type { Io } from './io';

/** Twice a second is as fast as one reads, and asks the database for one row each time. */
const LOOK_MS = 500;

export interface Watched {
  readonly network: string;
  readonly first: number;
  readonly last: number;
}

/**
 * Shows how far the epochs of a range have come, until `work` ends. What it shows is read from the rows, so it is the
 * same whoever does the work. Nothing moves where stderr is no terminal.
 */
export async function watched<T>(io: Io, pool: Pool, range: Watched, work: Promise<T>): Promise<T> {
  if (!io.moves) return work;
  const bar = new SingleBar(
    {
      format: `  {bar} {value}/{total} epochs  ${io.wordColors.dim('{phase}')}`,
      stream: process.stderr,
      barsize: 24,
      hideCursor: true,
      clearOnComplete: true,
      gracefulExit: false,
      emptyOnZero: true,
    },
    Presets.shades_classic,
  );
  bar.start(range.last - range.first + 1, 0, { phase: 'starting' });
  const look = async () => {
    const rows = await rowsOfNextEpoch(pool, range.network, range.first);
    const next = (rows.lastClosed ?? range.first - 1) + 1;
    const phase = next > range.last ? 'done' : `epoch ${next}: ${phaseOf(rows)}`;
    bar.update(Math.min(rows.closed, range.last - range.first + 1), { phase });
  };
  const timer = setInterval(() => void look().catch(() => undefined), LOOK_MS);
  try {
    await look();
    return await work;
  } finally {
    clearInterval(timer);
    bar.stop();
  }
}

function phaseOf(rows: RowsOfEpoch): string {
  if (rows.held) return 'on hold';
  if (rows.checked) return 'publishing';
  if (rows.computed) return 'rewarding';
  if (rows.digested) return 'pricing';
  return rows.sealed ? 'sealing' : 'gathering';
}
