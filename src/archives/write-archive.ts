import { createWriteStream } from 'node:fs';
import { mkdir, open, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { ArchiveError } from './errors';
import { MANIFEST_FILE, type Manifest, manifestText } from './manifest';
import { archiveLines, checkOf, type FileFound, fileOf, headerOf } from './read-archive';
import { ARCHIVE_TABLES, type ArchiveTable, archiveName, RANGE_EPOCHS } from './tables';

/** Lines of a table in their order, without check and end. */
export type ArchiveRows = (table: ArchiveTable) => AsyncIterable<readonly string[]>;

const PART = '.part';

/**
 * Writes the archive of a range to a folder of its own below `out`, and reads it back: the manifest says what is on the
 * disk. It is written beside its place, synced, and moved there whole.
 *
 * @throws ArchiveError `archive-exists`, `archive-not-written`
 */
export async function writeArchive(out: string, first: number, rows: ArchiveRows): Promise<string> {
  const name = archiveName(first);
  const draft = join(out, `.${name}${PART}`);
  return onDisk(join(out, name), async () => {
    // What a killed run left; whoever writes holds the range's lock.
    await rm(draft, { recursive: true, force: true });
    await mkdir(draft, { recursive: true });
    try {
      for (const table of ARCHIVE_TABLES) await writeTable(join(draft, fileOf(table)), table, rows(table));
      const manifest = await describeFiles(draft, first);
      await writeFile(join(draft, MANIFEST_FILE), manifestText(manifest));
      for (const file of await readdir(draft)) await sync(join(draft, file));
      await sync(draft);
      await rename(draft, join(out, name));
    } catch (error) {
      await rm(draft, { recursive: true, force: true });
      throw error;
    }
    await sync(out);
    return join(out, name);
  });
}

async function writeTable(path: string, table: ArchiveTable, rows: AsyncIterable<readonly string[]>): Promise<void> {
  async function* text(): AsyncGenerator<Buffer> {
    yield Buffer.from(`${headerOf(table)}\n`, 'latin1');
    for await (const lines of rows) {
      yield Buffer.from(lines.map((line) => `${line},${checkOf(line)}\n`).join(''), 'latin1');
    }
  }
  await pipeline(text(), createGzip(), createWriteStream(path, { flags: 'wx' }));
}

/** The manifest of the files in a folder, from what is in them. @throws ArchiveError */
async function describeFiles(folder: string, first: number): Promise<Manifest> {
  const found = {} as Record<ArchiveTable, FileFound>;
  for (const table of ARCHIVE_TABLES) {
    for await (const _ of archiveLines(folder, table, (file) => {
      found[table] = file;
    }));
  }
  const file = ({ epochs: _, ...one }: FileFound) => one;
  return {
    format: 'settle-archive/1',
    first,
    last: first + RANGE_EPOCHS - 1,
    files: { capacity: file(found.capacity), performance: file(found.performance), payout: file(found.payout) },
    epochs: ARCHIVE_TABLES.flatMap((table) => found[table].epochs.map((one) => ({ ...one }))),
  };
}

async function sync(path: string): Promise<void> {
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function onDisk<T>(where: string, step: () => Promise<T>): Promise<T> {
  try {
    return await step();
  } catch (cause) {
    const { code, syscall } = cause as NodeJS.ErrnoException;
    if (cause instanceof ArchiveError || syscall === undefined) throw cause;
    if (code === 'ENOTEMPTY' || code === 'EEXIST') {
      throw new ArchiveError('archive-exists', {
        what: 'A folder of that name is there already, and was left as it is.',
        where,
        todo: 'choose another folder with --out, or move it away.',
      });
    }
    throw new ArchiveError('archive-not-written', {
      what: `The archive could not be written: ${(cause as Error).message}.`,
      where,
      todo: 'check the folder, its rights and the free space, then run the same command again.',
      cause,
    });
  }
}
