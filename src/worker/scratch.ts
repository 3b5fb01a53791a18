import { createHash } from 'node:crypto';
import { open, read, write } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Scratch } from '../../activities/dependencies';

/** Room for what the largest epoch earns: twenty million providers, some fifty bytes each. */
const LIMIT_BYTES = 1024 ** 3;

const [openFile, readAt, writeAt] = [promisify(open), promisify(read), promisify(write)];

interface Kept {
  readonly at: number;
  readonly length: number;
  readonly digest: string;
}

/**
 * Scratch in one file that has no name, so that it is gone with the process, however that ends. What is read back has
 * the digest of what was written, or is not given: an overwritten place, a full disk and a hand in the file all cost a
 * second reading of the rows and nothing else.
 */
export function scratchFile(limitBytes = LIMIT_BYTES, parent = tmpdir()): Scratch {
  const kept = new Map<string, Kept>();
  let opened: Promise<number> | null = null;
  let end = 0;

  function reserve(name: string, bytes: Uint8Array): number {
    if (kept.size === 0 || end + bytes.length > limitBytes) {
      // What others left behind is not waited for: whoever wants it reads its rows again.
      kept.clear();
      end = 0;
    }
    const at = end;
    end += bytes.length;
    kept.set(name, { at, length: bytes.length, digest: digestOf(bytes) });
    return at;
  }

  return {
    async keep(name, bytes) {
      if (bytes.length > limitBytes) return;
      try {
        opened ??= openNameless(parent);
        const file = await opened;
        const at = reserve(name, bytes);
        await writeAt(file, bytes, 0, bytes.length, at);
      } catch {
        // No room on the disk: nothing is kept, and nothing is lost.
        kept.delete(name);
      }
    },
    async take(name) {
      const one = kept.get(name);
      if (one === undefined || opened === null) return null;
      kept.delete(name);
      const bytes = Buffer.allocUnsafe(one.length);
      const { bytesRead } = await readAt(await opened, bytes, 0, one.length, one.at);
      return bytesRead === one.length && digestOf(bytes) === one.digest ? bytes : null;
    },
  };
}

function digestOf(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** A descriptor that the process keeps until its end, as it does the scratch. */
async function openNameless(parent: string): Promise<number> {
  const folder = await mkdtemp(join(parent, 'settle-'));
  try {
    return await openFile(join(folder, 'scratch'), 'wx+', 0o600);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
