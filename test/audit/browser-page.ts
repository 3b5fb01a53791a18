/** What a page that verifies bundles loads: the verification, and the hash functions that run in a browser. */
import { createKeccak, createSHA256 } from 'hash-wasm';
import { verifyBundle } from '../../src/audit/verify';
import type { Hashes } from '../../src/proofs/hashes';

async function webHashes(): Promise<Hashes> {
  const [sha256, keccak] = [await createSHA256(), await createKeccak(256)];
  return {
    sha256: () => {
      const parts: Uint8Array[] = [];
      return {
        update: (bytes) => {
          parts.push(bytes.slice());
        },
        digestHex: () => {
          sha256.init();
          for (const part of parts) sha256.update(part);
          return sha256.digest('hex');
        },
      };
    },
    keccak256: (bytes) => keccak.init().update(bytes).digest('binary'),
  };
}

/** Verifies the JSON text of a bundle. */
async function verify(text: string, head: string | null): Promise<string> {
  return JSON.stringify(verifyBundle(JSON.parse(text), await webHashes(), head));
}

Object.assign(globalThis, { verify });
