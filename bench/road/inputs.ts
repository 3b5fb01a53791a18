import { closeSync, mkdirSync, openSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { parse, stringify } from 'yaml';
import type { BenchOptions } from './options';

/**
 * A deterministic bundle with realistic skew: a few markets have most of the providers, most providers are small, one
 * in a hundred is suspended or idle, some are badly measured. Files are sorted by key, as a system that exports its
 * tables writes them.
 */

const GENESIS = Date.parse('2020-05-22T00:00:00Z') / 1000;
const LENGTH_SECONDS = 3600;
const FLUSH_CHARS = 1 << 20;

class CsvFile {
  private readonly file: number;
  private pending: string;

  constructor(folder: string, name: string, header: string) {
    this.file = openSync(join(folder, `${name}.csv`), 'w');
    this.pending = `${header}\n`;
  }

  line(text: string): void {
    this.pending += `${text}\n`;
    if (this.pending.length > FLUSH_CHARS) this.flush();
  }

  close(): void {
    this.flush();
    closeSync(this.file);
  }

  private flush(): void {
    writeSync(this.file, this.pending);
    this.pending = '';
  }
}

/** A stream of integers below 2^32 from a seed (mulberry32). */
function integersFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)) ^ mixed;
    return (mixed ^ (mixed >>> 14)) >>> 0;
  };
}

/** Decimal text of an integer count of 10^-decimals, without trailing zeros. */
function text(scaled: number, decimals: number): string {
  const digits = String(scaled).padStart(decimals + 1, '0');
  const whole = digits.slice(0, -decimals);
  const fraction = digits.slice(-decimals).replace(/0+$/, '');
  return fraction === '' ? whole : `${whole}.${fraction}`;
}

const marketName = (index: number): string => `market.${String(index).padStart(3, '0')}`;
const providerName = (index: number): string => `prov-${String(index).padStart(8, '0')}`;
/** One address for each provider, spread over all addresses. */
const payeeOf = (index: number, next: () => number): string =>
  `0x${[next(), next(), next(), next()].map((word) => word.toString(16).padStart(8, '0')).join('')}${index
    .toString(16)
    .padStart(8, '0')}`;

/** Market by a Zipf-like law: each has about half the providers of those before it. */
function marketOf(draw: number, markets: number): number {
  return Math.min(markets - 1, Math.clz32(draw | 1));
}

/** Writes the bundle and `policy.yaml`; returns the folder. */
export function writeBundle(folder: string, policyFile: string, template: string, options: BenchOptions): string {
  mkdirSync(folder, { recursive: true });
  writeFileSync(policyFile, policyText(template, options));
  writeProviders(folder, options);
  const requested = writeCapacity(folder, options);
  writePerformance(folder, options);
  writeMarketTables(folder, options, requested);
  return folder;
}

function policyText(template: string, { markets, pool }: BenchOptions): string {
  const document = parse(template) as { market: unknown; pool: { perEpoch: string }; epoch: Record<string, string> };
  const market = {
    family: 'compute',
    unit: 'gpu-hour',
    basePrice: '2.00',
    floor: '0.40',
    ceiling: '6.00',
    targetUtilisation: '0.75',
    standbyShare: '0.10',
  };
  document.market = Object.fromEntries(
    Array.from({ length: markets }, (_, index) => [marketName(index), { ...market }]),
  );
  document.pool.perEpoch = pool === 'binds' ? '50' : '1000000000000';
  document.epoch.genesis = new Date(GENESIS * 1000).toISOString().replace('.000Z', 'Z');
  document.epoch.lengthSeconds = String(LENGTH_SECONDS);
  return stringify(document, {
    defaultStringType: 'QUOTE_DOUBLE',
    defaultKeyType: 'PLAIN',
    aliasDuplicateObjects: false,
  });
}

