import { Decimal as DecimalJs } from 'decimal.js';
import fc from 'fast-check';
import type { Amount, MicroUnits, NanoRatio, Rate } from '../../../src/numbers/units';
import {
  amountOf,
  capOf,
  cappedOf,
  grossOfLine,
  poolOf,
  rateOf,
  standbyOf,
  unallocatedOf,
} from '../../../src/rulesets/1/amounts';
import { micro, policyWith, ratio, usd } from './fixtures';

/** The oracle of this file: decimal.js at precision 200. */
const Oracle = DecimalJs.clone({ precision: 200, rounding: DecimalJs.ROUND_FLOOR, toExpPos: 9e15, toExpNeg: -9e15 });
const o = (x: bigint | string) => new Oracle(x.toString());
const amount = (x: bigint) => x as Amount;

describe('line', () => {
  const RATE = 12_000_000_000n as Rate; // 12 tokens of 10^6 base units an hour
  const ONE = 1_000_000_000n as NanoRatio;
  const TENTH = 100_000_000n as NanoRatio;
  const gross = (offered: string, served: string, performance = ONE) =>
    grossOfLine(micro(served), standbyOf(micro(offered), micro(served)), TENTH, RATE, performance);

  test('7 served hours at 12 tokens are 84 tokens', () => {
    expect(gross('7', '7')).toBe(84_000_000n);
  });

  test('idle hours are paid a tenth, at most one for each served hour', () => {
    expect(gross('10', '7')).toBe(87_600_000n); // 84 + 3 * 1.2
    expect(gross('14', '7')).toBe(92_400_000n); // 84 + 7 * 1.2
    expect(gross('1000', '7')).toBe(92_400_000n);
    expect(gross('1000', '0')).toBe(0n);
  });

  test('performance multiplies served and idle hours alike', () => {
    expect(gross('10', '7', 500_000_000n as NanoRatio)).toBe(43_800_000n);
    expect(gross('10', '7', 0n as NanoRatio)).toBe(0n);
  });

  test('is rounded down, once', () => {
    expect(grossOfLine(1n as MicroUnits, 0n as MicroUnits, TENTH, 1_999_999_999n as Rate, ONE)).toBe(1n);
    expect(grossOfLine(1n as MicroUnits, 0n as MicroUnits, TENTH, 999_999_999n as Rate, ONE)).toBe(0n);
  });

  test('equals decimal.js at precision 200', () => {
    const quantity = fc.bigInt({ min: 0n, max: 10n ** 24n });
    const nano = fc.bigInt({ min: 0n, max: 5_000_000_000n });
    fc.assert(
      fc.property(quantity, quantity, nano, fc.bigInt({ min: 0n, max: 10n ** 40n }), nano, (a, b, share, rate, m4) => {
        const [served, offered] = a < b ? [a, b] : [b, a];
        const standby = Oracle.min(o(offered - served), o(served));
        const expected = o(served)
          .times('1e9')
          .plus(standby.times(o(share)))
          .times(o(rate))
          .times(o(m4))
          .div('1e27')
          .floor();
        const idle = standbyOf(offered as MicroUnits, served as MicroUnits);
        expect(
          grossOfLine(served as MicroUnits, idle, share as NanoRatio, rate as Rate, m4 as NanoRatio).toString(),
        ).toBe(expected.toFixed());
      }),
    );
  });

  test('split in two, a line never gains', () => {
    const part = fc.tuple(fc.bigInt({ min: 0n, max: 10n ** 12n }), fc.bigInt({ min: 0n, max: 10n ** 12n }));
    const nano = fc.bigInt({ min: 0n, max: 1_500_000_000n });
    fc.assert(
      fc.property(part, part, nano, fc.bigInt({ min: 0n, max: 10n ** 15n }), nano, (left, right, share, rate, m4) => {
        const paid = ([served, idle]: readonly [bigint, bigint]) =>
          grossOfLine(
            served as MicroUnits,
            standbyOf((served + idle) as MicroUnits, served as MicroUnits),
            share as NanoRatio,
            rate as Rate,
            m4 as NanoRatio,
          );
        expect(paid(left) + paid(right) <= paid([left[0] + right[0], left[1] + right[1]])).toBe(true);
      }),
    );
  });
});

test('the rate equals decimal.js at precision 200', () => {
  const price = fc.bigInt({ min: 1n, max: 10n ** 30n });
  fc.assert(
    fc.property(price, fc.bigInt({ min: 0n, max: 10n ** 12n }), price, fc.nat(36), (p, m, t, decimals) => {
      const [usdPrice, multiplier, token] = [o(p).times('1e-12'), o(m).times('1e-9'), o(t).times('1e-12')];
      const expected = usdPrice
        .times(multiplier)
        .times(o('10').pow(decimals + 3))
        .div(token)
        .floor();
      const policy = policyWith({ 'token/decimals': decimals });
      const rate = rateOf(policy, usd(usdPrice.toFixed()), ratio(multiplier.toFixed()), usd(token.toFixed()));
      expect(rate.toString()).toBe(expected.toFixed());
    }),
    { numRuns: 60 },
  );
});

