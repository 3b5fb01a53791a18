import { NANO_DECIMALS, parseScaled, scaledText } from '../numbers/amounts';
import type { SnapshotTable } from '../proofs/digests';
import { publishedEntry } from './check-digests';
import type { Dossier } from './dossier';
import { pricesRowOf } from './records';
import {
  linesByProvider,
  payeesInDoubt,
  payoutsByProvider,
  rewardAsSettled,
  suspectsFirst,
  suspectsOf,
} from './suspects';

/** What a row may have been: the row at `index` (null: there is none) had this line (null: it was not there). */
export interface Candidate {
  readonly table: SnapshotTable;
  readonly index: number | null;
  readonly line: string | null;
}

/** The likely first; each is proven or dismissed by a digest, and what one kind cannot explain the next may. */
export const KINDS_OF_CANDIDATES: readonly ((dossier: Dossier) => Generator<Candidate>)[] = [
  ofMacro,
  ofDemand,
  ofToken,
  ofQuotes,
  ofCapacity,
  ofPerformance,
  ofStatus,
  ofPayees,
  ofJoining,
  ofOneDigit,
];

function* ofMacro(dossier: Dossier): Generator<Candidate> {
  const { macro } = publishedEntry(dossier).content;
  const index = dossier.rows.macro.length > 0 ? 0 : null;
  yield { table: 'macro', index, line: `${dossier.epoch},${macro}` };
  if (index !== null && macro === '1') yield { table: 'macro', index, line: null };
}

/** The published prices have what was asked for, row or no row. */
function* ofDemand({ rows, prices, epoch }: Dossier): Generator<Candidate> {
  for (const { market, demand } of prices.map(pricesRowOf)) {
    const index = rows.demand.findIndex((line) => line.split(',')[1] === market);
    yield { table: 'demand', index: index < 0 ? null : index, line: `${epoch},${market},${demand}` };
    if (index >= 0) yield { table: 'demand', index, line: null };
  }
}

const PRICE_DECIMALS = 12;

/** A median is one of its values, or the mean of two: whatever the changed one was, it gave the published figure. */
function* valuesOfMedian(published: string, others: readonly string[]): Generator<string> {
  yield published;
  const twice = 2n * parseScaled(published, PRICE_DECIMALS);
  for (const other of others) {
    for (const rounding of [0n, 1n, -1n]) {
      const value = twice - parseScaled(other, PRICE_DECIMALS) + rounding;
      if (value > 0n) yield scaledText(value, PRICE_DECIMALS);
    }
  }
}

function* ofToken({ rows, header }: Dossier): Generator<Candidate> {
  const { tokenSources, tokenVolume } = header.derivation.network;
  const cells = rows.token.map((line) => line.split(','));
  const volume = cells.reduce((sum, row) => sum + parseScaled(row[4]!, PRICE_DECIMALS), 0n);
  const tooMuch = volume - parseScaled(tokenVolume, PRICE_DECIMALS);
  for (const [index, [epoch, source, at, price, traded]] of cells.entries()) {
    const published = tokenSources.find((one) => one.source === source);
    const others = cells.filter((row, other) => row[1] === source && other !== index).map((row) => row[3]!);
    const line = (changed: string, amount: string) => [epoch, source, at, changed, amount].join(',');
    for (const value of published === undefined ? [] : valuesOfMedian(published.priceUsd, others)) {
      yield { table: 'token', index, line: line(value, traded!) };
    }
    const was = parseScaled(traded!, PRICE_DECIMALS) - tooMuch;
    if (was >= 0n) yield { table: 'token', index, line: line(price!, scaledText(was, PRICE_DECIMALS)) };
  }
}

function* ofQuotes({ rows, prices }: Dossier): Generator<Candidate> {
  const competitors = new Map(prices.map(pricesRowOf).map(({ market, competitor }) => [market as string, competitor]));
  const cells = rows.quotes.map((line) => line.split(','));
  for (const [index, [epoch, market, source]] of cells.entries()) {
    const competitor = competitors.get(market!) ?? '';
    const others = cells.filter((row, other) => row[1] === market && other !== index).map((row) => row[3]!);
    for (const value of competitor === '' ? [] : valuesOfMedian(competitor, others)) {
      yield { table: 'quotes', index, line: [epoch, market, source, value].join(',') };
    }
  }
}

