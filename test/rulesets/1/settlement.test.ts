import fc from 'fast-check';
import { Decimal } from '../../../src/numbers/decimal';
import type { Amount, MicroUnits } from '../../../src/numbers/units';
import { unallocatedOf } from '../../../src/rulesets/1/amounts';
import { conservation, multiplierBounds, priceBounds } from '../../../src/rulesets/1/checks';
import { derive } from '../../../src/rulesets/1/derive';
import { ProviderTally } from '../../../src/rulesets/1/facts';
import type { Policy } from '../../../src/rulesets/1/policy';
import {
  CLAMPS,
  CONTRIBUTING_FACTORS,
  type EpochFacts,
  type FullDerivation,
  type History,
  type PerformanceValues,
  type ProviderRows,
  type PublishedEpoch,
} from '../../../src/rulesets/1/records';
import { grossOf, payoutOf } from '../../../src/rulesets/1/reward';
import { pricesRow, pricesRowRecords } from '../../../src/rulesets/1/tables';
import { historyOf, policyWith, published, ratio, tokenRows, usd } from './fixtures';

/** Guarantees over whole epochs, with sealed rows, histories and policies made up by fast-check. */

const MARKETS = ['disk', 'gpu.t4', 'gpu.v100'];
const EPOCH = 12;
const RUNS = { numRuns: 50 };

/** Quantities of many sizes, with zeros: markets without supply or demand are where rules meet. */
const quantity = fc.oneof(
  { weight: 1, arbitrary: fc.constant(0n) },
  { weight: 3, arbitrary: fc.bigInt({ min: 1n, max: 1_000n }) },
  { weight: 6, arbitrary: fc.bigInt({ min: 1n, max: 10n ** 10n }) },
);
const priceText = fc
  .bigInt({ min: 1n, max: 10n ** 14n })
  .map((x) => new Decimal(x.toString()).times('1e-12').toFixed());
const hoursText = quantity.map((x) => new Decimal(x.toString()).times('1e-6').toFixed());

const performanceValues: fc.Arbitrary<PerformanceValues> = fc.record({
  uptimeMicro: fc.option(fc.integer({ min: 0, max: 1_000_000 }), { freq: 8 }),
  responseMicroseconds: fc.option(fc.bigInt({ min: 0n, max: 2_000_000n })),
  errorRateMicro: fc.option(fc.integer({ min: 0, max: 1_000_000 })),
  ratingMilli: fc.option(fc.integer({ min: 1000, max: 5000 })),
});

const capacityRow = fc.tuple(quantity, quantity).map(([served, idle]) => ({ offered: served + idle, served }));

const provider = fc
  .record({
    status: fc.constantFrom('active', 'active', 'active', 'active', 'suspended') as fc.Arbitrary<
      'active' | 'suspended'
    >,
    capacity: fc.dictionary(fc.constantFrom(...MARKETS), capacityRow, { minKeys: 1 }),
    performance: fc.option(performanceValues, { freq: 8 }),
  })
  .map(({ status, capacity, performance }) => ({
    status,
    performance,
    capacity: Object.entries(capacity).map(([market, { offered, served }]) => ({
      market,
      offered: offered as MicroUnits,
      served: served as MicroUnits,
    })),
  }));

const providers = fc
  .array(provider, { minLength: 1, maxLength: 12 })
  .map((rows) => rows.map((row, index): ProviderRows => ({ provider: `p${index}`, ...row })));

const history: fc.Arbitrary<History> = fc
  .array(
    fc.record({
      epoch: fc.nat(EPOCH - 1),
      markets: fc.dictionary(fc.constantFrom(...MARKETS, 'tape'), fc.tuple(hoursText, hoursText)),
      price: priceText,
      competitor: fc.option(priceText),
      volume: priceText,
      activeProviders: fc.nat(30),
      growthPhase: fc.constantFrom('bootstrap', 'expansion', 'maturity', 'gone'),
    }),
    { maxLength: EPOCH },
  )
  .map((rows) => {
    const epochs = new Map<number, PublishedEpoch>();
    for (const { epoch, markets, price, competitor, volume, activeProviders, growthPhase } of rows) {
      const market = {
        base: usd(price),
        price: usd(price),
        competitor: competitor === null ? null : usd(competitor),
        competitorEpoch: competitor === null ? null : epoch,
      };
      const head = { activeProviders, growthPhase, tokenVolume: usd(volume) as never, market };
      epochs.set(epoch, published(epoch, markets, head));
    }
    return historyOf(...[...epochs.values()].sort((left, right) => left.epoch - right.epoch));
  });

const environment = fc.record({
  demand: fc.dictionary(fc.constantFrom(...MARKETS), quantity),
  quotes: fc.array(
    fc.record({ market: fc.constantFrom(...MARKETS), source: fc.constantFrom('a', 'b', 'c', 'd'), price: priceText }),
    { maxLength: 12 },
  ),
  token: fc.tuple(priceText, priceText),
  macro: fc.option(fc.integer({ min: 1, max: 2_000_000_000 })),
});
type Environment = typeof environment extends fc.Arbitrary<infer T> ? T : never;

