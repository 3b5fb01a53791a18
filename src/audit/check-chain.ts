import { canonicalJson } from '../proofs/canonical-json';
import { GENESIS_HEAD } from '../proofs/chain';
import { checkedContent } from '../proofs/contents';
import { ProofError } from '../proofs/errors';
import { type Hashes, sha256Hex } from '../proofs/hashes';
import { publishedEntry } from './check-digests';
import { Mismatch, type Place, requireSame } from './difference';
import type { ChainLink, Dossier } from './dossier';
import { contentOf } from './records';

const provenLinks = new WeakSet<ChainLink>();

/**
 * `chain`: every entry from the oldest that was read to the claims of this revision hashes to its head and names the
 * head before it; what follows names theirs. Where the first entry is the chain's first, its previous head is none.
 */
export function checkChain(dossier: Dossier, hashes: Hashes): string {
  const { entries, followedBy } = dossier;
  entries.forEach((link, at) => {
    requireLink(link, hashes);
    const { previousHead } = contentOf(link);
    const before = entries[at - 1];
    const place = placeOf(link);
    if (before !== undefined) {
      requireSame(place, 'position', link.position, before.position + 1);
      requireSame(place, 'previous_head', previousHead, before.head);
    } else if (link.position === 1) {
      requireSame(place, 'previous_head', previousHead, GENESIS_HEAD);
    }
  });
  const { index } = publishedEntry(dossier);
  const claims = entries[index + 1];
  const { content } = contentOf(entries[index]!);
  const place = { table: 'chain_entry', row: claims ? placeOf(claims).row : `after ${entries[index]!.position}` };
  const kind = claims && contentOf(claims).content;
  requireSame(place, 'kind', kind?.kind ?? '(no row)', 'claims');
  requireSame(place, 'epoch', kind!.epoch, content.epoch);
  requireSame(place, 'revision', kind!.revision, content.revision);
  const last = entries.at(-1)!;
  if (followedBy !== null) {
    requireSame({ table: 'chain_entry', row: String(last.position + 1) }, 'previous_head', followedBy, last.head);
  }
  return `${entries.length} entries linked up to head ${last.head}`;
}

/** An entry is canonical JSON of a content, and its head the hash of it. */
function requireLink(link: ChainLink, hashes: Hashes): void {
  if (provenLinks.has(link)) return;
  const place = placeOf(link);
  // Before anything is read from it: an entry that was changed has another hash.
  requireSame(place, 'head', link.head, sha256Hex(hashes, link.entry));
  const { content, previousHead } = contentOf(link);
  requireValid(place, { ...content });
  requireSame(place, 'entry', link.entry, canonicalJson({ ...content, previousHead }));
  provenLinks.add(link);
}

/** @throws Mismatch naming the field that a content cannot have so (spec §9) */
function requireValid(place: Place, content: Readonly<Record<string, unknown>>): void {
  try {
    checkedContent(content);
  } catch (error) {
    if (!(error instanceof ProofError)) throw error;
    const field = String(error.where);
    const stored = field in content ? JSON.stringify(content[field]) : '(nothing)';
    throw new Mismatch({ ...place, column: `entry.${field}`, stored, recomputed: `as spec §9 has it: ${error.what}` });
  }
}

const placeOf = (link: ChainLink) => ({ table: 'chain_entry', row: String(link.position) });
