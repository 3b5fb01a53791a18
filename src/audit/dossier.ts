import type { SnapshotTable } from '../proofs/digests';
import type { DerivationText } from '../rulesets/1/derivation-text';
import type { TrippedBreaker } from '../rulesets/1/records';

/**
 * Everything that one published revision rests on, as plain JSON: what an audit of the database and the verification
 * of a file both look at. Tables are canonical lines (spec §9) without line ends; amounts and decimals are text.
 */
export interface Dossier {
  readonly network: string;
  readonly epoch: number;
  readonly revision: number;
  readonly computation: number;
  /** First epoch of the network's calendar. */
  readonly firstEpoch: number;
  readonly policy: { readonly hash: string; readonly canonical: string };
  /** Policy that the seal names. */
  readonly sealedPolicyHash: string;
  /** The sealed rows, as the dispute behind the revision corrects them. */
  readonly rows: Readonly<Record<SnapshotTable, readonly string[]>>;
  readonly snapshot: DossierSnapshot;
  readonly header: DossierHeader;
  /** What it read as history, oldest first: exactly the epochs that `header.history` names. */
  readonly records: readonly PublishedRecord[];
  /** Older epochs that priced a market which none of `records` did, oldest first. */
  readonly older: readonly PublishedRecord[];
  /** The revision that this one follows; null: it is the first. */
  readonly base: DossierBase | null;
  readonly prices: readonly string[];
  /** Cells of the payouts table, and M4 (empty: not eligible). */
  readonly payouts: readonly string[];
  readonly result: DossierResult;
  /** The chain without a gap, from the oldest of `records` and `older` to the claims entry of this revision. */
  readonly entries: readonly ChainLink[];
  /** What the entry after them names as previous head; null: none follows, or it is not known here. */
  readonly followedBy: string | null;
  readonly claims: DossierClaims;
  readonly postings: readonly { readonly account: string; readonly amount: string }[];
  readonly approval: DossierApproval;
  /** Epochs below that were closed as failed. */
  readonly failedBelow: readonly number[];
  /** The history of the workflow run that published it; null: none is archived. */
  readonly archive: DossierArchive | null;
}

export interface DossierSnapshot {
  readonly snapshotDigest: string;
  readonly tableDigests: Readonly<Record<SnapshotTable, string>>;
  readonly rowCounts: Readonly<Record<SnapshotTable, number>>;
  readonly facts: unknown;
  readonly chunks: readonly {
    readonly after: string | null;
    readonly upTo: string | null;
    readonly providers: number;
    readonly digests: Readonly<Record<'providers' | 'capacity' | 'performance', string>>;
  }[];
}

export interface DossierHeader {
  readonly ruleset: number;
  readonly policyHash: string;
  readonly snapshotDigest: string;
  readonly historyDigest: string;
  readonly history: readonly (readonly [epoch: number, revision: number, contentDigest: string])[];
  readonly previousEpoch: number | null;
  readonly derivation: DerivationText;
  readonly dispute: number;
}

/** A published revision as history reads it. */
export interface PublishedRecord {
  readonly epoch: number;
  readonly revision: number;
  /** Its chain entry, canonical JSON. */
  readonly entry: string;
  readonly prices: readonly string[];
}

export interface DossierBase extends PublishedRecord {
  readonly computation: number;
  readonly derive: 'pinned' | 'full';
  readonly derivation: DerivationText;
  readonly historyDigest: string;
  /** Cells of its payouts table, and M4. */
  readonly payouts: readonly string[];
}

export interface DossierResult {
  readonly content: string;
  readonly contentDigest: string;
  readonly breakers: readonly TrippedBreaker[];
  readonly wouldTrip: readonly TrippedBreaker[];
  readonly unallocatedReason: string;
  readonly payoutCount: number;
}

export interface ChainLink {
  readonly position: number;
  readonly entry: string;
  readonly head: string;
}

export interface DossierClaims {
  /** Of the providers of this revision and the one before it that are not among its sealed providers. */
  readonly otherPayees: Readonly<Record<string, string>>;
  /** Per payee before this revision: entitlement and cumulative amount. */
  readonly before: readonly ClaimState[];
  /** What the database still keeps of the state after it; null: it was dropped, as it can be derived. */
  readonly stored: readonly ClaimState[] | null;
}

export type ClaimState = readonly [payee: string, entitlement: string, cumulative: string];

export interface DossierApproval {
  readonly hold: {
    readonly contentDigest: string;
    readonly askedBy: string;
    readonly deadline: string;
    readonly decision: string | null;
    readonly decidedDigest: string | null;
    readonly decidedBy: string | null;
    readonly reason: string | null;
  } | null;
  readonly dispute: {
    readonly openedBy: string;
    readonly reason: string;
    readonly decision: string | null;
    readonly decidedDigest: string | null;
    readonly decidedBy: string | null;
    readonly decidedReason: string | null;
  } | null;
}

export interface DossierArchive {
  readonly workflowId: string;
  readonly runId: string;
  /** Of `json`. */
  readonly sha256: string;
  readonly json: string;
  /** SHA-256 of the workflow bundle that the run names; null: it names none. */
  readonly bundleHash: string | null;
}

/** How messages name the revision. */
export const rowOf = ({ epoch, revision }: Pick<Dossier, 'epoch' | 'revision'>): string => `${epoch}/${revision}`;
