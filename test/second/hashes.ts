import { createHash } from 'node:crypto';
import { createKeccak, type IHasher } from 'hash-wasm';
import type { Hashes } from '../../src/audit/second/digests';

let hasher: IHasher;

/** To be awaited before keccak256 is used: the hash function is WebAssembly. */
export async function loadHashes(): Promise<Hashes> {
  hasher = await createKeccak(256);
  return {
    sha256: (bytes) => createHash('sha256').update(bytes).digest('hex'),
    keccak256: (bytes) => hasher.init().update(bytes).digest('hex'),
  };
}
