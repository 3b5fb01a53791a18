import { scaledOf } from '../../numbers/amounts';
import { RulesetError } from './errors';
import { SERIES_DECIMALS } from './means';
import type { Policy } from './policy';
import type { History, PublishedEpoch } from './records';

/** History of markets and families: the last `window` published epochs less gaps (spec §4). */

/** How many of the newest published epochs below e an epoch of this policy reads: see {@link History}. */
export function historyReach(policy: Policy): number {
  // season <= window / 2, and epochs not before e - growthWindow are at most growthWindow many.
  return Math.max(policy.history.window, policy.history.growthWindow);
}

/** S and D of one published epoch, integers of 10^-12 unit-hours. */
interface EpochSums {
  readonly epoch: number;
  /** D is 0 in every market: everybody idle at once is a hole in the recording. */
  readonly idle: boolean;
  readonly markets: ReadonlyMap<string, { readonly supply: bigint; readonly demand: bigint }>;
}

/** What a market or a family offered and was asked for, epoch by epoch, gaps left out, oldest first. */
export interface Series {
  readonly epochs: readonly number[];
  readonly supply: readonly bigint[];
  readonly demand: readonly bigint[];
}

export interface Window {
  /** The last `window` published epochs, oldest first. */
  readonly epochs: readonly PublishedEpoch[];
  readonly sums: readonly EpochSums[];
}

/** The last `window` published epochs (spec §4). @throws RulesetError `history-mismatch` */
export function windowOf(policy: Policy, epoch: number, history: History): Window {
  requireOrder(epoch, history.epochs);
  requireLastBases(history);
  const epochs = history.epochs.slice(-policy.history.window);
  return { epochs, sums: epochs.map(sumsOf) };
}

/**
 * History of several markets taken together: of a family, or of one market alone. A gap is an epoch in which their S
 * was 0 (as it is where they were not priced), or D was 0 in every market of the network (spec §4).
 */
export function seriesOf(window: Window, markets: readonly string[]): Series {
  const epochs: number[] = [];
  const supply: bigint[] = [];
  const demand: bigint[] = [];
  for (const sums of window.sums) {
    let offered = 0n;
    let asked = 0n;
    for (const market of markets) {
      const sum = sums.markets.get(market);
      if (sum === undefined) continue;
      offered += sum.supply;
      asked += sum.demand;
    }
    if (sums.idle || offered === 0n) continue;
    epochs.push(sums.epoch);
    supply.push(offered);
    demand.push(asked);
  }
  return { epochs, supply, demand };
}

// A run of epochs reads each published epoch `window` times over; its sums never change.
const knownSums = new WeakMap<PublishedEpoch, EpochSums>();

function sumsOf(published: PublishedEpoch): EpochSums {
  const known = knownSums.get(published);
  if (known !== undefined) return known;
  const markets = new Map(
    published.markets.map(({ market, supply, demand }) => [
      market,
      { supply: scaledOf(supply, SERIES_DECIMALS), demand: scaledOf(demand, SERIES_DECIMALS) },
    ]),
  );
  const sums = {
    epoch: published.epoch,
    idle: published.markets.every(({ demand }) => demand.isZero()),
    markets,
  };
  knownSums.set(published, sums);
  return sums;
}

function requireOrder(epoch: number, epochs: readonly PublishedEpoch[]): void {
  let before = -1;
  for (const published of epochs) {
    if (published.epoch <= before || published.epoch >= epoch) {
      throw new RulesetError('history-mismatch', {
        what: `Epoch ${published.epoch} is out of place in the history of epoch ${epoch}.`,
        where: `after epoch ${before}`,
        todo: 'give published epochs below the epoch, each once, oldest first.',
      });
    }
    before = published.epoch;
  }
}

/** Two sources say what a market's last base price was; they must agree, or one of them is incomplete. */
function requireLastBases({ epochs, lastBases }: History): void {
  const seen = new Set<string>();
  for (let index = epochs.length - 1; index >= 0; index--) {
    const { epoch, markets } = epochs[index] as PublishedEpoch;
    for (const { market, base } of markets) {
      if (seen.has(market)) continue;
      seen.add(market);
      if (lastBases.get(market)?.equals(base)) continue;
      throw new RulesetError('history-mismatch', {
        what: `Market ${market} had the base price ${base.toFixed()} in epoch ${epoch}, the last bases say ${lastBases.get(market)?.toFixed() ?? 'nothing'}.`,
        where: `market ${market}, epoch ${epoch}`,
        todo: 'give for each market the base price of the newest published epoch below this one that priced it.',
      });
    }
  }
}
