/**
 * What can go wrong between a user and a running stack. Every error says what happened, where, and what to do next;
 * `code` is stable and is what the command line turns into an exit code.
 */
type StackErrorCode =
  | 'HomeInUse'
  | 'HomeNotUsable'
  | 'StackNotRunning'
  | 'StartAborted'
  | 'PostgresNotStarted'
  | 'PostgresDataUnusable'
  | 'PostgresBinariesMissing'
  | 'TemporalNotFound'
  | 'TemporalNotStarted';

interface Account {
  readonly what: string;
  /** The file, folder, address or process it is about. */
  readonly where: string;
  readonly todo: string;
  readonly cause?: unknown;
}

export class StackError extends Error {
  readonly what: string;
  readonly where: string;
  readonly todo: string;

  constructor(
    readonly code: StackErrorCode,
    account: Account,
  ) {
    super(
      `${account.what}\n  where: ${account.where}\n  next:  ${account.todo}`,
      account.cause === undefined ? undefined : { cause: account.cause },
    );
    this.name = code;
    this.what = account.what;
    this.where = account.where;
    this.todo = account.todo;
  }
}

/** Another live process has this home. The command line exits with 3. */
export class HomeInUse extends StackError {
  constructor(
    home: string,
    readonly pid: number,
    readonly since: string,
    readonly command: string,
  ) {
    super('HomeInUse', {
      what: `Already running: process ${pid} has been using this home since ${since} (${command}).`,
      where: home,
      todo: `use it as it is, stop it with Ctrl-C in its terminal (or \`kill ${pid}\`), or set SETTLE_HOME to another folder.`,
    });
  }
}

/** No process keeps a stack on this home, so there is nothing to join. */
export class StackNotRunning extends StackError {
  constructor(home: string, what: string, todo = 'start it with `npm start` and try again.') {
    super('StackNotRunning', { what, where: home, todo });
  }
}