const HOURS_DECIMALS = 6;
const hours = (text: string) => parseScaled(text, HOURS_DECIMALS);

/** The published supply and use of a market tell by how much the rows are off. */
function* ofCapacity(dossier: Dossier): Generator<Candidate> {
  const { rows, prices, payouts, epoch } = dossier;
  const active = new Set(
    rows.providers.filter((line) => line.split(',')[2] === 'active').map((line) => line.split(',', 1)[0]!),
  );
  const cells = rows.capacity.map((line) => line.split(','));
  const listed = new Set(cells.map((row) => row[1]!));
  const lacking = payouts.map((line) => line.split(',', 1)[0]!).filter((provider) => !listed.has(provider));
  const paid = payouts.map((line) => line.split(',', 1)[0]!);
  for (const { market, supply, used } of prices.map(pricesRowOf)) {
    const own = cells.filter((row) => row[2] === market && active.has(row[1]!));
    const surplus = (column: number, published: string) =>
      own.reduce((sum, row) => sum + hours(row[column]!), 0n) - hours(published);
    const [offered, served] = [surplus(3, supply), surplus(4, used)];
    if (offered === 0n && served === 0n) continue;
    for (const index of suspectsFirst(dossier, cells, 1)) {
      const [, provider, of, more, busy] = cells[index]!;
      if (of !== market) continue;
      const [was, used] = [hours(more!) - offered, hours(busy!) - served];
      if (was >= 0n && used >= 0n)
        yield { table: 'capacity', index, line: capacityLine(epoch, provider!, of!, was, used) };
      if (was === 0n && used === 0n) yield { table: 'capacity', index, line: null };
      // The row of somebody who is not in the registry: whose was it?
      for (const other of lacking) {
        yield { table: 'capacity', index, line: [epoch, other, of, more, busy].join(',') };
      }
    }
    if (offered > 0n || served > 0n) continue;
    for (const provider of [...suspectsOf(dossier), ...paid]) {
      yield { table: 'capacity', index: null, line: capacityLine(epoch, provider, market, -offered, -served) };
    }
  }
}

function capacityLine(epoch: number, provider: string, market: string, offered: bigint, served: bigint): string {
  return [epoch, provider, market, scaledText(offered, HOURS_DECIMALS), scaledText(served, HOURS_DECIMALS)].join(',');
}

const registryOf = ({ rows }: Dossier) => rows.providers.map((line, index) => ({ index, cells: line.split(',') }));

/** A status, or the name of somebody who has a payout. */
function* ofStatus(dossier: Dossier): Generator<Candidate> {
  const registry = registryOf(dossier);
  const listed = new Set(registry.map(({ cells }) => cells[0]!));
  const lacking = dossier.payouts.map((line) => line.split(',', 1)[0]!).filter((provider) => !listed.has(provider));
  for (const at of suspectsFirst(
    dossier,
    registry.map(({ cells }) => cells),
    0,
  )) {
    const { index, cells } = registry[at]!;
    const [provider, joined, status, payee] = cells;
    const other = status === 'active' ? 'suspended' : 'active';
    yield { table: 'providers', index, line: [provider, joined, other, payee].join(',') };
    for (const name of lacking) yield { table: 'providers', index, line: [name, joined, status, payee].join(',') };
  }
}

/** Payees that have claims: first those with other claims than the rows give, then whom no row names any more, then all. */
function* ofPayees(dossier: Dossier): Generator<Candidate> {
  const { claims } = dossier;
  const registry = registryOf(dossier);
  const named = new Set(registry.map(({ cells }) => cells[3]!));
  const entitled = [...claims.before, ...(claims.stored ?? [])].map(([payee]) => payee);
  const lost = entitled.filter((payee) => !named.has(payee));
  const doubted = payeesInDoubt(dossier);
  const rowsOf = (payees: ReadonlySet<string>) => registry.filter(({ cells }) => payees.has(cells[3]!));
  const rows = [...rowsOf(doubted), ...registry.filter(({ cells }) => !doubted.has(cells[3]!))];
  for (const payee of new Set([...doubted, ...lost, '', ...Object.values(claims.otherPayees), ...named])) {
    for (const { index, cells } of rows) {
      const [provider, joined, status] = cells;
      if (payee !== cells[3]) yield { table: 'providers', index, line: [provider, joined, status, payee].join(',') };
    }
  }
}

