import { trippedBy } from '../../src/audit/check-breakers';
import { accountsOf, bookedAccounts, claimable } from '../../src/audit/check-claims';
import { recomputed } from '../../src/audit/check-recompute';
import type { Dossier } from '../../src/audit/dossier';
import { linesDigest } from '../../src/audit/row-digests';
import { canonicalJson } from '../../src/proofs/canonical-json';
import { buildClaimsTree } from '../../src/proofs/claims-tree';
import { SNAPSHOT_TABLES, snapshotDigest } from '../../src/proofs/digests';
import { type Hashes, sha256Hex } from '../../src/proofs/hashes';
import { providerFactsText } from '../../src/rulesets/1/facts';

/** What adversaries do to the parts of a dossier; `Writable` since they do. */
export type Forged = { -readonly [Key in keyof Dossier]: Dossier[Key] extends readonly string[] ? string[] : any };

/** Adversary 2: every digest that does not alter a published head is made to fit what stands in the dossier now. */
export function fitDigests(dossier: Forged, hashes: Hashes): void {
  const { snapshot, rows, header, result } = dossier;
  for (const table of SNAPSHOT_TABLES) {
    snapshot.tableDigests[table] = linesDigest(hashes, rows[table]);
    snapshot.rowCounts[table] = rows[table].length;
  }
  for (const chunk of snapshot.chunks) {
    for (const table of ['providers', 'capacity', 'performance'] as const) {
      chunk.digests[table] = linesDigest(hashes, rows[table]);
    }
  }
  snapshot.snapshotDigest = snapshotDigest(hashes, snapshot.tableDigests);
  header.snapshotDigest = snapshot.snapshotDigest;
  const content = JSON.parse(result.content);
  content.snapshotDigest = snapshot.snapshotDigest;
  content.pricesDigest = linesDigest(hashes, dossier.prices);
  content.payoutsDigest = linesDigest(
    hashes,
    dossier.payouts.map((line) => line.slice(0, line.lastIndexOf(','))),
  );
  result.content = canonicalJson(content);
  result.contentDigest = sha256Hex(hashes, result.content);
}

/** Adversary 3: the whole revision is settled again from the changed rows, and its chain entries are written anew. */
export function settleAnew(dossier: Forged, hashes: Hashes): void {
  const made = recomputed(structuredClone(dossier) as unknown as Dossier, hashes);
  dossier.snapshot.facts = providerFactsText(made.providerFacts);
  dossier.header.derivation = made.text;
  dossier.prices = [...made.prices];
  dossier.payouts = [...made.payouts];
  const content = JSON.parse(dossier.result.content);
  const { network } = made.derivation.measures;
  content.activeProviders = network.activeProviders;
  content.sum = made.sum.toString();
  content.unallocated = (made.derivation.pool - made.sum).toString();
  dossier.result.content = canonicalJson(content);
  dossier.result.unallocatedReason = made.unallocatedReason;
  const tripped = trippedBy(structuredClone(dossier) as unknown as Dossier, hashes);
  dossier.result.breakers = tripped;
  fitDigests(dossier, hashes);
  const digest = dossier.result.contentDigest;
  const decided = { askedBy: 'system', deadline: '', decision: 'released', decidedBy: 'system', reason: '' };
  dossier.approval.hold = tripped?.length === 0 ? null : { ...decided, contentDigest: digest, decidedDigest: digest };
  rewriteEntries(dossier, hashes);
  dossier.postings = ledgerOf(JSON.parse(dossier.result.content));
}

function rewriteEntries(dossier: Forged, hashes: Hashes): void {
  const [revision, claims] = dossier.entries.slice(-2);
  revision.entry = canonicalJson({
    ...JSON.parse(dossier.result.content),
    previousHead: JSON.parse(revision.entry).previousHead,
  });
  revision.head = sha256Hex(hashes, revision.entry);
  const after = bookedAccounts(dossier as unknown as Dossier, accountsOf(dossier.claims.before));
  const tree = buildClaimsTree(claimable(after), hashes.keccak256);
  const content = { ...JSON.parse(claims.entry), payees: tree.payees, total: tree.total.toString(), root: tree.root };
  claims.entry = canonicalJson({ ...content, previousHead: revision.head });
  claims.head = sha256Hex(hashes, claims.entry);
  // What follows was rewritten too.
  if (dossier.followedBy !== null) dossier.followedBy = claims.head;
  if (dossier.claims.stored !== null) {
    dossier.claims.stored = [...after].map(([payee, a]) => [payee, `${a.entitlement}`, `${a.cumulative}`]);
  }
}

function ledgerOf({ pool, sum, unallocated }: Record<string, string>) {
  return [
    { account: 'emission', amount: `-${pool}` },
    { account: 'providers', amount: sum },
    { account: 'treasury', amount: unallocated },
  ];
}
