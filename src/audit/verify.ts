import type { Hashes } from '../proofs/hashes';
import { BundleUnreadable, unpackBundle } from './bundle';
import { checkDossier } from './check-dossier';
import { checkHistory } from './check-history';
import type { Dossier } from './dossier';
import { type CheckOutcome, checked, Skipped } from './outcomes';

/**
 * Verification of an audit bundle: a function of the file alone. It loads no Node module and opens nothing, so that a
 * page in a browser runs the same code; the hash functions come in as arguments.
 */

export interface Verification {
  readonly network: string;
  readonly epoch: number;
  readonly outcomes: readonly CheckOutcome[];
  readonly holds: boolean;
  /** true: it holds, and the head that was kept elsewhere is the one that it ends with. */
  readonly anchored: boolean;
  /** The head after its newest claims: what a witness should have. */
  readonly head: string;
  /** One sentence for people. */
  readonly verdict: string;
}

/**
 * Verifies the parsed JSON of an audit bundle.
 *
 * @param witnessed a head of the chain that was kept outside the database, 64 hex digits; null: there is none, and
 *   then a bundle whose every value, digest and head was made up in accord cannot be told from a true one
 * @throws BundleUnreadable for a file that is no bundle
 */
export function verifyBundle(value: unknown, hashes: Hashes, witnessed: string | null): Verification {
  const dossiers = unpackBundle(value);
  const last = dossiers.at(-1);
  if (last === undefined) throw new BundleUnreadable('the bundle has no revision');
  const head = last.entries.at(-1)?.head ?? '';
  const outcomes = dossiers.flatMap((dossier) => [
    ...checkDossier(dossier, hashes),
    checked('history', dossier, () => checkHistory(dossier, hashes)),
    checked('replay', dossier, () => notHere('a replay needs the workflow bundle and the SDK: see `settle audit`')),
    checked('audit-log', dossier, () => notHere('the audit log is in the database')),
  ]);
  outcomes.push(
    checked('witness', { epoch: last.epoch, revision: last.revision }, () => witnessedBy(last, head, witnessed)),
  );
  const holds = outcomes.every(({ outcome }) => outcome !== 'failed');
  const anchored = holds && witnessed !== null;
  return {
    network: last.network,
    epoch: last.epoch,
    outcomes,
    holds,
    anchored,
    head,
    verdict: verdictOf(holds, anchored),
  };
}

function notHere(why: string): never {
  throw new Skipped(why);
}

function witnessedBy(last: Dossier, head: string, witnessed: string | null): string {
  if (witnessed === null) throw new Skipped('no head was given that is known from elsewhere (--head HEX)');
  if (witnessed === head) return `the witnessed head ${witnessed} is the one after revision ${last.revision}`;
  const known = last.entries.find((link) => link.head === witnessed);
  throw new Error(
    known === undefined
      ? `the witnessed head ${witnessed} is not in this file, which ends with ${head}`
      : `the witnessed head ${witnessed} is that of position ${known.position}: what stands after it is not anchored; the file ends with ${head}`,
  );
}

function verdictOf(holds: boolean, anchored: boolean): string {
  if (!holds) return 'does not hold';
  return anchored
    ? 'holds, and is anchored in the witnessed head'
    : 'consistent in itself, not anchored: give a head that you know from elsewhere with --head';
}