function* ofJoining(dossier: Dossier): Generator<Candidate> {
  for (const { index, cells } of registryOf(dossier)) {
    const [provider, , status, payee] = cells;
    for (let joined = 0; joined <= dossier.epoch; joined += 1) {
      yield { table: 'providers', index, line: [provider, joined, status, payee].join(',') };
    }
  }
}

/** Decimals, lowest and highest value of the columns of performance, from the third on. */
const METRICS = [
  { metric: 'uptime', column: 2, decimals: 6, lowest: 0, highest: 1_000_000 },
  { metric: 'errorRate', column: 4, decimals: 6, lowest: 0, highest: 1_000_000 },
  { metric: 'userRating', column: 5, decimals: 3, lowest: 1_000, highest: 5_000 },
  { metric: 'responseTime', column: 3, decimals: 3, lowest: 0, highest: 10_000_000 },
] as const;

/** Values tried of a stretch of a metric that all give the same multiplier. */
const MOST_OF_A_STRETCH = 2_000;

/** Who has another multiplier than was paid by, and which measured value would give it. */
function* ofPerformance(dossier: Dossier): Generator<Candidate> {
  const { rows } = dossier;
  yield* ofUnmeasured(dossier);
  const { performance } = linesByProvider(dossier);
  for (const provider of suspectsOf(dossier)) {
    const index = performance.get(provider)?.[0];
    const reward = rewardAsSettled(dossier, provider);
    if (index === undefined || reward === null) continue;
    const line = rows.performance[index]!;
    const wanted = payoutsByProvider(dossier).get(provider)!;
    const cells = line.split(',');
    for (const { column, decimals, lowest, highest } of METRICS) {
      const withValue = (value: number | null) =>
        cells
          .map((cell, at) => (at !== column ? cell : value === null ? '' : scaledText(BigInt(value), decimals)))
          .join(',');
      if (reward(withValue(null)) === wanted) yield { table: 'performance', index, line: withValue(null) };
      for (const value of valuesWith((tried) => reward(withValue(tried)), wanted, lowest, highest)) {
        yield { table: 'performance', index, line: withValue(value) };
      }
    }
  }
}

/** A value of a metric that the epoch was settled without: nobody had one. */
function* ofUnmeasured({ rows, header }: Dossier): Generator<Candidate> {
  const { measuredMetrics } = header.derivation;
  const unmeasured = METRICS.filter(({ metric }) => !measuredMetrics.includes(metric));
  for (const [index, line] of rows.performance.entries()) {
    const cells = line.split(',');
    for (const { column } of unmeasured) {
      if (cells[column] === '') continue;
      yield { table: 'performance', index, line: cells.map((cell, at) => (at === column ? '' : cell)).join(',') };
    }
  }
}

/** Values of a metric that give what is wanted. The multiplier rises or falls with each metric: the stretch is bisected. */
function* valuesWith(
  of: (value: number) => string,
  wanted: string,
  lowest: number,
  highest: number,
): Generator<number> {
  const amount = (text: string) => parseScaled(text.split(',', 1)[0] || '0', NANO_DECIMALS);
  const target = amount(wanted);
  const rises = amount(of(highest)) >= amount(of(lowest));
  let [low, high] = [lowest, highest];
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    const reached = rises ? amount(of(middle)) >= target : amount(of(middle)) <= target;
    if (reached) high = middle;
    else low = middle + 1;
  }
  for (let value = low; value <= highest && value < low + MOST_OF_A_STRETCH; value += 1) {
    if (of(value) !== wanted) return;
    yield value;
  }
}

/** Cells from which nothing follows: at least a slip of one digit is found. */
function* ofOneDigit({ rows }: Dossier): Generator<Candidate> {
  for (const [table, lines] of Object.entries(rows) as [SnapshotTable, readonly string[]][]) {
    for (const [index, line] of lines.entries()) {
      for (const { index: at } of line.matchAll(/[0-9]/g)) {
        for (let digit = 0; digit < 10; digit += 1) {
          const changed = line.slice(0, at) + digit + line.slice(at + 1);
          if (changed !== line) yield { table, index, line: changed };
        }
      }
    }
  }
}
