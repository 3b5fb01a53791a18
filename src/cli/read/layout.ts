import type { Colors } from 'picocolors/types';
import { visibleLength } from '../output';

/** How the parts of a report are put together on a terminal. Everything given to these is safe text already. */

/** Label and text; null leaves the line out. */
export type Fact = readonly [label: string, text: string] | null;

/** Lines `  label   text`, the texts below each other and wrapped within `width`. */
export function factLines(facts: readonly Fact[], colors: Colors, width: number): string {
  const shown = facts.filter((fact) => fact !== null);
  const indent = Math.max(...shown.map(([label]) => label.length)) + 5;
  return shown
    .map(([label, text]) => {
      const [first = '', ...rest] = wrapped(text, width - indent);
      const start = `  ${colors.dim(label.padEnd(indent - 5))}   ${first}`;
      return [start, ...rest.map((line) => `${' '.repeat(indent)}${line}`)].join('\n');
    })
    .join('\n');
}

/** Breaks a text between words; a word that is longer than the line stays whole. Colours must not span a break. */
export function wrapped(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && visibleLength(line) + 1 + visibleLength(word) > width) {
      lines.push(line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, line];
}

/** A heading, with what belongs to it in a lower voice. */
export function heading(title: string, words: string, colors: Colors): string {
  return words === '' ? colors.bold(title) : `${colors.bold(title)}  ${colors.dim(words)}`;
}

/** The lines of a table moved to the right, below their heading. */
export function indented(text: string, by = 2): string {
  return text
    .trimEnd()
    .split('\n')
    .map((line) => (line === '' ? '' : ' '.repeat(by) + line))
    .join('\n');
}

/** `2020-05-28 22:00 UTC`, with seconds where they say something. */
export function readableTime(instant: string): string {
  const seconds = instant.slice(16, 19);
  return `${instant.slice(0, 10)} ${instant.slice(11, 16)}${seconds === ':00' ? '' : seconds} UTC`;
}

/** The first characters of a digest; whole it stands in JSON. */
export const shortDigest = (digest: string): string => `${digest.slice(0, 16)}…`;

const GROUP = /\B(?=(\d{3})+(?!\d))/g;

/** An exact decimal with all of its places (`places` of them), digits before the point in groups: it can be added up. */
export function exactDecimal(text: string, places: number): string {
  const negative = text.startsWith('-');
  const [whole = '0', fraction = ''] = (negative ? text.slice(1) : text).split('.');
  const digits = `${whole.replace(GROUP, ',')}${places === 0 ? '' : `.${fraction.padEnd(places, '0')}`}`;
  return negative ? `−${digits}` : digits;
}
