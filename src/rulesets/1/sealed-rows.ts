import { parseMicroUnits } from '../../numbers/amounts';
import { Decimal } from '../../numbers/decimal';
import type { MicroUnits, Ratio, UsdPrice, UsdVolume } from '../../numbers/units';
import { parseInstant } from './calendar';
import type { ProviderFacts } from './facts';
import type { EpochFacts, MarketTotals, Quote, TokenObservation } from './records';

/** Canonical lines (spec §9) of the sealed tables whose size does not grow with providers. */
export interface SealedLines {
  readonly demand: readonly string[];
  readonly quotes: readonly string[];
  readonly token: readonly string[];
  readonly macro: readonly string[];
}

/**
 * Puts the sums over providers and the sealed lines of the small tables together. Totals: one for each of `markets`,
 * which are the policy's; a market without rows has zeros and no request.
 */
export function epochFacts(
  epoch: number,
  markets: readonly string[],
  providers: ProviderFacts,
  lines: SealedLines,
): EpochFacts {
  const sums = new Map(providers.totals.map((total) => [total.market, total]));
  const requested = new Map(
    lines.demand.map((line) => {
      const [, market, text] = cells(line, 3);
      return [market, parseMicroUnits(text)] as const;
    }),
  );
  const totals: MarketTotals[] = markets.map((market) => ({
    market,
    supply: sums.get(market)?.supply ?? (0n as MicroUnits),
    used: sums.get(market)?.used ?? (0n as MicroUnits),
    requested: requested.get(market) ?? null,
  }));
  const macro = lines.macro[0];
  return {
    epoch,
    totals,
    quotes: lines.quotes.map(quoteOf),
    token: lines.token.map(tokenObservationOf),
    macro: macro === undefined ? null : (new Decimal(cells(macro, 2)[1]) as Ratio),
    performance: providers.performance,
  };
}

function quoteOf(line: string): Quote {
  const [, market, source, usdPerUnit] = cells(line, 4);
  return { market, source, usdPerUnit: new Decimal(usdPerUnit) as UsdPrice };
}

/** A canonical line of the token table. */
export function tokenObservationOf(line: string): TokenObservation {
  const [, source, observedAt, price, volume] = cells(line, 5);
  const observedAtSeconds = parseInstant(observedAt);
  if (observedAtSeconds === null) throw new RangeError(`sealed token row ${line} has no instant`);
  return {
    source,
    observedAtSeconds,
    priceUsd: new Decimal(price) as UsdPrice,
    volumeUsd: new Decimal(volume) as UsdVolume,
  };
}

type Cells<N extends 2 | 3 | 4 | 5> = N extends 2
  ? [string, string]
  : N extends 3
    ? [string, string, string]
    : N extends 4
      ? [string, string, string, string]
      : [string, string, string, string, string];

function cells<N extends 2 | 3 | 4 | 5>(line: string, count: N): Cells<N> {
  const found = line.split(',');
  if (found.length !== count) throw new RangeError(`sealed row ${line} has ${found.length} cells, not ${count}`);
  return found as Cells<N>;
}
