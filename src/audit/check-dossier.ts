import type { Hashes } from '../proofs/hashes';
import { checkBreakers } from './check-breakers';
import { checkChain } from './check-chain';
import { checkClaims } from './check-claims';
import { checkDigests } from './check-digests';
import { checkGuards } from './check-guards';
import { checkLedger } from './check-ledger';
import { checkPolicy } from './check-policy';
import { checkRecompute } from './check-recompute';
import { checkRows } from './check-rows';
import { checkSecond } from './check-second';
import type { Dossier } from './dossier';
import { type CheckName, type CheckOutcome, checked } from './outcomes';
import type { Hashes as SecondHashes } from './second/digests';

type DossierCheck = (dossier: Dossier, hashes: Hashes) => string;

const DOSSIER_CHECKS: readonly (readonly [CheckName, DossierCheck])[] = [
  ['rows', checkRows],
  ['policy', checkPolicy],
  ['recompute', checkRecompute],
  ['second', (dossier, hashes) => checkSecond(dossier, secondHashes(hashes))],
  ['guards', checkGuards],
  ['breakers', checkBreakers],
  ['digests', checkDigests],
  ['chain', checkChain],
  ['claims', checkClaims],
  ['ledger', checkLedger],
];

/** Every check that needs nothing but the dossier, in the order of {@link CHECKS}. */
export function checkDossier(dossier: Dossier, hashes: Hashes): readonly CheckOutcome[] {
  return [...dossierOutcomes(dossier, hashes)];
}

/** The same one by one, for a caller that does something else between two checks. */
export function* dossierOutcomes(dossier: Dossier, hashes: Hashes): Generator<CheckOutcome> {
  for (const [name, run] of DOSSIER_CHECKS) yield checked(name, dossier, () => run(dossier, hashes));
}

const HEX_OF_BYTE = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));

/** The second implementation takes hash functions from bytes to hex. */
function secondHashes(hashes: Hashes): SecondHashes {
  return {
    sha256: (bytes) => {
      const stream = hashes.sha256();
      stream.update(bytes);
      return stream.digestHex();
    },
    keccak256: (bytes) => Array.from(hashes.keccak256(bytes), (byte) => HEX_OF_BYTE[byte]).join(''),
  };
}
