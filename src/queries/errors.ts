/** What a question can be about that is not there. `id` is stable. */
export type QueryErrorId =
  | 'epoch-unknown'
  | 'epoch-without-results'
  | 'revision-unknown'
  | 'nothing-published'
  | 'market-unknown'
  | 'provider-unknown'
  | 'payout-missing'
  | 'range-empty'
  /** Rows that contradict each other. The command line exits with 5. */
  | 'statement-mismatch';

interface Account {
  readonly what: string;
  readonly where: string;
  readonly todo: string;
}

/** A question about something that is not there. The message says what there is instead, and what to ask. */
export class QueryError extends Error {
  readonly what: string;
  readonly where: string;
  readonly todo: string;

  constructor(
    readonly id: QueryErrorId,
    account: Account,
  ) {
    super(`${account.what}\n  where: ${account.where}\n  next:  ${account.todo}`);
    this.name = 'QueryError';
    this.what = account.what;
    this.where = account.where;
    this.todo = account.todo;
  }
}
