import { absentArchives, requireRows } from '../store/archives';
import { getNetwork } from '../store/networks';
import {
  largestPayouts,
  type PayoutTotals,
  type ProviderPayout,
  payoutEpochs,
  payoutsAfter,
  payoutsOfProvider,
  payoutTotals,
  type StoredPayout,
} from '../store/payout-reports';
import type { Queryable } from '../store/pool';
import { type RegistryEntry, registryEntry, similarProviders } from '../store/provider-reports';
import { type SettledEpoch, settledEpoch } from './epochs';
import { QueryError } from './errors';
import { meantWords, nearest } from './nearest';

/** Payouts of one epoch: a page of them, and what all come to. Base units. */
export interface PayoutPage {
  readonly settled: SettledEpoch;
  readonly totals: PayoutTotals;
  readonly payouts: readonly StoredPayout[];
  /** Give it as `after` for the next page; null: this is the last one, or the largest were asked for. */
  readonly next: string | null;
}

/** The `count` largest payouts of an epoch. */
export async function topPayouts(db: Queryable, network: string, epoch: number, count: number): Promise<PayoutPage> {
  const settled = await settledEpoch(db, network, epoch);
  await requireRows(db, epoch, epoch);
  const totals = await payoutTotals(db, settled.key);
  return { settled, totals, payouts: await largestPayouts(db, settled.key, count), next: null };
}

/** Payouts of an epoch by bytes of the provider's id, from the one after `after` on. */
export async function payoutPage(
  db: Queryable,
  network: string,
  epoch: number,
  after: string,
  count: number,
): Promise<PayoutPage> {
  const settled = await settledEpoch(db, network, epoch);
  await requireRows(db, epoch, epoch);
  const totals = await payoutTotals(db, settled.key);
  const found = await payoutsAfter(db, settled.key, after, count + 1);
  const payouts = found.slice(0, count);
  return { settled, totals, payouts, next: found.length > count ? (payouts.at(-1)?.provider ?? null) : null };
}

// Rows are fetched in pieces, so that no statement runs into its time-out however many providers there are.
const PIECE_ROWS = 20_000;

/** All payouts of an epoch by bytes of the provider's id. They are held in memory: for millions, export the epoch. */
export async function allPayouts(db: Queryable, network: string, epoch: number): Promise<PayoutPage> {
  const settled = await settledEpoch(db, network, epoch);
  await requireRows(db, epoch, epoch);
  const totals = await payoutTotals(db, settled.key);
  const payouts: StoredPayout[] = [];
  while (payouts.length < totals.providers) {
    const piece = await payoutsAfter(db, settled.key, payouts.at(-1)?.provider ?? '', PIECE_ROWS);
    if (piece.length === 0) break;
    for (const payout of piece) payouts.push(payout);
  }
  return { settled, totals, payouts, next: null };
}

/**
 * Payouts of one provider over the published epochs of a range, newest first. `without`: archived epochs that may be
 * missing in the answer.
 */
export async function providerPayouts(
  db: Queryable,
  network: string,
  provider: string,
  range: { readonly first: number; readonly last: number },
  count: number,
  without: readonly { readonly first: number; readonly last: number }[] = [],
): Promise<{ readonly registry: RegistryEntry; readonly payouts: readonly ProviderPayout[] }> {
  await getNetwork(db, network);
  const registry = await knownProvider(db, network, provider);
  if (without.length === 0) await requireRows(db, range.first, range.last);
  return { registry, payouts: await payoutsOfProvider(db, network, provider, range.first, range.last, count) };
}

/** The registry's entry as it is now. @throws QueryError `provider-unknown` naming those with a similar id */
export async function knownProvider(db: Queryable, network: string, provider: string): Promise<RegistryEntry> {
  const registry = await registryEntry(db, network, provider, null);
  if (registry !== null) return registry;
  const near = nearest(provider, await similarProviders(db, network, provider, SUGGESTIONS_FROM));
  throw new QueryError('provider-unknown', {
    what: `There is no provider ${provider} in the registry.${meantWords(near)}`,
    where: `network ${network}`,
    todo: 'see `settle payout list` for providers; ids are compared letter by letter.',
  });
}

const SUGGESTIONS_FROM = 1_000;

// Epoch numbers are 32-bit in the database.
const LAST_EPOCH = 2_147_483_647;

/** What to say of a provider that has no payout in an epoch. */
export async function payoutMissing(
  db: Queryable,
  network: string,
  epoch: number,
  provider: string,
): Promise<QueryError> {
  const registry = await knownProvider(db, network, provider);
  const epochs = await payoutEpochs(db, network, provider);
  const outside = (await absentArchives(db, 0, LAST_EPOCH)).length > 0 ? ' (not counting archived ones)' : '';
  const elsewhere =
    epochs === null
      ? `nor in any other published epoch${outside}`
      : `it has payouts in ${epochs.count} published epochs${outside}, the first ${epochs.first}, the last ${epochs.last}`;
  return new QueryError('payout-missing', {
    what: `Provider ${provider} has no payout in epoch ${epoch}, because it had no capacity row; ${elsewhere}.`,
    where: `network ${network}, epoch ${epoch}; ${provider} joined in epoch ${registry.joinedEpoch} and is ${registry.status}`,
    todo:
      epochs === null
        ? 'look whether its capacity rows reached the system before the epochs were sealed.'
        : `see \`settle payout list --provider ${provider}\`.`,
  });
}
