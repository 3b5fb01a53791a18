import type { PoolClient } from 'pg';
import { amountText } from '../src/numbers/amounts';
import { contentDigest } from '../src/proofs/digests';
import { type DerivationText, derivationText, parseDerivation, pricesTable } from '../src/rulesets/1/derivation-text';
import { derivePinned, derive as deriveRates } from '../src/rulesets/1/derive';
import { type ProviderFactsText, parseProviderFacts } from '../src/rulesets/1/facts';
import type { Policy } from '../src/rulesets/1/policy';
import type { FullDerivation } from '../src/rulesets/1/records';
import type { PricesRow } from '../src/rulesets/1/tables';
import {
  type ComputationHeader,
  findComputation,
  getComputation,
  type HistoryEntry,
  insertComputation,
  priceRows,
} from '../src/store/computations';
import { type Dispute, getDispute } from '../src/store/disputes';
import { lockNetwork } from '../src/store/networks';
import { transaction } from '../src/store/pool';
import type { StoredSnapshot } from '../src/store/snapshots';
import type { ComputationRef, Derived, DisputeRef, RunRef } from './contracts';
import type { ActivityDependencies } from './dependencies';
import { describe, readHistory, sealedEpoch } from './derive';
import { loadPolicy } from './policies';
import { sealedFacts } from './sealed-facts';

/** What a computation is made from, and what it makes. */
interface Made {
  readonly from: Pick<ComputationHeader, 'policyHash' | 'snapshotDigest' | 'historyDigest' | 'dispute'>;
  readonly history: readonly HistoryEntry[];
  readonly previousEpoch: number | null;
  /** Inside a transaction. */
  derive(client: PoolClient): Promise<{ readonly text: DerivationText; readonly prices: readonly PricesRow[] }>;
}

/**
 * Derives revision r+1 from the corrected rows (spec §10), with the policy of the revision that it follows. Pinned: the
 * prices table of that revision, byte for byte, with its T, V, macro, N and growth phase. Full: everything anew, with
 * the history as the chain is now. The computation of the same rows and history is found again, not made again.
 */
export async function deriveDispute(deps: ActivityDependencies, ref: DisputeRef, run: RunRef): Promise<Derived> {
  const dispute = await getDispute(deps.pool, ref);
  const base = { ...ref, revision: dispute.baseRevision, computation: dispute.baseComputation };
  const header = await getComputation(deps.pool, base);
  const { snapshot } = await sealedEpoch(deps, ref, ref.dispute);
  const policy = await loadPolicy(deps.pool, header.policyHash);
  const made =
    dispute.derive === 'pinned'
      ? await pinned(deps, base, header, policy, snapshot, dispute)
      : await full(deps, ref, header, policy, snapshot);
  const revision = dispute.baseRevision + 1;
  const key = await transaction(deps.pool, async (client): Promise<ComputationRef> => {
    await lockNetwork(client, ref.network);
    const already = await findComputation(client, ref.network, ref.epoch, revision, made.from);
    if (already !== null) return already;
    const { text, prices } = await made.derive(client);
    const { workflowId, runId } = run;
    const { history, previousEpoch, from } = made;
    const own = { ...from, history, previousEpoch, ruleset: header.ruleset, derivation: text, workflowId, runId };
    return insertComputation(client, ref.network, ref.epoch, revision, own, prices);
  });
  return describe(deps, key, made.history.length, made.from.historyDigest);
}

/** Nothing is read as history: what the prices were made from stays what revision r was made from. */
async function pinned(
  deps: ActivityDependencies,
  base: ComputationRef,
  header: ComputationHeader,
  policy: Policy,
  snapshot: StoredSnapshot,
  dispute: Dispute,
): Promise<Made> {
  const prices = await priceRows(deps.pool, base);
  return {
    from: {
      policyHash: header.policyHash,
      snapshotDigest: snapshot.snapshotDigest,
      historyDigest: header.historyDigest,
      dispute: dispute.dispute,
    },
    history: header.history,
    previousEpoch: header.previousEpoch,
    async derive() {
      const text = header.derivation as DerivationText;
      const kept = parseDerivation(text, prices);
      const { performance } = parseProviderFacts(snapshot.facts as ProviderFactsText);
      return { text: pinnedText(policy, text, kept, performance), prices };
    },
  };
}

function pinnedText(
  policy: Policy,
  text: DerivationText,
  kept: FullDerivation,
  performance: Parameters<typeof derivePinned>[3],
): DerivationText {
  const markets = kept.measures.markets.map((measures, i) => ({
    measures,
    price: kept.prices[i]!,
    multipliers: kept.multipliers[i]!,
  }));
  const { network } = kept.measures;
  const derivation = derivePinned(policy, kept.epoch, { markets, network, growthPhase: kept.growthPhase }, performance);
  return {
    ...text,
    pool: amountText(derivation.pool),
    cap: amountText(derivation.cap),
    performanceVerdict: derivation.performanceVerdict,
    measuredMetrics: derivation.measuredMetrics,
  };
}

async function full(
  deps: ActivityDependencies,
  ref: DisputeRef,
  header: ComputationHeader,
  policy: Policy,
  snapshot: StoredSnapshot,
): Promise<Made> {
  const history = await readHistory(deps, ref, policy);
  const entries: HistoryEntry[] = history.epochs.map((read) => [read.epoch, read.revision, read.contentDigest]);
  return {
    from: {
      policyHash: header.policyHash,
      snapshotDigest: snapshot.snapshotDigest,
      historyDigest: contentDigest(deps.hashes, entries),
      dispute: ref.dispute,
    },
    history: entries,
    previousEpoch: history.epochs.at(-1)?.epoch ?? null,
    async derive(client) {
      const facts = await sealedFacts(client, ref, policy, snapshot, ref.dispute);
      const derivation = deriveRates(policy, facts, history);
      return { text: derivationText(derivation), prices: pricesTable(derivation) };
    },
  };
}
