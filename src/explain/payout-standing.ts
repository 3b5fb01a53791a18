import { firstPriceDiscrepancy } from './adds-up';
import type { TokenAmount } from './figures';
import type { PayoutExplanation } from './payout-explanation';
import type { PriceExplanation } from './price-explanation';
import { bothTextsAgree, firstThatFails, unitsOf } from './steps';

/**
 * What stands around a payout: the prices that it was made with, every revision of it, what was paid for it, the
 * provider's account as it is now, and where in the claims tree it counts. Plain data, like the explanation itself.
 */
export interface PayoutStanding {
  /** One for each market of a line. */
  readonly prices: readonly PriceExplanation[];
  /** Every published revision of the epoch, oldest first; the last one is explained, unless that is on hold. */
  readonly revisions: readonly PayoutRevision[];
  /** Of the first batch after each revision in which the provider was paid: what settled it. */
  readonly payments: readonly PayoutPayment[];
  /** The provider's account over all epochs as it is now. */
  readonly account: {
    readonly entitled: TokenAmount;
    readonly paid: TokenAmount;
    readonly inFlight: TokenAmount;
    readonly due: TokenAmount;
    readonly receivable: TokenAmount;
  };
  /** null: nobody is named to be paid, or the epoch is not published. */
  readonly claim: ClaimPlace | null;
}

export interface PayoutRevision {
  readonly revision: number;
  readonly publishedAt: string;
  readonly contentDigest: string;
  readonly head: string;
  /** 0 and null where the revision has no payout for the provider. */
  readonly amount: TokenAmount;
  readonly reason: string | null;
  /** amount - that of the revision before; null: the first. */
  readonly adjustment: TokenAmount | null;
}

export interface PayoutPayment {
  readonly batch: number;
  readonly reference: string;
  readonly payee: string;
  readonly amount: TokenAmount;
  readonly confirmedAt: string;
  /** Its line had been given up, so that what it held may have been paid by a later batch too. */
  readonly late: boolean;
}

/** The provider's payee in the claims tree after the newest revision of the epoch (spec §9). */
export interface ClaimPlace {
  readonly payee: string;
  readonly root: string;
  readonly payees: number;
  /** What the payee may have claimed in all; null, like the two below: to be had from `command`. */
  readonly cumulative: TokenAmount | null;
  /** Of its leaf in the `tree` of the standard-v1 dump. */
  readonly leafIndex: number | null;
  readonly proof: readonly string[] | null;
  readonly command: string;
}

/** A payout from its inputs to what became of it. */
export type ExplainedPayout = PayoutExplanation & PayoutStanding;

/** The first figure of a payout's standing that does not follow from the others; null: all do. */
export function standingDiscrepancy(found: ExplainedPayout): string | null {
  const { prices, revisions, payments, account, lines, source } = found;
  return firstThatFails([
    ...prices.map((price) => [`price of ${price.market}`, () => firstPriceDiscrepancy(price) === null] as const),
    ['prices of the lines', () => lines.every((line) => prices.some((price) => isPriceOf(price, line)))],
    ['adjustments', () => revisions.every((one, index) => adjusts(one, revisions[index - 1]))],
    ['revisions', () => source.state === 'held' || isLast(found.amount, revisions)],
    ['payments', () => payments.every(({ amount }) => unitsOf(amount) > 0n)],
    ['account', () => accountAddsUp(account)],
    ['amounts in tokens', () => bothTextsAgree(amountsOf(found), found.token.decimals)],
  ]);
}

const isPriceOf = (price: PriceExplanation, line: PayoutExplanation['lines'][number]): boolean =>
  price.market === line.market && price.price === line.priceUsd;

function isLast(amount: TokenAmount, revisions: readonly PayoutRevision[]): boolean {
  const last = revisions.at(-1);
  return last !== undefined && unitsOf(last.amount) === unitsOf(amount);
}

function adjusts({ adjustment, amount }: PayoutRevision, before: PayoutRevision | undefined): boolean {
  if (before === undefined) return adjustment === null;
  return adjustment !== null && unitsOf(before.amount) + unitsOf(adjustment) === unitsOf(amount);
}

function accountAddsUp({ entitled, paid, inFlight, due, receivable }: PayoutStanding['account']): boolean {
  const rest = unitsOf(entitled) - unitsOf(paid) - unitsOf(inFlight);
  return unitsOf(due) - unitsOf(receivable) === rest && (unitsOf(due) === 0n || unitsOf(receivable) === 0n);
}

function amountsOf({ revisions, payments, account, claim }: PayoutStanding): TokenAmount[] {
  return [
    ...revisions.flatMap(({ amount, adjustment }) => (adjustment === null ? [amount] : [amount, adjustment])),
    ...payments.map(({ amount }) => amount),
    ...Object.values(account),
    ...(claim === null || claim.cumulative === null ? [] : [claim.cumulative]),
  ];
}
