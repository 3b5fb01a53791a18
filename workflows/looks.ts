/**
 * When a waiting run looks at its rows by itself. Whoever changes them also wakes it; but a signal can be lost with the
 * run that would have sent it, and the rows are the truth.
 *
 * It looks again after a second, then after twice as long each time, up to five minutes. A look is 11 events: a timer
 * (2), an activity (3) and the two workflow tasks between them (6). LOOKS_A_RUN of them are 3,300 events, about a day of
 * waiting, below the 4,096 at which the server suggests to continue as new and far below its end at 51,200. Then the run
 * continues as new, finds its rows, and waits on; being woken over and over counts as looking, so it cannot grow a
 * history either.
 */
const FIRST_MS = 1_000;
const LONGEST_MS = 300_000;
const LOOKS_A_RUN = 300;

export class Looks {
  private taken = 0;
  private nextMs = FIRST_MS;

  /** @param most looks of one run; fewer than LOOKS_A_RUN for tests, which have no time for a day */
  constructor(private readonly most: number = LOOKS_A_RUN) {}

  /** Whether this run has looked often enough. */
  get over(): boolean {
    return this.taken >= this.most;
  }

  /** Counts a look, and says how long to sleep before the next: at most so long, but never less than a second. */
  pauseMs(atMostMs: number = LONGEST_MS): number {
    const pause = this.nextMs;
    this.taken += 1;
    this.nextMs = Math.min(2 * pause, LONGEST_MS);
    // A row's deadline is the database's: a workflow's clock that is ahead of it looks once more, a second later.
    return Math.min(pause, Math.max(atMostMs, FIRST_MS));
  }
}
