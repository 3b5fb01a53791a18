import { amountText, NANO_DECIMALS, scaledText } from '../numbers/amounts';
import type { Amount, NanoRatio } from '../numbers/units';
import { canonicalJson } from '../proofs/canonical-json';
import { contentDigest, snapshotDigest } from '../proofs/digests';
import type { Hashes } from '../proofs/hashes';
import { rulesetOf } from '../rulesets';
import { type DerivationText, derivationText, parseDerivation, pricesTable } from '../rulesets/1/derivation-text';
import { type ProviderFacts, ProviderTally, providerFactsText } from '../rulesets/1/facts';
import type { Policy } from '../rulesets/1/policy';
import { providersOfLines } from '../rulesets/1/provider-lines';
import type { Derivation, EpochFacts, FullDerivation, Payout } from '../rulesets/1/records';
import type { GrossReward } from '../rulesets/1/reward';
import { epochFacts } from '../rulesets/1/sealed-rows';
import { cellsOf, PAYOUTS_COLUMNS, PRICES_COLUMNS, payoutRow } from '../rulesets/1/tables';
import { policyOf } from './check-policy';
import { requireSame, requireSameJson, requireSameLines } from './difference';
import { type Dossier, rowOf } from './dossier';
import { once } from './once';
import { historyOf, pricesRowOf, requireRecords } from './records';
import { linesDigest, rowDigests } from './row-digests';

/** A revision as the pure rooms make it of a dossier's rows, policy and history. */
export interface Recomputed {
  readonly facts: EpochFacts;
  readonly providerFacts: ProviderFacts;
  readonly derivation: Derivation;
  /** Derivation in which the breakers find the token's sources; null where the revision is pinned. */
  readonly full: FullDerivation | null;
  readonly text: DerivationText;
  readonly prices: readonly string[];
  readonly payouts: readonly string[];
  readonly top: { readonly provider: string; readonly amount: Amount } | null;
  readonly sum: Amount;
  readonly unallocatedReason: 'rounding' | 'unspent';
}

const known = new WeakMap<Dossier, Recomputed>();

/** Computed once a dossier: breakers and history look at it too. */
export function recomputed(dossier: Dossier, hashes: Hashes): Recomputed {
  const found = known.get(dossier) ?? recompute(dossier, hashes);
  known.set(dossier, found);
  return found;
}

/** `recompute`: facts, prices, payouts and content, made again by the pure rooms, equal the stored rows cell by cell. */
export function checkRecompute(dossier: Dossier, hashes: Hashes): string {
  requireHistory(dossier, hashes);
  const made = recomputed(dossier, hashes);
  const { epoch, revision, computation } = dossier;
  const row = rowOf(dossier);
  const snapshot = { table: 'snapshot', row: String(epoch) };
  requireSameJson(snapshot, 'facts', dossier.snapshot.facts, providerFactsText(made.providerFacts));
  requireSameJson(
    { table: 'computation', row: `${row}/${computation}` },
    'derivation',
    dossier.header.derivation,
    made.text,
  );
  const prefix = `${epoch}/${revision}/`;
  requireSameLines({ table: 'price', columns: PRICES_COLUMNS, keyLength: 1, prefix }, dossier.prices, made.prices);
  const columns = [...PAYOUTS_COLUMNS, 'multiplier'];
  requireSameLines({ table: 'payout', columns, keyLength: 1, prefix }, dossier.payouts, made.payouts);
  const { result } = dossier;
  const place = { table: 'result', row };
  requireSameJson(place, 'content', JSON.parse(result.content), contentOfRecomputed(dossier, made, hashes));
  requireSame(place, 'unallocated_reason', result.unallocatedReason, made.unallocatedReason);
  requireSame(place, 'payout_count', result.payoutCount, made.payouts.length);
  const read =
    dossier.base?.derive === 'pinned'
      ? 'the prices of the revision before'
      : `${dossier.records.length} epochs of history`;
  return `${made.prices.length} prices and ${made.payouts.length} payouts from ${read}`;
}

/** The header names its history by digest and by its last epoch. */
function requireHistory(dossier: Dossier, hashes: Hashes): void {
  const { header, base, epoch, revision, computation } = dossier;
  const place = { table: 'computation', row: `${epoch}/${revision}/${computation}` };
  requireSame(place, 'history_digest', header.historyDigest, contentDigest(hashes, header.history));
  requireSame(place, 'previous_epoch', header.previousEpoch, header.history.at(-1)?.[0] ?? null);
  if (base?.derive === 'pinned') {
    requireSame(place, 'history_digest', header.historyDigest, base.historyDigest);
  } else {
    requireRecords(dossier, hashes);
  }
}

