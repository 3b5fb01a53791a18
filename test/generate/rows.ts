/** Random input rows of one epoch under a named circumstance (spec §3). */
import type { GeneratedPolicy } from './policy';
import { decimalOf, type Random } from './random';

/** What an epoch is made to be; several of an ordinary kind keep the rest reachable. */
export const CIRCUMSTANCES = [
  'ordinary',
  'no-demand-rows',
  'zero-demand',
  'no-supply',
  'no-supply-no-demand',
  'one-market-idle',
  'one-provider',
  'suspended-only',
  'nobody-measured',
  'some-unmeasured',
  'mostly-below-minimum',
  'metrics-for-none',
  'everybody-idle',
  'no-quotes',
  'vast',
  'tiny',
  'hole',
  'no-token',
  'too-few-sources',
  'no-capacity',
] as const;
export type Circumstance = (typeof CIRCUMSTANCES)[number];

export interface GeneratedProvider {
  id: string;
  joined: number;
  status: 'active' | 'suspended';
  payee: string;
}

export type TableRows = Record<
  'providers' | 'capacity' | 'performance' | 'demand' | 'quotes' | 'token' | 'macro',
  string[][]
>;

export interface EpochCase {
  epoch: number;
  circumstance: Circumstance;
  policy: GeneratedPolicy;
  providers: GeneratedProvider[];
  /** The token's price about which this epoch's sources lie, in units of 10^-12 USD. */
  tokenPrice: bigint;
}

/** Text of a number, in one of the spellings that mean the same. */
export function numeral(random: Random, digits: bigint, decimals: number): string {
  const text = decimalOf(digits, decimals);
  if (random.oneIn(12)) return text.includes('.') ? `${text}0` : `${text}.000`;
  if (random.oneIn(40) && digits > 0n) return `0${text}`;
  return text.includes('.') && random.oneIn(2) ? text.replace(/\.?0+$/, '') : text;
}

function present({ circumstance, epoch, providers }: EpochCase, random: Random): GeneratedProvider[] {
  const joined = providers.filter((provider) => provider.joined <= epoch);
  if (circumstance === 'suspended-only') return joined.filter(({ status }) => status === 'suspended');
  if (circumstance === 'one-provider') return random.shuffled(joined).slice(0, 1);
  const share = random.integer(2, 8);
  const chosen = joined.filter(() => !random.oneIn(share));
  return chosen.length > 0 ? chosen : joined.slice(0, 1);
}

/** Micro-units of offered capacity. */
function offeredHours(circumstance: Circumstance, random: Random): bigint {
  if (circumstance === 'no-supply' || circumstance === 'no-supply-no-demand') return 0n;
  if (circumstance === 'vast') return 10n ** 18n + BigInt(random.integer(0, 999_999));
  if (circumstance === 'tiny') return BigInt(random.integer(0, 2));
  if (random.oneIn(15)) return 0n;
  const coarse = BigInt(random.integer(1, 500)) * 1_000_000n;
  return random.oneIn(2) ? coarse : coarse + BigInt(random.integer(0, 999_999));
}

/** Micro-units served of what was offered, at about the utilisation of the epoch in percent. */
function servedHours(offered: bigint, utilisation: number, random: Random): bigint {
  if (utilisation === 0) return 0n;
  if (random.oneIn(10)) return random.oneIn(2) ? offered : 0n;
  const percent = BigInt(Math.max(0, Math.min(100, utilisation + random.integer(-15, 15))));
  return (offered * percent) / 100n;
}

interface Served {
  rows: string[][];
  /** Micro-units served by market. */
  totals: Map<string, bigint>;
}

function capacityRows(epochCase: EpochCase, chosen: GeneratedProvider[], random: Random): Served {
  const { circumstance, epoch, policy } = epochCase;
  const totals = new Map<string, bigint>();
  const idleMarket = circumstance === 'one-market-idle' ? random.pick(policy.markets).name : undefined;
  const idle = circumstance === 'everybody-idle' || circumstance === 'no-supply-no-demand';
  const utilisation = new Map(policy.markets.map(({ name }) => [name, idle ? 0 : random.integer(1, 100)]));
  const markets = policy.markets.filter(({ name }) => name !== idleMarket);
  const rows = chosen.flatMap(({ id }) => {
    const served = markets.filter((_, index) => index === 0 || !random.oneIn(3));
    return served.map(({ name }) => {
      const offered = offeredHours(circumstance, random);
      const hours = servedHours(offered, utilisation.get(name) ?? 0, random);
      totals.set(name, (totals.get(name) ?? 0n) + hours);
      return [String(epoch), id, name, numeral(random, offered, 6), numeral(random, hours, 6)];
    });
  });
  return { rows, totals };
}

function uptimeText({ circumstance, policy }: EpochCase, random: Random): string {
  if (circumstance === 'nobody-measured') return '';
  if (circumstance === 'some-unmeasured' && random.oneIn(3)) return '';
  const least = policy.minimumUptimeMicro;
  if (circumstance === 'mostly-below-minimum' && !random.oneIn(4)) {
    return numeral(random, BigInt(random.integer(0, Math.max(0, least - 1))), 6);
  }
  const micro = random.pick([least, 1_000_000, 0, random.integer(least, 1_000_000), random.integer(least, 1_000_000)]);
  return numeral(random, BigInt(micro), 6);
}

