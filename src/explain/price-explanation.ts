import { Decimal, decimalText } from '../numbers/decimal';
import type { MarketPolicy, Policy } from '../rulesets/1/policy';
import {
  CLAMPS,
  type Clamp,
  CONTRIBUTING_FACTORS,
  type Factor,
  type FullDerivation,
  type MarketMeasures,
  type MarketMultipliers,
  type MarketPrice,
} from '../rulesets/1/records';
import { ExplainError } from './errors';
import { clampWords, FACTOR_TITLES, type Measured, measuredWords } from './price-words';

/**
 * One price from the previous price to this one, line by line (spec §5). Plain data with exact decimals as text, the
 * same for the terminal, JSON and CSV. `start` + all amounts = the last subtotal = the price, exactly.
 */
export interface PriceExplanation {
  readonly market: string;
  readonly unit: string;
  readonly family: MarketPolicy['family'];
  /** Pprev: the base price of `epoch`, or the policy's basePrice (`epoch` null). USD per unit. */
  readonly previous: { readonly price: string; readonly epoch: number | null };
  readonly lines: readonly PriceLine[];
  /** P0, which the next epoch starts from. */
  readonly base: string;
  /** P. */
  readonly price: string;
  /** true: the market stood still, because nothing was offered and asked for, or everybody was idle (spec §5). */
  readonly kept: boolean;
  readonly measures: PriceMeasures;
  readonly multipliers: NetworkMultipliers;
}

export interface PriceLine {
  readonly kind: 'start' | 'factor' | 'limit';
  /** `previous`, the name of a factor, or band, step, bounds, premium, ceiling. */
  readonly name: string;
  readonly title: string;
  /** Of a factor: -1 to 1. */
  readonly signal: string | null;
  /** Of a factor, or of the premium the full premium. */
  readonly weight: string | null;
  /** What the line added to the price, USD per unit. */
  readonly amount: string;
  readonly subtotal: string;
  /** What was measured, or what the limit is. */
  readonly measured: string;
}

/** Measures of the market in unit-hours (spec §4), prices in USD. */
interface PriceMeasures {
  readonly supply: string;
  readonly used: string;
  readonly demand: string;
  readonly supplyMean: string;
  readonly demandMean: string;
  readonly familyFast: string;
  readonly familySlow: string;
  readonly forecast: string;
  readonly competitor: string | null;
  readonly competitorEpoch: number | null;
}

/** Reward multipliers of the market (spec §6) but the provider's own. */
interface NetworkMultipliers {
  readonly marketConditions: string;
  readonly networkDemand: string;
  readonly resourceAvailability: string;
  readonly growth: string;
  readonly growthPhase: string;
  /** Mnet: the product within its bounds. */
  readonly network: string;
  /** Base units per micro-unit-hour, scaled by 10^9. */
  readonly rate: string;
}

/**
 * Explains the price of one market of a computation.
 *
 * @param previousEpoch the published epoch that Pprev comes from; null: the policy's basePrice
 * @throws ExplainError `price-mismatch` if the stored row does not add up, or the computation lacks the market
 */
export function explainPrice(
  policy: Policy,
  derivation: FullDerivation,
  market: string,
  previousEpoch: number | null,
): PriceExplanation {
  const index = derivation.prices.findIndex((row) => row.market === market);
  const price = derivation.prices[index];
  const measures = derivation.measures.markets[index];
  const multipliers = derivation.multipliers[index];
  const rules = policy.markets.get(market);
  if (price === undefined || measures === undefined || multipliers === undefined || rules === undefined) {
    throw mismatch(derivation.epoch, market, 'the computation or its policy does not have the market');
  }
  const measured: Measured = { policy, rules, market: measures, network: derivation.measures.network };
  const lines = linesOf(price, measured, previousEpoch);
  const reached = lines.at(-1)?.subtotal;
  if (reached !== decimalText(price.price)) {
    throw mismatch(derivation.epoch, market, `its lines come to ${reached}, the price is ${decimalText(price.price)}`);
  }
  return {
    market,
    unit: rules.unit,
    family: rules.family,
    previous: { price: decimalText(price.previousBase), epoch: previousEpoch },
    lines,
    base: decimalText(price.base),
    price: decimalText(price.price),
    kept: stoodStill(measured),
    measures: measuresText(measures),
    multipliers: multipliersText(multipliers, derivation.growthPhase),
  };
}

