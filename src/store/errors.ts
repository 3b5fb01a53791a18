/** Errors of the store that name a rule of the settlement. Everything else is PostgreSQL's own error, kept whole. */
export class StoreError extends Error {
  constructor(
    /** Closed set; the command line maps it to an exit code, the worker to a failure that is not retried. */
    readonly id:
      | 'NetworkUnknown'
      | 'NetworkExists'
      | 'NetworkMismatch'
      | 'EpochUnknown'
      | 'PolicyMissing'
      /** A policy that cannot become effective as it was proposed. */
      | 'PolicyRefused'
      | 'ProposalUnknown'
      /** Several proposals that wait for a decision have the hash that was named. */
      | 'ProposalAmbiguous'
      | 'ProposalClosed'
      | 'SchemaOutdated'
      | 'RevisionConflict'
      | 'ComputationConflict'
      | 'HoldUnknown'
      | 'HoldClosed'
      | 'HoldMismatch'
      | 'SelfApproval'
      | 'EpochSealed'
      | 'EpochClosed'
      /** More providers than one run has room for (docs/performance.md, Limits). */
      | 'EpochTooLarge'
      /** More epochs than one bundle has room for. */
      | 'BundleTooLarge'
      | 'RequestConflict'
      /** The login is no member of the role that the command takes. */
      | 'RightMissing'
      | 'BatchUnknown'
      /** What is due is in another batch already. */
      | 'BatchOpen'
      /** The batch would pay more than is due now. */
      | 'BatchStale'
      /** The decision names another digest than that of the batch's lines. */
      | 'BatchMismatch'
      | 'BatchClosed'
      | 'BatchNotApproved'
      | 'PaymentConflict'
      | 'ChainUnproved'
      /** There is no such dispute. */
      | 'DisputeUnknown'
      /** Another dispute asks for the same and is not published or rejected yet. */
      | 'DisputeOpen'
      /** The dispute is decided, or its revision published. */
      | 'DisputeClosed'
      /** Another revision was published since, or another dispute approved first. */
      | 'DisputeStale'
      /** The decision names another content digest than the one that was computed. */
      | 'DisputeMismatch'
      /** Nothing to decide on yet. */
      | 'DisputeUncomputed'
      /** The dispute's corrections change no row. */
      | 'DisputeEmpty'
      /** What is disputed is not published, or not the newest revision. */
      | 'DisputeRefused'
      /** The epoch is not the next one, or its time has not come. */
      | 'EpochNotDue'
      /** The inputs, or the policy that judges them, are not those any more that were found complete: judge again. */
      | 'InputsChanged'
      /** The epoch did not fail, so there is nothing to settle again. */
      | 'EpochNotFailed'
      /** The rows that are asked for are in an archive, outside of the database. */
      | 'EpochArchived'
      /** A range of epochs cannot be archived, or brought back, as things stand. */
      | 'ArchiveRefused'
      /** A head was published, as `heads.log` has it, that is in no chain of the database: it was set back. */
      | 'DatabaseBehind'
      | 'TamperedRows',
    message: string,
  ) {
    super(message);
    this.name = id;
  }
}

/** SQLSTATE classes and codes after which the same transaction may succeed (design: errors are mapped once). */
const RETRYABLE = /^(08...|53...|57P0.|40001|40P01|55P03|25006|57014)$/;
const CONNECTION_ERRORS = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENOTFOUND',
  'ENOENT',
]);

/**
 * Whether a database error may pass by itself. An error without any code comes from a connection that broke: pg
 * reports "Connection terminated unexpectedly" and the like without one.
 */
export function isRetryableDatabaseError(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  if (error instanceof StoreError) return false;
  const code = (error as { code?: unknown }).code;
  if (typeof code !== 'string') return /connection|terminated|not queryable|timeout/i.test(error.message);
  return RETRYABLE.test(code) || CONNECTION_ERRORS.has(code);
}

/** Whether PostgreSQL itself refused (a constraint, a type, a right): retrying cannot help. */
export function isDatabaseRefusal(error: unknown): boolean {
  const code = error instanceof Error ? (error as { code?: unknown }).code : undefined;
  // An SQLSTATE has a digit; the system's names of errors, EPIPE for one, have none.
  return typeof code === 'string' && /^(?=.*[0-9])[0-9A-Z]{5}$/.test(code) && !RETRYABLE.test(code);
}
