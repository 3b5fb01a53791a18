import { type SeededBug, tests } from './seeded-bug';

/** Mistakes in multipliers, rewards and checks (spec §6 to §8). */
export const AMOUNT_BUGS: readonly SeededBug[] = [
  {
    id: 'scaled-up-not-down',
    mistake: 'an amount that is scaled to the pool is rounded up, so that together they are more than the pool',
    file: 'src/rulesets/1/amounts.ts',
    find: '(((capped * pool) / cappedSum) as Amount)',
    replace: '(((capped * pool + cappedSum - 1n) / cappedSum) as Amount)',
    caughtBy: [
      ...tests('test/rulesets/1/amounts.test.ts', 'F43: shares B in proportion where G is above it, rounded down'),
      ...tests(
        'test/rulesets/1/settlement.test.ts',
        'F43: gross - capCut - scaleCut = amount, and amounts and rest are the pool, exactly',
      ),
    ],
  },
  {
    id: 'gross-rounded-up',
    mistake: 'gross rewards are rounded up, so that splitting a provider pays',
    file: 'src/rulesets/1/amounts.ts',
    find: '(((served * NANO + standby * standbyShare) * rate * performance) / GROSS_SCALE) as Amount',
    replace:
      '(((served * NANO + standby * standbyShare) * rate * performance + GROSS_SCALE - 1n) / GROSS_SCALE) as Amount',
    caughtBy: tests('test/rulesets/1/amounts.test.ts', 'is rounded down, once', 'split in two, a line never gains'),
  },
  {
    id: 'cap-after-scaling',
    mistake: 'the cap is taken after scaling: G sums what is above the cap, and everybody else is scaled for it',
    file: 'src/rulesets/1/reward.ts',
    find: 'const capped = cappedOf(gross as Amount, derivation.cap);',
    replace: 'const capped = cappedOf(gross as Amount, gross as Amount);',
    caughtBy: tests('test/rulesets/1/reward.test.ts', 'is capped'),
  },
  {
    id: 'all-idle-hours-paid',
    mistake: 'idle hours are paid without the limit of one for each served hour',
    file: 'src/rulesets/1/amounts.ts',
    find: '(idle < served ? idle : served) as MicroUnits',
    replace: 'idle as MicroUnits',
    caughtBy: tests('test/rulesets/1/amounts.test.ts', 'idle hours are paid a tenth, at most one for each served hour'),
  },
  {
    id: 'growth-falls-back',
    mistake: 'a network that lost providers falls back into the growth phase before',
    file: 'src/rulesets/1/multipliers.ts',
    find: 'return phases[Math.max(reached, previous)] as',
    replace: 'return phases[previous < 0 ? reached : Math.min(reached, phases.length - 1)] as',
    caughtBy: tests('test/rulesets/1/multipliers.test.ts', 'a network grows up once'),
  },
  {
    id: 'hiding-pays',
    mistake: 'an uptime that is not measured counts as good enough',
    file: 'src/rulesets/1/performance.ts',
    find: "if (uptimeMicro === null) return 'no-performance-data';",
    replace: "if (uptimeMicro === null) return 'paid';",
    caughtBy: tests('test/rulesets/1/performance.test.ts', 'no-performance-data'),
  },
  {
    id: 'breaker-on-its-limit',
    mistake: 'a breaker trips on its limit already',
    file: 'src/rulesets/1/checks.ts',
    find: 'if (figure === null || compare(figure.value, exact(limit)) <= 0) return [];',
    replace: 'if (figure === null || compare(figure.value, exact(limit)) < 0) return [];',
    caughtBy: tests('test/rulesets/1/checks.test.ts', 'priceChange up', 'topShare', 'unmeasuredShare'),
  },
  {
    id: 'overpaid-pool-conserved',
    mistake: 'conservation holds where more than the pool was paid, since the rest is then negative',
    file: 'src/rulesets/1/checks.ts',
    find: 'if (sum + unallocated === pool && unallocated >= 0n) return [];',
    replace: 'if (sum + unallocated === pool) return [];',
    caughtBy: [
      ...tests('test/rulesets/1/checks.test.ts', 'fails with more paid than there is'),
      ...tests('test/activities/guards.test.ts', 'conservation: payouts that together are more than the pool'),
    ],
  },
];
