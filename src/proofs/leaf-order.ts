/**
 * Sorts 32-byte hashes that lie one after the other, without an object per hash. They are hashes, so their first four
 * bytes are spread evenly: two counting passes of 16 bits order nearly all of them, and only those that share the four
 * bytes (about a hundred pairs in a million) are compared in full.
 */

export const HASH_BYTES = 32;

const DIGIT_BITS = 16;
const DIGITS = 1 << DIGIT_BITS;

/** Indices of the first `count` hashes of `hashes`, by bytes, ascending. Costs 12 bytes a hash while it runs. */
export function ascendingHashes(hashes: Uint8Array, count: number): Uint32Array {
  const view = new DataView(hashes.buffer, hashes.byteOffset, hashes.byteLength);
  const keys = new Uint32Array(count);
  for (let i = 0; i < count; i++) keys[i] = view.getUint32(HASH_BYTES * i);
  const byLow = new Uint32Array(count);
  const order = new Uint32Array(count);
  for (let i = 0; i < count; i++) order[i] = i;
  countingPass(keys, 0, order, byLow);
  countingPass(keys, DIGIT_BITS, byLow, order);
  sortRuns(hashes, keys, order);
  return order;
}

/** One stable pass: writes the indices of `from` to `to`, ordered by the 16 bits of their key from `shift` on. */
function countingPass(keys: Uint32Array, shift: number, from: Uint32Array, to: Uint32Array): void {
  const next = new Uint32Array(DIGITS + 1);
  for (const key of keys) next[((key >>> shift) & (DIGITS - 1)) + 1]! += 1;
  for (let digit = 0; digit < DIGITS; digit++) next[digit + 1]! += next[digit]!;
  for (const index of from) {
    const digit = (keys[index]! >>> shift) & (DIGITS - 1);
    to[next[digit]!] = index;
    next[digit]! += 1;
  }
}

/** Orders each run of equal keys by the whole hash. */
function sortRuns(hashes: Uint8Array, keys: Uint32Array, order: Uint32Array): void {
  for (let start = 0; start < order.length; ) {
    let end = start + 1;
    while (end < order.length && keys[order[end]!] === keys[order[start]!]) end++;
    if (end - start > 1) order.subarray(start, end).sort((a, b) => compareHashes(hashes, a, b));
    start = end;
  }
}

/** Compares two hashes of one array, given by index, by bytes: negative, 0 or positive. */
export function compareHashes(hashes: Uint8Array, a: number, b: number): number {
  for (let i = 0; i < HASH_BYTES; i++) {
    const difference = hashes[HASH_BYTES * a + i]! - hashes[HASH_BYTES * b + i]!;
    if (difference !== 0) return difference;
  }
  return 0;
}
