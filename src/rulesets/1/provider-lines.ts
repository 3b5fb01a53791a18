import { parseScaled } from '../../numbers/amounts';
import type { MicroUnits } from '../../numbers/units';
import { LineCursor } from './line-cursor';
import type { PerformanceValues, ProviderRows } from './records';

/** A capacity row that no row of the registry stands for: sealing saw one for each. */
export class OrphanCapacity extends Error {
  override readonly name = 'OrphanCapacity';
}

/** Canonical lines, each ended by `\n`, of the three tables that grow with providers, as they are digested (spec §9). */
export interface ProviderTables {
  readonly providers: Uint8Array;
  readonly capacity: Uint8Array;
  readonly performance: Uint8Array;
}

/** The providers of three tables of lines, one after the other; the lines without their ends. */
export function providersOfLines(
  registry: readonly string[],
  capacity: readonly string[],
  performance: readonly string[],
): Generator<ProviderRows, void, undefined> {
  const encoder = new TextEncoder();
  const bytes = (lines: readonly string[]) => encoder.encode(lines.map((line) => `${line}\n`).join(''));
  const tables = { providers: bytes(registry), capacity: bytes(capacity), performance: bytes(performance) };
  return eachProvider(tables);
}

/**
 * Puts the lines of the three tables together, provider by provider. All three are sorted by their keys (spec §9). One
 * at a time, so that whoever needs only a few figures of each does not hold the rest; and from bytes, since a million
 * rows as texts would be many millions of them.
 *
 * @throws OrphanCapacity at the end if a capacity row has no provider in the registry, or stands out of order
 */
export function* eachProvider(tables: ProviderTables): Generator<ProviderRows, void, undefined> {
  const registry = new LineCursor(tables.providers);
  // One text for the table and a slice of it for each provider: several times as fast as a text made of a few bytes.
  const ids = new TextDecoder('latin1').decode(tables.providers);
  const capacity = new LineCursor(tables.capacity);
  const performance = new LineCursor(tables.performance);
  while (!registry.ended) {
    const start = registry.at;
    registry.skip();
    const end = registry.at - 1;
    const provider = ids.slice(start, end);
    registry.skip();
    const status = registry.knownText() as ProviderRows['status'];
    registry.nextLine();
    const rows: ProviderRows['capacity'][number][] = [];
    // The second cell of both other tables is the provider, after the epoch.
    while (capacity.compareSecond(registry.bytes, start, end) === 0) rows.push(capacityOf(capacity));
    // Performance rows of providers without capacity are digested, but nothing is settled for them.
    let order = performance.compareSecond(registry.bytes, start, end);
    for (; order < 0; order = performance.compareSecond(registry.bytes, start, end)) performance.nextLine();
    yield { provider, status, capacity: rows, performance: order === 0 ? performanceOf(performance) : null };
  }
  if (!capacity.ended) {
    const orphan = capacity.line();
    throw new OrphanCapacity(
      `capacity row ${orphan} has no provider ${orphan.split(',')[1]} in the registry, or stands out of order`,
    );
  }
}

const QUANTITY_DECIMALS = 6;

/** `epoch,provider,market,offered,served` */
function capacityOf(line: LineCursor): ProviderRows['capacity'][number] {
  line.skip();
  line.skip();
  const market = line.knownText();
  const offered = scaledCell(line, QUANTITY_DECIMALS) as MicroUnits;
  return { market, offered, served: scaledCell(line, QUANTITY_DECIMALS) as MicroUnits };
}

/** `epoch,provider,uptime,response_ms,error_rate,rating` */
function performanceOf(line: LineCursor): PerformanceValues {
  line.skip();
  line.skip();
  return {
    uptimeMicro: countCell(line, 6),
    responseMicroseconds: line.empty() ? null : scaledCell(line, 3),
    errorRateMicro: countCell(line, 6),
    ratingMilli: countCell(line, 3),
  };
}

function scaledCell(line: LineCursor, decimals: number): bigint {
  const start = line.at;
  const small = line.small(decimals);
  return small >= 0 ? BigInt(small) : parseScaled(line.textFrom(start), decimals);
}

/** null: an empty cell. */
function countCell(line: LineCursor, decimals: number): number | null {
  if (line.empty()) return null;
  const start = line.at;
  const small = line.small(decimals);
  // biome-ignore lint/plugin/exact-money: uptimes, error rates and ratings are at most 5000000 of their last decimal
  return small >= 0 ? small : Number(parseScaled(line.textFrom(start), decimals));
}
