import fc from 'fast-check';
import { scaledText } from '../../../src/numbers/amounts';
import type { Amount, NanoRatio } from '../../../src/numbers/units';
import { earnedLine, payoutsOfEarned } from '../../../src/rulesets/1/earned-lines';
import { type Earned, payoutOf } from '../../../src/rulesets/1/reward';

const amount = fc.bigInt({ min: 0n, max: 10n ** 40n }) as fc.Arbitrary<bigint> as fc.Arbitrary<Amount>;
const multiplier = fc.option(fc.bigInt({ min: 0n, max: 3n * 10n ** 9n }) as fc.Arbitrary<NanoRatio>);

test('payouts of earned lines are those of what was earned, with its M4', () => {
  const earned = fc.record({ provider: fc.stringMatching(/^[A-Za-z0-9._:-]{1,9}$/), gross: amount, multiplier });
  fc.assert(
    fc.property(fc.array(earned), amount, amount, amount, (all, pool, cap, cappedSum) => {
      const rewards = all.map(({ provider, gross, multiplier }): Earned => {
        const own = multiplier === null ? (0n as Amount) : gross;
        const reason = multiplier === null ? 'no-capacity' : 'paid';
        return { provider, reason, gross: own, capped: own < cap ? own : cap, multiplier };
      });
      const lines = new TextEncoder().encode(rewards.map(earnedLine).join(''));
      // A sum of nothing is no sum that a pool could bind with.
      const sum = (cappedSum + 1n) as Amount;
      expect([...payoutsOfEarned(lines, { pool, cap }, sum)]).toEqual(
        rewards.map((reward) => ({
          payout: payoutOf({ pool }, reward, sum),
          multiplier: reward.multiplier === null ? '' : scaledText(reward.multiplier, 9),
        })),
      );
    }),
  );
});
