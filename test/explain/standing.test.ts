import { explainPayout } from '../../src/explain/explain-payout';
import type { TokenAmount } from '../../src/explain/figures';
import { tokenAmount } from '../../src/explain/figures';
import type { ExplainedPayout, PayoutRevision } from '../../src/explain/payout-standing';
import { standingDiscrepancy } from '../../src/explain/payout-standing';
import { explainPrice } from '../../src/explain/price-explanation';
import { micro } from '../rulesets/1/fixtures';
import { changedAmount, changedAt, explained, GOOD, nextFigure } from './explained-epochs';

const CAPACITY = [...GOOD.capacity, { market: 'disk', offered: micro('7'), served: micro('2.5') }];
const { revision, providers } = explained([{ ...GOOD, capacity: CAPACITY }]);
const PAYOUT = explainPayout(revision, providers[0]!);
const UNITS = BigInt(PAYOUT.amount.baseUnits);

const tokens = (units: bigint): TokenAmount => tokenAmount(units, 6);

function revised(number: number, amount: bigint, before: bigint | null): PayoutRevision {
  return {
    revision: number,
    publishedAt: '2020-05-01T14:00:00Z',
    contentDigest: '1'.repeat(64),
    head: '3'.repeat(64),
    amount: tokens(amount),
    reason: 'paid',
    adjustment: before === null ? null : tokens(amount - before),
  };
}

/** Paid 40 of a first revision, raised by a second one, of which 3 are under way; the payee has a leaf of his own. */
const STANDING: ExplainedPayout = {
  ...PAYOUT,
  prices: ['gpu.v100', 'disk'].map((market) => explainPrice(revision.policy, revision.derivation, market, null)),
  revisions: [revised(1, 40n, null), revised(2, UNITS, 40n)],
  payments: [
    {
      batch: 1,
      reference: '0xaa',
      payee: 'alice',
      amount: tokens(40n),
      confirmedAt: '2020-05-01T15:00:00Z',
      late: false,
    },
    {
      batch: 2,
      reference: '0xbb',
      payee: 'alice',
      amount: tokens(1n),
      confirmedAt: '2020-05-01T16:00:00Z',
      late: true,
    },
  ],
  account: {
    entitled: tokens(UNITS),
    paid: tokens(41n),
    inFlight: tokens(3n),
    due: tokens(UNITS - 44n),
    receivable: tokens(0n),
  },
  claim: {
    payee: 'alice',
    root: `0x${'4'.repeat(64)}`,
    payees: 1,
    cumulative: tokens(UNITS),
    leafIndex: 0,
    proof: [],
    command: 'settle claims proof',
  },
};

/** The changed standing's first figure that does not follow. */
const after = (change: (found: ExplainedPayout) => ExplainedPayout) => standingDiscrepancy(change(STANDING));
const more = (units: bigint) => units + 1n;

test('it follows from its own figures, whatever is not there yet', () => {
  expect(after((found) => found)).toBeNull();
  expect(after((found) => ({ ...found, payments: [] }))).toBeNull();
  expect(after((found) => ({ ...found, claim: null }))).toBeNull();
  expect(after((found) => changedAt(found, 'claim.cumulative', () => null))).toBeNull();
});

test('the prices are those of the lines, and each follows from its own lines', () => {
  const gpu = (path: string) => (found: ExplainedPayout) => changedAt(found, `prices.0.${path}`, nextFigure);
  expect(after(gpu('lines.2.amount'))).toBe('price of gpu.v100');
  expect(after(gpu('price'))).toBe('price of gpu.v100');
  expect(after(({ prices, ...found }) => ({ ...found, prices: [prices[0]!] }))).toBe('prices of the lines');
  const swapped = (path: string, to: string) => (found: ExplainedPayout) =>
    changedAt(
      changedAt(found, `prices.0.${path}`, () => to),
      'prices.0.lines',
      () => [
        { ...STANDING.prices[0]!.lines[0]!, amount: STANDING.prices[1]!.price, subtotal: STANDING.prices[1]!.price },
      ],
    );
  expect(after(swapped('price', STANDING.prices[1]!.price))).toBe('prices of the lines');
  expect(after((found) => changedAt(found, 'prices.0.market', () => 'gpu.t4'))).toBe('prices of the lines');
});

test('each revision but the first is the one before and its adjustment', () => {
  expect(after((found) => changedAmount(found, 'revisions.1.adjustment', more))).toBe('adjustments');
  expect(after((found) => changedAmount(found, 'revisions.0.amount', more))).toBe('adjustments');
  expect(after((found) => changedAt(found, 'revisions.1.adjustment', () => null))).toBe('adjustments');
  expect(after((found) => changedAt(found, 'revisions.0.adjustment', () => tokens(40n)))).toBe('adjustments');
});

test('the last revision is the one that is explained, unless that is on hold', () => {
  const lower = (found: ExplainedPayout) => ({ ...found, revisions: [revised(1, 40n, null)] });
  const none = (found: ExplainedPayout) => ({ ...found, revisions: [] });
  const held = (found: ExplainedPayout) => changedAt(found, 'source.state', () => 'held');
  expect([after(lower), after(none)]).toEqual(['revisions', 'revisions']);
  expect([after((found) => held(lower(found))), after((found) => held(none(found)))]).toEqual([null, null]);
});

test('of three revisions the third is the last one', () => {
  const revisions = [revised(1, 40n, null), revised(2, 50n, 40n), revised(3, UNITS, 50n)];
  expect(after((found) => ({ ...found, revisions }))).toBeNull();
});

test.each([0n, -1n])('nobody pays %s base units', (units) => {
  expect(after((found) => changedAmount(found, 'payments.1.amount', () => units))).toBe('payments');
});

test.each(['entitled', 'paid', 'inFlight', 'due', 'receivable'])(
  'the account: %s follows from the others',
  (figure) => {
    expect(after((found) => changedAmount(found, `account.${figure}`, more))).toBe('account');
  },
);

test('who is owed owes nothing', () => {
  const account = { ...STANDING.account, due: tokens(UNITS - 40n), receivable: tokens(4n) };
  expect(after((found) => ({ ...found, account }))).toBe('account');
  const overpaid = { ...account, paid: tokens(UNITS + 1n), inFlight: tokens(3n), due: tokens(0n) };
  expect(after((found) => ({ ...found, account: overpaid }))).toBeNull();
});

test.each([
  'revisions.0.amount',
  'revisions.1.adjustment',
  'payments.0.amount',
  'account.entitled',
  'account.receivable',
  'claim.cumulative',
])('both texts of an amount are of the same one: %s', (path) => {
  expect(after((found) => changedAt(found, `${path}.tokens`, nextFigure))).toBe('amounts in tokens');
});

test('a figure that is none is named', () => {
  expect(after((found) => changedAt(found, 'account.paid.baseUnits', () => 'much'))).toBe('account');
});
