/**
 * What can be wrong with something that is to be digested, chained or proved. `code` is stable; the message says what,
 * where and what to do next.
 */
export type ProofErrorCode =
  | 'UnsafeCell'
  | 'RowOrder'
  | 'NotJson'
  | 'ContentNotValid'
  | 'HeadNotValid'
  | 'PayeeNotValid'
  | 'PayeeOrder'
  | 'AmountNotValid'
  | 'PayeeNotInTree'
  | 'ProofNotValid'
  | 'TableDigestMissing';

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
    readonly code: ProofErrorCode,
    account: Account,
  ) {
    super(`${account.what}\n  where: ${account.where}\n  next:  ${account.todo}`);
    this.name = code;
    this.what = account.what;
    this.where = account.where;
    this.todo = account.todo;
  }
}
