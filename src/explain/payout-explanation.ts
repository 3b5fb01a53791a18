import type { PayoutReason } from '../rulesets/1/records';
import type { TokenAmount } from './figures';
import type { PerformanceExplanation } from './performance-explanation';

/**
 * One payout from its inputs to its last base unit (spec §6, §7). Plain data, all figures as exact text: the same
 * object in the terminal, JSON, CSV and over HTTP. It adds up: `explanationAddsUp` says what that means.
 */
export interface PayoutExplanation {
  readonly network: string;
  readonly epoch: number;
  readonly revision: number;
  readonly provider: string;
  readonly source: ExplanationSource;
  readonly token: { readonly symbol: string; readonly decimals: number; readonly priceUsd: string };
  readonly registry: { readonly joinedEpoch: number; readonly status: string; readonly payee: string | null };
  readonly reason: PayoutReason;
  /** The reason in a sentence. */
  readonly because: string;
  readonly performance: PerformanceExplanation;
  /** One for each capacity row; `gross` is 0 for a provider that is not eligible. */
  readonly lines: readonly LineExplanation[];
  /** Sum of the lines. */
  readonly gross: TokenAmount;
  readonly cap: CapExplanation;
  readonly scaling: ScalingExplanation;
  /** gross - cap.cut - scaling.cut. */
  readonly amount: TokenAmount;
}

/** Which published (or held) revision the figures are of, and what names it. */
export interface ExplanationSource {
  readonly state: 'published' | 'held';
  readonly ruleset: number;
  readonly policy: { readonly name: string; readonly hash: string };
  readonly contentDigest: string;
  readonly snapshotDigest: string;
  /** Head of the chain after the epoch's claims (or revision) entry; null: not published. */
  readonly head: string | null;
  readonly claimsRoot: string | null;
  readonly publishedAt: string | null;
  readonly activeProviders: number;
  readonly growthPhase: string;
}

/** gross + roundedOff = paidHours * tokensPerUnitHour * performance, in base units, exactly. */
export interface LineExplanation {
  readonly market: string;
  readonly unit: string;
  /** Unit-hours. */
  readonly offered: string;
  readonly served: string;
  readonly idle: string;
  /** Idle hours that are paid for: at most one for each served hour. */
  readonly standbyHours: string;
  /** Share of the rate that they earn. */
  readonly standbyShare: string;
  /** served + standbyHours * standbyShare. */
  readonly paidHours: string;
  /** P, USD per unit-hour. */
  readonly priceUsd: string;
  readonly multipliers: MultiplierExplanation;
  /** floor(P * Mnet * 10^(decimals + 3) / T): base units per micro-unit-hour, scaled by 10^9. */
  readonly rate: string;
  readonly tokensPerUnitHour: string;
  /** Fraction of a base unit that rounding down took. */
  readonly roundedOff: string;
  readonly gross: TokenAmount;
}

/** The five factors of a line: four of the market, whose product within its bounds is `network`, and M4. */
export interface MultiplierExplanation {
  readonly marketConditions: string;
  readonly networkDemand: string;
  readonly resourceAvailability: string;
  readonly growth: string;
  /** Product of the four, each step rounded to 9 decimals, before its bounds. */
  readonly product: string;
  readonly minimum: string;
  readonly maximum: string;
  readonly network: string;
  /** M4; null: the provider is not eligible. */
  readonly performance: string | null;
}

/** capped = min(gross, cap); cap = floor(pool * share). */
export interface CapExplanation {
  readonly pool: TokenAmount;
  readonly share: string;
  readonly cap: TokenAmount;
  readonly cut: TokenAmount;
  readonly capped: TokenAmount;
}

/** amount = capped where the sum of all capped is within the pool, else floor(capped * pool / cappedSum). */
interface ScalingExplanation {
  /** G: the sum of capped over all providers. */
  readonly cappedSum: TokenAmount;
  readonly pool: TokenAmount;
  readonly binds: boolean;
  readonly cut: TokenAmount;
}
