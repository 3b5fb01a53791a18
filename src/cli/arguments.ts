import { InvalidArgumentError } from 'commander';
import { FORMATS, type OutputFormat } from './output';

/** Parsers of arguments and options, each with a message that shows how it is written. */

/** Epoch numbers are 32-bit in the database. */
export const LAST_EPOCH = 2_147_483_647;

export function epochArgument(text: string): number {
  const epoch = /^[0-9]{1,10}$/.test(text) ? Number(text) : Number.NaN;
  if (epoch <= LAST_EPOCH) return epoch;
  throw new InvalidArgumentError(`an epoch is a whole number from 0 to ${LAST_EPOCH}, like 42.`);
}

export interface EpochRange {
  readonly first: number;
  readonly last: number;
}

/** `A..B`, both ends included, or `E` for one. */
export function rangeArgument(text: string): EpochRange {
  const parts = /^([0-9]+)(?:\.\.([0-9]+))?$/.exec(text);
  if (parts === null) throw new InvalidArgumentError('epochs are written 42 or 10..42, both ends included.');
  const first = epochArgument(parts[1] ?? '');
  const last = parts[2] === undefined ? first : epochArgument(parts[2]);
  if (last < first) throw new InvalidArgumentError('the lower epoch is written first, like 10..42.');
  return { first, last };
}

export function networkArgument(text: string): string {
  if (/^[A-Za-z0-9._:-]{1,128}$/.test(text)) return text;
  throw new InvalidArgumentError('a network has 1 to 128 of the characters A-Z a-z 0-9 . _ : -');
}

export function formatArgument(text: string): OutputFormat {
  const format = FORMATS.find((one) => one === text);
  if (format !== undefined) return format;
  throw new InvalidArgumentError(`formats are ${FORMATS.join(', ')}.`);
}

/** A reason that goes on record: it must say something. */
export function reasonArgument(text: string): string {
  const reason = text.trim();
  if (reason !== '') return reason;
  throw new InvalidArgumentError('a reason is a sentence for those who read the record later.');
}

/** An id that a caller made up for one request. */
export function requestIdArgument(text: string): string {
  if (/^[A-Za-z0-9._:-]{1,128}$/.test(text)) return text;
  throw new InvalidArgumentError('a request id has 1 to 128 of the characters A-Z a-z 0-9 . _ : -');
}

export const DEFAULT_NETWORK = 'swarm';

export interface RevisionArgument {
  readonly epoch: number;
  /** null: the newest. */
  readonly revision: number | null;
}

/** `E@R`, or `E` for the newest revision. */
export function revisionArgument(text: string): RevisionArgument {
  const parts = /^([0-9]+)(?:@([1-9][0-9]{0,8}))?$/.exec(text);
  if (parts === null) throw new InvalidArgumentError('a revision is written 42@1, the newest one 42.');
  return { epoch: epochArgument(parts[1] ?? ''), revision: parts[2] === undefined ? null : Number(parts[2]) };
}

/** A number that counts from 1. */
export function countArgument(text: string): number {
  if (/^[1-9][0-9]{0,8}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('it is a whole number from 1, like 2.');
}
