import { join } from 'node:path';
import type { Colors } from 'picocolors/types';
import { missingWords } from '../../audit/missing-heads';
import { headsLogStanding } from '../../diagnosis/heads-log';
import type { Queryable } from '../../store/pool';
import { safeText } from '../output';
import type { Fact } from './layout';

/** What a database that was set back lacks is among the last that was published; `settle doctor` compares every line. */
const LAST_HEADS = 1_000;

/** Why no worker of this home settles anything: heads of its `heads.log` are not in the database. null: they are. */
export async function databaseBehind(db: Queryable, home: string): Promise<string | null> {
  const standing = await headsLogStanding(db, join(home, 'heads.log'), LAST_HEADS);
  const [first] = standing?.missing ?? [];
  return first === undefined ? null : missingWords(standing!.file, first, standing!.missing.length);
}

/** The same as a line of a report. */
export function behindFact(missing: string | null, colors: Colors): Fact {
  if (missing === null) return null;
  const next = 'see "When the database is behind" in docs/operations.md';
  return ['not settled', `${colors.red('DatabaseBehind:')} ${safeText(missing)}; ${next}`];
}
