import type { Pool } from 'pg';
import { Decimal } from '../numbers/decimal';
import type { RevisionContent } from '../proofs/contents';
import { instantText } from '../rulesets/1/calendar';
import type { PricesRow } from '../rulesets/1/tables';
import { newestPublishedEpoch, newestRevision } from '../store/chain';
import { type ComputationKey, priceRows } from '../store/computations';
import { type Hold, openHolds } from '../store/holds';
import { getNetwork, type Network } from '../store/networks';
import { getPolicy, listEffectivePolicies } from '../store/policies';
import { largestPayouts, type PublishedPayout, payoutReasons, priceCourses } from '../store/published';
import { findResult } from '../store/results';
import { networkStanding, type Standing } from '../store/standing';

/** What a person wants to know after settling: how many epochs ended how, the markets, the pool, who got most. */
export interface NetworkSummary {
  readonly network: Network;
  readonly standing: Standing;
  /** Epochs of the calendar that are neither closed nor held; null: the calendar has no end. */
  readonly open: number | null;
  /** null: nothing is published yet. */
  readonly last: LastEpoch | null;
  readonly holds: readonly Hold[];
  readonly token: TokenUnit;
}

export interface TokenUnit {
  readonly symbol: string;
  readonly decimals: number;
}

export interface LastEpoch {
  readonly epoch: number;
  readonly revision: number;
  readonly startsAt: string;
  readonly endsAt: string;
  readonly content: RevisionContent;
  readonly unallocatedReason: string;
  readonly markets: readonly MarketSummary[];
  readonly payouts: readonly PublishedPayout[];
  readonly providers: number;
  readonly paidProviders: number;
  /** Providers that were not eligible, by reason. */
  readonly unpaid: readonly { readonly reason: string; readonly providers: number }[];
}

export interface MarketSummary {
  readonly market: string;
  readonly price: string;
  /** Share by which the price changed since the published epoch before; null: that one did not price the market. */
  readonly change: string | null;
  /** Used of supplied; null: nothing was supplied. */
  readonly utilisation: string | null;
  /** What moved the price most in this epoch, strongest first, as shares of the price before. */
  readonly factors: readonly { readonly factor: string; readonly share: string }[];
  readonly course: readonly string[];
}

const COURSE_EPOCHS = 24;
const LARGEST = 10;
const FACTORS_SHOWN = 2;

export async function networkSummary(pool: Pool, name: string): Promise<NetworkSummary> {
  const network = await getNetwork(pool, name);
  const standing = await networkStanding(pool, name);
  const holds = await openHolds(pool, name);
  const last = standing.lastClosed === null ? null : await lastPublished(pool, network, standing.lastClosed);
  const closed = standing.published + Object.values(standing.failed).reduce((sum, count) => sum + count, 0);
  const inAll = network.lastEpoch === null ? null : network.lastEpoch - network.firstEpoch + 1;
  return {
    network,
    standing,
    open: inAll === null ? null : inAll - closed - holds.length,
    last,
    holds,
    token: await tokenUnit(pool, name),
  };
}

/** The token of the policy that is effective last. */
async function tokenUnit(pool: Pool, network: string): Promise<TokenUnit> {
  const effective = (await listEffectivePolicies(pool, network)).at(-1);
  if (effective === undefined) return { symbol: '', decimals: 0 };
  const { canonical } = await getPolicy(pool, effective.policyHash);
  return (JSON.parse(canonical) as { token: TokenUnit }).token;
}

async function lastPublished(pool: Pool, network: Network, lastClosed: number): Promise<LastEpoch | null> {
  const courses = await priceCourses(pool, network.network, lastClosed, COURSE_EPOCHS);
  const entry = await newestPublished(pool, network, lastClosed);
  if (entry === null) return null;
  const key: ComputationKey = { network: network.network, ...entry };
  const starts = network.genesisSeconds + entry.epoch * network.lengthSeconds;
  const reasons = await payoutReasons(pool, key);
  const byMarket = new Map(courses.map((course) => [course.market, course.prices]));
  return {
    epoch: entry.epoch,
    revision: entry.revision,
    startsAt: instantText(starts),
    endsAt: instantText(starts + network.lengthSeconds),
    content: JSON.parse(entry.entry) as RevisionContent,
    unallocatedReason: (await findResult(pool, key))?.unallocatedReason ?? 'unspent',
    markets: (await priceRows(pool, key)).map((row) => marketSummary(row, byMarket.get(row.market) ?? [])),
    payouts: await largestPayouts(pool, key, LARGEST),
    providers: reasons.reduce((sum, one) => sum + one.providers, 0),
    paidProviders: reasons.reduce((sum, one) => sum + one.paid, 0),
    unpaid: reasons.filter((one) => one.reason !== 'paid').map(({ reason, providers }) => ({ reason, providers })),
  };
}

async function newestPublished(pool: Pool, network: Network, lastClosed: number) {
  const epoch = await newestPublishedEpoch(pool, network.network, lastClosed);
  return epoch === null ? null : newestRevision(pool, network.network, epoch);
}

function marketSummary(row: PricesRow, course: readonly string[]): MarketSummary {
  const before = course.at(-2);
  const supply = new Decimal(row.supply);
  return {
    market: row.market,
    price: row.price,
    change:
      before === undefined ? null : new Decimal(row.price).minus(before).dividedBy(before).toDecimalPlaces(9).toFixed(),
    utilisation: supply.isZero() ? null : new Decimal(row.used).dividedBy(supply).toDecimalPlaces(9).toFixed(),
    factors: strongestFactors(row),
    course,
  };
}

const FACTORS = [
  ['c_supply', 'supply'],
  ['c_demand', 'demand'],
  ['c_market_conditions', 'conditions'],
  ['c_available_capacity', 'capacity'],
  ['c_provider_growth', 'growth'],
  ['c_usage_patterns', 'usage'],
  ['c_competition', 'competition'],
  ['c_market_trends', 'trend'],
  ['d_premium', 'peak'],
  ['d_band', 'band'],
  ['d_step', 'step limit'],
  ['d_bounds', 'bounds'],
] as const;

function strongestFactors(row: PricesRow): MarketSummary['factors'] {
  const before = new Decimal(row.prev);
  if (before.isZero()) return [];
  return FACTORS.map(([column, factor]) => ({ factor, share: new Decimal(row[column]).dividedBy(before) }))
    .filter(({ share }) => !share.isZero())
    .sort((a, b) => b.share.abs().comparedTo(a.share.abs()))
    .slice(0, FACTORS_SHOWN)
    .map(({ factor, share }) => ({ factor, share: share.toDecimalPlaces(9).toFixed() }));
}
