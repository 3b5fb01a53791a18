import type { Amount } from '../numbers/units';

/**
 * A provider's account over a range of epochs (spec §10), as it stands now. Each epoch has what its first revision
 * paid, what later revisions added to or took from that, and the payments that settled the account up to that epoch.
 *
 * Guarantees, all exact:
 * - gross - capCut - scaleCut = amount, and amount + adjustments = entitled, in every epoch;
 * - balance = balance before + entitled - paid, in every epoch, from the opening to the closing balance;
 * - receivable - balance = 0 where the balance is below zero, and receivable = 0 elsewhere.
 */
export interface Statement {
  readonly opening: StatementTotals;
  readonly epochs: readonly StatementEpoch[];
  readonly closing: StatementTotals;
}

/** A provider's statement, and what it is a statement of. */
export interface ProviderStatement {
  readonly network: string;
  readonly provider: string;
  readonly registry: { readonly joinedEpoch: number; readonly status: string; readonly payee: string | null };
  readonly token: { readonly symbol: string; readonly decimals: number };
  readonly calendar: { readonly genesisSeconds: number; readonly lengthSeconds: number };
  readonly first: number;
  readonly last: number;
  /** The range was to begin earlier, with epochs that are archived: the last one of those; null: none. */
  readonly archivedUpTo: number | null;
  /** First second of the first epoch, and first second after the last. */
  readonly from: string;
  readonly to: string;
  /** The chain's end that the figures are as of. */
  readonly asOf: { readonly position: number; readonly head: string; readonly publishedAt: string };
  readonly statement: Statement;
  /** On its way in payment batches now, whatever the range. */
  readonly inFlight: bigint;
  /** Of the closing balance less what is on its way: what is due, or what the provider owes. */
  readonly due: bigint;
  readonly receivable: bigint;
  /** Of the markets that it offered in most often, by epoch. */
  readonly prices: readonly MarketCourse[];
}

export interface MarketCourse {
  readonly market: string;
  /** USD a unit, as exact text. */
  readonly points: readonly { readonly epoch: number; readonly price: string }[];
}

/** What an account came to up to a point. */
export interface StatementTotals {
  readonly entitled: bigint;
  readonly paid: bigint;
  /** entitled - paid; below zero the provider owes it. */
  readonly balance: bigint;
}

/** What one published revision of an epoch says of the provider. null: the revision has no payout for it. */
export interface StatementRevision {
  readonly epoch: number;
  readonly revision: number;
  readonly publishedAt: string;
  readonly payout: RevisionPayout | null;
}

export interface RevisionPayout {
  readonly gross: Amount;
  readonly capCut: Amount;
  readonly scaleCut: Amount;
  readonly amount: Amount;
  readonly reason: string;
  /** M4 as text; null: not eligible. */
  readonly multiplier: string | null;
}

/** A confirmed payment. */
export interface StatementPayment {
  /** The highest epoch that was published when the payment's batch was made: what the payment settles up to. */
  readonly epoch: number;
  readonly batch: number;
  readonly reference: string;
  readonly payee: string;
  readonly amount: Amount;
  readonly confirmedAt: string;
  /** Its line had been given up, so that what it held may have been paid by a later batch too. */
  readonly late: boolean;
}

/** What a revision after the first changed. */
export interface StatementAdjustment {
  readonly revision: number;
  readonly publishedAt: string;
  /** amount of this revision - amount of the one before. */
  readonly amount: bigint;
}

export interface StatementEpoch {
  readonly epoch: number;
  /** The newest published revision; null: only a payment falls on the epoch. */
  readonly revision: number | null;
  /** Of revision 1. */
  readonly gross: bigint;
  readonly capCut: bigint;
  readonly scaleCut: bigint;
  readonly amount: bigint;
  readonly adjustments: readonly StatementAdjustment[];
  /** Sum of the adjustments. */
  readonly adjustment: bigint;
  /** What the newest revision says: amount + adjustment. */
  readonly entitled: bigint;
  readonly payments: readonly StatementPayment[];
  /** Sum of the payments. */
  readonly paid: bigint;
  readonly balance: bigint;
  readonly receivable: bigint;
  /** Of the newest revision; null where it has no payout for the provider. */
  readonly reason: string | null;
  readonly multiplier: string | null;
}

/** Rows of an account, in any order; and what the account came to before them. */
export interface StatementRows {
  readonly before: { readonly entitled: bigint; readonly paid: bigint };
  readonly revisions: readonly StatementRevision[];
  readonly payments: readonly StatementPayment[];
}

