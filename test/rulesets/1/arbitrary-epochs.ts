import fc from 'fast-check';
import { Decimal } from '../../../src/numbers/decimal';
import type { Amount, MicroUnits } from '../../../src/numbers/units';
import { unallocatedOf } from '../../../src/rulesets/1/amounts';
import { ProviderTally } from '../../../src/rulesets/1/facts';
import type { Policy } from '../../../src/rulesets/1/policy';
import type {
  EpochFacts,
  FullDerivation,
  History,
  PerformanceValues,
  ProviderRows,
  PublishedEpoch,
} from '../../../src/rulesets/1/records';
import { grossOf, payoutOf } from '../../../src/rulesets/1/reward';
import { historyOf, policyWith, published, ratio, tokenRows, usd } from './fixtures';

/** Whole epochs made up by fast-check: policy, sealed rows of providers, the rows around them, and a history. */

const MARKETS = ['disk', 'gpu.t4', 'gpu.v100'];
export const EPOCH = 12;

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

export const performanceValues: fc.Arbitrary<PerformanceValues> = fc.record({
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

export function factsFrom(policy: Policy, rows: readonly ProviderRows[], around: Environment): EpochFacts {
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

/** Both passes of the reward step over all providers. */
export function settle(policy: Policy, derivation: FullDerivation, rows: readonly ProviderRows[]) {
  const rewards = rows.map((row) => grossOf(derivation, policy, row));
  const cappedSum = rewards.reduce((sum, { capped }) => sum + capped, 0n) as Amount;
  const payouts = rewards.map((reward) => payoutOf(derivation, reward, cappedSum));
  const sum = payouts.reduce((total, { amount }) => total + amount, 0n) as Amount;
  return { rewards, payouts, cappedSum, sum, unallocated: unallocatedOf(derivation.pool, cappedSum, sum) };
}

export const epochs = fc.tuple(policies, providers, environment, history);