/** Spec §5, last paragraph: such a market learns nothing and keeps its price within floor and ceiling. */
function stoodStill({ market, network }: Measured): boolean {
  return network.everybodyIdle || (market.supply.isZero() && market.demand.isZero());
}

function linesOf(price: MarketPrice, measured: Measured, previousEpoch: number | null): PriceLine[] {
  let subtotal: Decimal = new Decimal(0);
  const line = (entry: Omit<PriceLine, 'amount' | 'subtotal'>, amount: Decimal): PriceLine => {
    subtotal = subtotal.plus(amount);
    return { ...entry, amount: decimalText(amount), subtotal: decimalText(subtotal) };
  };
  const start = { kind: 'start', name: 'previous', title: 'previous base price', signal: null, weight: null } as const;
  const from = previousEpoch === null ? "the policy's base price" : `base price of epoch ${previousEpoch}`;
  return [
    line({ ...start, measured: from }, price.previousBase),
    ...CONTRIBUTING_FACTORS.map((factor) =>
      line({ ...factorLine(factor, price, measured), kind: 'factor' }, price.contributions[factor]),
    ),
    ...CLAMPS.map((clamp) => {
      const entry = {
        kind: 'limit',
        name: clamp,
        title: LIMIT_TITLES[clamp],
        ...peakOf(clamp, price, measured),
      } as const;
      return line({ ...entry, measured: clampMeasured(clamp, measured) }, price.differences[clamp]);
    }),
  ];
}

const LIMIT_TITLES: Readonly<Record<Clamp, string>> = {
  band: 'competition band',
  step: 'largest step',
  bounds: 'floor and ceiling',
  premium: 'peak premium',
  ceiling: 'ceiling',
};

function factorLine(factor: Exclude<Factor, 'peakDemand'>, price: MarketPrice, measured: Measured) {
  return {
    name: factor,
    title: FACTOR_TITLES[factor],
    signal: decimalText(price.signals[factor]),
    weight: decimalText(measured.policy.pricing.weights[factor]),
    measured: measuredWords(factor, measured),
  };
}

/** The ninth factor acts through the premium, which therefore shows its signal. */
function peakOf(clamp: Clamp, price: MarketPrice, measured: Measured) {
  if (clamp !== 'premium') return { signal: null, weight: null };
  return {
    signal: decimalText(price.signals.peakDemand),
    weight: decimalText(measured.policy.pricing.peakDemand.premium),
  };
}

function clampMeasured(clamp: Clamp, measured: Measured): string {
  if (clamp === 'premium') return measuredWords('peakDemand', measured);
  if (clamp !== 'bounds' && stoodStill(measured)) return 'not applied: the market stood still';
  return clampWords(clamp, measured);
}

function measuresText(measures: MarketMeasures): PriceMeasures {
  return {
    supply: decimalText(measures.supply),
    used: decimalText(measures.used),
    demand: decimalText(measures.demand),
    supplyMean: decimalText(measures.supplyMean),
    demandMean: decimalText(measures.demandMean),
    familyFast: decimalText(measures.familyFast),
    familySlow: decimalText(measures.familySlow),
    forecast: decimalText(measures.forecast),
    competitor: measures.competitor === null ? null : decimalText(measures.competitor),
    competitorEpoch: measures.competitorEpoch,
  };
}

function multipliersText(multipliers: MarketMultipliers, growthPhase: string): NetworkMultipliers {
  return {
    marketConditions: decimalText(multipliers.marketConditions),
    networkDemand: decimalText(multipliers.networkDemand),
    resourceAvailability: decimalText(multipliers.resourceAvailability),
    growth: decimalText(multipliers.growth),
    growthPhase,
    network: decimalText(multipliers.network),
    rate: multipliers.rate.toString(),
  };
}

function mismatch(epoch: number, market: string, what: string): ExplainError {
  return new ExplainError('price-mismatch', {
    what: `The stored price does not follow from its record: ${what}. Rows were changed behind the settlement's back, or it has a defect.`,
    where: `epoch ${epoch}, market ${market}`,
    todo: `run \`settle audit ${epoch}\` before anything else is decided on these figures.`,
  });
}