function performanceRows(epochCase: EpochCase, chosen: GeneratedProvider[], random: Random): string[][] {
  const { circumstance, epoch, providers } = epochCase;
  const none = circumstance === 'metrics-for-none';
  const measured = (digits: number, decimals: number) =>
    none || random.oneIn(5) ? '' : numeral(random, BigInt(digits), decimals);
  // A row for a provider without capacity is valid, too, and counts for nothing.
  const rated = [...chosen, ...random.shuffled(providers.filter((other) => !chosen.includes(other))).slice(0, 1)];
  const withRows = circumstance === 'nobody-measured' && random.oneIn(2) ? [] : rated;
  return withRows
    .filter(() => !random.oneIn(circumstance === 'some-unmeasured' ? 4 : 40))
    .map(({ id }) => [
      String(epoch),
      id,
      uptimeText(epochCase, random),
      measured(random.integer(0, 1_500_000), 3),
      measured(random.integer(0, 200_000), 6),
      measured(random.integer(1_000, 5_000), 3),
    ]);
}

function demandRows(epochCase: EpochCase, totals: Map<string, bigint>, random: Random): string[][] {
  const { circumstance, epoch, policy } = epochCase;
  if (circumstance === 'no-demand-rows') return [];
  const nothing = ['zero-demand', 'everybody-idle', 'no-supply-no-demand'].includes(circumstance);
  return policy.markets
    .filter(() => circumstance === 'everybody-idle' || !random.oneIn(6))
    .map(({ name }) => {
      const served = totals.get(name) ?? 0n;
      const percent = BigInt(random.pick([99, 100, 100, random.integer(100, 200), random.integer(60, 400)]));
      const requested = (served * percent) / 100n + (random.oneIn(8) ? BigInt(random.integer(0, 9_000_000)) : 0n);
      return [String(epoch), name, nothing ? '0' : numeral(random, requested, 6)];
    });
}

function quoteRows({ circumstance, epoch, policy }: EpochCase, random: Random): string[][] {
  if (circumstance === 'no-quotes') return [];
  return policy.markets.flatMap(({ name, base }) => {
    const sources = ['aws', 'gcp', 'akash', 'spot.1', 'AWS'].slice(0, random.integer(0, policy.minQuotes + 2));
    return sources.flatMap((source) => {
      const prices = Array.from({ length: random.oneIn(3) ? random.integer(2, 4) : 1 }, () => {
        const price = (base * BigInt(random.integer(20, 250))) / 100n;
        return price > 0n ? price : 1n;
      });
      return prices.map((price) => [String(epoch), name, source, numeral(random, price, 12)]);
    });
  });
}

function instantText(seconds: number): string {
  return new Date(seconds * 1000).toISOString().replace('.000Z', 'Z');
}

function tokenRows({ circumstance, epoch, policy, tokenPrice }: EpochCase, random: Random): string[][] {
  if (circumstance === 'no-token') return [];
  const end = policy.genesisSeconds + (epoch + 1) * policy.lengthSeconds;
  const oldest = end - policy.maxAgeSeconds;
  const names = ['dex', 'cex-1', 'oracle:x', 'cex-2', 'DEX'];
  const sources = names.slice(0, policy.minSources + random.integer(0, names.length - policy.minSources));
  return sources.flatMap((source, index) => {
    const fresh = circumstance !== 'too-few-sources' || index < policy.minSources - 1;
    const instants = new Set<number>();
    if (fresh) instants.add(random.pick([end, oldest, random.integer(0, policy.maxAgeSeconds) + oldest]));
    for (let more = random.integer(0, 2); fresh && more > 0; more -= 1) {
      instants.add(oldest + random.integer(0, policy.maxAgeSeconds));
    }
    // Just outside of the window on either side: sealed, digested and not counted.
    if (random.oneIn(3)) instants.add(random.pick([oldest - 1, end + 1, oldest - 86_400]));
    return [...instants].map((instant) => {
      const price = (tokenPrice * BigInt(random.integer(95, 106))) / 100n;
      const volume = random.oneIn(20)
        ? 0n
        : BigInt(random.integer(1, 999_999_999)) * BigInt(random.integer(1, 9_999_999));
      const [shownPrice, shownVolume] = [price > 0n ? price : 1n, volume];
      return [
        String(epoch),
        source,
        instantText(instant),
        numeral(random, shownPrice, 12),
        numeral(random, shownVolume, 12),
      ];
    });
  });
}

/** The rows of one epoch; of `providers` none, since the registry has no epoch. */
export function generateRows(epochCase: EpochCase, random: Random): TableRows {
  const { circumstance, epoch } = epochCase;
  if (circumstance === 'hole') {
    return { providers: [], capacity: [], performance: [], demand: [], quotes: [], token: [], macro: [] };
  }
  const chosen = circumstance === 'no-capacity' ? [] : present(epochCase, random);
  const { rows: capacity, totals } = capacityRows(epochCase, chosen, random);
  const macro = random.oneIn(2) ? [[String(epoch), numeral(random, BigInt(random.integer(1, 2_000_000_000)), 9)]] : [];
  return {
    providers: [],
    capacity,
    performance: performanceRows(epochCase, chosen, random),
    demand: demandRows(epochCase, totals, random),
    quotes: quoteRows(epochCase, random),
    token: tokenRows(epochCase, random),
    macro,
  };
}
