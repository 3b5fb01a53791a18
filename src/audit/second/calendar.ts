/** Instants as whole seconds since 1970-01-01T00:00:00Z, and the span of an epoch (spec §3). */

const INSTANT = /^([0-9]{4})-([0-9]{2})-([0-9]{2})T([0-9]{2}):([0-9]{2}):([0-9]{2})Z$/;

export interface Calendar {
  readonly genesisSeconds: number;
  readonly lengthSeconds: number;
}

function isLeapYear(year: number): boolean {
  return (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0;
}

function daysInMonth(year: number, month: number): number {
  if (month === 2) return isLeapYear(year) ? 29 : 28;
  return [4, 6, 9, 11].includes(month) ? 30 : 31;
}

/** Days from 0000-01-01 to the first day of a year, in the Gregorian calendar. */
function daysBeforeYear(year: number): number {
  if (year === 0) return 0;
  const past = year - 1;
  // The year 0 is a leap year, hence the one day more.
  // biome-ignore lint/plugin/exact-money: years of four digits
  return year * 365 + Math.floor(past / 4) - Math.floor(past / 100) + Math.floor(past / 400) + 1;
}

/**
 * Seconds since 1970 of an instant `YYYY-MM-DDTHH:MM:SSZ`.
 * Throws a RangeError for another form or for an instant that no calendar has (spec §3).
 */
export function instantSeconds(text: string): number {
  const match = INSTANT.exec(text);
  if (!match) throw new RangeError(`"${text}" is not an instant YYYY-MM-DDTHH:MM:SSZ`);
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = match.slice(1).map(Number);
  const isReal =
    month >= 1 && month <= 12 && day >= 1 && day <= daysInMonth(year, month) && hour < 24 && minute < 60 && second < 60;
  if (!isReal) throw new RangeError(`"${text}" is not a real instant`);
  let days = daysBeforeYear(year) - daysBeforeYear(1970) + day - 1;
  for (let earlier = 1; earlier < month; earlier += 1) days += daysInMonth(year, earlier);
  return ((days * 24 + hour) * 60 + minute) * 60 + second;
}

/** End of an epoch in seconds: `genesis + (e+1)*length` (spec §3). */
export function epochEndSeconds(calendar: Calendar, epoch: number): number {
  return calendar.genesisSeconds + (epoch + 1) * calendar.lengthSeconds;
}
