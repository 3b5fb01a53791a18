import type { Decimal } from '../numbers/decimal';
import type { MarketPolicy, Policy } from '../rulesets/1/policy';
import type { Clamp, Factor, MarketMeasures, NetworkMeasures } from '../rulesets/1/records';
import { said, saidPercent, saidRatio } from './figures';

/** What was measured for each factor, in words that a reader of the price record understands (spec §4, §5). */

export interface Measured {
  readonly policy: Policy;
  readonly rules: MarketPolicy;
  readonly market: MarketMeasures;
  readonly network: NetworkMeasures;
}

/** Names of the factors for people. */
export const FACTOR_TITLES: Readonly<Record<Factor, string>> = {
  supply: 'supply',
  demand: 'demand',
  marketConditions: 'market conditions',
  availableCapacity: 'available capacity',
  providerGrowth: 'provider growth',
  usagePatterns: 'usage patterns',
  peakDemand: 'peak demand',
  competition: 'competition',
  marketTrends: 'market trends',
};

/** The measures behind a factor's signal. Figures are shortened for reading; the record has them whole. */
export function measuredWords(factor: Factor, { policy, rules, market, network }: Measured): string {
  switch (factor) {
    case 'supply':
      return `supply ${said(market.supply)} against its mean ${said(market.supplyMean)}`;
    case 'demand':
      return `demand ${said(market.demand)} against its mean ${said(market.demandMean)}`;
    case 'marketConditions':
      return `token volume ${said(network.tokenVolume)} USD against its mean ${said(network.tokenVolumeMean)} USD, macro index ${said(network.macro)}`;
    case 'availableCapacity':
      return `${utilisationWords(market)} against the target ${saidPercent(rules.targetUtilisation)}`;
    case 'providerGrowth':
      return `${network.activeProviders} active providers, ${network.activeProvidersThen} at the start of the window, target growth ${saidPercent(policy.pricing.providerGrowth.target)}`;
    case 'usagePatterns':
      return `forecast for the next epoch ${said(market.forecast)} against the demand ${said(market.demand)}`;
    case 'peakDemand':
      return peakWords(policy, market);
    case 'competition':
      return competitionWords(market);
    case 'marketTrends':
      return `demand of the ${rules.family} markets: recent mean ${said(market.familyFast)}, long mean ${said(market.familySlow)}`;
  }
}

function utilisationWords({ demand, supply }: MarketMeasures): string {
  const asked = saidRatio(demand, supply);
  if (asked === null) return demand.isZero() ? 'nothing offered and nothing asked for' : 'nothing offered';
  return `demand is ${saidPercent(asked)} of supply`;
}

function peakWords(policy: Policy, { demand, demandMean }: MarketMeasures): string {
  const { threshold, full } = policy.pricing.peakDemand;
  const times = saidRatio(demand, demandMean);
  const found =
    times === null ? 'demand has no mean' : `demand is ${said(times.toSignificantDigits(4))} times its mean`;
  return `${found}; a peak begins at ${said(threshold)} and is full at ${said(full)}`;
}

function competitionWords({ competitor, competitorEpoch, previousBase }: MarketMeasures): string {
  if (competitor === null) return "too few competitors' quotes";
  return `competitors ask ${said(competitor)} USD (quotes of epoch ${competitorEpoch}) against ${said(previousBase)} USD`;
}

/** What each limit of the price is, in words (spec §5.2 to §5.5); the premium's words are those of peakDemand. */
export function clampWords(clamp: Exclude<Clamp, 'premium'>, { policy, rules, market }: Measured): string {
  const { competition, maxStep } = policy.pricing;
  switch (clamp) {
    case 'band':
      return market.competitor === null
        ? 'no band without competitors'
        : `kept between ${times(market.competitor, competition.bandLow)} and ${times(market.competitor, competition.bandHigh)} USD, ${said(competition.bandLow)} and ${said(competition.bandHigh)} times the competitors`;
    case 'step':
      return `at most ${saidPercent(maxStep)} up or down in one epoch`;
    case 'bounds':
      return `floor ${said(rules.floor)} USD, ceiling ${said(rules.ceiling)} USD`;
    case 'ceiling':
      return `with the premium, too, at most ${said(rules.ceiling)} USD`;
  }
}

const times = (x: Decimal, factor: Decimal): string => said(x.times(factor));
