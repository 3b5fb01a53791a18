import { open } from 'node:fs/promises';
import type { Witness } from '../../activities/dependencies';

/** Enough of the end of the file to find the lines of the last few publications again. */
const TAIL_BYTES = 16_384;

/**
 * The first witness outside the database: a line `epoch revision head` for every publication, appended to a file and
 * forced to disk. A database that is rolled back or rewritten no longer has a head that stands here.
 */
export function fileWitness(path: string): Witness {
  // One publication at a time: two networks settled by one worker share the file.
  let last: Promise<void> = Promise.resolve();
  return {
    publish(_network, epoch, revision, head) {
      const next = last.then(() => append(path, `${epoch} ${revision} ${head}\n`));
      last = next.catch(() => undefined);
      return next;
    },
  };
}

async function append(path: string, line: string): Promise<void> {
  const file = await open(path, 'a+', 0o644);
  try {
    const { size } = await file.stat();
    const length = Math.min(size, TAIL_BYTES);
    const { buffer } = await file.read(Buffer.alloc(length), 0, length, size - length);
    const tail = buffer.toString('utf8');
    // A retry after a crash between the append and its answer must not write the line again.
    if (tail.startsWith(line) || tail.includes(`\n${line}`)) return;
    // A line that a crash cut short stays as it is; the next one starts on its own line.
    await file.appendFile(tail === '' || tail.endsWith('\n') ? line : `\n${line}`);
    await file.datasync();
  } finally {
    await file.close();
  }
}
