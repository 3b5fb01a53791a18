import type { TrippedBreaker } from '../src/rulesets/1/records';
import type { MissingInput } from '../src/rulesets/1/sealing';
import type { PricesRow } from '../src/rulesets/1/tables';
import type { FailureName } from '../src/store/failures';

/**
 * What activities take and give: references, counts, digests, and the small market and price records. No provider
 * row ever enters a workflow's history, so its size does not depend on the number of providers.
 */

export interface EpochRef {
  readonly network: string;
  readonly epoch: number;
}

export interface ComputationRef extends EpochRef {
  readonly revision: number;
  readonly computation: number;
}

/** Who runs: named in the records, so that a row leads to the history that made it. */
export interface RunRef {
  readonly workflowId: string;
  readonly runId: string;
  readonly requestId: string;
}

export type Closed =
  | {
      readonly kind: 'published';
      readonly epoch: number;
      readonly revision: number;
      readonly contentDigest: string;
      readonly head: string;
    }
  | { readonly kind: 'failed'; readonly epoch: number; readonly failure: FailureName };

export type Gathered =
  | { readonly kind: 'closed'; readonly answer: Closed }
  /** Its hold was rejected or expired, and the run that was to close it is gone. */
  | { readonly kind: 'refused'; readonly failure: 'rejected' | 'expired'; readonly contentDigest: string }
  | Exclude<Judged, Complete>
  /** `inputs`: what was judged; null: they are sealed. */
  | (Complete & { readonly inputs: InputsState | null });

/** Which inputs were judged, and by what: as long as it is the same, so is the verdict. */
export interface InputsState {
  readonly policyHash: string;
  /** Loads of the network: every import is one, and none ever goes. */
  readonly loads: number;
}

/** What inputs are worth (spec §3, Sealing). */
export type Judged =
  /** Not complete yet; looked at again after `recheckSeconds`. */
  | { readonly kind: 'waiting'; readonly missing: readonly MissingInput[]; readonly recheckSeconds: number }
  | Complete
  /** Past the deadline without what it cannot do without. */
  | { readonly kind: 'incomplete'; readonly missing: readonly MissingInput[] };

/** Complete, or past the deadline with nothing but uptimes missing. */
export interface Complete {
  readonly kind: 'ready';
  readonly missing: readonly MissingInput[];
}

export interface Sealed {
  readonly policyHash: string;
  readonly snapshotDigest: string;
  readonly providers: number;
  readonly chunks: number;
}

export interface Derived {
  readonly key: ComputationRef;
  /** true: a run before this one got as far as the checks, and its result stands. */
  readonly checked: boolean;
  /** B in base units. */
  readonly pool: string;
  /** More would be earned than B at average performance: a guess, by which the reward step chooses its way. */
  readonly poolLikelyBinds: boolean;
  readonly historyDigest: string;
  readonly historyEpochs: number;
  /** Measures, prices and multipliers of each market, as published (spec §9). */
  readonly prices: readonly PricesRow[];
}

export interface Rewarded {
  readonly chunk: number;
  readonly providers: number;
  /** Sum of capped over the chunk, in base units. */
  readonly capped: string;
}

export interface Checked {
  readonly contentDigest: string;
  /** Base units. */
  readonly sum: string;
  readonly unallocated: string;
  readonly breakers: readonly TrippedBreaker[];
  /** null: nothing tripped, or the network lets holds through. */
  readonly hold: { readonly deadline: string; readonly waitSeconds: number } | null;
}

export type HoldState = 'open' | 'approved' | 'rejected' | 'expired' | 'superseded' | 'released';

export type Published =
  | {
      readonly kind: 'published';
      readonly contentDigest: string;
      readonly head: string;
      readonly already: boolean;
      /** Later epochs whose hold ended since they had read another history: their runs are told to look. */
      readonly recomputed: readonly number[];
    }
  /** What it read as history is not what is published below it any more: compute again (spec §8). */
  | { readonly kind: 'superseded' }
  | { readonly kind: 'closed'; readonly answer: Closed };

export interface Proved {
  readonly head: string;
  readonly root: string;
  readonly payees: number;
}

/** How many histories were archived. */
export interface Archived {
  readonly archived: number;
}

export interface DueQuestion {
  readonly network: string;
  /** Last epoch that was asked for; null: up to the calendar's end, or the present. */
  readonly upTo: number | null;
  /** false for a range that a person asked for: then silence of the sources is no reason to stop. */
  readonly stopWhenSilent: boolean;
}

/** A dispute of an epoch that is published. */
export interface DisputeRef extends EpochRef {
  readonly dispute: number;
}

export interface Corrected {
  readonly snapshotDigest: string;
  readonly providers: number;
  readonly chunks: number;
}

/** Whose runs are told to look after a dispute's publication, as the rows say whenever they are asked. */
export interface Concerned {
  /** Later epochs whose hold ended since they had read another history. */
  readonly recomputed: readonly number[];
  /** Disputes that the publication ended, or whose history it changed. */
  readonly disputes: readonly DisputeRef[];
}

/**
 * Where a dispute stands for its run: `open` waits for a person; `recompute`: the history that a full derivation read
 * is not the chain's any more.
 */
export type DisputeStanding =
  | { readonly state: 'open' | 'approved' | 'rejected' | 'stale' | 'failed' | 'recompute' }
  | ({ readonly state: 'published'; readonly key: ComputationRef; readonly contentDigest: string } & Concerned);

export type DisputePublished =
  | (Extract<Published, { readonly kind: 'published' }> & Concerned)
  | { readonly kind: 'superseded' }
  /** Another revision of the epoch was published first. */
  | { readonly kind: 'stale' };
