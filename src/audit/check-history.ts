import { type Hashes, sha256Hex } from '../proofs/hashes';
import { requireSame } from './difference';
import type { Dossier } from './dossier';
import { requirePayloads } from './history-payloads';
import { Skipped } from './outcomes';
import { bundleHashOf } from './workflow-history';

/**
 * `history`, as far as the file goes: the archived history has its hash, and every activity input and result in it is
 * what the dossier's rows say. That the code would do the same again is shown by a replay, which needs the SDK.
 */
export function checkHistory(dossier: Dossier, hashes: Hashes): string {
  const { archive } = dossier;
  if (archive === null) throw new Skipped('no history of the run that published it is archived');
  const place = { table: 'history_archive', row: archive.runId };
  const { activities } = requirePayloads(dossier, JSON.parse(archive.json));
  requireSame(place, 'history_hash', archive.sha256, sha256Hex(hashes, archive.json));
  requireSame(place, 'bundle_hash', archive.bundleHash, bundleHashOf(archive.json));
  return `${activities} activities of run ${archive.runId} as the rows have them`;
}
