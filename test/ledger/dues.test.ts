import fc from 'fast-check';
import { type Account, balanceOf, type PayableAccount, planBatch } from '../../src/ledger/dues';
import type { Amount } from '../../src/numbers/units';

const amount = (value: bigint) => value as Amount;
const account = (entitlement: bigint, paid = 0n, inFlight = 0n): Account => ({
  provider: 'p',
  entitlement: amount(entitlement),
  paid: amount(paid),
  inFlight: amount(inFlight),
});

// Past 2^53 and past 64 bits, where a float or a machine integer would lose digits.
const amounts = fc.bigInt({ min: 0n, max: 10n ** 40n }).map(amount);
const payables: fc.Arbitrary<PayableAccount> = fc.record({
  provider: fc.string({ minLength: 1, maxLength: 5 }),
  payee: fc.option(fc.constant(`0x${'a'.repeat(40)}`)),
  entitlement: amounts,
  paid: fc.oneof(fc.constant(amount(0n)), amounts),
  inFlight: fc.oneof(fc.constant(amount(0n)), amounts),
});

test.each([
  { what: 'nothing was paid', of: account(10n), due: 10n, receivable: 0n },
  { what: 'a part was paid and a part is on its way', of: account(10n, 3n, 2n), due: 5n, receivable: 0n },
  { what: 'all is paid', of: account(10n, 10n), due: 0n, receivable: 0n },
  { what: 'an adjustment took what was paid', of: account(7n, 10n), due: 0n, receivable: 3n },
  { what: 'an adjustment took what is on its way', of: account(7n, 0n, 10n), due: 0n, receivable: 3n },
])('$what: due $due, receivable $receivable', ({ of, due, receivable }) => {
  expect(balanceOf(of)).toEqual({ due, receivable });
});

test('due less receivable is entitlement less paid less in flight, and one of the two is 0', () => {
  fc.assert(
    fc.property(payables, (one) => {
      const { due, receivable } = balanceOf(one);
      expect(due - receivable).toBe(one.entitlement - one.paid - one.inFlight);
      expect(due >= 0n && receivable >= 0n && (due === 0n || receivable === 0n)).toBe(true);
    }),
  );
});

test('every due is in a line, carried over, or waits for a payee; every line is at least the minimum', () => {
  fc.assert(
    fc.property(fc.array(payables), fc.bigInt({ min: 1n, max: 10n ** 20n }), (accounts, minimum) => {
      const plan = planBatch(accounts, amount(minimum));
      const due = accounts.reduce((sum, one) => sum + balanceOf(one).due, 0n);
      const receivable = accounts.reduce((sum, one) => sum + balanceOf(one).receivable, 0n);
      expect(plan.total + plan.carriedOver.amount + plan.withoutPayee.amount).toBe(due);
      expect(plan.lines.reduce((sum, line) => sum + line.amount, 0n)).toBe(plan.total);
      expect(plan.receivables.amount).toBe(receivable);
      expect(plan.lines.every((line) => line.amount >= minimum)).toBe(true);
    }),
  );
});

test('a batch takes everything: planned again with it on its way, nothing is left to plan', () => {
  fc.assert(
    fc.property(fc.uniqueArray(payables, { selector: (one) => one.provider }), (accounts) => {
      const lines = new Map(planBatch(accounts, amount(1n)).lines.map((line) => [line.provider, line.amount]));
      const after = accounts.map((one) => ({
        ...one,
        inFlight: amount(one.inFlight + (lines.get(one.provider) ?? 0n)),
      }));
      expect(planBatch(after, amount(1n)).lines).toEqual([]);
    }),
  );
});

test('a due of exactly the minimum is paid, one base unit less carries over', () => {
  const payee = `0x${'b'.repeat(40)}`;
  const plan = planBatch(
    [
      { ...account(100n), provider: 'exact', payee },
      { ...account(99n), provider: 'less', payee },
      { ...account(500n), provider: 'nobody', payee: null },
      { ...account(5n, 9n), provider: 'owes', payee },
    ],
    amount(100n),
  );
  expect(plan).toEqual({
    lines: [{ provider: 'exact', payee, amount: 100n }],
    total: 100n,
    carriedOver: { providers: 1, amount: 99n },
    withoutPayee: { providers: 1, amount: 500n },
    receivables: { providers: 1, amount: 4n },
  });
});
