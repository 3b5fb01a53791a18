import { decimalOf, microUnitsText, parseMicroUnits, roundHalfEvenDivide, toNano } from '../../numbers/amounts';
import { Decimal, decimalText } from '../../numbers/decimal';
import type { MicroUnits, Ratio } from '../../numbers/units';
import type { MarketTotals, Metric, PerformanceFacts, ProviderRows } from './records';
import { METRICS } from './records';

/** What the sealed rows of all providers come to: the part of EpochFacts that is summed while they stream by. */
export interface ProviderFacts {
  /** Markets that have a capacity row of an active provider, by bytes; `requested` is filled in from the demand rows. */
  readonly totals: readonly Omit<MarketTotals, 'requested'>[];
  readonly performance: PerformanceFacts;
}

const MICRO_PER_ONE = 1_000_000n;
const NANO_PER_MICRO = 1_000;
const Q12_SCALE = 10n ** 12n;

/**
 * Sums providers into S, U, N and the performance facts (spec §4, §6), in any order. Memory: one number for each
 * measured uptime, so that the median is exact.
 */
export class ProviderTally {
  private readonly supply = new Map<string, bigint>();
  private readonly used = new Map<string, bigint>();
  private activeProviders = 0;
  private belowMinimumUptime = 0;
  private uptimes = new Uint32Array(1024);
  private measuredUptimes = 0;
  private readonly measured = new Set<Metric>();

  private readonly minimumUptimeNano: number;

  /** `minimumUptime` of the policy that settles the epoch: at most 1. */
  constructor(minimumUptime: Ratio) {
    // biome-ignore lint/plugin/exact-money: a share in billionths, at most 10^9
    this.minimumUptimeNano = Number(toNano(minimumUptime));
  }

  add(provider: ProviderRows): void {
    // A suspended provider is in no sum (spec §4: over active providers).
    if (provider.status !== 'active') return;
    let offers = false;
    for (const row of provider.capacity) {
      this.supply.set(row.market, (this.supply.get(row.market) ?? 0n) + row.offered);
      this.used.set(row.market, (this.used.get(row.market) ?? 0n) + row.served);
      offers ||= row.offered > 0n;
    }
    if (!offers) return;
    this.activeProviders += 1;
    this.addPerformance(provider);
  }

  private addPerformance({ performance }: ProviderRows): void {
    if (performance === null) return;
    if (performance.responseMicroseconds !== null) this.measured.add('responseTime');
    if (performance.errorRateMicro !== null) this.measured.add('errorRate');
    if (performance.ratingMilli !== null) this.measured.add('userRating');
    if (performance.uptimeMicro === null) return;
    this.measured.add('uptime');
    if (this.measuredUptimes === this.uptimes.length) {
      const larger = new Uint32Array(this.uptimes.length * 2);
      larger.set(this.uptimes);
      this.uptimes = larger;
    }
    this.uptimes[this.measuredUptimes] = performance.uptimeMicro;
    this.measuredUptimes += 1;
    // Both at most 10^9, so a number holds them exactly.
    if (performance.uptimeMicro * NANO_PER_MICRO < this.minimumUptimeNano) this.belowMinimumUptime += 1;
  }

  facts(): ProviderFacts {
    const markets = [...this.supply.keys()].sort((a, b) => (a < b ? -1 : 1));
    return {
      totals: markets.map((market) => ({
        market,
        supply: this.supply.get(market) as MicroUnits,
        used: this.used.get(market) as MicroUnits,
      })),
      performance: {
        activeProviders: this.activeProviders,
        measuredUptimes: this.measuredUptimes,
        belowMinimumUptime: this.belowMinimumUptime,
        medianUptime: this.median(),
        measuredMetrics: METRICS.filter((metric) => this.measured.has(metric)),
      },
    };
  }

  /** Mean of the middle two of an even count, q12 (spec §1). */
  private median(): Ratio | null {
    const count = this.measuredUptimes;
    if (count === 0) return null;
    const sorted = this.uptimes.slice(0, count).sort();
    const low = BigInt(sorted[(count - 1) >> 1]!);
    const high = BigInt(sorted[count >> 1]!);
    return decimalOf(roundHalfEvenDivide((low + high) * Q12_SCALE, 2n * MICRO_PER_ONE), 12) as Ratio;
  }
}

/** ProviderFacts as JSON: quantities in unit-hours, everything that is no count as canonical text. */
export interface ProviderFactsText {
  readonly totals: readonly { readonly market: string; readonly supply: string; readonly used: string }[];
  readonly performance: Omit<PerformanceFacts, 'medianUptime'> & { readonly medianUptime: string | null };
}

export function providerFactsText(facts: ProviderFacts): ProviderFactsText {
  const { medianUptime } = facts.performance;
  return {
    totals: facts.totals.map(({ market, supply, used }) => ({
      market,
      supply: microUnitsText(supply),
      used: microUnitsText(used),
    })),
    performance: { ...facts.performance, medianUptime: medianUptime === null ? null : decimalText(medianUptime) },
  };
}

export function parseProviderFacts(text: ProviderFactsText): ProviderFacts {
  const { medianUptime } = text.performance;
  return {
    totals: text.totals.map(({ market, supply, used }) => ({
      market,
      supply: parseMicroUnits(supply),
      used: parseMicroUnits(used),
    })),
    performance: {
      ...text.performance,
      medianUptime: medianUptime === null ? null : (new Decimal(medianUptime) as Ratio),
    },
  };
}
