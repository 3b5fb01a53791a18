/** What a command refuses, as a closed set that the command line maps to exit codes. */
export type CommandErrorId =
  /** Somebody else's run of the same thing is under way; says whose and since when. */
  | 'AlreadyRunning'
  | 'BundleEmpty'
  | 'ClaimsMissing'
  | 'EpochOutsideCalendar'
  | 'EpochNotDue'
  | 'NothingHeld'
  | 'NothingPublished'
  | 'NothingDue'
  | 'PolicyMismatch'
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
