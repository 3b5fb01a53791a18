/**
 * What can be wrong with something that is to be digested, chained or proved. `id` is stable; the message says what,
 * where and what to do next.
 */
export type ProofErrorId =
  | 'unsafe-cell'
  | 'row-order'
  | 'not-json'
  | 'content-not-valid'
  | 'head-not-valid'
  | 'payee-not-valid'
  | 'payee-order'
  | 'amount-not-valid'
  | 'payee-not-in-tree'
  | 'proof-not-valid'
  | 'table-digest-missing';

interface Account {
  readonly what: string;
  /** The row, key or payee it is about. */
  readonly where: string;
  readonly todo: string;
}

export class ProofError extends Error {
  readonly what: string;
  readonly where: string;
  readonly todo: string;

  constructor(
    readonly id: ProofErrorId,
    account: Account,
  ) {
    super(`${account.what}\n  where: ${account.where}\n  next:  ${account.todo}`);
    this.name = 'ProofError';
    this.what = account.what;
    this.where = account.where;
    this.todo = account.todo;
  }
}
