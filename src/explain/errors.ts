/** What can go wrong between stored rows and their explanation. `id` is stable. */
export type ExplainErrorId =
  /** The arithmetic gives another payout than the one that is stored: rows were tampered with, or there is a defect. */
  | 'payout-mismatch'
  /** The same for a price row. */
  | 'price-mismatch';

interface Account {
  readonly what: string;
  readonly where: string;
  readonly todo: string;
}

/** Stored rows that do not follow from the rows behind them. The message says what, where and what to do. */
export class ExplainError extends Error {
  readonly what: string;
  readonly where: string;
  readonly todo: string;

  constructor(
    readonly id: ExplainErrorId,
    account: Account,
  ) {
    super(`${account.what}\n  where: ${account.where}\n  next:  ${account.todo}`);
    this.name = 'ExplainError';
    this.what = account.what;
    this.where = account.where;
    this.todo = account.todo;
  }
}
