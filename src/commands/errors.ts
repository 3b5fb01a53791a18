/** What a command refuses, as a closed set that the command line maps to exit codes. */
export type CommandErrorId =
  /** Somebody else's run of the same thing is under way; says whose and since when. */
  | 'AlreadyRunning'
  | 'BundleEmpty'
  | 'ClaimsMissing'
  /** The claims do not give the root that was published. */
  | 'ClaimsMismatch'
  /** A run ended since heads were published that the database does not have: nothing is settled on it. */
  | 'DatabaseBehind'
  | 'EpochOutsideCalendar'
  | 'EpochNotDue'
  | 'NothingHeld'
  | 'NothingPublished'
  | 'NothingDue'
  | 'PolicyMismatch'
  /** More markets, or more epochs to look back on, than a run has room for (docs/performance.md, Limits). */
  | 'PolicyTooLarge'
  | 'RunStopped'
  | 'ScheduleMissing';

export class CommandError extends Error {
  constructor(
    readonly id: CommandErrorId,
    message: string,
  ) {
    super(message);
    this.name = id;
  }
}
