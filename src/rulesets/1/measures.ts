import {
  decimalOf,
  NANO_DECIMALS,
  powerOfTen,
  roundHalfEvenDivide,
  scaledOf,
  toNano,
  unitHoursOf,
} from '../../numbers/amounts';
import { Decimal } from '../../numbers/decimal';
import type { MicroUnits, Ratio, UnitHours, UsdPrice, UsdVolume } from '../../numbers/units';
import { epochEndSeconds } from './calendar';
import { RulesetError } from './errors';
import { type Series, seriesOf, type Window, windowOf } from './history';
import { ewma, median, SERIES_DECIMALS } from './means';
import type { MarketPolicy, Policy } from './policy';
import type { EpochFacts, History, MarketMeasures, Measures, NetworkMeasures, Quote } from './records';
import { usableTokenPrice } from './token-price';

/** S, U and D of one market in the epoch itself. */
interface Current {
  readonly supply: MicroUnits;
  readonly used: MicroUnits;
  readonly demand: MicroUnits;
}

const NOTHING: Current = { supply: 0n as MicroUnits, used: 0n as MicroUnits, demand: 0n as MicroUnits };
const MICRO_TO_SERIES = powerOfTen(SERIES_DECIMALS - 6);

/**
 * All measures of an epoch (spec §4), from its sealed rows and the published epochs below it.
 *
 * @throws RulesetError `no-token-price`, `unknown-market`, `history-mismatch`, `epoch-out-of-calendar`
 */
export function measure(policy: Policy, facts: EpochFacts, history: History): Measures {
  requireKnownMarkets(policy, facts);
  const window = windowOf(policy, facts.epoch, history);
  const current = currentOf(facts);
  const families = familyMeans(policy, window, current);
  const markets = [...policy.markets.values()].map((rules): MarketMeasures => {
    const now = current.get(rules.market) ?? NOTHING;
    const series = seriesOf(window, [rules.market]);
    const family = families.get(rules.family) as FamilyMeans;
    return {
      market: rules.market,
      supply: unitHoursOf(now.supply),
      used: unitHoursOf(now.used),
      demand: unitHoursOf(now.demand),
      supplyMean: meanOf(policy.history.alpha, series.supply, now.supply),
      demandMean: meanOf(policy.history.alpha, series.demand, now.demand),
      familyFast: family.fast,
      familySlow: family.slow,
      forecast: forecast(policy, facts.epoch, now.demand, series),
      ...competitorOf(policy, facts, history, rules.market),
      previousBase: history.lastBases.get(rules.market) ?? rules.basePrice,
    };
  });
  const everybodyIdle = markets.every(({ demand }) => demand.isZero());
  return {
    epoch: facts.epoch,
    markets,
    network: { ...networkMeasures(policy, facts, history, window), everybodyIdle },
  };
}

function currentOf(facts: EpochFacts): Map<string, Current> {
  return new Map(
    facts.totals.map(({ market, supply, used, requested }) => [market, { supply, used, demand: requested ?? used }]),
  );
}

/** `ewma` of a history in unit-hours; without history the current value (spec §4). */
function meanOf(alpha: Ratio, values: readonly bigint[], now: MicroUnits): UnitHours {
  return decimalOf(ewma(toNano(alpha), values, now * MICRO_TO_SERIES), SERIES_DECIMALS) as UnitHours;
}

interface FamilyMeans {
  readonly fast: UnitHours;
  readonly slow: UnitHours;
}

/** Dfast and Dslow of each family, over the sums of the markets that this epoch's policy puts there (spec §4). */
function familyMeans(
  policy: Policy,
  window: Window,
  current: ReadonlyMap<string, Current>,
): ReadonlyMap<MarketPolicy['family'], FamilyMeans> {
  const members = new Map<MarketPolicy['family'], string[]>();
  for (const { family, market } of policy.markets.values()) {
    members.set(family, [...(members.get(family) ?? []), market]);
  }
  const means = new Map<MarketPolicy['family'], FamilyMeans>();
  for (const [family, markets] of members) {
    const { demand } = seriesOf(window, markets);
    const now = markets.reduce((sum, market) => sum + (current.get(market) ?? NOTHING).demand, 0n) as MicroUnits;
    means.set(family, {
      fast: meanOf(policy.history.fastAlpha, demand, now),
      slow: meanOf(policy.history.slowAlpha, demand, now),
    });
  }
  return means;
}

/**
 * F of spec §4: max(0, q9(D + A(e+1) - A(e))) with the two seasonal means exact, brought to one denominator and
 * rounded once; F = D with fewer than 2*season epochs of history, or none in one of the two phases.
 */
