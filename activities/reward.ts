import { heartbeat } from '@temporalio/activity';
import type { PoolClient } from 'pg';
import { amountText, NANO_DECIMALS, parseAmount, scaledText } from '../src/numbers/amounts';
import type { Amount, NanoRatio } from '../src/numbers/units';
import { canonicalJson } from '../src/proofs/canonical-json';
import { canonicalLine } from '../src/proofs/canonical-lines';
import { type DerivationText, parseDerivation } from '../src/rulesets/1/derivation-text';
import { type ProviderFactsText, ProviderTally, providerFactsText } from '../src/rulesets/1/facts';
import type { Policy } from '../src/rulesets/1/policy';
import type { Derivation } from '../src/rulesets/1/records';
import { type GrossReward, grossOf, payoutOf } from '../src/rulesets/1/reward';
import { cellsOf, PAYOUTS_COLUMNS, payoutRow } from '../src/rulesets/1/tables';
import { getComputation, priceRows } from '../src/store/computations';
import { replaceChunk } from '../src/store/payouts';
import { transaction } from '../src/store/pool';
import { bindRange, providersIn, RANGE_TABLES, type RangeRead, readRange } from '../src/store/snapshot-rows';
import type { SnapshotChunk, StoredSnapshot } from '../src/store/snapshots';
import type { ComputationRef, Rewarded } from './contracts';
import type { ActivityDependencies } from './dependencies';
import { sealedEpoch } from './derive';
import { GuardFailed } from './failures';

/**
 * Rewards the providers of one chunk (spec §6, §7) and writes their draft payouts, in one transaction.
 *
 * `cappedSum` is G in base units. It is known only after every chunk was summed, and matters only where it is above
 * the pool; null therefore means "as if G <= B", and the workflow asks again with G where that was wrong. The one
 * chunk of a small epoch knows its own sum and needs no second round.
 */
export async function reward(
  deps: ActivityDependencies,
  key: ComputationRef,
  index: number,
  cappedSum: string | null,
): Promise<Rewarded> {
  return overChunk(deps, key, index, async (client, { chunk, snapshot, derivation }, rewards) => {
    const capped = cappedOf(rewards);
    const total = cappedSum !== null ? parseAmount(cappedSum) : snapshot.chunks.length === 1 ? capped : 0n;
    await deps.reached('reward:computed');
    const round = cappedSum === null && snapshot.chunks.length > 1 ? 'unscaled' : 'final';
    await replaceChunk(client, key, chunk, payoutLines(derivation, rewards, total as Amount), round);
    await deps.reached('reward:copied');
    return { chunk: index, providers: rewards.length, capped: amountText(capped) };
  });
}

/**
 * The chunk's part of G and nothing else: the first round of an epoch whose pool will most likely bind, so that its
 * drafts are not written twice.
 */
export function sumChunk(deps: ActivityDependencies, key: ComputationRef, index: number): Promise<Rewarded> {
  return overChunk(deps, key, index, async (_client, _read, rewards) => ({
    chunk: index,
    providers: rewards.length,
    capped: amountText(cappedOf(rewards)),
  }));
}

const cappedOf = (rewards: readonly Earned[]): Amount => rewards.reduce((sum, one) => sum + one.capped, 0n) as Amount;

interface ChunkRead {
  readonly chunk: SnapshotChunk;
  readonly snapshot: StoredSnapshot;
  readonly derivation: Derivation;
}

/** Reads a chunk and computes what its providers earn, inside one transaction; `work` is what is done with it. */
async function overChunk(
  deps: ActivityDependencies,
  key: ComputationRef,
  index: number,
  work: (client: PoolClient, read: ChunkRead, rewards: readonly Earned[]) => Promise<Rewarded>,
): Promise<Rewarded> {
  const header = await getComputation(deps.pool, key);
  const { dispute } = header;
  const { seal, snapshot, policy } = await sealedEpoch(deps, key, dispute);
  const derivation = parseDerivation(header.derivation as DerivationText, await priceRows(deps.pool, key));
  const chunk = snapshot.chunks[index];
  if (chunk === undefined)
    throw new RangeError(`epoch ${key.epoch} has ${snapshot.chunks.length} chunks, none ${index}`);
  return transaction(deps.pool, async (client) => {
    const { after, upTo } = chunk;
    await bindRange(client, { ...key, registryLoad: seal.registryLoad, after, upTo, dispute });
    const rewards = await grossRewards(client, policy, derivation, chunk, snapshot, dispute);
    heartbeat({ chunk: index, providers: rewards.length });
    return work(client, { chunk, snapshot, derivation }, rewards);
  });
}

/**
 * First pass over a chunk. Guard `snapshot`: what streams by must have the digests that the sealed rows had, chunk by
 * chunk, and a whole epoch the sums that its prices were made from.
 */
async function grossRewards(
  client: PoolClient,
  policy: Policy,
  derivation: Derivation,
  chunk: SnapshotChunk,
  snapshot: StoredSnapshot,
  dispute: number,
): Promise<readonly Earned[]> {
  const read = await readRange(client, dispute);
  requireSealed(chunk, read);
  const tally = new ProviderTally(policy.rewards.performance.minimumUptime);
  const rewards: Earned[] = [];
  for (const provider of providersIn(read)) {
    tally.add(provider);
    const { reason, gross, capped, score } = grossOf(derivation, policy, provider);
    rewards.push({ provider: provider.provider, reason, gross, capped, multiplier: score?.multiplier ?? null });
  }
  if (snapshot.chunks.length === 1) requireSameFacts(tally, snapshot.facts as ProviderFactsText);
  return rewards;
}

/** Guard `snapshot` of a chunk; the dispute's reading of the same chunk has the digests of its own snapshot. */
export function requireSealed(chunk: SnapshotChunk, { digests }: RangeRead): void {
  const { after, upTo } = chunk;
  for (const table of RANGE_TABLES) {
    const [sealed, read] = [chunk.digests[table], digests[table]];
    if (read !== sealed) throw new GuardFailed('snapshot', { table, after, upTo, sealed, read });
  }
}

/** What of a provider's gross reward a payout is made of: lines and scores are not kept for a whole chunk. */
interface Earned extends Pick<GrossReward, 'provider' | 'reason' | 'gross' | 'capped'> {
  /** M4; null: not eligible, so of no account. */
  readonly multiplier: NanoRatio | null;
}

function requireSameFacts(tally: ProviderTally, sealed: ProviderFactsText): void {
  const read = providerFactsText(tally.facts());
  if (canonicalJson(read) === canonicalJson(sealed)) return;
  throw new GuardFailed('snapshot', {
    facts: 'prices were made from other sums than those of the sealed rows',
    sealed,
    read,
  });
}

function* payoutLines(derivation: Derivation, rewards: readonly Earned[], cappedSum: Amount): Iterable<string> {
  for (const one of rewards) {
    const row = payoutRow(payoutOf(derivation, one, cappedSum));
    const multiplier = one.multiplier === null ? '' : scaledText(one.multiplier, NANO_DECIMALS);
    yield canonicalLine([...cellsOf(PAYOUTS_COLUMNS, row), multiplier]);
  }
}
