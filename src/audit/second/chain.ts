/** Contents, entries and heads of a network's chain (spec §9). */
import { type Claim, claimsRoot } from './claims';
import { documentDigest, type Hashes, type HashFunction } from './digests';

/** previousHead of a chain's first entry. */
export const FIRST_PREVIOUS_HEAD = '0'.repeat(64);

/** Content of a revision; amounts in base units and numbers as in canonical lines, hex without a prefix. */
export interface RevisionContent {
  readonly kind: 'revision';
  readonly network: string;
  readonly epoch: number;
  readonly revision: number;
  readonly ruleset: number;
  readonly policyHash: string;
  readonly snapshotDigest: string;
  readonly pricesDigest: string;
  readonly payoutsDigest: string;
  readonly activeProviders: number;
  readonly growthPhase: string;
  readonly tokenPrice: string;
  readonly tokenVolume: string;
  readonly macro: string;
  readonly pool: string;
  readonly sum: string;
  readonly unallocated: string;
}

/** Content of the claims entry that follows every revision. */
export interface ClaimsContent {
  readonly kind: 'claims';
  readonly network: string;
  readonly epoch: number;
  readonly revision: number;
  readonly payees: number;
  readonly total: string;
  readonly root: string;
}

/** SHA-256 of a content's canonical JSON. */
export function contentDigest(content: RevisionContent, sha256: HashFunction): string {
  return documentDigest(content, sha256);
}

/** The head after an entry: SHA-256 of the content with the head before it added as `previousHead`. */
export function headAfter(
  content: RevisionContent | ClaimsContent,
  previousHead: string,
  sha256: HashFunction,
): string {
  return documentDigest({ ...content, previousHead }, sha256);
}

/** The claims content of a revision. */
export function claimsContent(
  { network, epoch, revision }: Pick<RevisionContent, 'network' | 'epoch' | 'revision'>,
  claims: readonly Claim[],
  keccak256: HashFunction,
): ClaimsContent {
  const total = claims.reduce((before, { cumulative }) => before + cumulative, 0n);
  return {
    kind: 'claims',
    network,
    epoch,
    revision,
    payees: claims.length,
    total: total.toString(),
    root: claimsRoot(claims, keccak256),
  };
}

/** A published revision as it is claimed to be, with the claims that follow it. */
export interface PublishedRevision {
  readonly content: RevisionContent;
  readonly contentDigest: string;
  readonly previousHead: string;
  readonly head: string;
  readonly claims: readonly Claim[];
  readonly claimsContent: ClaimsContent;
  readonly claimsHead: string;
}

/** A figure that is not what the specification makes it. */
export interface Discrepancy {
  readonly check:
    | 'content-digest'
    | 'head'
    | 'claims-payees'
    | 'claims-total'
    | 'claims-root'
    | 'claims-epoch'
    | 'claims-head';
  readonly expected: string;
  readonly found: string;
}

/** Recomputes the digest, the chain links and the claims root of a revision; empty where all agree. */
export function checkRevision(published: PublishedRevision, hashes: Hashes): Discrepancy[] {
  const { content } = published;
  const claims = claimsContent(content, published.claims, hashes.keccak256);
  const found = published.claimsContent;
  const place = ({ network, epoch, revision }: ClaimsContent) => `${network}/${epoch}/${revision}`;
  const checks: Discrepancy[] = [
    {
      check: 'content-digest',
      expected: contentDigest(content, hashes.sha256),
      found: published.contentDigest,
    },
    {
      check: 'head',
      expected: headAfter(content, published.previousHead, hashes.sha256),
      found: published.head,
    },
    { check: 'claims-epoch', expected: place(claims), found: place(found) },
    { check: 'claims-payees', expected: String(claims.payees), found: String(found.payees) },
    { check: 'claims-total', expected: claims.total, found: found.total },
    { check: 'claims-root', expected: claims.root, found: found.root },
    {
      check: 'claims-head',
      expected: headAfter(claims, published.head, hashes.sha256),
      found: published.claimsHead,
    },
  ];
  return checks.filter(({ expected, found }) => expected !== found);
}
