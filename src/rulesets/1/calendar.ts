import { RulesetError } from './errors';

/**
 * Calendar of a network (spec §3): epoch e covers `[genesis + e*length, genesis + (e+1)*length)`, UTC. Instants are
 * whole seconds since 1970-01-01T00:00:00Z; there is no clock here.
 */
export interface Calendar {
  readonly genesisSeconds: number;
  readonly lengthSeconds: number;
}

/** Times of one epoch in seconds since 1970-01-01T00:00:00Z. */
export interface EpochTimes {
  readonly startSeconds: number;
  /** First second after the epoch. */
  readonly endSeconds: number;
  /** `end + grace`: the inputs are sealed if complete. */
  readonly sealSeconds: number;
  /** `end + inputDeadlineSeconds`: the inputs are sealed, or the epoch fails. */
  readonly deadlineSeconds: number;
}

// Instants have four-digit years (spec §2, §3).
const LAST_SECOND = 253_402_300_799;

/** true for a number that can be an epoch's: an integer >= 0 that a `number` holds exactly. */
export function isEpochNumber(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

/** Seconds of a real instant `YYYY-MM-DDTHH:MM:SSZ`, or null: no 30 February, no 24:00, no leap second. */
export function parseInstant(text: string): number | null {
  if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/.test(text)) return null;
  const milliseconds = Date.parse(text);
  // Date.parse carries 30 February and 24:00 over into the next day; what it read must say the same again.
  if (Number.isNaN(milliseconds) || instantText(milliseconds / 1000) !== text) return null;
  return milliseconds / 1000;
}

/** `YYYY-MM-DDTHH:MM:SSZ` of whole seconds since 1970-01-01T00:00:00Z. */
export function instantText(seconds: number): string {
  return `${new Date(seconds * 1000).toISOString().slice(0, 19)}Z`;
}

/**
 * First second of an epoch.
 *
 * @throws RulesetError `epoch-out-of-calendar` if it is no epoch number or the epoch ends after the year 9999
 */
export function epochStartSeconds(calendar: Calendar, epoch: number): number {
  const { genesisSeconds, lengthSeconds } = calendar;
  // Compared before multiplying: beyond 2^53 a product would no longer be exact.
  if (isEpochNumber(epoch) && epoch + 1 <= (LAST_SECOND - genesisSeconds) / lengthSeconds) {
    return genesisSeconds + epoch * lengthSeconds;
  }
  throw new RulesetError('epoch-out-of-calendar', {
    what: `Epoch ${epoch} has no place in the calendar.`,
    where: `genesis ${instantText(genesisSeconds)}, ${lengthSeconds} seconds an epoch`,
    todo: 'name an epoch >= 0 that ends before the year 10000.',
  });
}

/** First second after an epoch. @throws RulesetError `epoch-out-of-calendar` */
export function epochEndSeconds(calendar: Calendar, epoch: number): number {
  return epochStartSeconds(calendar, epoch) + calendar.lengthSeconds;
}

/** All times of an epoch (spec §3). @throws RulesetError `epoch-out-of-calendar` */
export function epochTimes(
  rules: Calendar & { readonly graceSeconds: number; readonly inputDeadlineSeconds: number },
  epoch: number,
): EpochTimes {
  const endSeconds = epochEndSeconds(rules, epoch);
  return {
    startSeconds: endSeconds - rules.lengthSeconds,
    endSeconds,
    sealSeconds: endSeconds + rules.graceSeconds,
    deadlineSeconds: endSeconds + rules.inputDeadlineSeconds,
  };
}

/** The epoch that an instant lies in, or null before genesis. */
export function epochAt(calendar: Calendar, seconds: number): number | null {
  const passed = seconds - calendar.genesisSeconds;
  return passed < 0 ? null : (passed - (passed % calendar.lengthSeconds)) / calendar.lengthSeconds;
}