/** Makes the statement. Epochs of which no revision has a payout for the provider, and no payment, are left out. */
export function statementOf({ before, revisions, payments }: StatementRows): Statement {
  const opening = totals(before.entitled, before.paid);
  const revisionsOf = byEpoch(revisions);
  const paymentsOf = byEpoch(payments);
  const epochs: StatementEpoch[] = [];
  let { entitled, paid } = opening;
  for (const epoch of [...new Set([...revisionsOf.keys(), ...paymentsOf.keys()])].sort((a, b) => a - b)) {
    const own = (revisionsOf.get(epoch) ?? []).toSorted((a, b) => a.revision - b.revision);
    const paying = paymentsOf.get(epoch) ?? [];
    if (paying.length === 0 && own.every(({ payout }) => payout === null)) continue;
    const booked = bookings(own);
    const paidHere = sumOf(paying);
    entitled += booked.entitled;
    paid += paidHere;
    const { balance } = totals(entitled, paid);
    const receivable = balance < 0n ? -balance : 0n;
    epochs.push({ epoch, ...booked, payments: paying, paid: paidHere, balance, receivable });
  }
  return { opening, epochs, closing: totals(entitled, paid) };
}

const totals = (entitled: bigint, paid: bigint): StatementTotals => ({ entitled, paid, balance: entitled - paid });

const sumOf = (rows: readonly { readonly amount: bigint }[]): bigint => rows.reduce((sum, row) => sum + row.amount, 0n);

function byEpoch<Row extends { readonly epoch: number }>(rows: readonly Row[]): ReadonlyMap<number, readonly Row[]> {
  const found = new Map<number, Row[]>();
  for (const row of rows) {
    const own = found.get(row.epoch);
    if (own === undefined) found.set(row.epoch, [row]);
    else own.push(row);
  }
  return found;
}

/** What the revisions of one epoch booked, ascending: the first its amount, each later one its difference. */
function bookings(revisions: readonly StatementRevision[]) {
  const first = revisions[0]?.payout ?? null;
  const newest = revisions.at(-1);
  const adjustments = revisions.slice(1).map(({ revision, publishedAt, payout }, index) => ({
    revision,
    publishedAt,
    amount: (payout?.amount ?? 0n) - (revisions[index]!.payout?.amount ?? 0n),
  }));
  const amount = first?.amount ?? 0n;
  const adjustment = sumOf(adjustments);
  return {
    revision: newest?.revision ?? null,
    gross: first?.gross ?? 0n,
    capCut: first?.capCut ?? 0n,
    scaleCut: first?.scaleCut ?? 0n,
    amount,
    adjustments,
    adjustment,
    entitled: amount + adjustment,
    reason: newest?.payout?.reason ?? null,
    multiplier: newest?.payout?.multiplier ?? null,
  };
}

/**
 * The first figure of a statement that does not follow from those before it; null: it adds up. `closing` is what the
 * rows behind it come to by another road, without epochs and order.
 */
export function statementDiscrepancy(
  { opening, epochs, closing }: Statement,
  expected: { readonly entitled: bigint; readonly paid: bigint },
): string | null {
  if (opening.balance !== opening.entitled - opening.paid) return 'opening balance';
  let { balance, entitled, paid } = opening;
  for (const row of epochs) {
    balance += row.entitled - row.paid;
    entitled += row.entitled;
    paid += row.paid;
    const wrong = rowDiscrepancy(row, balance);
    if (wrong !== null) return `${wrong} of epoch ${row.epoch}`;
  }
  if (closing.entitled !== entitled || closing.entitled !== expected.entitled) return 'closing entitlement';
  if (closing.paid !== paid || closing.paid !== expected.paid) return 'closing payments';
  return closing.balance === balance && balance === entitled - paid ? null : 'closing balance';
}

function rowDiscrepancy(row: StatementEpoch, balance: bigint): string | null {
  if (row.gross - row.capCut - row.scaleCut !== row.amount) return 'amount';
  if (row.adjustment !== sumOf(row.adjustments)) return 'adjustment';
  if (row.entitled !== row.amount + row.adjustment) return 'entitlement';
  if (row.paid !== sumOf(row.payments)) return 'payments';
  if (row.balance !== balance) return 'balance';
  return row.receivable === (balance < 0n ? -balance : 0n) ? null : 'receivable';
}
