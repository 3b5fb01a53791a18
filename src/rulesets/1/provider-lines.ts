import { parseScaled, parseSmallScaled } from '../../numbers/amounts';
import type { MicroUnits } from '../../numbers/units';
import type { PerformanceValues, ProviderRows } from './records';

/** A capacity row that no row of the registry stands for: sealing saw one for each. */
export class OrphanCapacity extends Error {
  override readonly name = 'OrphanCapacity';
}

/** All providers of {@link eachProvider} at once. */
export function providersOfLines(...lines: Parameters<typeof eachProvider>): readonly ProviderRows[] {
  return [...eachProvider(...lines)];
}

/**
 * Puts the canonical lines of the three tables that grow with providers together, provider by provider. All three are
 * sorted by their keys (spec §9), as they are digested. One at a time, so that whoever needs only a few figures of each
 * does not hold the rest.
 *
 * @throws OrphanCapacity at the end if a capacity row has no provider in the registry, or stands out of order
 */
export function* eachProvider(
  registry: readonly string[],
  capacity: readonly string[],
  performance: readonly string[],
): Generator<ProviderRows, void, undefined> {
  let nextCapacity = 0;
  let nextPerformance = 0;
  for (const line of registry) {
    const [provider, , status] = line.split(',') as [string, string, string];
    const rows: ProviderRows['capacity'][number][] = [];
    for (; nextCapacity < capacity.length; nextCapacity += 1) {
      const row = capacity[nextCapacity]!;
      if (!isOf(row, provider)) break;
      rows.push(capacityOf(row, provider));
    }
    // Performance rows of providers without capacity are digested, but nothing is settled for them.
    let values = performance[nextPerformance];
    while (values !== undefined && !isOf(values, provider) && providerOf(values) < provider) {
      nextPerformance += 1;
      values = performance[nextPerformance];
    }
    const own = values !== undefined && isOf(values, provider) ? performanceOf(values, provider) : null;
    yield { provider, status: status as ProviderRows['status'], capacity: rows, performance: own };
  }
  if (nextCapacity !== capacity.length) {
    const orphan = capacity[nextCapacity]!;
    throw new OrphanCapacity(
      `capacity row ${orphan} has no provider ${providerOf(orphan)} in the registry, or stands out of order`,
    );
  }
}

// The cells are read where they stand in the line: no text is made of a number, since a million rows have nine millions.

const COMMA = ',';

/** Whether a line of capacity or performance, `epoch,provider,…`, is of this provider. */
function isOf(line: string, provider: string): boolean {
  const start = line.indexOf(COMMA) + 1;
  return line.startsWith(provider, start) && line[start + provider.length] === COMMA;
}

function providerOf(line: string): string {
  const start = line.indexOf(COMMA) + 1;
  return line.slice(start, line.indexOf(COMMA, start));
}

/** `epoch,provider,market,offered,served` */
function capacityOf(line: string, provider: string): ProviderRows['capacity'][number] {
  const market = line.indexOf(COMMA) + provider.length + 2;
  const offered = line.indexOf(COMMA, market) + 1;
  const served = line.indexOf(COMMA, offered) + 1;
  return {
    market: line.slice(market, offered - 1),
    offered: scaledCell(line, offered, served - 1, QUANTITY_DECIMALS) as MicroUnits,
    served: scaledCell(line, served, line.length, QUANTITY_DECIMALS) as MicroUnits,
  };
}

const QUANTITY_DECIMALS = 6;

/** `epoch,provider,uptime,response_ms,error_rate,rating` */
function performanceOf(line: string, provider: string): PerformanceValues {
  const uptime = line.indexOf(COMMA) + provider.length + 2;
  const response = line.indexOf(COMMA, uptime) + 1;
  const errorRate = line.indexOf(COMMA, response) + 1;
  const rating = line.indexOf(COMMA, errorRate) + 1;
  return {
    uptimeMicro: countCell(line, uptime, response - 1, 6),
    responseMicroseconds: response === errorRate - 1 ? null : scaledCell(line, response, errorRate - 1, 3),
    errorRateMicro: countCell(line, errorRate, rating - 1, 6),
    ratingMilli: countCell(line, rating, line.length, 3),
  };
}

function scaledCell(line: string, from: number, to: number, decimals: number): bigint {
  const small = parseSmallScaled(line, decimals, from, to);
  return small >= 0 ? BigInt(small) : parseScaled(line.slice(from, to), decimals);
}

/** null: an empty cell. */
function countCell(line: string, from: number, to: number, decimals: number): number | null {
  if (from === to) return null;
  const small = parseSmallScaled(line, decimals, from, to);
  // biome-ignore lint/plugin/exact-money: uptimes, error rates and ratings are at most 5000000 of their last decimal
  return small >= 0 ? small : Number(parseScaled(line.slice(from, to), decimals));
}
