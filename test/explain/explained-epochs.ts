import type { ExplainedProvider, ExplainedRevision } from '../../src/explain/explain-payout';
import type { Amount, NanoRatio } from '../../src/numbers/units';
import { derive } from '../../src/rulesets/1/derive';
import type { Policy } from '../../src/rulesets/1/policy';
import type { FullDerivation, History, ProviderRows } from '../../src/rulesets/1/records';
import { EPOCH, factsFrom, settle } from '../rulesets/1/arbitrary-epochs';

/** A settled epoch as its rows would have it: what explanations are made of. */
export interface ExplainedEpoch {
  readonly revision: ExplainedRevision & { readonly derivation: FullDerivation };
  readonly providers: readonly ExplainedProvider[];
}

export function settledEpoch(
  policy: Policy,
  rows: readonly ProviderRows[],
  around: Parameters<typeof factsFrom>[2],
  past: History,
): ExplainedEpoch {
  const derivation = derive(policy, factsFrom(policy, rows, around), past);
  const { rewards, payouts, cappedSum } = settle(policy, derivation, rows);
  return {
    revision: revisionOf(policy, derivation, cappedSum),
    providers: rows.map((provider, index) => ({
      rows: provider,
      registry: { joinedEpoch: 0, status: provider.status, payee: null },
      stored: { ...payouts[index]!, multiplier: (rewards[index]!.score?.multiplier ?? null) as NanoRatio | null },
    })),
  };
}

function revisionOf(policy: Policy, derivation: FullDerivation, cappedSum: Amount): ExplainedEpoch['revision'] {
  return {
    network: 'test',
    epoch: EPOCH,
    revision: 1,
    policy,
    derivation,
    cappedSum,
    source: {
      state: 'published',
      ruleset: 1,
      policy: { name: policy.name, hash: '0'.repeat(64) },
      contentDigest: '1'.repeat(64),
      snapshotDigest: '2'.repeat(64),
      head: null,
      claimsRoot: null,
      publishedAt: null,
      activeProviders: derivation.measures.network.activeProviders,
      growthPhase: derivation.growthPhase,
    },
  };
}