function forecast(policy: Policy, epoch: number, demand: MicroUnits, series: Series): UnitHours {
  const { season } = policy.history;
  const now = phaseOf(series, season, epoch % season);
  const next = phaseOf(series, season, (epoch + 1) % season);
  if (series.epochs.length < 2 * season || now.count === 0n || next.count === 0n) return unitHoursOf(demand);
  const numerator = demand * MICRO_TO_SERIES * now.count * next.count + next.sum * now.count - now.sum * next.count;
  // From 10^-12 to 10^-9 within the same one division.
  const scaled = roundHalfEvenDivide(numerator, now.count * next.count * powerOfTen(SERIES_DECIMALS - NANO_DECIMALS));
  return decimalOf(scaled < 0n ? 0n : scaled, NANO_DECIMALS) as UnitHours;
}

/** Sum and number of D over the history's epochs in one phase of the season. */
function phaseOf(series: Series, season: number, phase: number): { sum: bigint; count: bigint } {
  let sum = 0n;
  let count = 0n;
  for (let index = 0; index < series.epochs.length; index++) {
    if ((series.epochs[index] as number) % season !== phase) continue;
    sum += series.demand[index] as bigint;
    count += 1n;
  }
  return { sum, count };
}

/** C and the epoch whose quotes it comes from (spec §4). */
function competitorOf(
  policy: Policy,
  facts: EpochFacts,
  history: History,
  market: string,
): { competitor: UsdPrice | null; competitorEpoch: number | null } {
  const medians = mediansBySource(facts.quotes, market);
  if (medians.length >= policy.pricing.competition.minQuotes) {
    return { competitor: median(medians), competitorEpoch: facts.epoch };
  }
  const oldest = facts.epoch - policy.history.season;
  for (let index = history.epochs.length - 1; index >= 0; index--) {
    const published = history.epochs[index];
    if (published === undefined || published.epoch < oldest) break;
    const then = published.markets.find((row) => row.market === market);
    // Only a C from its own epoch's quotes counts: one that was itself carried over would never grow old.
    if (then?.competitor && then.competitorEpoch === published.epoch) {
      return { competitor: then.competitor, competitorEpoch: published.epoch };
    }
  }
  return { competitor: null, competitorEpoch: null };
}

function mediansBySource(quotes: readonly Quote[], market: string): UsdPrice[] {
  const bySource = new Map<string, UsdPrice[]>();
  for (const quote of quotes) {
    if (quote.market !== market) continue;
    const prices = bySource.get(quote.source);
    if (prices) prices.push(quote.usdPerUnit);
    else bySource.set(quote.source, [quote.usdPerUnit]);
  }
  return [...bySource.values()].map((prices) => median(prices));
}

function networkMeasures(
  policy: Policy,
  facts: EpochFacts,
  history: History,
  window: Window,
): Omit<NetworkMeasures, 'everybodyIdle'> {
  const token = usableTokenPrice(policy, epochEndSeconds(policy.epoch, facts.epoch), facts.token);
  if (token === null) {
    throw new RulesetError('no-token-price', {
      what: `Epoch ${facts.epoch} has no usable token price.`,
      where: `token rows of epoch ${facts.epoch}`,
      todo: `seal an epoch only with a token price from at least ${policy.tokenPrice.minSources} sources.`,
    });
  }
  const { activeProviders } = facts.performance;
  const oldest = facts.epoch - policy.history.growthWindow;
  const then = history.epochs.find(({ epoch }) => epoch >= oldest);
  const volumes = window.epochs.map(({ tokenVolume }) => scaledOf(tokenVolume, SERIES_DECIMALS));
  const volumeMean = ewma(toNano(policy.history.alpha), volumes, scaledOf(token.volume, SERIES_DECIMALS));
  return {
    activeProviders,
    activeProvidersThen: then?.activeProviders ?? activeProviders,
    tokenPrice: token.price,
    tokenSources: token.sources,
    tokenVolume: token.volume,
    tokenVolumeMean: decimalOf(volumeMean, SERIES_DECIMALS) as UsdVolume,
    macro: facts.macro ?? (new Decimal(1) as Ratio),
  };
}

/** A row of a market without rules would be left unpaid in silence. */
function requireKnownMarkets(policy: Policy, facts: EpochFacts): void {
  for (const { market } of [...facts.totals, ...facts.quotes]) {
    if (policy.markets.has(market)) continue;
    throw new RulesetError('unknown-market', {
      what: `The rows of epoch ${facts.epoch} name the market ${market}, which the policy does not have.`,
      where: `market ${market}, epoch ${facts.epoch}`,
      todo: 'settle with the policy that the rows were accepted under, or add the market to the policy.',
    });
  }
}
