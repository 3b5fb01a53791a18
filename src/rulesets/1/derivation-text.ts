import { amountText, parseAmount } from '../../numbers/amounts';
import { Decimal, decimalText } from '../../numbers/decimal';
import type { Ratio, UsdPrice, UsdVolume } from '../../numbers/units';
import type { Derivation, FullDerivation, Metric, NetworkMeasures } from './records';
import { type PricesRow, pricesRow, pricesRowRecords } from './tables';

/** What of a FullDerivation is not in its prices table, as JSON: decimals and amounts in canonical text. */
export interface DerivationText {
  readonly epoch: number;
  readonly network: {
    readonly activeProviders: number;
    readonly activeProvidersThen: number;
    readonly tokenPrice: string;
    readonly tokenSources: readonly { readonly source: string; readonly priceUsd: string }[];
    readonly tokenVolume: string;
    readonly tokenVolumeMean: string;
    readonly macro: string;
    readonly everybodyIdle: boolean;
  };
  readonly growthPhase: string;
  readonly pool: string;
  readonly cap: string;
  readonly performanceVerdict: boolean;
  readonly measuredMetrics: readonly Metric[];
}

export function derivationText(derivation: FullDerivation): DerivationText {
  const { network } = derivation.measures;
  return {
    epoch: derivation.epoch,
    network: {
      activeProviders: network.activeProviders,
      activeProvidersThen: network.activeProvidersThen,
      tokenPrice: decimalText(network.tokenPrice),
      tokenSources: network.tokenSources.map(({ source, priceUsd }) => ({ source, priceUsd: decimalText(priceUsd) })),
      tokenVolume: decimalText(network.tokenVolume),
      tokenVolumeMean: decimalText(network.tokenVolumeMean),
      macro: decimalText(network.macro),
      everybodyIdle: network.everybodyIdle,
    },
    growthPhase: derivation.growthPhase,
    pool: amountText(derivation.pool),
    cap: amountText(derivation.cap),
    performanceVerdict: derivation.performanceVerdict,
    measuredMetrics: derivation.measuredMetrics,
  };
}

/** The prices table of a derivation, by bytes of the market's name (spec §9). */
export function pricesTable(derivation: Derivation): PricesRow[] {
  return derivation.measures.markets.map((measures, i) =>
    pricesRow(measures, derivation.prices[i]!, derivation.multipliers[i]!),
  );
}

/** Inverse of {@link derivationText} and {@link pricesTable} together. @throws RulesetError `malformed-prices-row` */
export function parseDerivation(text: DerivationText, rows: readonly PricesRow[]): FullDerivation {
  const records = rows.map(pricesRowRecords);
  const network: NetworkMeasures = {
    activeProviders: text.network.activeProviders,
    activeProvidersThen: text.network.activeProvidersThen,
    tokenPrice: new Decimal(text.network.tokenPrice) as UsdPrice,
    tokenSources: text.network.tokenSources.map(({ source, priceUsd }) => ({
      source,
      priceUsd: new Decimal(priceUsd) as UsdPrice,
    })),
    tokenVolume: new Decimal(text.network.tokenVolume) as UsdVolume,
    tokenVolumeMean: new Decimal(text.network.tokenVolumeMean) as UsdVolume,
    macro: new Decimal(text.network.macro) as Ratio,
    everybodyIdle: text.network.everybodyIdle,
  };
  return {
    epoch: text.epoch,
    measures: { epoch: text.epoch, markets: records.map((record) => record.measures), network },
    prices: records.map((record) => record.price),
    multipliers: records.map((record) => record.multipliers),
    growthPhase: text.growthPhase,
    pool: parseAmount(text.pool),
    cap: parseAmount(text.cap),
    performanceVerdict: text.performanceVerdict,
    measuredMetrics: text.measuredMetrics,
  };
}