function writeProviders(folder: string, { providers }: BenchOptions): void {
  const next = integersFrom(1);
  const file = new CsvFile(folder, 'providers', 'provider,joined_epoch,status,payee');
  for (let p = 0; p < providers; p += 1) {
    const status = next() % 100 === 0 ? 'suspended' : 'active';
    file.line(`${providerName(p)},0,${status},${payeeOf(p, next)}`);
  }
  file.close();
}

/** Returns the hours to ask for, in micro-units, by epoch and market: a little more than was served. */
function writeCapacity(folder: string, { providers, markets, epochs }: BenchOptions): number[][] {
  const file = new CsvFile(folder, 'capacity', 'epoch,provider,market,offered,served');
  const served: number[][] = [];
  for (let epoch = 0; epoch < epochs; epoch += 1) {
    const fixed = integersFrom(2);
    const next = integersFrom(1000 + epoch);
    const sums = new Array<number>(markets).fill(0);
    for (let p = 0; p < providers; p += 1) {
      const market = marketOf(fixed(), markets);
      // Most offer a few unit-hours, few offer hundreds.
      const size = 1 << Math.min(8, Math.clz32(fixed() | 1));
      const offered = next() % 100 === 0 ? 0 : size * 1_000_000 + (next() % 1_000_000);
      const used = Math.floor((offered * (30 + (next() % 70))) / 100);
      sums[market]! += used;
      file.line(`${epoch},${providerName(p)},${marketName(market)},${text(offered, 6)},${text(used, 6)}`);
    }
    served.push(sums);
  }
  file.close();
  return served.map((sums) => sums.map((sum) => Math.floor(sum * 1.05)));
}

function writePerformance(folder: string, { providers, epochs }: BenchOptions): void {
  const header = 'epoch,provider,uptime,response_ms,error_rate,rating';
  const file = new CsvFile(folder, 'performance', header);
  for (let epoch = 0; epoch < epochs; epoch += 1) {
    const next = integersFrom(5000 + epoch);
    for (let p = 0; p < providers; p += 1) {
      const draw = next();
      const uptime = draw % 50 === 0 ? 100_000 + (next() % 400_000) : 900_000 + (next() % 100_001);
      const response = 40_000 + (next() % 400_000);
      const errors = next() % 20_000;
      const rating = draw % 7 === 0 ? '' : text(3_000 + (next() % 2_001), 3);
      file.line(`${epoch},${providerName(p)},${text(uptime, 6)},${text(response, 3)},${text(errors, 6)},${rating}`);
    }
  }
  file.close();
}

function writeMarketTables(folder: string, { markets, epochs }: BenchOptions, requested: readonly number[][]): void {
  const demand = new CsvFile(folder, 'demand', 'epoch,market,requested');
  const quotes = new CsvFile(folder, 'quotes', 'epoch,market,source,usd_per_unit');
  const token = new CsvFile(folder, 'token', 'epoch,source,observed_at,price_usd,volume_usd');
  const macro = new CsvFile(folder, 'macro', 'epoch,index');
  for (let epoch = 0; epoch < epochs; epoch += 1) {
    const next = integersFrom(9000 + epoch);
    for (let market = 0; market < markets; market += 1) {
      demand.line(`${epoch},${marketName(market)},${text(requested[epoch]![market]!, 6)}`);
      for (const source of ['aws', 'azure', 'gcp', 'oci']) {
        quotes.line(`${epoch},${marketName(market)},${source},${text(1_500 + (next() % 1_000), 3)}`);
      }
    }
    const observedAt = new Date((GENESIS + (epoch + 1) * LENGTH_SECONDS - 1) * 1000)
      .toISOString()
      .replace('.000Z', 'Z');
    for (const source of ['cex', 'dex']) token.line(`${epoch},${source},${observedAt},0.05${next() % 100},1000000`);
    macro.line(`${epoch},1.0${next() % 10}`);
  }
  for (const file of [demand, quotes, token, macro]) file.close();
}
