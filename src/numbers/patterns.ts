/** Text forms that the specification fixes (spec §2, §3). They match from the first to the last character. */

/** A decimal number: sign, digits, decimals; no exponent, no `+`, no leading or trailing point (spec §2). */
export const NUMBER_PATTERN = /^-?[0-9]+(\.[0-9]+)?$/;

/** An unsigned integer without decimals: epoch numbers (spec §3). */
export const COUNT_PATTERN = /^[0-9]+$/;

/** Providers, markets, sources, networks (spec §3). ASCII only, so that no two spellings of one id can differ. */
export const IDENTIFIER_PATTERN = /^[A-Za-z0-9._:-]{1,128}$/;

/** A 20-byte address, 0x-prefixed (spec §3). The zero address matches too: see {@link isPayee}. */
export const PAYEE_PATTERN = /^0x[0-9a-fA-F]{40}$/;

const ZERO_ADDRESS = `0x${'0'.repeat(40)}`;

/** true for an address that can be paid: the zero address is no payee (spec §3). */
export function isPayee(text: string): boolean {
  return PAYEE_PATTERN.test(text) && text !== ZERO_ADDRESS;
}

/**
 * Order of identifiers by their bytes (spec §3, §9): negative, zero or positive.
 *
 * Comparing UTF-16 units, as `<` does, is comparing bytes here, because identifiers are ASCII. A locale's order
 * would not be: it puts `a` before `B`.
 */
export function compareBytes(left: string, right: string): number {
  if (left < right) return -1;
  return left > right ? 1 : 0;
}
