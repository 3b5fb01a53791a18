import type { Hashes } from '../proofs/hashes';
import { sha256Hex } from '../proofs/hashes';
import { payoutCells } from './check-recompute';
import { Mismatch, NO_ROW, requireSame, requireSameJson } from './difference';
import { type Dossier, rowOf } from './dossier';
import { contentOf } from './records';
import { linesDigest } from './row-digests';

/** `digests`: the stored prices and payouts have the published digests, and the content is the published one. */
export function checkDigests(dossier: Dossier, hashes: Hashes): string {
  const { result } = dossier;
  const { entry, content, contentJson } = publishedEntry(dossier);
  const row = rowOf(dossier);
  requireSame({ table: 'price', row }, 'pricesDigest', linesDigest(hashes, dossier.prices), content.pricesDigest);
  const payouts = linesDigest(hashes, payoutCells(dossier));
  requireSame({ table: 'payout', row }, 'payoutsDigest', payouts, content.payoutsDigest);
  requireSameJson({ table: 'result', row }, 'content', JSON.parse(result.content), JSON.parse(contentJson));
  requireSame({ table: 'result', row }, 'content', result.content, contentJson);
  const digest = sha256Hex(hashes, contentJson);
  requireSame({ table: 'result', row }, 'content_digest', result.contentDigest, digest);
  requireSame({ table: 'chain_entry', row }, 'network', content.network, dossier.network);
  return `content ${digest}${entry.head === '' ? '' : ` under head ${entry.head}`}`;
}

/** The chain entry of the dossier's revision. @throws Error if the chain does not have it */
export function publishedEntry({ entries, epoch, revision }: Dossier) {
  for (let index = entries.length - 1; index >= 0; index -= 1) {
    const entry = entries[index]!;
    const found = contentOf(entry);
    const { kind } = found.content;
    if (kind === 'revision' && found.content.epoch === epoch && found.content.revision === revision) {
      return { entry, index, ...found };
    }
  }
  const row = entries.at(-2)?.position ?? 0;
  const recomputed = `the revision ${epoch}/${revision}`;
  throw new Mismatch({
    table: 'chain_entry',
    row: String(row),
    column: 'entry',
    stored: entries.at(-2)?.entry ?? NO_ROW,
    recomputed,
  });
}
