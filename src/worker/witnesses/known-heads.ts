import { type FileHandle, open } from 'node:fs/promises';
import { compareHeads, databaseBehind, keepNewest } from '../../audit/missing-heads';
import { readWitness, type WitnessedHead } from '../../audit/witness';
import type { Queryable } from '../../store/pool';
import { type HeadPlace, placesOfHeads } from '../../store/witness-cursors';

/** Read and compared in one go: some 13,000 lines. */
const PIECE_BYTES = 1 << 20;
/** A line is 70 bytes and more: these tell whether the file is still the one that was read. */
const MARK_BYTES = 256;

/** How far a file was read, whose lines up to there were all found in the database. */
interface Known {
  /** Up to the end of a line. */
  readonly bytes: number;
  /** The bytes before that place. */
  readonly mark: Buffer;
  readonly lines: number;
  /** Of each network the last head of its chain among those lines. Every other one stands before it in that chain. */
  readonly newest: ReadonlyMap<string, HeadPlace>;
}

const NOTHING: Known = { bytes: 0, mark: Buffer.alloc(0), lines: 0, newest: new Map() };

/**
 * Compares `heads.log` with the chains of a database. A line that was found once is not asked for again as long as the
 * newest of its network stands: what is set back loses the end of its chains first. So it costs one look at the file and
 * one query for a head of each network, and a query for what was appended since; all of the file where it begins, or
 * where the newest is gone.
 */
export class KnownHeads {
  private known = NOTHING;

  /** @param onAnew the file or the database is not what it was: nothing that was known of them counts any more */
  constructor(
    private readonly path: string,
    private readonly onAnew: () => void,
  ) {}

  /** @throws StoreError `DatabaseBehind`: what is missing, and what to do */
  async compare(db: Queryable): Promise<void> {
    const file = await openIfThere(this.path);
    if (file === null) return this.anew();
    try {
      const before = this.known;
      const same = (await goesOnFrom(file, before)) && (await stand(db, before));
      if (!same) this.anew();
      // Over what another call has found meanwhile: at worst some lines are looked for twice.
      this.known = await this.readOn(db, file, same ? before : NOTHING);
    } finally {
      await file.close();
    }
  }

  private anew(): void {
    this.known = NOTHING;
    this.onAnew();
  }

  /** Reads to the end. The last line counts if it is whole, and is read again: its end may have been cut off. */
  private async readOn(db: Queryable, file: FileHandle, from: Known): Promise<Known> {
    let { bytes, mark, lines } = from;
    const newest = new Map(from.newest);
    let first: WitnessedHead | null = null;
    let count = 0;
    for (;;) {
      const piece = await bytesAt(file, bytes, PIECE_BYTES);
      const end = piece.lastIndexOf(0x0a) + 1;
      const last = piece.length < PIECE_BYTES;
      const text = (last ? piece : piece.subarray(0, end)).toString('latin1');
      const offset = lines;
      const witnessed = readWitness(text).map((one) => ({ ...one, line: offset + one.line }));
      const compared = await compareHeads(db, witnessed);
      first ??= compared.missing[0] ?? null;
      count += compared.missing.length;
      for (const place of compared.newest.values()) keepNewest(newest, place);
      // A megabyte without the end of a line is nothing that we wrote.
      const taken = end > 0 || last ? end : piece.length;
      bytes += taken;
      mark = Buffer.concat([mark, piece.subarray(0, taken)]).subarray(-MARK_BYTES);
      lines += text.split('\n').length - 1;
      if (last) break;
    }
    if (first !== null) throw databaseBehind(this.path, first, count);
    return { bytes, mark: Buffer.from(mark), lines, newest };
  }
}

async function openIfThere(path: string): Promise<FileHandle | null> {
  try {
    return await open(path, 'r');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}

/** Whether the file still has, before the place that was read up to, what it had there. */
async function goesOnFrom(file: FileHandle, { bytes, mark }: Known): Promise<boolean> {
  return mark.equals(await bytesAt(file, bytes - mark.length, mark.length));
}

/** Whether the newest heads are where they were. */
async function stand(db: Queryable, { newest }: Known): Promise<boolean> {
  if (newest.size === 0) return true;
  const wanted = [...newest.values()];
  const places = await placesOfHeads(
    db,
    wanted.map(({ head }) => head),
  );
  const heads = new Set(places.map(({ head }) => head));
  return wanted.every(({ head }) => heads.has(head));
}

/** So many bytes from a place on, fewer at the end of the file. */
async function bytesAt(file: FileHandle, position: number, count: number): Promise<Buffer> {
  const buffer = Buffer.alloc(count);
  let read = 0;
  while (read < count) {
    const { bytesRead } = await file.read(buffer, read, count - read, position + read);
    if (bytesRead === 0) break;
    read += bytesRead;
  }
  return buffer.subarray(0, read);
}
