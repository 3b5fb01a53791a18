import type { PoolClient } from 'pg';
import { amountText } from '../src/numbers/amounts';
import { contentDigest } from '../src/proofs/digests';
import { type DerivationText, derivationText, parseDerivation, pricesTable } from '../src/rulesets/1/derivation-text';
import { derive as deriveRates } from '../src/rulesets/1/derive';
import { expectedGross } from '../src/rulesets/1/expected-gross';
import { historyReach } from '../src/rulesets/1/history';
import type { Policy } from '../src/rulesets/1/policy';
import type { History } from '../src/rulesets/1/records';
import {
  findComputation,
  getComputation,
  type HistoryEntry,
  insertComputation,
  priceRows,
} from '../src/store/computations';
import { StoreError } from '../src/store/errors';
import { lastBases, publishedBelow } from '../src/store/history';
import { endHold, holdsOf } from '../src/store/holds';
import { lockNetwork } from '../src/store/networks';
import { transaction } from '../src/store/pool';
import { findResult } from '../src/store/results';
import { findSeal } from '../src/store/seals';
import { findSnapshot, SEALED_ROWS, type StoredSnapshot } from '../src/store/snapshots';
import type { ComputationRef, Derived, EpochRef, RunRef } from './contracts';
import type { ActivityDependencies } from './dependencies';
import { loadPolicy } from './policies';
import { sealedFacts } from './sealed-facts';

/** Revisions above the first are made by disputes. */
const FIRST_REVISION = 1;

/**
 * Measures, prices and multiplies (spec §4 to §6), three pure functions that share one activity since nothing is
 * read or written between them. The computation of the same policy, snapshot and history is found again, not made
 * again; a changed history makes another one and supersedes the holds of those before it (spec §8).
 */
export async function derive(deps: ActivityDependencies, ref: EpochRef, run: RunRef): Promise<Derived> {
  const { seal, snapshot, policy } = await sealedEpoch(deps, ref);
  const history = await readHistory(deps, ref, policy);
  const entries: HistoryEntry[] = history.epochs.map((read) => [read.epoch, read.revision, read.contentDigest]);
  const made = {
    policyHash: seal.policyHash,
    snapshotDigest: snapshot.snapshotDigest,
    historyDigest: contentDigest(deps.hashes, entries),
    dispute: SEALED_ROWS,
  };
  const found = await findComputation(deps.pool, ref.network, ref.epoch, FIRST_REVISION, made);
  const key = found ?? (await make());
  return describe(deps, key, entries.length, made.historyDigest);

  async function make(): Promise<ComputationRef> {
    return transaction(deps.pool, async (client) => {
      const facts = await sealedFacts(client, ref, policy, snapshot);
      const derivation = deriveRates(policy, facts, history);
      // Two runs of one epoch would else write two computations of the same thing; the lock also orders them.
      await lockNetwork(client, ref.network);
      const already = await findComputation(client, ref.network, ref.epoch, FIRST_REVISION, made);
      if (already !== null) return already;
      await supersedeHolds(client, ref);
      const header = {
        ...made,
        ruleset: policy.ruleset,
        history: entries,
        previousEpoch: history.epochs.at(-1)?.epoch ?? null,
        derivation: derivationText(derivation),
        workflowId: run.workflowId,
        runId: run.runId,
      };
      const key = await insertComputation(
        client,
        ref.network,
        ref.epoch,
        FIRST_REVISION,
        header,
        pricesTable(derivation),
      );
      await deps.reached('derive:before-commit');
      return key;
    });
  }
}

/**
 * The seal, snapshot and policy of an epoch that was sealed by an earlier step; the snapshot being that of its rows as
 * `dispute` corrects them.
 */
export async function sealedEpoch(deps: ActivityDependencies, ref: EpochRef, dispute: number = SEALED_ROWS) {
  const seal = await findSeal(deps.pool, ref.network, ref.epoch);
  const snapshot = await findSnapshot(deps.pool, ref.network, ref.epoch, dispute);
  if (seal === null || snapshot === null) {
    throw new StoreError('EpochUnknown', `epoch ${ref.epoch} of network ${ref.network} is not sealed`);
  }
  return { seal, snapshot: snapshot as StoredSnapshot, policy: await loadPolicy(deps.pool, seal.policyHash) };
}

/** Everything that an epoch reads of the chain before it (spec §4), as the chain is now. */
export async function readHistory(deps: ActivityDependencies, ref: EpochRef, policy: Policy): Promise<History> {
  const epochs = await publishedBelow(deps.pool, ref.network, ref.epoch, historyReach(policy));
  return { epochs, lastBases: await lastBases(deps.pool, ref.network, epochs, [...policy.markets.keys()]) };
}

/** An open hold of an older computation of this epoch ends as superseded: its history is not the chain's any more. */
async function supersedeHolds(client: PoolClient, ref: EpochRef): Promise<void> {
  for (const hold of await holdsOf(client, ref.network, ref.epoch)) {
    if (hold.decision !== null) continue;
    await endHold(
      client,
      hold,
      'superseded',
      'a revision of an earlier epoch was published; this epoch was computed again',
    );
  }
}

/** What a workflow needs to know of a computation. */
export async function describe(
  deps: ActivityDependencies,
  key: ComputationRef,
  historyEpochs: number,
  historyDigest: string,
): Promise<Derived> {
  const header = await getComputation(deps.pool, key);
  const prices = await priceRows(deps.pool, key);
  const derivation = parseDerivation(header.derivation as DerivationText, prices);
  const policy = await loadPolicy(deps.pool, header.policyHash);
  return {
    key,
    checked: (await findResult(deps.pool, key)) !== null,
    pool: amountText(derivation.pool),
    poolLikelyBinds: expectedGross(policy, derivation) > derivation.pool,
    historyDigest,
    historyEpochs,
    prices,
  };
}
