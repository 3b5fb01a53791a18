import { heartbeat } from '@temporalio/activity';
import { amountText, parseAmount } from '../src/numbers/amounts';
import type { Amount } from '../src/numbers/units';
import { canonicalJson } from '../src/proofs/canonical-json';
import { type DerivationText, parseDerivation } from '../src/rulesets/1/derivation-text';
import { earnedLine, payoutsOfEarned } from '../src/rulesets/1/earned-lines';
import { type ProviderFactsText, ProviderTally, providerFactsText } from '../src/rulesets/1/facts';
import type { Policy } from '../src/rulesets/1/policy';
import type { Derivation, ProviderRows } from '../src/rulesets/1/records';
import { earnedOf } from '../src/rulesets/1/reward';
import { payoutLine } from '../src/rulesets/1/tables';
import { getComputation, priceRows } from '../src/store/computations';
import { replaceChunk } from '../src/store/payouts';
import { transaction } from '../src/store/pool';
import {
  bindRange,
  providersIn,
  RANGE_TABLES,
  type RangeRead,
  type RowRange,
  readRange,
} from '../src/store/snapshot-rows';
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
  const chunk = await findChunk(deps, key, index);
  const round = cappedSum === null && chunk.chunks > 1 ? 'unscaled' : 'final';
  const earned = (round === 'final' ? await takeEarned(deps, chunk) : null) ?? (await earn(deps, chunk));
  const total = cappedSum !== null ? parseAmount(cappedSum) : chunk.chunks === 1 ? earned.capped : 0n;
  await deps.reached('reward:computed');
  await transaction(deps.pool, async (client) => {
    await replaceChunk(client, key, chunk.bounds, payoutLines(chunk.derivation, earned, total as Amount), round);
    await deps.reached('reward:copied');
  });
  if (round === 'unscaled') await keepEarned(deps, chunk, earned);
  return rewarded(chunk, earned);
}

/**
 * The chunk's part of G and nothing else: the first round of an epoch whose pool will most likely bind, so that its
 * drafts are not written twice.
 */
export async function sumChunk(deps: ActivityDependencies, key: ComputationRef, index: number): Promise<Rewarded> {
  const chunk = await findChunk(deps, key, index);
  const earned = await earn(deps, chunk);
  await keepEarned(deps, chunk, earned);
  return rewarded(chunk, earned);
}

interface Chunk {
  readonly key: ComputationRef;
  readonly index: number;
  readonly bounds: SnapshotChunk;
  /** Chunks of the epoch. */
  readonly chunks: number;
  readonly rows: RowRange & { readonly dispute: number };
  readonly facts: StoredSnapshot['facts'];
  readonly policy: Policy;
  readonly derivation: Derivation;
}

async function findChunk(deps: ActivityDependencies, key: ComputationRef, index: number): Promise<Chunk> {
  const header = await getComputation(deps.pool, key);
  const { dispute } = header;
  const { seal, snapshot, policy } = await sealedEpoch(deps, key, dispute);
  const derivation = parseDerivation(header.derivation as DerivationText, await priceRows(deps.pool, key));
  const { chunks, facts } = snapshot;
  const bounds = chunks[index];
  if (bounds === undefined) throw new RangeError(`epoch ${key.epoch} has ${chunks.length} chunks, none ${index}`);
  const rows = { ...key, registryLoad: seal.registryLoad, after: bounds.after, upTo: bounds.upTo, dispute };
  return { key, index, bounds, chunks: chunks.length, rows, facts, policy, derivation };
}

/** A chunk after the first pass. */
interface EarnedChunk {
  /** Earned lines of its providers. */
  readonly lines: Uint8Array;
  /** Sum of their capped amounts. */
  readonly capped: Amount;
}

const rewarded = ({ index, bounds }: Chunk, { capped }: EarnedChunk): Rewarded => ({
  chunk: index,
  providers: bounds.providers,
  capped: amountText(capped),
});

