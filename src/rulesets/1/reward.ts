import { toNano } from '../../numbers/amounts';
import type { Amount, NanoRatio, Rate } from '../../numbers/units';
import { amountOf, cappedOf, grossOfLine, standbyOf } from './amounts';
import { RulesetError } from './errors';
import { compilePerformance, reasonOf, type ScorePerformance } from './performance';
import type { Policy } from './policy';
import type { Derivation, GrossLine, Payout, PayoutReason, PerformanceScore, ProviderRows } from './records';

/**
 * Rewards of providers in two passes (spec §6, §7): gross and capped of each first; their sum G decides in the second
 * what is cut to the pool. Each provider's pass reads only its own rows, so chunks can be computed anywhere.
 */

/** A provider after the first pass. Ineligible: no lines, no score, all amounts 0. */
export interface GrossReward {
  readonly provider: string;
  readonly reason: PayoutReason;
  /** Lines in the order of the capacity rows. */
  readonly lines: readonly GrossLine[];
  readonly score: PerformanceScore | null;
  readonly gross: Amount;
  /** min(gross, cap): the part that G sums up. */
  readonly capped: Amount;
}

/** What the first pass needs of policy and derivation, as integers: prepared once for all providers. */
interface RewardRules {
  readonly policy: Policy;
  readonly minimumUptime: NanoRatio;
  readonly score: ScorePerformance;
  readonly markets: ReadonlyMap<string, { readonly rate: Rate; readonly standbyShare: NanoRatio }>;
}

const NOTHING = 0n as Amount;

/**
 * First pass: reason, score, lines, gross and capped of one provider (spec §6, §7).
 *
 * @throws RulesetError `unknown-market` if a capacity row names a market without a rate
 */
export function grossOf(derivation: Derivation, policy: Policy, provider: ProviderRows): GrossReward {
  const rules = rulesOf(derivation, policy);
  const reason = reasonOf(provider, derivation.performanceVerdict, rules.minimumUptime);
  if (reason !== 'paid') {
    return { provider: provider.provider, reason, lines: [], score: null, gross: NOTHING, capped: NOTHING };
  }
  const score = rules.score(provider.performance);
  const lines: GrossLine[] = [];
  let gross = 0n;
  for (const { market, offered, served } of provider.capacity) {
    const terms = rules.markets.get(market);
    if (terms === undefined) throw unknownMarket(provider.provider, market, derivation.epoch);
    const standby = standbyOf(offered, served);
    const line = grossOfLine(served, standby, terms.standbyShare, terms.rate, score.multiplier);
    gross += line;
    lines.push({ market, offered, served, standby, rate: terms.rate, gross: line });
  }
  const capped = cappedOf(gross as Amount, derivation.cap);
  return { provider: provider.provider, reason, lines, score, gross: gross as Amount, capped };
}

/** What a provider earned in the first pass, without the lines and the score that explain it. */
export interface Earned extends Pick<GrossReward, 'provider' | 'reason' | 'gross' | 'capped'> {
  /** M4; null: not eligible. */
  readonly multiplier: NanoRatio | null;
}

/**
 * First pass for the loop over all providers: what {@link grossOf} gives, without its explanation.
 *
 * @throws RulesetError `unknown-market`
 */
export function earnedOf(derivation: Derivation, policy: Policy, rows: ProviderRows): Earned {
  const rules = rulesOf(derivation, policy);
  const { provider } = rows;
  const reason = reasonOf(rows, derivation.performanceVerdict, rules.minimumUptime);
  if (reason !== 'paid') return { provider, reason, gross: NOTHING, capped: NOTHING, multiplier: null };
  const multiplier = rules.score.multiplier(rows.performance);
  let gross = 0n;
  for (const { market, offered, served } of rows.capacity) {
    const terms = rules.markets.get(market);
    if (terms === undefined) throw unknownMarket(provider, market, derivation.epoch);
    gross += grossOfLine(served, standbyOf(offered, served), terms.standbyShare, terms.rate, multiplier);
  }
  return { provider, reason, gross: gross as Amount, capped: cappedOf(gross as Amount, derivation.cap), multiplier };
}

/**
 * Second pass: the payout of one provider (spec §7). gross - capCut - scaleCut = amount, exactly.
 *
 * @param cappedSum G, the sum of capped over all providers of the epoch
 */
export function payoutOf(
  derivation: Pick<Derivation, 'pool'>,
  reward: Pick<GrossReward, 'provider' | 'reason' | 'gross' | 'capped'>,
  cappedSum: Amount,
): Payout {
  const { provider, reason, gross, capped } = reward;
  const amount = amountOf(capped, derivation.pool, cappedSum);
  return { provider, gross, capCut: (gross - capped) as Amount, scaleCut: (capped - amount) as Amount, amount, reason };
}

// grossOf is called once per provider with the same derivation; what is prepared for it hangs on that derivation.
const prepared = new WeakMap<Derivation, RewardRules>();

function rulesOf(derivation: Derivation, policy: Policy): RewardRules {
  const known = prepared.get(derivation);
  if (known !== undefined && known.policy === policy) return known;
  const rules: RewardRules = {
    policy,
    minimumUptime: toNano(policy.rewards.performance.minimumUptime),
    score: compilePerformance(policy, derivation),
    markets: new Map(
      derivation.multipliers.flatMap(({ market, rate }) => {
        const standbyShare = policy.markets.get(market)?.standbyShare;
        return standbyShare === undefined ? [] : [[market, { rate, standbyShare: toNano(standbyShare) }] as const];
      }),
    ),
  };
  prepared.set(derivation, rules);
  return rules;
}

function unknownMarket(provider: string, market: string, epoch: number): RulesetError {
  return new RulesetError('unknown-market', {
    what: `A capacity row of ${provider} names the market ${market}, which has no rate in epoch ${epoch}.`,
    where: `provider ${provider}, market ${market}, epoch ${epoch}`,
    todo: 'settle with the policy that the rows were accepted under, or add the market to the policy.',
  });
}
