import { stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { type BundleFile, filesIn } from './bundle';
import { readRows } from './read-table';
import { BundleError, type RefusedRow, refusedRowText } from './refusals';
import { INPUT_TABLES, type InputTable, type InputTableName } from './tables';

/**
 * The corrections of a dispute (spec §10): a folder with any of the seven files of a bundle, whose rows replace the
 * rows of the same key or are added, and a folder `withdraw` in it with files of the same names whose columns are the
 * key alone, for the rows to take away.
 */
export interface Corrections {
  readonly folder: string;
  readonly files: readonly CorrectionFile[];
  readonly ignored: readonly string[];
}

export interface CorrectionFile {
  readonly table: InputTableName;
  readonly kind: 'rows' | 'withdraw';
  /** As the user knows it: `capacity.csv`, `withdraw/capacity.csv`. */
  readonly name: string;
  readonly file: BundleFile;
}

/** One row of a corrections file, canonical. */
export interface CorrectionRow {
  readonly line: number;
  /** Key cells joined by commas. */
  readonly key: string;
  /** All cells joined by commas; null: the row is to be taken away. */
  readonly row: string | null;
}

const WITHDRAW = 'withdraw';

/** Finds the files. @throws BundleError also where there is none, or one that makes no sense */
export async function openCorrections(folder: string): Promise<Corrections> {
  const given = await filesIn(folder);
  const withdrawn = (await isFolder(join(folder, WITHDRAW))) ? await filesIn(join(folder, WITHDRAW)) : null;
  const files = [
    ...correctionFiles(given.files, 'rows'),
    ...(withdrawn === null ? [] : correctionFiles(withdrawn.files, 'withdraw')),
  ];
  if (withdrawn?.files.providers !== undefined) throw registryWithdrawn(folder);
  if (files.length === 0) throw nothingFound(folder);
  const ignored = [...given.ignored, ...(withdrawn?.ignored ?? []).map((name) => `${WITHDRAW}/${name}`)];
  return { folder, files, ignored };
}

/** Reads one file in batches, in constant memory. @throws BundleError `bundle-rows-refused` after the last batch */
export async function* readCorrections(
  { folder }: Corrections,
  { table: name, kind, file, name: shown }: CorrectionFile,
): AsyncGenerator<readonly CorrectionRow[], void, undefined> {
  const table = INPUT_TABLES.find((one) => one.name === name)!;
  const form = kind === 'rows' ? table : keyForm(table);
  const keyOf = (values: readonly string[]) =>
    kind === 'rows' ? table.key.map(({ index }) => values[index]).join(',') : values.join(',');
  for await (const rows of readRows(folder, { ...file, name: shown }, form)) {
    yield rows.map(({ line, values }) => ({
      line,
      key: keyOf(values),
      row: kind === 'rows' ? values.join(',') : null,
    }));
  }
}

/** The table with its key columns alone. */
function keyForm(table: InputTable): InputTable {
  return { ...table, columns: table.key.map(({ index }) => table.columns[index]!), checkRow: null };
}

function correctionFiles(
  files: Partial<Record<InputTableName, BundleFile>>,
  kind: CorrectionFile['kind'],
): CorrectionFile[] {
  return INPUT_TABLES.flatMap(({ name: table }) => {
    const file = files[table];
    if (file === undefined) return [];
    return [{ table, kind, file, name: kind === 'rows' ? file.name : `${WITHDRAW}/${file.name}` }];
  });
}

async function isFolder(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch {
    return false;
  }
}

function nothingFound(folder: string): BundleError {
  return new BundleError('bundle-not-found', {
    what: `${basename(folder)} has no corrections: none of ${INPUT_TABLES.map(({ file }) => file).join(', ')}, and no folder ${WITHDRAW} with one of them.`,
    where: folder,
    todo: `put the rows to replace or add into files of a bundle's names, and the keys of those to take away into ${WITHDRAW}/.`,
  });
}

function registryWithdrawn(folder: string): BundleError {
  return new BundleError('bundle-file-unknown', {
    what: 'A row of the registry cannot be withdrawn: a provider leaves an epoch with its capacity rows.',
    where: join(folder, WITHDRAW, 'providers.csv'),
    todo: `put its capacity rows into ${WITHDRAW}/capacity.csv, or give it another status in providers.csv.`,
  });
}

/** Reads all files without keeping a row, so that one run shows what is wrong with each of them. */
export async function checkCorrections(corrections: Corrections): Promise<void> {
  const refused: RefusedRow[] = [];
  let refusedInAll = 0;
  for (const file of corrections.files) {
    try {
      for await (const _ of readCorrections(corrections, file));
    } catch (error) {
      if (!(error instanceof BundleError) || error.id !== 'bundle-rows-refused') throw error;
      refused.push(...error.refused);
      refusedInAll += error.refusedInAll;
    }
  }
  if (refusedInAll > 0) throw correctionsRefused(corrections.folder, refused, refusedInAll);
}

/** The error for rows of a dispute that were refused. */
export function correctionsRefused(folder: string, refused: readonly RefusedRow[], refusedInAll: number): BundleError {
  const more = refusedInAll - refused.length;
  const lines = refused.map((row) => `\n  ${refusedRowText(row)}`).join('');
  return new BundleError('bundle-rows-refused', {
    what: `The corrections were refused, and no dispute was opened:${lines}${more > 0 ? `\n  and ${more} more` : ''}`,
    where: folder,
    todo: 'correct these lines and open the dispute again.',
    refused,
    refusedInAll,
  });
}
