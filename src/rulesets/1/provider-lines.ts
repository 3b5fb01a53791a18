import { parseMicroUnits, parseScaled } from '../../numbers/amounts';
import type { PerformanceValues, ProviderRows } from './records';

/** A capacity row that no row of the registry stands for: sealing saw one for each. */
export class OrphanCapacity extends Error {
  override readonly name = 'OrphanCapacity';
}

/**
 * Puts the canonical lines of the three tables that grow with providers together, provider by provider. All three are
 * sorted by their keys (spec §9), as they are digested.
 *
 * @throws OrphanCapacity if a capacity row has no provider in the registry, or stands out of order
 */
export function providersOfLines(
  registry: readonly string[],
  capacity: readonly string[],
  performance: readonly string[],
): readonly ProviderRows[] {
  const providers: ProviderRows[] = [];
  let nextCapacity = 0;
  let nextPerformance = 0;
  for (const line of registry) {
    const [provider, , status] = line.split(',') as [string, string, string];
    const rows: ProviderRows['capacity'][number][] = [];
    for (; nextCapacity < capacity.length; nextCapacity += 1) {
      const cells = capacity[nextCapacity]!.split(',') as [string, string, string, string, string];
      if (cells[1] !== provider) break;
      rows.push({ market: cells[2], offered: parseMicroUnits(cells[3]), served: parseMicroUnits(cells[4]) });
    }
    // Performance rows of providers without capacity are digested, but nothing is settled for them.
    let cells = performance[nextPerformance]?.split(',');
    while (cells !== undefined && cells[1]! < provider) {
      nextPerformance += 1;
      cells = performance[nextPerformance]?.split(',');
    }
    const own = cells !== undefined && cells[1] === provider ? performanceValues(cells) : null;
    providers.push({ provider, status: status as ProviderRows['status'], capacity: rows, performance: own });
  }
  if (nextCapacity !== capacity.length) {
    const orphan = capacity[nextCapacity]!;
    throw new OrphanCapacity(
      `capacity row ${orphan} has no provider ${orphan.split(',')[1]} in the registry, or stands out of order`,
    );
  }
  return providers;
}

function performanceValues(cells: readonly string[]): PerformanceValues {
  const [, , uptime, response, errorRate, rating] = cells as [string, string, string, string, string, string];
  return {
    uptimeMicro: uptime === '' ? null : scaledCount(uptime, 6),
    responseMicroseconds: response === '' ? null : parseScaled(response, 3),
    errorRateMicro: errorRate === '' ? null : scaledCount(errorRate, 6),
    ratingMilli: rating === '' ? null : scaledCount(rating, 3),
  };
}

function scaledCount(text: string, decimals: number): number {
  // biome-ignore lint/plugin/exact-money: uptimes, error rates and ratings are at most 5000000 of their last decimal
  return Number(parseScaled(text, decimals));
}
