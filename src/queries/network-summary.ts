import { epochTimes, instantText } from '../rulesets/1/calendar';
import { newestPublishedEpoch } from '../store/chain';
import { type Hold, openHolds } from '../store/holds';
import { getNetwork, type Network } from '../store/networks';
import type { Queryable } from '../store/pool';
import { findResult } from '../store/results';
import { networkStanding, type Standing } from '../store/standing';
import { type MarketOverview, marketOverview } from './market-overview';
import { type PayoutPage, topPayouts } from './payouts';

/** What a person wants to know after settling: how many epochs ended how, the markets, the pool, who got most. */
export interface NetworkSummary {
  readonly network: Network;
  readonly standing: Standing;
  /** Epochs of the calendar that are neither closed nor held; null: the calendar has no end. */
  readonly open: number | null;
  /** null: nothing is published yet. */
  readonly last: LastEpoch | null;
  readonly holds: readonly Hold[];
}

/** The last published epoch. */
export interface LastEpoch {
  readonly epoch: number;
  readonly startsAt: string;
  readonly endsAt: string;
  readonly unallocatedReason: 'rounding' | 'unspent' | null;
  readonly overview: MarketOverview;
  /** The largest payouts, and what all come to. */
  readonly payouts: PayoutPage;
}

const SERIES_EPOCHS = 24;
const LARGEST = 10;

export async function networkSummary(db: Queryable, name: string): Promise<NetworkSummary> {
  const network = await getNetwork(db, name);
  const standing = await networkStanding(db, name);
  const holds = await openHolds(db, name);
  const closed = standing.published + Object.values(standing.failed).reduce((sum, count) => sum + count, 0);
  const inAll = network.lastEpoch === null ? null : network.lastEpoch - network.firstEpoch + 1;
  const open = inAll === null ? null : inAll - closed - holds.length;
  const epoch = standing.lastClosed === null ? null : await newestPublishedEpoch(db, name, standing.lastClosed);
  return { network, standing, open, last: epoch === null ? null : await lastEpoch(db, network, epoch), holds };
}

async function lastEpoch(db: Queryable, { network }: Network, epoch: number): Promise<LastEpoch> {
  const overview = await marketOverview(db, network, epoch, SERIES_EPOCHS);
  const payouts = await topPayouts(db, network, epoch, LARGEST);
  const times = epochTimes(payouts.settled.policy.epoch, epoch);
  return {
    epoch,
    startsAt: instantText(times.startSeconds),
    endsAt: instantText(times.endSeconds),
    unallocatedReason: (await findResult(db, payouts.settled.key))?.unallocatedReason ?? null,
    overview,
    payouts,
  };
}
