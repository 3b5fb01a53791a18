/**
 * The hash functions that proofs are made with. They come in as arguments, so that the same code runs on the worker
 * (node:crypto, hash-wasm) and in the browser (hash-wasm), and a test can count what was hashed.
 */

/** One SHA-256 under way. `digestHex` ends it. */
interface Sha256Stream {
  update(bytes: Uint8Array): void;
  /** 64 lower-case hex digits. */
  digestHex(): string;
}

/** Keccak-256 as Ethereum uses it (not SHA3-256): 32 bytes. Neither keeps nor changes its input. */
export type Keccak256 = (bytes: Uint8Array) => Uint8Array;

export interface Hashes {
  /** Starts a new SHA-256. */
  readonly sha256: () => Sha256Stream;
  readonly keccak256: Keccak256;
}

const utf8 = new TextEncoder();

/** SHA-256 of the UTF-8 bytes of a text, as 64 lower-case hex digits. */
export function sha256Hex(hashes: Pick<Hashes, 'sha256'>, text: string): string {
  const stream = hashes.sha256();
  stream.update(utf8.encode(text));
  return stream.digestHex();
}
