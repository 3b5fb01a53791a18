import { floorDivide, powerOfTen, scaledText } from '../numbers/amounts';
import { Decimal } from '../numbers/decimal';

/** How figures read in tables. Data formats get the exact text instead; nothing here is parsed again. */

const GROUP = /\B(?=(\d{3})+(?!\d))/g;

/** Base units as tokens with so many decimals shown, cut and never rounded up: `1,234.5678`. */
export function tokens(baseUnits: string, decimals: number, shown = 4): string {
  const kept = Math.min(shown, decimals);
  const cut = floorDivide(BigInt(baseUnits), powerOfTen(decimals - kept));
  const [whole = '0', fraction = ''] = scaledText(cut, kept).split('.');
  const grouped = whole.replace(GROUP, ',');
  return kept === 0 ? grouped : `${grouped}.${fraction.padEnd(kept, '0')}`;
}

/** A decimal with so many places, for reading: `usd('1.234567890123', 6)` is `1.234568`. */
export function rounded(decimal: string, places: number): string {
  const [whole = '0', fraction] = new Decimal(decimal).toFixed(places).split('.');
  const grouped = whole.replace(GROUP, ',');
  return fraction === undefined ? grouped : `${grouped}.${fraction}`;
}

/** A USD price with five significant digits or more: cheap markets have small prices. */
export function price(decimal: string): string {
  const value = new Decimal(decimal);
  const places = value.isZero() ? 4 : Math.min(12, Math.max(4, 4 - value.e));
  return rounded(decimal, places);
}

/** A share as a percentage: `0.0123` is `1.2 %`. */
export function percent(ratio: string, places = 1): string {
  return `${rounded(new Decimal(ratio).times(100).toFixed(), places)} %`;
}

/** The same with its sign, for changes. */
export function signedPercent(ratio: string, places = 1): string {
  const text = percent(ratio, places);
  return new Decimal(ratio).greaterThan(0) ? `+${text}` : text.replace('-', '−');
}

const BARS = '▁▂▃▄▅▆▇█';

/** The course of a few figures, lowest to highest: `▁▂▅█`. A flat course is a line in the middle. */
export function sparkline(values: readonly string[]): string {
  const numbers = values.map(Number);
  const low = Math.min(...numbers);
  const span = Math.max(...numbers) - low;
  const step = (value: number) => (span === 0 ? 3 : Math.round(((value - low) / span) * (BARS.length - 1)));
  return numbers.map((value) => BARS[step(value)]).join('');
}

/** `1 epoch`, `2 epochs`. */
export function counted(count: number, one: string, many = `${one}s`): string {
  return `${String(count).replace(GROUP, ',')} ${count === 1 ? one : many}`;
}

/** Whole seconds as a person says them: `45 s`, `6 min`, `23 h 59 min`, `3 d 4 h`. */
export function duration(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 120) return `${whole} s`;
  const minutes = Math.floor(whole / 60);
  if (minutes < 120) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return minutes % 60 === 0 ? `${hours} h` : `${hours} h ${minutes % 60} min`;
  return hours % 24 === 0 ? `${hours / 24} d` : `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

/** `A..B`, or `A` for one epoch. */
export function rangeText(first: number, last: number): string {
  return first === last ? String(first) : `${first}..${last}`;
}