describe('pool', () => {
  test('halves with each period of 100 epochs, and not within one', () => {
    const pools = [0, 99, 100, 199, 200, 1000].map((epoch) => poolOf(policyWith(), epoch));
    expect(pools).toEqual([1_000_000_000n, 1_000_000_000n, 500_000_000n, 500_000_000n, 250_000_000n, 976_562n]);
  });

  test('is rounded down', () => {
    expect(poolOf(policyWith({ 'pool/perEpoch': '0.0000019' }), 0)).toBe(1n);
    expect(poolOf(policyWith({ 'pool/perEpoch': '0.000001' }), 100)).toBe(0n);
    expect(poolOf(policyWith({ 'pool/perEpoch': '0' }), 0)).toBe(0n);
  });

  test('stays as it is with a decay of 1', () => {
    expect(poolOf(policyWith({ 'pool/decay': '1', 'pool/decayEpochs': '1' }), 10 ** 9)).toBe(1_000_000_000n);
  });

  test('ends at 0, however late, and at once', () => {
    expect(poolOf(policyWith({ 'pool/decayEpochs': '1', 'pool/decay': '0.999999999' }), 10 ** 12)).toBe(0n);
  });

  test('is exact where its value is a whole number far down', () => {
    // 2^99 tokens of 10^36 base units are 2^135 * 5^36 of them: halved 135 times exactly 5^36, and 1 less if any digit
    // of 0.5^135, which has 135 decimals, were dropped.
    const policy = policyWith({
      'token/decimals': 36,
      'pool/perEpoch': (2n ** 99n).toString(),
      'pool/decayEpochs': '1',
    });
    expect(poolOf(policy, 135)).toBe(5n ** 36n);
    expect(poolOf(policy, 136)).toBe(5n ** 36n / 2n);
  });

  test('equals decimal.js at precision 2000', () => {
    const Wide = DecimalJs.clone({ precision: 2000, rounding: DecimalJs.ROUND_FLOOR, toExpPos: 9e15, toExpNeg: -9e15 });
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 999_999_999 }),
        fc.nat(200),
        fc.integer({ min: 1, max: 10 ** 9 }),
        (decay, epoch, start) => {
          const policy = policyWith({
            'token/decimals': 30,
            'pool/perEpoch': String(start),
            'pool/decay': new Wide(decay).times('1e-9').toFixed(),
            'pool/decayEpochs': '1',
          });
          const expected = new Wide(start)
            .times(new Wide(10).pow(30))
            .times(new Wide(decay).times('1e-9').pow(epoch))
            .floor();
          expect(poolOf(policy, epoch).toString()).toBe(expected.toFixed());
        },
      ),
      { numRuns: 60 },
    );
  });
});

test('the cap is a fifth of the pool, rounded down', () => {
  expect(capOf(policyWith(), amount(1_000_000_004n))).toBe(200_000_000n);
  expect(capOf(policyWith({ 'caps/providerShare': '1' }), amount(7n))).toBe(7n);
  expect([cappedOf(amount(5n), amount(7n)), cappedOf(amount(9n), amount(7n))]).toEqual([5n, 7n]);
});

describe('scaling to the pool', () => {
  test('does nothing while G is at most B', () => {
    expect(amountOf(amount(7n), amount(100n), amount(100n))).toBe(7n);
    expect(unallocatedOf(amount(100n), amount(100n), amount(100n))).toEqual({ amount: 0n, reason: 'unspent' });
    expect(unallocatedOf(amount(100n), amount(7n), amount(7n))).toEqual({ amount: 93n, reason: 'unspent' });
  });

  test('F43: shares B in proportion where G is above it, rounded down', () => {
    const capped = [7n, 11n, 13n];
    const amounts = capped.map((part) => amountOf(amount(part), amount(10n), amount(31n)));
    expect(amounts).toEqual([2n, 3n, 4n]); // 70/31, 110/31, 130/31
    expect(unallocatedOf(amount(10n), amount(31n), amount(9n))).toEqual({ amount: 1n, reason: 'rounding' });
  });

  test('a rest of 0 is of rounding where there was scaling', () => {
    expect(unallocatedOf(amount(10n), amount(20n), amount(10n))).toEqual({ amount: 0n, reason: 'rounding' });
  });
});
