import { StoreError } from '../store/errors';
import type { Queryable } from '../store/pool';
import { type HeadPlace, placesOfHeads } from '../store/witness-cursors';
import type { WitnessedHead } from './witness';

/** Heads that are asked for in one query. */
const PIECE = 10_000;

export interface Compared {
  /** Witnessed, and in no chain of the database for the epoch and revision that they were witnessed for. */
  readonly missing: readonly WitnessedHead[];
  /** The last head of each chain among those that were found. */
  readonly newest: ReadonlyMap<string, HeadPlace>;
}

/** Looks for witnessed heads in the chains of all networks: a head is of one network alone, whether it is said or not. */
export async function compareHeads(db: Queryable, witnessed: readonly WitnessedHead[]): Promise<Compared> {
  const missing: WitnessedHead[] = [];
  const newest = new Map<string, HeadPlace>();
  for (let from = 0; from < witnessed.length; from += PIECE) {
    const piece = witnessed.slice(from, from + PIECE);
    const places = await placesOfHeads(
      db,
      piece.map(({ head }) => head),
    );
    const byHead = new Map(places.map((place) => [place.head, place]));
    for (const one of piece) if (!standsAt(one, byHead.get(one.head))) missing.push(one);
    for (const place of places) keepNewest(newest, place);
  }
  return { missing, newest };
}

function standsAt({ network, epoch, revision }: WitnessedHead, place: HeadPlace | undefined): boolean {
  if (place === undefined || (network !== null && network !== place.network)) return false;
  return place.epoch === epoch && place.revision === revision;
}

export function keepNewest(newest: Map<string, HeadPlace>, place: HeadPlace): void {
  if ((newest.get(place.network)?.position ?? 0) < place.position) newest.set(place.network, place);
}

/** What is missing, in words: the first line with its number, and how many more. */
export function missingWords(file: string, first: WitnessedHead, count: number): string {
  const { line, epoch, revision, head } = first;
  const more = count === 1 ? '' : `, the first of ${count} such lines`;
  return `line ${line} of ${file} has head ${head} of epoch ${epoch} revision ${revision}, which was published and is in no chain of this database${more}`;
}

/** Why nothing goes on, and what to do. */
export function databaseBehind(file: string, first: WitnessedHead, count: number): StoreError {
  return new StoreError(
    'DatabaseBehind',
    `${missingWords(file, first, count)}: it was set back or rewritten, or belongs to another home. Nothing is settled, paid or closed. Restore a newer backup and the settlement goes on by itself; with another database use another SETTLE_HOME; after the loss was accepted, move the file aside as step 4 of "When the database is behind" in docs/operations.md says`,
  );
}