/**
 * Reads a chunk and computes what its providers earn. Guard `snapshot`: what was read must have the digests that the
 * sealed rows had, chunk by chunk, and a whole epoch the sums that its prices were made from.
 */
async function earn(deps: ActivityDependencies, chunk: Chunk): Promise<EarnedChunk> {
  const read = await transaction(deps.pool, async (client) => {
    await bindRange(client, chunk.rows);
    return readRange(client, chunk.rows.dispute);
  });
  requireSealed(chunk.bounds, read);
  if (chunk.chunks === 1) requireSameFacts(chunk, providersIn(read));
  const earned = earnedBy(chunk, providersIn(read));
  heartbeat({ chunk: chunk.index, providers: chunk.bounds.providers });
  return earned;
}

function earnedBy({ derivation, policy }: Chunk, providers: Iterable<ProviderRows>): EarnedChunk {
  let capped = 0n;
  const pieces: Buffer[] = [];
  let piece = '';
  for (const provider of providers) {
    const reward = earnedOf(derivation, policy, provider);
    capped += reward.capped;
    piece += earnedLine(reward);
    if (piece.length < PIECE_CHARS) continue;
    pieces.push(Buffer.from(piece, 'latin1'));
    piece = '';
  }
  pieces.push(Buffer.from(piece, 'latin1'));
  return { lines: Buffer.concat(pieces), capped: capped as Amount };
}

const PIECE_CHARS = 65_536;

/**
 * What the first round computed is kept for the second, which then reads nothing. Another worker, or this one after a
 * restart, reads and computes again.
 */
function keepEarned(deps: ActivityDependencies, chunk: Chunk, { lines, capped }: EarnedChunk): Promise<void> {
  return deps.scratch.keep(nameOf(chunk), Buffer.concat([Buffer.from(`${amountText(capped)}\n`), lines]));
}

async function takeEarned(deps: ActivityDependencies, chunk: Chunk): Promise<EarnedChunk | null> {
  const kept = await deps.scratch.take(nameOf(chunk));
  if (kept === null) return null;
  const end = kept.indexOf(10);
  const capped = parseAmount(Buffer.from(kept.subarray(0, end)).toString('latin1'));
  return { lines: kept.subarray(end + 1), capped };
}

/** A computation is made from one snapshot, one policy and one history, and its chunk from the rows of these digests. */
function nameOf({ key, index, bounds }: Chunk): string {
  const { network, epoch, revision, computation } = key;
  const digests = RANGE_TABLES.map((table) => bounds.digests[table]);
  return [network, epoch, revision, computation, index, ...digests].join('/');
}

/** Guard `snapshot` of a chunk; the dispute's reading of the same chunk has the digests of its own snapshot. */
export function requireSealed(chunk: SnapshotChunk, { digests }: RangeRead): void {
  const { after, upTo } = chunk;
  for (const table of RANGE_TABLES) {
    const [sealed, read] = [chunk.digests[table], digests[table]];
    if (read !== sealed) throw new GuardFailed('snapshot', { table, after, upTo, sealed, read });
  }
}

function requireSameFacts({ policy, facts: sealed }: Chunk, providers: Iterable<ProviderRows>): void {
  const tally = new ProviderTally(policy.rewards.performance.minimumUptime);
  for (const provider of providers) tally.add(provider);
  const read = providerFactsText(tally.facts());
  if (canonicalJson(read) === canonicalJson(sealed as ProviderFactsText)) return;
  throw new GuardFailed('snapshot', {
    facts: 'prices were made from other sums than those of the sealed rows',
    sealed,
    read,
  });
}

function* payoutLines(derivation: Derivation, { lines }: EarnedChunk, cappedSum: Amount): Iterable<string> {
  for (const { payout, multiplier } of payoutsOfEarned(lines, derivation, cappedSum)) {
    yield `${payoutLine(payout)},${multiplier}`;
  }
}
