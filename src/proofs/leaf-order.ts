/**
 * Sorts 32-byte hashes where they lie, one after the other in one array: no object and no second array, since trees
 * are built of as many leaves as there are payees. Byte by byte from the front (American flag sort): records are
 * swapped into the 256 buckets of their first byte, each bucket likewise by the next one, and short ones by insertion.
 */

export const HASH_BYTES = 32;

const HASH_WORDS = HASH_BYTES / 4;
const BUCKETS = 256;
// Below this, comparing neighbours beats counting 256 buckets.
const SHORT = 32;

/** Sorts the hashes of `bytes`, whose offset in its buffer must be a multiple of 4, by bytes, the highest first. */
export function sortHashesDescending(bytes: Uint8Array): void {
  const words = new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
  sortRange(bytes, words, 0, bytes.length / HASH_BYTES, 0);
}

/** Sorts the hashes from `start` to before `end`, which agree in the bytes before `place`. */
function sortRange(bytes: Uint8Array, words: Uint32Array, start: number, end: number, place: number): void {
  if (place === HASH_BYTES) return;
  if (end - start < SHORT) {
    insertionSort(bytes, words, start, end);
    return;
  }
  const bucketOf = (hash: number) => BUCKETS - 1 - bytes[HASH_BYTES * hash + place]!;
  const ends = new Uint32Array(BUCKETS);
  for (let hash = start; hash < end; hash++) ends[bucketOf(hash)]! += 1;
  const next = new Uint32Array(BUCKETS);
  let sum = start;
  for (let bucket = 0; bucket < BUCKETS; bucket++) {
    next[bucket] = sum;
    sum += ends[bucket]!;
    ends[bucket] = sum;
  }
  for (let bucket = 0; bucket < BUCKETS; bucket++) {
    while (next[bucket]! < ends[bucket]!) {
      const hash = next[bucket]!;
      const home = bucketOf(hash);
      if (home !== bucket) swap(words, hash, next[home]!);
      next[home]! += 1;
    }
  }
  for (let bucket = 0, from = start; bucket < BUCKETS; from = ends[bucket]!, bucket++) {
    sortRange(bytes, words, from, ends[bucket]!, place + 1);
  }
}

function insertionSort(bytes: Uint8Array, words: Uint32Array, start: number, end: number): void {
  for (let hash = start + 1; hash < end; hash++) {
    for (let at = hash; at > start && compareHashes(bytes, at - 1, bytes, at) < 0; at--) swap(words, at - 1, at);
  }
}

function swap(words: Uint32Array, a: number, b: number): void {
  for (let i = 0; i < HASH_WORDS; i++) {
    const word = words[HASH_WORDS * a + i]!;
    words[HASH_WORDS * a + i] = words[HASH_WORDS * b + i]!;
    words[HASH_WORDS * b + i] = word;
  }
}

/** Compares hash number `a` of one array with number `b` of another, by bytes: negative, 0 or positive. */
export function compareHashes(left: Uint8Array, a: number, right: Uint8Array, b: number): number {
  for (let i = 0; i < HASH_BYTES; i++) {
    const difference = left[HASH_BYTES * a + i]! - right[HASH_BYTES * b + i]!;
    if (difference !== 0) return difference;
  }
  return 0;
}
