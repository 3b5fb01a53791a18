import { createHash } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { canonicalJson } from '../proofs/canonical-json';
import { ArchiveError } from './errors';
import { ARCHIVE_TABLES, RANGE_EPOCHS } from './tables';

export const MANIFEST_FILE = 'manifest.json';

const hex = z.string().regex(/^[0-9a-f]{64}$/);
const count = z.number().int().nonnegative();
const file = z.strictObject({ name: z.string().regex(/^[a-z]+\.csv\.gz$/), bytes: count, sha256: hex, rows: count });

const manifestSchema = z.strictObject({
  format: z.literal('settle-archive/1'),
  first: count,
  last: count,
  files: z.strictObject({ capacity: file, performance: file, payout: file }),
  epochs: z.array(
    z.strictObject({
      table: z.enum(ARCHIVE_TABLES),
      network: z.string(),
      epoch: count,
      rows: count,
      digest: hex,
      published: z.record(z.string(), hex),
    }),
  ),
});

/** What the files of an archive are. The same rows give the same manifest: it names nobody and no moment. */
export type Manifest = z.infer<typeof manifestSchema>;

export interface ReadManifest {
  readonly manifest: Manifest;
  /** As it stands in the file and in the database. */
  readonly text: string;
  /** SHA-256 of the text. */
  readonly hash: string;
}

/** The text of a manifest: canonical JSON, so that its hash names its content. */
export const manifestText = (manifest: Manifest): string => canonicalJson(manifest);

export const hashOf = (text: string): string => createHash('sha256').update(text, 'utf8').digest('hex');

/** Whether a folder is an archive. */
export async function isArchive(folder: string): Promise<boolean> {
  return stat(join(folder, MANIFEST_FILE)).then(
    (found) => found.isFile(),
    () => false,
  );
}

/** @throws ArchiveError `archive-missing`, `archive-altered` */
export async function readManifest(folder: string): Promise<ReadManifest> {
  const path = join(folder, MANIFEST_FILE);
  const text = await readFile(path, 'utf8').catch((cause: Error) => {
    throw new ArchiveError('archive-missing', {
      what: `There is no archive: ${cause.message}.`,
      where: folder,
      todo: 'name the folder that `settle archive` wrote; it holds manifest.json and three files.',
      cause,
    });
  });
  return { ...parseManifest(text, path), text };
}

/** @throws ArchiveError `archive-altered` */
export function parseManifest(text: string, where: string): { readonly manifest: Manifest; readonly hash: string } {
  const parsed = manifestSchema.safeParse(jsonOf(text));
  const range = parsed.success && parsed.data.last === parsed.data.first + RANGE_EPOCHS - 1;
  if (parsed.success && range) return { manifest: parsed.data, hash: hashOf(text) };
  throw new ArchiveError('archive-altered', {
    what: 'This is no manifest of an archive.',
    where,
    todo: 'bring the file as it was written: `settle archive list` has its SHA-256.',
  });
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
