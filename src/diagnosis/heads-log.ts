import { readFile } from 'node:fs/promises';
import { compareHeads, databaseBehind } from '../audit/missing-heads';
import { readWitness, type WitnessedHead } from '../audit/witness';
import type { Queryable } from '../store/pool';

/** How the heads of a `heads.log` stand to the database. */
export interface HeadsLogStanding {
  readonly file: string;
  readonly heads: number;
  readonly last: WitnessedHead;
  /** In no chain of the database; a worker settles nothing as long as there is one. */
  readonly missing: readonly WitnessedHead[];
}

/** @param most the last heads of the file, and no more. null: it has none, or is not there */
export async function headsLogStanding(
  db: Queryable,
  file: string,
  most = Number.POSITIVE_INFINITY,
): Promise<HeadsLogStanding | null> {
  const witnessed = readWitness(await textOf(file));
  const heads = witnessed.slice(-Math.min(most, witnessed.length));
  const last = heads.at(-1);
  if (last === undefined) return null;
  const { missing } = await compareHeads(db, heads);
  return { file, heads: heads.length, last, missing };
}

/**
 * For commands that pay or close on the strength of what the database has, as a worker compares before it settles.
 * @throws StoreError `DatabaseBehind` if a head of the file is in no chain of the database
 */
export async function requireHeads(db: Queryable, file: string): Promise<void> {
  const standing = await headsLogStanding(db, file);
  const [first] = standing?.missing ?? [];
  if (first !== undefined) throw databaseBehind(file, first, standing!.missing.length);
}

async function textOf(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return '';
    throw error;
  }
}
