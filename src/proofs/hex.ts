/** Hex digits to bytes and back, on slices of larger arrays: proofs of a million payees must not cost an object each. */

const BYTE_TO_HEX: readonly string[] = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));

const NIBBLE = new Int8Array(128).fill(-1);
for (let value = 0; value < 16; value++) {
  NIBBLE[value.toString(16).charCodeAt(0)] = value;
  NIBBLE[value.toString(16).toUpperCase().charCodeAt(0)] = value;
}

/** `length` bytes from `offset` on, 0x-prefixed, lower case. */
export function toHex(bytes: Uint8Array, offset: number, length: number): string {
  let hex = '0x';
  for (let i = offset; i < offset + length; i++) hex += BYTE_TO_HEX[bytes[i] as number];
  return hex;
}

/**
 * Writes the bytes of an 0x-prefixed hex text (either case) to `target` from `offset` on.
 * @returns false, with nothing promised about the target, unless the text has exactly `length` bytes.
 */
export function writeHex(text: string, target: Uint8Array, offset: number, length: number): boolean {
  if (text.length !== 2 + 2 * length || !text.startsWith('0x')) return false;
  for (let i = 0; i < length; i++) {
    const high = NIBBLE[text.charCodeAt(2 + 2 * i)] ?? -1;
    const low = NIBBLE[text.charCodeAt(3 + 2 * i)] ?? -1;
    if (high < 0 || low < 0) return false;
    target[offset + i] = (high << 4) | low;
  }
  return true;
}
