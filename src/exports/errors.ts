/** What can go wrong between published rows and a file. `id` is stable. */
export type ExportErrorId =
  /** A file of that name is there already, and nobody said to replace it. The command line exits with 3. */
  | 'export-exists'
  /** A row does not have the form of its table (spec §11). */
  | 'export-row-not-valid'
  /** Rows out of order, or one of them twice. */
  | 'export-row-order'
  /** The folder or the disk refused. */
  | 'export-not-written';

interface Account {
  readonly what: string;
  /** The file, and the row where there is one. */
  readonly where: string;
  readonly todo: string;
  readonly cause?: unknown;
}

/** No export was written, or none of those that were asked for together. The message says what, where and what next. */
export class ExportError extends Error {
  readonly what: string;
  readonly where: string;
  readonly todo: string;

  constructor(
    readonly id: ExportErrorId,
    account: Account,
  ) {
    super(
      `${account.what}\n  where: ${account.where}\n  next:  ${account.todo}`,
      account.cause === undefined ? undefined : { cause: account.cause },
    );
    this.name = 'ExportError';
    this.what = account.what;
    this.where = account.where;
    this.todo = account.todo;
  }
}
