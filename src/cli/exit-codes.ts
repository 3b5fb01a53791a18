/** How a command ends, for scripts. The numbers are part of the interface. */
export const EXIT = {
  done: 0,
  /** A failure that was expected to be possible, and told. */
  failed: 1,
  usage: 2,
  /** Already running, or already there. */
  already: 3,
  /** A guard of the specification does not hold. */
  guard: 4,
  /** A verification found something else than what was published. */
  mismatch: 5,
  /** Somebody has to approve first. */
  approval: 6,
  /** The rows that are asked for are in an archive: bring it. */
  archived: 7,
  interrupted: 130,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];
