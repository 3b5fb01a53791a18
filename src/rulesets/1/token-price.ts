import { Decimal } from '../../numbers/decimal';
import { compareBytes } from '../../numbers/patterns';
import type { UsdPrice, UsdVolume } from '../../numbers/units';
import { median } from './means';
import type { Policy } from './policy';
import type { TokenObservation, TokenSourcePrice } from './records';

/** T and V of spec §4, with the median price of each source. */
export interface UsableTokenPrice {
  /** T, USD per token, above 0. */
  readonly price: UsdPrice;
  /** V, USD. */
  readonly volume: UsdVolume;
  /** Sources by bytes. */
  readonly sources: readonly TokenSourcePrice[];
}

/**
 * Token price of an epoch: the median over sources of each source's median, from rows with
 * `end - maxAgeSeconds <= observed_at <= end` (spec §4).
 *
 * @param rows token rows of the epoch
 * @returns null where no price is usable: fewer than minSources sources, or T = 0
 */
export function usableTokenPrice(
  policy: Policy,
  epochEndSeconds: number,
  rows: readonly TokenObservation[],
): UsableTokenPrice | null {
  const { minSources, maxAgeSeconds } = policy.tokenPrice;
  const bySource = new Map<string, TokenObservation[]>();
  for (const row of rows) {
    if (row.observedAtSeconds < epochEndSeconds - maxAgeSeconds || row.observedAtSeconds > epochEndSeconds) continue;
    const observations = bySource.get(row.source);
    if (observations) observations.push(row);
    else bySource.set(row.source, [row]);
  }
  if (bySource.size === 0 || bySource.size < minSources) return null;
  const medians = [...bySource]
    .sort(([left], [right]) => compareBytes(left, right))
    .map(([source, observations]) => ({
      source,
      priceUsd: median(observations.map((row) => row.priceUsd)),
      volumeUsd: median(observations.map((row) => row.volumeUsd)),
    }));
  const price = median(medians.map((source) => source.priceUsd));
  if (price.isZero()) return null;
  return {
    price,
    volume: medians.reduce<Decimal>((sum, source) => sum.plus(source.volumeUsd), new Decimal(0)) as UsdVolume,
    sources: medians.map(({ source, priceUsd }) => ({ source, priceUsd })),
  };
}
