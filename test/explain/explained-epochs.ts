import { type ExplainedProvider, type ExplainedRevision, explainPayout } from '../../src/explain/explain-payout';
import { type TokenAmount, tokenAmount } from '../../src/explain/figures';
import { parseScaled, scaledText } from '../../src/numbers/amounts';
import type { Amount, NanoRatio } from '../../src/numbers/units';
import { derive } from '../../src/rulesets/1/derive';
import type { Policy } from '../../src/rulesets/1/policy';
import type { FullDerivation, History, ProviderRows } from '../../src/rulesets/1/records';
import { EPOCH, factsFrom, settle } from '../rulesets/1/arbitrary-epochs';
import { historyOf, micro, policyWith } from '../rulesets/1/fixtures';

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

/** Round figures: 8 of 10 GPU-hours served, everything measured but the rating. */
export const GOOD: ProviderRows = {
  provider: 'p0',
  status: 'active',
  capacity: [{ market: 'gpu.v100', offered: micro('10'), served: micro('8') }],
  performance: { uptimeMicro: 990_000, responseMicroseconds: 200_000n, errorRateMicro: 0, ratingMilli: null },
};

const AROUND = {
  demand: { 'gpu.v100': 20_000_000n },
  quotes: [],
  token: ['0.5', '0.5'] as [string, string],
  macro: null,
};

export function explained(
  rows: readonly ProviderRows[] = [GOOD],
  changes: Record<string, unknown> = {},
): ExplainedEpoch {
  return settledEpoch(policyWith(changes), rows, AROUND, historyOf());
}

export function explanationOf(rows: readonly ProviderRows[] = [GOOD], changes: Record<string, unknown> = {}) {
  const { revision, providers } = explained(rows, changes);
  return explainPayout(revision, providers[0]!);
}

/** The same with another value at `path`, whose keys are joined by dots. */
export function changedAt<T>(found: T, path: string, change: (old: string) => unknown): T {
  const copy = structuredClone(found);
  const keys = path.split('.');
  const last = keys.pop()!;
  const parent = keys.reduce<Node>((node, key) => node[key] as Node, copy as Node);
  if (!(last in parent)) throw new Error(`nothing is called ${path}`);
  parent[last] = change(parent[last] as string);
  return copy;
}

type Node = { [key: string]: unknown };

/** The same with another amount at `path`, in both of its texts; the token has 6 decimals. */
export function changedAmount<T>(found: T, path: string, change: (units: bigint) => bigint): T {
  const changed = changedAt(found, `${path}.baseUnits`, (old) => change(BigInt(old)).toString());
  const units = path.split('.').reduce<unknown>((node, key) => (node as Node)[key], changed) as TokenAmount;
  return changedAt(changed, `${path}.tokens`, () => tokenAmount(BigInt(units.baseUnits), 6).tokens);
}

/** The figure with one more in its last digit. */
export function nextFigure(text: string): string {
  const decimals = text.split('.')[1]?.length ?? 0;
  return scaledText(parseScaled(text, decimals) + 1n, decimals);
}