const policies = fc
  .record({
    perEpoch: fc.constantFrom('0', '0.000007', '1000', '1000000'),
    providerShare: fc.constantFrom('0.2', '1', '0.000001'),
    maxStep: fc.constantFrom('0.125', '0.9', '0.000000001'),
    target: fc.constantFrom('-0.3', '0', '0.7'),
    multiplierMax: fc.constantFrom('0.5', '1.1', '3'),
  })
  .map(({ perEpoch, providerShare, maxStep, target, multiplierMax }) =>
    policyWith({
      'pool/perEpoch': perEpoch,
      'caps/providerShare': providerShare,
      'pricing/maxStep': maxStep,
      'pricing/providerGrowth/target': target,
      'rewards/networkMultiplier/max': multiplierMax,
    }),
  );

function factsFrom(policy: Policy, rows: readonly ProviderRows[], around: Environment): EpochFacts {
  const tally = new ProviderTally(policy.rewards.performance.minimumUptime);
  for (const row of rows) tally.add(row);
  const { totals, performance } = tally.facts();
  const asked = new Map(Object.entries(around.demand));
  const markets = new Set([...totals.map(({ market }) => market), ...asked.keys()]);
  const [first, second] = around.token;
  return {
    epoch: EPOCH,
    totals: [...markets].map((market) => ({
      market,
      supply: totals.find((row) => row.market === market)?.supply ?? (0n as MicroUnits),
      used: totals.find((row) => row.market === market)?.used ?? (0n as MicroUnits),
      requested: (asked.get(market) as MicroUnits | undefined) ?? null,
    })),
    quotes: around.quotes.map(({ market, source, price }) => ({ market, source, usdPerUnit: usd(price) })),
    token: [...tokenRows(EPOCH, first).slice(0, 1), ...tokenRows(EPOCH, second).slice(1)],
    macro: around.macro === null ? null : ratio(new Decimal(around.macro).times('1e-9').toFixed()),
    performance,
  };
}

function settle(policy: Policy, derivation: FullDerivation, rows: readonly ProviderRows[]) {
  const rewards = rows.map((row) => grossOf(derivation, policy, row));
  const cappedSum = rewards.reduce((sum, { capped }) => sum + capped, 0n) as Amount;
  const payouts = rewards.map((reward) => payoutOf(derivation, reward, cappedSum));
  const sum = payouts.reduce((total, { amount }) => total + amount, 0n) as Amount;
  return { rewards, payouts, cappedSum, sum, unallocated: unallocatedOf(derivation.pool, cappedSum, sum) };
}

const epochs = fc.tuple(policies, providers, environment, history);

test('every price record adds up exactly, within its bounds', () => {
  fc.assert(
    fc.property(epochs, ([policy, rows, around, past]) => {
      const { prices, multipliers } = derive(policy, factsFrom(policy, rows, around), past);
      for (const { previousBase, contributions, differences, base, price } of prices) {
        const parts = [...CONTRIBUTING_FACTORS.map((k) => contributions[k]), ...CLAMPS.map((k) => differences[k])];
        const total = parts.reduce<Decimal>((sum, part) => sum.plus(part), previousBase);
        expect(total.equals(price)).toBe(true);
        expect(base.plus(differences.premium).plus(differences.ceiling).equals(price)).toBe(true);
      }
      expect(priceBounds(policy, prices)).toEqual([]);
      expect(multiplierBounds(policy, multipliers, null)).toEqual([]);
    }),
    RUNS,
  );
});

test('gross - capCut - scaleCut = amount, and amounts and rest are the pool, exactly', () => {
  fc.assert(
    fc.property(epochs, ([policy, rows, around, past]) => {
      const derivation = derive(policy, factsFrom(policy, rows, around), past);
      const { rewards, payouts, cappedSum, sum, unallocated } = settle(policy, derivation, rows);
      for (const payout of payouts) {
        expect(payout.gross - payout.capCut - payout.scaleCut).toBe(payout.amount);
        expect(payout.amount >= 0n && payout.capCut >= 0n && payout.scaleCut >= 0n).toBe(true);
        expect(payout.amount <= derivation.cap).toBe(true);
        if (payout.reason !== 'paid') expect(payout.gross).toBe(0n);
      }
      for (const { lines, gross } of rewards) expect(lines.reduce((total, line) => total + line.gross, 0n)).toBe(gross);
      expect(conservation(derivation.pool, sum, unallocated.amount)).toEqual([]);
      expect(unallocated.reason).toBe(cappedSum > derivation.pool ? 'rounding' : 'unspent');
      if (unallocated.reason === 'rounding') expect(unallocated.amount < BigInt(rows.length)).toBe(true);
    }),
    RUNS,
  );
});

