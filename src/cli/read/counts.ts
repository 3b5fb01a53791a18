import { InvalidArgumentError } from 'commander';

const MOST = 10_000;

/** How many rows or epochs to show. */
export function countArgument(text: string): number {
  const count = /^[0-9]{1,5}$/.test(text) ? Number(text) : 0;
  if (count >= 1 && count <= MOST) return count;
  throw new InvalidArgumentError(`write a whole number from 1 to ${MOST}.`);
}
