import { CommanderError } from 'commander';
import type { CommandErrorId } from '../commands/errors';
import { CommandError } from '../commands/errors';
import { isDatabaseRefusal, isRetryableDatabaseError, StoreError } from '../store/errors';
import { EXIT, type ExitCode } from './exit-codes';

/** What a person and a script learn of an error. */
export interface Failure {
  readonly exit: ExitCode;
  /** What happened, where, and what to do next; null: it has been told already. */
  readonly message: string | null;
  /** An error that nobody expected: it belongs into a log with its stack. */
  readonly defect: boolean;
}

/** The command was called wrongly: exit 2, with the message and where to read more. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** Ends a command with an exit code after everything has been said. */
export class CommandEnds extends Error {
  override readonly name = 'CommandEnds';
  constructor(readonly exit: ExitCode) {
    super(`the command ends with ${exit}`);
  }
}

/** Ctrl-C or SIGTERM cut work short. */
export class Interrupted extends Error {
  override readonly name = 'Interrupted';
  constructor(message = 'Interrupted. What was committed is kept, and the same command goes on from there.') {
    super(message);
  }
}

type StoreErrorId = StoreError['id'];

const EXIT_OF_STORE: Partial<Record<StoreErrorId, ExitCode>> = {
  NetworkExists: EXIT.already,
  HoldClosed: EXIT.already,
  EpochClosed: EXIT.already,
  RequestConflict: EXIT.already,
  BatchClosed: EXIT.already,
  BatchNotApproved: EXIT.approval,
  BatchMismatch: EXIT.approval,
  BatchOpen: EXIT.already,
  ProposalClosed: EXIT.already,
  PaymentConflict: EXIT.already,
  SelfApproval: EXIT.approval,
  HoldMismatch: EXIT.approval,
  DisputeOpen: EXIT.already,
  DisputeClosed: EXIT.already,
  DisputeStale: EXIT.already,
  DisputeMismatch: EXIT.approval,
  DisputeUncomputed: EXIT.approval,
  RevisionConflict: EXIT.mismatch,
  ComputationConflict: EXIT.mismatch,
  TamperedRows: EXIT.mismatch,
  DatabaseBehind: EXIT.mismatch,
  EpochArchived: EXIT.archived,
};

const EXIT_OF_COMMAND: Partial<Record<CommandErrorId, ExitCode>> = {
  AlreadyRunning: EXIT.already,
  PolicyMismatch: EXIT.already,
  ClaimsMismatch: EXIT.mismatch,
  DatabaseBehind: EXIT.mismatch,
};

/** Codes of errors that carry what, where and todo. */
const EXIT_OF_CODE: Readonly<Record<string, ExitCode>> = {
  HomeInUse: EXIT.already,
  StartAborted: EXIT.interrupted,
  'export-exists': EXIT.already,
  'witness-misconfigured': EXIT.usage,
  'payout-mismatch': EXIT.mismatch,
  'price-mismatch': EXIT.mismatch,
  'statement-mismatch': EXIT.mismatch,
  'archive-exists': EXIT.already,
  'archive-altered': EXIT.mismatch,
};

/** The one place where errors become exit codes and sentences. */
export function failureOf(error: unknown): Failure {
  if (error instanceof CommanderError) return { ...known(usageExit(error), null) };
  if (error instanceof CommandEnds) return known(error.exit, null);
  if (error instanceof UsageError)
    return known(EXIT.usage, `${error.message}\n  next:  add --help to see how it is called.`);
  if (error instanceof Interrupted) return known(EXIT.interrupted, error.message);
  if (error instanceof StoreError) return known(EXIT_OF_STORE[error.id] ?? EXIT.failed, error.message);
  if (error instanceof CommandError) return known(EXIT_OF_COMMAND[error.id] ?? EXIT.failed, error.message);
  if (!(error instanceof Error)) return { exit: EXIT.failed, message: String(error), defect: true };
  if (isAccount(error)) {
    return known(EXIT_OF_CODE[String(error.code ?? error.id)] ?? EXIT.failed, error.message);
  }
  if (TOLD_WHOLE.has(error.name)) return known(EXIT.failed, error.message);
  return failureOutside(error);
}

