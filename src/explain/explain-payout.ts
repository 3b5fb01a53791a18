import { microUnitsText, NANO, powerOfTen, scaledText, toNano } from '../numbers/amounts';
import { decimalText, q9 } from '../numbers/decimal';
import type { Amount, NanoRatio, Rate } from '../numbers/units';
import { capOf, poolOf, rateOf, standbyOf } from '../rulesets/1/amounts';
import type { MarketPolicy, Policy } from '../rulesets/1/policy';
import type { Derivation, MarketMultipliers, Payout, ProviderRows } from '../rulesets/1/records';
import { type GrossReward, grossOf, payoutOf } from '../rulesets/1/reward';
import { ExplainError } from './errors';
import { tokenAmount } from './figures';
import type {
  CapExplanation,
  ExplanationSource,
  LineExplanation,
  MultiplierExplanation,
  PayoutExplanation,
} from './payout-explanation';
import { explainPerformance, reasonWords } from './performance-explanation';

/** The revision that a payout belongs to: what its amounts are made of besides the provider's own rows. */
export interface ExplainedRevision {
  readonly network: string;
  readonly epoch: number;
  readonly revision: number;
  readonly policy: Policy;
  readonly derivation: Derivation;
  /** G: the sum of capped over all providers. */
  readonly cappedSum: Amount;
  readonly source: ExplanationSource;
}

/** A provider's sealed rows, and the payout that is stored. */
export interface ExplainedProvider {
  readonly rows: ProviderRows;
  readonly registry: PayoutExplanation['registry'];
  readonly stored: Payout & { readonly multiplier: NanoRatio | null };
}

/**
 * Explains a payout with the functions that settled it.
 *
 * @throws ExplainError `payout-mismatch` if they give another payout, multiplier or rate than the stored one
 */
export function explainPayout(revision: ExplainedRevision, provider: ExplainedProvider): PayoutExplanation {
  const { policy, derivation, cappedSum } = revision;
  const reward = grossOf(derivation, policy, provider.rows);
  const payout = payoutOf(derivation, reward, cappedSum);
  requireStored(revision, provider, reward, payout);
  requireTerms(revision, provider);
  const tokens = (amount: bigint) => tokenAmount(amount, policy.token.decimals);
  const cap: CapExplanation = {
    pool: tokens(derivation.pool),
    share: decimalText(policy.caps.providerShare),
    cap: tokens(derivation.cap),
    cut: tokens(payout.capCut),
    capped: tokens(reward.capped),
  };
  return {
    network: revision.network,
    epoch: revision.epoch,
    revision: revision.revision,
    provider: provider.rows.provider,
    source: revision.source,
    token: {
      symbol: policy.token.symbol,
      decimals: policy.token.decimals,
      priceUsd: decimalText(derivation.measures.network.tokenPrice),
    },
    registry: provider.registry,
    reason: payout.reason,
    because: reasonWords(payout.reason, policy, derivation.performanceVerdict),
    performance: explainPerformance(policy, derivation, provider.rows.performance, reward.score),
    lines: provider.rows.capacity.map((row) => lineOf(revision, row, reward)),
    gross: tokens(payout.gross),
    cap,
    scaling: {
      cappedSum: tokens(cappedSum),
      pool: tokens(derivation.pool),
      binds: cappedSum > derivation.pool,
      cut: tokens(payout.scaleCut),
    },
    amount: tokens(payout.amount),
  };
}

