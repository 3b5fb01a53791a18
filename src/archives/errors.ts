/** What can be wrong with an archive's files. `id` is stable. */
export type ArchiveErrorId =
  /** A folder of that name is there and holds something else. The command line exits with 3. */
  | 'archive-exists'
  /** There is no archive where one was named. */
  | 'archive-missing'
  /** A file is not what was written: damaged, cut short, or changed. The command line exits with 5. */
  | 'archive-altered'
  /** The folder or the disk refused. */
  | 'archive-not-written';

interface Account {
  readonly what: string;
  /** The file, and the line where there is one. */
  readonly where: string;
  readonly todo: string;
  readonly cause?: unknown;
}

/** The message says what, where and what next. */
export class ArchiveError extends Error {
  readonly what: string;
  readonly where: string;
  readonly todo: string;

  constructor(
    readonly id: ArchiveErrorId,
    account: Account,
  ) {
    super(
      `${account.what}\n  where: ${account.where}\n  next:  ${account.todo}`,
      account.cause === undefined ? undefined : { cause: account.cause },
    );
    this.name = 'ArchiveError';
    this.what = account.what;
    this.where = account.where;
    this.todo = account.todo;
  }
}
