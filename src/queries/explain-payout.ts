import { type ExplainedProvider, type ExplainedRevision, explainPayout } from '../explain/explain-payout';
import type { ExplanationSource } from '../explain/payout-explanation';
import type { ExplainedPayout } from '../explain/payout-standing';
import { parseAmount, parseMicroUnits, parseScaled } from '../numbers/amounts';
import type { Amount, NanoRatio } from '../numbers/units';
import type { FullDerivation, ProviderRows } from '../rulesets/1/records';
import { requireRows } from '../store/archives';
import { getComputation } from '../store/computations';
import { findPayout, payoutTotals, type StoredPayout } from '../store/payout-reports';
import type { Queryable } from '../store/pool';
import { type SealedProvider, sealedProvider } from '../store/provider-reports';
import { findSeal } from '../store/seals';
import { parsedDerivation } from './derivations';
import { type SettledEpoch, settledEpoch } from './epochs';
import { payoutStanding } from './payout-standing';
import { payoutMissing } from './payouts';

/**
 * Explains the payout of a provider in an epoch from the stored rows (see `src/explain`), with what stands around it.
 *
 * @throws QueryError `payout-missing`, `provider-unknown`, `epoch-unknown`, `epoch-without-results`
 * @throws StoreError `EpochArchived`
 * @throws ExplainError if the stored payout does not follow from the sealed rows
 */
export async function explainProviderPayout(
  db: Queryable,
  network: string,
  epoch: number,
  provider: string,
): Promise<ExplainedPayout> {
  const settled = await settledEpoch(db, network, epoch);
  await requireRows(db, epoch, epoch);
  const stored = await findPayout(db, settled.key, provider);
  const seal = await findSeal(db, network, epoch);
  const header = await getComputation(db, settled.key);
  const rows = seal === null ? null : { registryLoad: seal.registryLoad, dispute: header.dispute };
  const sealed = rows === null ? null : await sealedProvider(db, network, epoch, provider, rows);
  if (stored === null || sealed === null) throw await payoutMissing(db, network, epoch, provider);
  const derivation = await parsedDerivation(db, settled.key, header);
  const explanation = explainPayout(
    await explainedRevision(db, settled, derivation),
    explainedProvider(sealed, stored),
  );
  const markets = explanation.lines.map(({ market }) => market);
  const { payee } = sealed.registry;
  const standing = await payoutStanding(db, settled, derivation, { name: provider, payee, markets });
  return { ...explanation, ...standing };
}

async function explainedRevision(
  db: Queryable,
  settled: SettledEpoch,
  derivation: FullDerivation,
): Promise<ExplainedRevision> {
  const totals = await payoutTotals(db, settled.key);
  return {
    network: settled.key.network,
    epoch: settled.key.epoch,
    revision: settled.key.revision,
    policy: settled.policy,
    derivation,
    cappedSum: (parseAmount(totals.gross) - parseAmount(totals.capCut)) as Amount,
    source: sourceOf(settled),
  };
}

function sourceOf({ report, content, claims, policy }: SettledEpoch): ExplanationSource {
  return {
    state: report.state === 'held' ? 'held' : 'published',
    ruleset: content.ruleset,
    policy: { name: policy.name, hash: content.policyHash },
    contentDigest: report.contentDigest ?? '',
    snapshotDigest: content.snapshotDigest,
    head: report.claimsHead ?? report.revisionHead,
    claimsRoot: claims?.root ?? null,
    publishedAt: report.publishedAt,
    activeProviders: content.activeProviders,
    growthPhase: content.growthPhase,
  };
}

function explainedProvider(
  { registry, capacity, performance }: SealedProvider,
  stored: StoredPayout,
): ExplainedProvider {
  const rows: ProviderRows = {
    provider: registry.provider,
    status: registry.status,
    capacity: capacity.map(({ market, offered, served }) => ({
      market,
      offered: parseMicroUnits(offered),
      served: parseMicroUnits(served),
    })),
    performance: performance === null ? null : valuesOf(performance),
  };
  return {
    rows,
    registry: { joinedEpoch: registry.joinedEpoch, status: registry.status, payee: registry.payee },
    stored: {
      provider: stored.provider,
      gross: parseAmount(stored.gross),
      capCut: parseAmount(stored.capCut),
      scaleCut: parseAmount(stored.scaleCut),
      amount: parseAmount(stored.amount),
      reason: stored.reason,
      multiplier: stored.multiplier === null ? null : (parseScaled(stored.multiplier, 9) as NanoRatio),
    },
  };
}

function valuesOf(row: NonNullable<SealedProvider['performance']>): NonNullable<ProviderRows['performance']> {
  return {
    uptimeMicro: row.uptime === null ? null : Number(parseScaled(row.uptime, 6)),
    responseMicroseconds: row.responseMs === null ? null : parseScaled(row.responseMs, 3),
    errorRateMicro: row.errorRate === null ? null : Number(parseScaled(row.errorRate, 6)),
    ratingMilli: row.rating === null ? null : Number(parseScaled(row.rating, 3)),
  };
}