function lineOf(
  { policy, derivation }: ExplainedRevision,
  row: ProviderRows['capacity'][number],
  reward: GrossReward,
): LineExplanation {
  // requireTerms has seen to it that every market has its rules, price and multipliers.
  const rules = policy.markets.get(row.market) as MarketPolicy;
  const price = derivation.prices.find(({ market }) => market === row.market)!;
  const multipliers = derivation.multipliers.find(({ market }) => market === row.market)!;
  const standby = standbyOf(row.offered, row.served);
  const paid = row.served * NANO + standby * toNano(rules.standbyShare);
  const gross = reward.lines.find(({ market }) => market === row.market)?.gross ?? 0n;
  const exact = paid * multipliers.rate * (reward.score?.multiplier ?? 0n);
  return {
    market: row.market,
    unit: rules.unit,
    offered: microUnitsText(row.offered),
    served: microUnitsText(row.served),
    idle: scaledText(row.offered - row.served, 6),
    standbyHours: microUnitsText(standby),
    standbyShare: decimalText(rules.standbyShare),
    paidHours: scaledText(paid, 15),
    priceUsd: decimalText(price.price),
    multipliers: multipliersOf(policy, multipliers, reward.score?.multiplier ?? null),
    rate: multipliers.rate.toString(),
    tokensPerUnitHour: scaledText(multipliers.rate, policy.token.decimals + 3),
    roundedOff: scaledText(exact - gross * powerOfTen(27), 27),
    gross: tokenAmount(gross, policy.token.decimals),
  };
}

function multipliersOf(
  policy: Policy,
  { marketConditions, networkDemand, resourceAvailability, growth, network }: MarketMultipliers,
  performance: NanoRatio | null,
): MultiplierExplanation {
  const { min, max } = policy.rewards.networkMultiplier;
  const product = q9(q9(q9(marketConditions.times(networkDemand)).times(resourceAvailability)).times(growth));
  return {
    marketConditions: decimalText(marketConditions),
    networkDemand: decimalText(networkDemand),
    resourceAvailability: decimalText(resourceAvailability),
    growth: decimalText(growth),
    product: decimalText(product),
    minimum: decimalText(min),
    maximum: decimalText(max),
    network: decimalText(network),
    performance: performance === null ? null : scaledText(performance, 9),
  };
}

function requireStored(
  revision: ExplainedRevision,
  { stored }: ExplainedProvider,
  reward: GrossReward,
  payout: Payout,
): void {
  for (const column of ['reason', 'gross', 'capCut', 'scaleCut', 'amount'] as const) {
    if (payout[column] !== stored[column]) throw mismatch(revision, stored, column, payout[column], stored[column]);
  }
  const multiplier = reward.score?.multiplier ?? null;
  if (multiplier !== stored.multiplier) throw mismatch(revision, stored, 'multiplier', multiplier, stored.multiplier);
}

/** Pool, cap and the rates of the provider's markets follow from price, multipliers, token price and policy. */
function requireTerms(revision: ExplainedRevision, { rows, stored }: ExplainedProvider): void {
  const { policy, derivation, epoch } = revision;
  const pool = poolOf(policy, epoch);
  if (pool !== derivation.pool) throw mismatch(revision, stored, 'pool', pool, derivation.pool);
  const cap = capOf(policy, pool);
  if (cap !== derivation.cap) throw mismatch(revision, stored, 'cap', cap, derivation.cap);
  for (const { market } of rows.capacity) {
    const price = derivation.prices.find((row) => row.market === market);
    const multipliers = derivation.multipliers.find((row) => row.market === market);
    const rate: Rate | null =
      price && multipliers && policy.markets.has(market)
        ? rateOf(policy, price.price, multipliers.network, derivation.measures.network.tokenPrice)
        : null;
    const found = multipliers?.rate ?? null;
    if (rate === null || rate !== found) throw mismatch(revision, stored, `rate of ${market}`, rate, found);
  }
}

function mismatch(
  { network, epoch, revision }: ExplainedRevision,
  { provider }: Payout,
  column: string,
  computed: bigint | string | null,
  stored: bigint | string | null,
): ExplainError {
  return new ExplainError('payout-mismatch', {
    what: `The stored ${column} is ${stored ?? 'missing'}, its sealed rows give ${computed ?? 'none'}. Rows were changed behind the settlement's back, or it has a defect.`,
    where: `network ${network}, epoch ${epoch}, revision ${revision}, provider ${provider}`,
    todo: `run \`settle audit ${epoch}\` before anything is paid or decided on these figures.`,
  });
}