/** Errors whose message says all by itself, with line and key. */
const TOLD_WHOLE: ReadonlySet<string> = new Set([
  'PolicyFileError',
  'PolicyError',
  'RulesetError',
  'ProofError',
  'BundleUnreadable',
]);

const known = (exit: ExitCode, message: string | null): Failure => ({ exit, message, defect: false });

function usageExit(error: CommanderError): ExitCode {
  return error.exitCode === 0 ? EXIT.done : EXIT.usage;
}

interface AccountError extends Error {
  readonly what: string;
  readonly where: string;
  readonly todo: string;
  readonly code?: unknown;
  readonly id?: unknown;
}

function isAccount(error: Error): error is AccountError {
  const { what, where, todo } = error as Partial<AccountError>;
  return typeof what === 'string' && typeof where === 'string' && typeof todo === 'string';
}

/** Errors of the file system, the database and Temporal that a person can do something about. */
function failureOutside(error: Error): Failure {
  const { code, path, syscall } = error as NodeJS.ErrnoException;
  if (path !== undefined && syscall !== undefined) {
    return known(EXIT.failed, told(`${reasonOf(code)}.`, path, 'check the name and who may read and write there.'));
  }
  if (error.name === 'ServiceError' || error.name === 'TransportError') {
    return known(
      EXIT.failed,
      told(
        `Temporal did not answer: ${deepest(error).message}.`,
        process.env.TEMPORAL_ADDRESS ?? 'the embedded server',
        'look whether it runs (`settle doctor`), then repeat the command: nothing is done twice.',
      ),
    );
  }
  if (code === ARCHIVED) {
    return known(
      EXIT.archived,
      told(
        `The database refused: ${error.message}.`,
        databaseName(),
        'put the rows back with `settle archive attach DIR` (`settle archive list` says which folder), or leave those epochs out.',
      ),
    );
  }
  if (RIGHTS.test(code ?? '') && isDatabaseRefusal(error)) {
    return known(
      EXIT.failed,
      told(
        `The database refused: ${error.message} (${code}).`,
        databaseName(),
        'run `settle doctor`; if rights are missing, use a login that is a member of the role it names.',
      ),
    );
  }
  if (code === '53100') {
    return known(
      EXIT.failed,
      told(
        `The database's disk is full: ${error.message}.`,
        databaseName(),
        'make room there, then repeat the command: nothing is done twice.',
      ),
    );
  }
  if (isRetryableDatabaseError(error)) {
    return known(
      EXIT.failed,
      told(
        `The database did not answer: ${error.message}.`,
        databaseName(),
        'look whether it runs (`settle doctor`), then repeat the command: nothing is done twice.',
      ),
    );
  }
  return { exit: EXIT.failed, message: error.message, defect: true };
}

/** Login, database and rights: what an administrator can mend. Any other refusal is a defect of ours. */
const RIGHTS = /^(28...|3D000|42501|25006)$/;

/** SQLSTATE of our own: rows would be needed that are in an archive (migration 0013). */
const ARCHIVED = 'ST001';

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'There is no such file or folder',
  EACCES: 'This may not be read or written by you',
  EPERM: 'This may not be read or written by you',
  EISDIR: 'This is a folder, and a file was expected',
  ENOTDIR: 'A part of this path is no folder',
  ENOSPC: 'The disk is full',
  EROFS: 'This file system can only be read',
};

const reasonOf = (code: string | undefined): string => REASONS[code ?? ''] ?? `The system refused (${code})`;

const told = (what: string, where: string, todo: string): string => `${what}\n  where: ${where}\n  next:  ${todo}`;

/** Without user and password. */
function databaseName(): string {
  const url = process.env.DATABASE_URL;
  if (url === undefined || !URL.canParse(url)) return 'the embedded database';
  const { host, pathname } = new URL(url);
  return `${host}${pathname}`;
}

function deepest(error: Error): Error {
  return error.cause instanceof Error ? deepest(error.cause) : error;
}