function recompute(dossier: Dossier, hashes: Hashes): Recomputed {
  const policy = policyOf(dossier);
  const { rows } = dossier;
  const tally = new ProviderTally(policy.rewards.performance.minimumUptime);
  for (const provider of providersOf(dossier)) tally.add(provider);
  const providerFacts = tally.facts();
  const facts = epochFacts(dossier.epoch, [...policy.markets.keys()], providerFacts, rows);
  const derived = derivedOf(dossier, policy, facts, hashes);
  return { facts, providerFacts, ...derived, ...rewarded(dossier, derived.derivation, policy) };
}

type Derived = Pick<Recomputed, 'derivation' | 'full' | 'text' | 'prices'>;

function derivedOf(dossier: Dossier, policy: Policy, facts: EpochFacts, hashes: Hashes): Derived {
  const { base, header } = dossier;
  const ruleset = rulesetOf(header.ruleset);
  if (base?.derive !== 'pinned') {
    const full = ruleset.derive(policy, facts, historyOf(dossier, hashes));
    const prices = pricesTable(full).map((row) => cellsOf(PRICES_COLUMNS, row).join(','));
    return { derivation: full, full, text: derivationText(full), prices };
  }
  const kept = parseDerivation(base.derivation, base.prices.map(pricesRowOf));
  const markets = kept.measures.markets.map((measures, index) => ({
    measures,
    price: kept.prices[index]!,
    multipliers: kept.multipliers[index]!,
  }));
  const keptRevision = { markets, network: kept.measures.network, growthPhase: kept.growthPhase };
  const derivation = ruleset.derivePinned(policy, dossier.epoch, keptRevision, facts.performance);
  const text: DerivationText = {
    ...base.derivation,
    pool: amountText(derivation.pool),
    cap: amountText(derivation.cap),
    performanceVerdict: derivation.performanceVerdict,
    measuredMetrics: derivation.measuredMetrics,
  };
  return { derivation, full: null, text, prices: base.prices };
}

function rewarded(
  dossier: Dossier,
  derivation: Derivation,
  policy: Policy,
): Pick<Recomputed, 'payouts' | 'sum' | 'top' | 'unallocatedReason'> {
  const { grossOf, payoutOf } = rulesetOf(dossier.header.ruleset);
  const rewards: FirstPass[] = [];
  let cappedSum = 0n;
  for (const one of providersOf(dossier)) {
    const { provider, reason, gross, capped, score } = grossOf(derivation, policy, one);
    // Only this is kept of each: an epoch of a million providers has as many lines and scores.
    rewards.push({ provider, reason, gross, capped, multiplier: score?.multiplier ?? null });
    cappedSum += capped;
  }
  const made = { payouts: [] as string[], sum: 0n as Amount, top: null as Recomputed['top'] };
  for (const reward of rewards) {
    const payout = payoutOf(derivation, reward, cappedSum as Amount);
    made.payouts.push(payoutLine(payout, reward.multiplier));
    made.sum = (made.sum + payout.amount) as Amount;
    if (made.top === null || payout.amount > made.top.amount) {
      made.top = { provider: payout.provider, amount: payout.amount };
    }
  }
  return { ...made, unallocatedReason: cappedSum > derivation.pool ? 'rounding' : 'unspent' };
}

type FirstPass = Pick<GrossReward, 'provider' | 'reason' | 'gross' | 'capped'> & {
  readonly multiplier: NanoRatio | null;
};

/** One after the other, so that only their lines are held. */
const providersOf = ({ rows }: Dossier) => providersOfLines(rows.providers, rows.capacity, rows.performance);

function payoutLine(payout: Payout, multiplier: NanoRatio | null): string {
  const text = multiplier === null ? '' : scaledText(multiplier, NANO_DECIMALS);
  return [...cellsOf(PAYOUTS_COLUMNS, payoutRow(payout)), text].join(',');
}

/** The payouts table of a dossier, without M4. */
export const payoutCells = once((dossier: Dossier): readonly string[] =>
  dossier.payouts.map((line) => line.slice(0, line.lastIndexOf(','))),
);

function contentOfRecomputed(dossier: Dossier, made: Recomputed, hashes: Hashes): unknown {
  const { policy, network, epoch, revision } = dossier;
  const content = rulesetOf(dossier.header.ruleset).revisionContent(
    {
      network,
      epoch,
      revision,
      policyHash: policy.hash,
      snapshotDigest: snapshotDigest(hashes, rowDigests(dossier, hashes)),
      pricesDigest: linesDigest(hashes, made.prices),
      payoutsDigest: linesDigest(
        hashes,
        made.payouts.map((line) => line.slice(0, line.lastIndexOf(','))),
      ),
    },
    made.derivation,
    made.sum,
  );
  return JSON.parse(canonicalJson(content));
}
