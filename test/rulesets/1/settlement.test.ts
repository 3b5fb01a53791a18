import fc from 'fast-check';
import { Decimal } from '../../../src/numbers/decimal';
import type { MicroUnits } from '../../../src/numbers/units';
import { conservation, multiplierBounds, priceBounds } from '../../../src/rulesets/1/checks';
import { derive } from '../../../src/rulesets/1/derive';
import type { Policy } from '../../../src/rulesets/1/policy';
import {
  CLAMPS,
  CONTRIBUTING_FACTORS,
  type FullDerivation,
  type PerformanceValues,
  type ProviderRows,
} from '../../../src/rulesets/1/records';
import { earnedOf, grossOf } from '../../../src/rulesets/1/reward';
import { pricesRow, pricesRowRecords } from '../../../src/rulesets/1/tables';
import { epochs, factsFrom, performanceValues, settle } from './arbitrary-epochs';

/** Guarantees over whole epochs, with sealed rows, histories and policies made up by fast-check. */

const RUNS = { numRuns: 50 };

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

test('F43: gross - capCut - scaleCut = amount, and amounts and rest are the pool, exactly', () => {
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

test('what a provider earns is the same with and without its explanation', () => {
  fc.assert(
    fc.property(epochs, ([policy, rows, around, past]) => {
      const derivation = derive(policy, factsFrom(policy, rows, around), past);
      for (const row of rows) {
        const { provider, reason, gross, capped, score } = grossOf(derivation, policy, row);
        const multiplier = score?.multiplier ?? null;
        expect(earnedOf(derivation, policy, row)).toEqual({ provider, reason, gross, capped, multiplier });
      }
    }),
    { numRuns: 200 },
  );
});

test('F44: the order in which rows come changes nothing', () => {
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

/** The machines of one provider in two parts, by thousandths of the served and of the idle hours. */
function inTwo(whole: ProviderRows, servedShare: number, idleShare: number): [ProviderRows, ProviderRows] {
  const cut = (x: bigint, thousandths: number) => (x * BigInt(thousandths)) / 1000n;
  const left = whole.capacity.map(({ market, offered, served }) => {
    const servedPart = cut(served, servedShare);
    const offeredPart = servedPart + cut(offered - served, idleShare);
    return { market, served: servedPart as MicroUnits, offered: offeredPart as MicroUnits };
  });
  const right = whole.capacity.map(({ market, offered, served }, index) => ({
    market,
    served: (served - (left[index]?.served ?? 0n)) as MicroUnits,
    offered: (offered - (left[index]?.offered ?? 0n)) as MicroUnits,
  }));
  return [
    { ...whole, capacity: left },
    { ...whole, provider: 'sybil', capacity: right },
  ];
}

const share = fc.integer({ min: 0, max: 1000 });

test('S8: splitting one provider over two identities of equal performance never raises its gross', () => {
  fc.assert(
    fc.property(epochs, share, share, ([policy, rows, around, past], servedShare, idleShare) => {
      const derivation = derive(policy, factsFrom(policy, rows, around), past);
      const whole = rows[0] as ProviderRows;
      const [left, right] = inTwo(whole, servedShare, idleShare);
      const gross = (provider: ProviderRows) => grossOf(derivation, policy, provider).gross;
      expect(gross(left) + gross(right) <= gross(whole)).toBe(true);
    }),
    RUNS,
  );
});

test('S8: split where the cap cuts nothing, a provider is paid no base unit more; joined, no more than the floors can', () => {
  let [paid, cases] = [0, 0];
  fc.assert(
    fc.property(epochs, share, share, ([policy, rows, around, past], servedShare, idleShare) => {
      // The rates are those of the epoch as it is: who splits its machines does not change what is offered.
      const derivation = derive(policy, factsFrom(policy, rows, around), past);
      const [whole, ...others] = rows as [ProviderRows, ...ProviderRows[]];
      const parts = inTwo(whole, servedShare, idleShare);
      const one = settle(policy, derivation, rows).payouts[0]!;
      fc.pre(one.capCut === 0n);
      const two = settle(policy, derivation, [...parts, ...others]).payouts.slice(0, 2);
      const together = two[0]!.amount + two[1]!.amount;
      expect(together <= one.amount).toBe(true);
      // Each line of each part, and each of their two amounts, is rounded down once.
      const floors = BigInt(2 * (whole.capacity.length + 1) + 1);
      expect(one.amount - together <= floors + lostIdleHours(policy, derivation, whole, parts)).toBe(true);
      cases += 1;
      if (one.amount > 0n) paid += 1;
    }),
    RUNS,
  );
  expect(paid * 5).toBeGreaterThan(cases);
});

/** What the split costs by itself: idle hours are paid up to the served ones of the same identity. */
function lostIdleHours(
  policy: Policy,
  derivation: FullDerivation,
  whole: ProviderRows,
  parts: readonly ProviderRows[],
): bigint {
  const gross = (provider: ProviderRows) => grossOf(derivation, policy, provider).gross;
  return gross(whole) - parts.reduce((sum, part) => sum + gross(part), 0n);
}

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
