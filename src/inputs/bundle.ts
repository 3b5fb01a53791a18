import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { BundleError } from './refusals';
import { INPUT_TABLES, type InputTable, type InputTableName } from './tables';

/** An input bundle: a folder with the seven files of spec §3, each plain or gzipped, found but not read yet. */
export interface Bundle {
  readonly folder: string;
  readonly files: Readonly<Record<InputTableName, BundleFile>>;
  /** Other CSV files in the folder, by name: not read. Tell the user, in case one was meant to be. */
  readonly ignored: readonly string[];
}

export interface BundleFile {
  /** As it is called in the folder; refused rows are reported under this name. */
  readonly name: string;
  readonly path: string;
  readonly gzipped: boolean;
  /** Size in the folder, so gzipped if the file is. */
  readonly bytes: number;
}

/**
 * Finds the seven files of a bundle, each as `NAME.csv` or `NAME.csv.gz`.
 *
 * Other files may lie beside them, but not a CSV whose name contains that of a table (`capacity-2.csv`,
 * `Capacity.csv`): it was most likely meant to be loaded, and rows left out silently would be wrong payouts.
 *
 * @throws BundleError `bundle-not-found`, `bundle-file-missing`, `bundle-file-twice`, `bundle-file-unknown`,
 *   `bundle-file-unreadable`.
 */
export async function openBundle(folder: string): Promise<Bundle> {
  const { files, ignored } = await filesIn(folder);
  const missing = INPUT_TABLES.find(({ name }) => files[name] === undefined);
  if (missing !== undefined) throw fileMissing(folder, missing.file, ignored);
  return { folder, files: files as Bundle['files'], ignored };
}

/** The files of a bundle that a folder has, however many. @throws BundleError as `openBundle`, but for missing files */
export async function filesIn(
  folder: string,
): Promise<{ readonly files: Partial<Bundle['files']>; readonly ignored: Bundle['ignored'] }> {
  const names = (await namesIn(folder)).filter((name) => !name.startsWith('.'));
  const expected = new Set(INPUT_TABLES.flatMap(({ file }) => [file, `${file}.gz`]));
  const others = names.filter((name) => /\.csv(\.gz)?$/i.test(name) && !expected.has(name)).sort();
  const stray = others.find((name) => INPUT_TABLES.some((table) => name.toLowerCase().includes(table.name)));
  if (stray !== undefined) throw fileUnknown(folder, stray);
  const files: Partial<Record<InputTableName, BundleFile>> = {};
  for (const table of INPUT_TABLES) {
    const file = await fileOf(folder, table, names);
    if (file !== null) files[table.name] = file;
  }
  return { files, ignored: others };
}

async function namesIn(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (cause) {
    throw new BundleError('bundle-not-found', {
      what: `There is no input bundle here: ${(cause as Error).message}.`,
      where: folder,
      todo: `give the folder that holds ${INPUT_TABLES.map(({ file }) => file).join(', ')}.`,
      cause,
    });
  }
}

async function fileOf(folder: string, { file }: InputTable, names: readonly string[]): Promise<BundleFile | null> {
  const found = [file, `${file}.gz`].filter((name) => names.includes(name));
  const name = found[0];
  if (name === undefined) return null;
  if (found.length > 1) throw fileTwice(folder, file);
  const path = join(folder, name);
  return { name, path, gzipped: name.endsWith('.gz'), bytes: await sizeOf(name, path) };
}

async function sizeOf(name: string, path: string): Promise<number> {
  let problem = 'it is no regular file';
  try {
    const status = await stat(path);
    if (status.isFile()) return status.size;
  } catch (cause) {
    problem = (cause as Error).message;
  }
  throw new BundleError('bundle-file-unreadable', {
    what: `${name} cannot be read: ${problem}.`,
    where: path,
    todo: 'put a readable file in its place.',
  });
}

function fileMissing(folder: string, file: string, others: readonly string[]): BundleError {
  const hint = others.length === 0 ? '' : ` (not one of the seven: ${others.join(', ')})`;
  return new BundleError('bundle-file-missing', {
    what: `The input bundle has no ${file} or ${file}.gz${hint}.`,
    where: folder,
    todo: `add ${file}; a table without rows is a file with its header alone.`,
  });
}

function fileTwice(folder: string, file: string): BundleError {
  return new BundleError('bundle-file-twice', {
    what: `The input bundle has both ${file} and ${file}.gz, and they need not be the same.`,
    where: folder,
    todo: 'remove one of them.',
  });
}

function fileUnknown(folder: string, name: string): BundleError {
  return new BundleError('bundle-file-unknown', {
    what: `${name} is none of the seven files of an input bundle, but is named like one.`,
    where: folder,
    todo: `rename it to ${INPUT_TABLES.map(({ file }) => file).join(', ')} as meant, merge it into that, or move it away.`,
  });
}
