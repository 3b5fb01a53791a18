import { type FileHandle, open, readFile } from 'node:fs/promises';
import type { Pool } from 'pg';
import type { Witness } from '../../../activities/dependencies';
import { headsAfter } from '../../store/witness-cursors';
import { KnownHeads } from './known-heads';

/** Heads of the chain that are looked at in one go. */
const PIECE = 1_000;

/** The first witness, which is always there. */
export interface HeadsLog extends Witness {
  /** Adds what a run that died before its line left out. */
  catchUp(network: string): Promise<void>;
}

/**
 * The first witness outside the database: a line `epoch revision head` for every publication, appended to a file and
 * forced to disk. A database that is rolled back or rewritten no longer has a head that stands here. All networks of a
 * home share the file: a head is the hash of an entry that names its network, so it can stand in one chain only.
 *
 * The file is its own cursor. Each line is added after those of the publications before it that the file lacks, as far
 * as this process has not seen them in it yet: a run that ended between its claims and its line is mended by the next
 * publication of its network, or by the next start of a worker. Lines are only ever added: one of a head that the database
 * lost is the evidence for it.
 */
export function headsLog(path: string, pool: Pool): HeadsLog {
  const file = new HeadsFile(path);
  const seen = new Map<string, number>();
  // Another file lacks what this one had, and a chain that was set back has other heads at the positions that were seen.
  const known = new KnownHeads(path, () => seen.clear());
  // One at a time: several networks settled by one worker share the file.
  let last: Promise<void> = Promise.resolve();
  const catchUp = (network: string): Promise<void> => {
    const next = last.then(async () => {
      for (;;) {
        const heads = await headsAfter(pool, network, seen.get(network) ?? 0, PIECE);
        if (heads.length === 0) return;
        await file.add(heads.map(({ epoch, revision, head }) => `${epoch} ${revision} ${head}`));
        seen.set(network, heads.at(-1)!.position);
      }
    });
    last = next.catch(() => undefined);
    return next;
  };
  return { publish: (network) => catchUp(network), catchUp, compare: (db) => known.compare(db) };
}

/** Lines that stand in a file once. */
class HeadsFile {
  private lines: ReadonlySet<string> = new Set();
  /** Which file it was when its lines were read, and its bytes: another worker may have added some since. */
  private state = '';

  constructor(private readonly path: string) {}

  async add(lines: readonly string[]): Promise<void> {
    const file = await open(this.path, 'a+', 0o644);
    try {
      const text = (await stateOf(file)) === this.state ? null : await readFile(this.path, 'utf8');
      if (text !== null) this.lines = new Set(text.split('\n'));
      const missing = lines.filter((line) => !this.lines.has(line));
      if (missing.length > 0) {
        // A line that a crash cut short stays as it is; the next one starts on its own line.
        const cut = text !== null && text !== '' && !text.endsWith('\n');
        await file.appendFile(`${cut ? '\n' : ''}${missing.map((line) => `${line}\n`).join('')}`);
        await file.datasync();
        this.lines = new Set([...this.lines, ...missing]);
      }
      this.state = await stateOf(file);
    } finally {
      await file.close();
    }
  }
}

async function stateOf(file: FileHandle): Promise<string> {
  const { ino, size } = await file.stat();
  return `${ino} ${size}`;
}
