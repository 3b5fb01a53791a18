import { canonicalJson } from '../proofs/canonical-json';
import { GENESIS_HEAD } from '../proofs/chain';
import { checkedContent } from '../proofs/contents';
import { type Hashes, sha256Hex } from '../proofs/hashes';
import { publishedEntry } from './check-digests';
import { requireSame } from './difference';
import type { ChainLink, Dossier } from './dossier';
import { contentOf } from './records';

const provenLinks = new WeakSet<ChainLink>();

/**
 * `chain`: every entry from the oldest that was read to the claims of this revision hashes to its head and names the
 * head before it; what follows names theirs. Where the first entry is the chain's first, its previous head is none.
 */
export function checkChain(dossier: Dossier, hashes: Hashes): string {
  const { entries, followedBy } = dossier;
  const { index } = publishedEntry(dossier);
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
  const { previousHead, ...content } = JSON.parse(link.entry) as Record<string, unknown>;
  checkedContent(content);
  requireSame(place, 'entry', link.entry, canonicalJson({ ...content, previousHead }));
  requireSame(place, 'head', link.head, sha256Hex(hashes, link.entry));
  provenLinks.add(link);
}

const placeOf = (link: ChainLink) => ({ table: 'chain_entry', row: String(link.position) });
