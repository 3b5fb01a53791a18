import { randomUUID } from 'node:crypto';
import { access, link, open, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { ExportError } from './errors';

/**
 * Files that are there whole or not at all: written under a temporary name, synced, and moved to their own. Whoever
 * looks into the folder never sees half of one, and nothing is replaced that was not meant to be.
 */

export interface DraftFile {
  readonly path: string;
  /** In the target folder, since a file can only be moved whole within one file system. */
  readonly temporary: string;
}

export function draftFile(path: string): DraftFile {
  return { path, temporary: join(dirname(path), `.${basename(path)}.${randomUUID()}.tmp`) };
}

/**
 * Writes a text to a file of its own.
 * @throws ExportError `export-exists` unless `force`, `export-not-written`
 */
export async function writeWhole(path: string, text: string, force: boolean): Promise<void> {
  const draft = draftFile(path);
  if (!force) await refuseExisting(path);
  try {
    await onDisk(path, async () => {
      const file = await open(draft.temporary, 'wx');
      try {
        await file.writeFile(text, 'utf8');
        await file.sync();
      } finally {
        await file.close();
      }
    });
    await moveWhole(draft, force);
  } finally {
    await rm(draft.temporary, { force: true });
  }
  await syncFolder(dirname(path));
}

/** Moves a finished draft to its name; with `force` in place of what is there. */
export function moveWhole(draft: DraftFile, force: boolean): Promise<void> {
  return onDisk(draft.path, () => (force ? rename(draft.temporary, draft.path) : place(draft)));
}

/** Moves a draft to its name unless something is there. A link refuses that in one step; a rename would replace it. */
async function place({ temporary, path }: DraftFile): Promise<void> {
  try {
    await link(temporary, path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST') throw exists(path);
    if (code !== 'EPERM' && code !== 'ENOTSUP' && code !== 'ENOSYS') throw error;
    // A file system without hard links: look, then rename.
    await refuseExisting(path);
    await rename(temporary, path);
  }
}

/** @throws ExportError `export-exists` */
export async function refuseExisting(path: string): Promise<void> {
  try {
    await access(path);
  } catch {
    return;
  }
  throw exists(path);
}

function exists(path: string): ExportError {
  return new ExportError('export-exists', {
    what: 'There is such a file already, and it was left as it is.',
    where: path,
    todo: 'choose another folder, or say --force to replace it.',
  });
}

/** Makes the new names durable. */
export function syncFolder(folder: string): Promise<void> {
  return onDisk(folder, async () => {
    const handle = await open(folder, 'r');
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
  });
}

/** Runs a step; what the disk refused becomes an error that says where and what to do. */
export async function onDisk<T>(where: string, step: () => Promise<T>): Promise<T> {
  try {
    return await step();
  } catch (cause) {
    if (cause instanceof ExportError) throw cause;
    throw new ExportError('export-not-written', {
      what: `The export could not be written: ${(cause as Error).message}.`,
      where,
      todo: 'check the folder, its rights and the free space, then export again.',
      cause,
    });
  }
}