test('the order in which rows come changes nothing', () => {
  const shuffled = epochs.chain(([policy, rows, around, past]) => {
    const facts = factsFrom(policy, rows, around);
    const reordered = fc.record({
      totals: fc.shuffledSubarray([...facts.totals], { minLength: facts.totals.length }),
      quotes: fc.shuffledSubarray([...facts.quotes], { minLength: facts.quotes.length }),
      token: fc.shuffledSubarray([...facts.token], { minLength: facts.token.length }),
      rows: fc.shuffledSubarray(rows, { minLength: rows.length }),
    });
    return reordered.map((order) => ({ policy, rows, facts, past, order }));
  });
  fc.assert(
    fc.property(shuffled, ({ policy, rows, facts, past, order }) => {
      const derivation = derive(policy, facts, past);
      const again = derive(policy, { ...facts, totals: order.totals, quotes: order.quotes, token: order.token }, past);
      expect(again).toEqual(derivation);
      const byName = new Map(settle(policy, again, order.rows).payouts.map((payout) => [payout.provider, payout]));
      for (const payout of settle(policy, derivation, rows).payouts)
        expect(byName.get(payout.provider)).toEqual(payout);
    }),
    RUNS,
  );
});

test('a provider that offers nothing changes nothing for the others', () => {
  fc.assert(
    fc.property(epochs, fc.option(performanceValues), ([policy, rows, around, past], performance) => {
      const zero: ProviderRows = {
        provider: 'zero',
        status: 'active',
        capacity: [{ market: 'disk', offered: 0n as MicroUnits, served: 0n as MicroUnits }],
        performance,
      };
      const before = derive(policy, factsFrom(policy, rows, around), past);
      const after = derive(policy, factsFrom(policy, [...rows, zero], around), past);
      expect(after).toEqual(before);
      const { payouts } = settle(policy, after, [...rows, zero]);
      expect(payouts.at(-1)).toMatchObject({ reason: 'no-capacity', gross: 0n, amount: 0n });
      expect(payouts.slice(0, -1)).toEqual(settle(policy, before, rows).payouts);
    }),
    RUNS,
  );
});

test('splitting one provider over two identities of equal performance never raises its gross', () => {
  const share = fc.integer({ min: 0, max: 1000 });
  fc.assert(
    fc.property(epochs, share, share, ([policy, rows, around, past], servedShare, idleShare) => {
      const derivation = derive(policy, factsFrom(policy, rows, around), past);
      const whole = rows[0] as ProviderRows;
      const cut = (x: bigint, thousandths: number) => (x * BigInt(thousandths)) / 1000n;
      const left = whole.capacity.map(({ market, offered, served }) => {
        const servedPart = cut(served, servedShare);
        return {
          market,
          served: servedPart as MicroUnits,
          offered: (servedPart + cut(offered - served, idleShare)) as MicroUnits,
        };
      });
      const right = whole.capacity.map(({ market, offered, served }, index) => ({
        market,
        served: (served - (left[index]?.served ?? 0n)) as MicroUnits,
        offered: (offered - (left[index]?.offered ?? 0n)) as MicroUnits,
      }));
      const grossOfRows = (capacity: ProviderRows['capacity']) =>
        grossOf(derivation, policy, { ...whole, capacity }).gross;
      expect(grossOfRows(left) + grossOfRows(right) <= grossOfRows(whole.capacity)).toBe(true);
    }),
    RUNS,
  );
});

test('better performance never lowers a payout', () => {
  const better = (worse: PerformanceValues, by: PerformanceValues): PerformanceValues => ({
    uptimeMicro: larger(worse.uptimeMicro, by.uptimeMicro),
    responseMicroseconds: smaller(worse.responseMicroseconds, by.responseMicroseconds),
    errorRateMicro: smaller(worse.errorRateMicro, by.errorRateMicro),
    ratingMilli: larger(worse.ratingMilli, by.ratingMilli),
  });
  fc.assert(
    fc.property(epochs, performanceValues, performanceValues, ([policy, rows, around, past], worse, by) => {
      const derivation = derive(policy, factsFrom(policy, rows, around), past);
      const others = rows.slice(1);
      const amountWith = (performance: PerformanceValues) =>
        settle(policy, derivation, [{ ...(rows[0] as ProviderRows), performance }, ...others]).payouts[0]?.amount ??
        -1n;
      expect(amountWith(better(worse, by)) >= amountWith(worse)).toBe(true);
    }),
    RUNS,
  );
});

/** Of two measured values; what was not measured stays so, since a missing metric has a score of its own. */
function larger<T extends number | bigint>(left: T | null, right: T | null): T | null {
  return left === null || right === null || left > right ? left : right;
}

function smaller<T extends number | bigint>(left: T | null, right: T | null): T | null {
  return left === null || right === null || left < right ? left : right;
}

test('the prices table holds all of the record: written and read back it is the same', () => {
  fc.assert(
    fc.property(epochs, ([policy, rows, around, past]) => {
      const { measures, prices, multipliers } = derive(policy, factsFrom(policy, rows, around), past);
      for (const [index, market] of measures.markets.entries()) {
        const row = pricesRow(market, prices[index] as never, multipliers[index] as never);
        const records = pricesRowRecords(row);
        expect(pricesRow(records.measures, records.price, records.multipliers)).toEqual(row);
        for (const cell of Object.values(row)) expect(cell).toMatch(/^(-?(0|[1-9]\d*)(\.\d*[1-9])?|[a-z][a-z0-9.]*|)$/);
      }
    }),
    RUNS,
  );
});
