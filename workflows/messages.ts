import { defineQuery, defineSignal, defineUpdate } from '@temporalio/workflow';
import type { Closed, DisputeRef } from '../activities/contracts';
import type { MissingInput } from '../src/rulesets/1/sealing';

/** The task queue of all settlement work; several workers on several machines share it. */
export const TASK_QUEUE = 'settlement';

/** What the workflows are told and what they answer. Inputs carry references only: all else is read from rows. */

export interface SettleEpochInput {
  readonly network: string;
  readonly epoch: number;
  /** Names the row that says who asked, and for what. */
  readonly requestId: string;
  /** Workflow to tell where this one stands as soon as it has to wait; null: nobody waits. */
  readonly answerTo: string | null;
  /** Looks after which a run that waits continues as new; for tests, which have no time for a day. */
  readonly looksARun?: number;
}

export interface SettleDueEpochsInput {
  readonly network: string;
  readonly requestId: string;
  /** Last epoch that was asked for; null: all that are due. */
  readonly upTo: number | null;
  /** false: a person asked for a range; then a silent source is no reason to stop. */
  readonly stopWhenSilent: boolean;
  /** Epochs closed by the runs before this one, which continued as new. */
  readonly closedBefore?: number;
  /** Epochs after which a run continues as new; for tests, which have no time for a hundred. */
  readonly epochsARun?: number;
}

/** Where an epoch stands when its workflow ends, or starts to wait. */
export type EpochAnswer =
  | Closed
  | { readonly kind: 'held'; readonly epoch: number; readonly contentDigest: string }
  | { readonly kind: 'waiting'; readonly epoch: number; readonly missing: readonly MissingInput[] };

/** Why the loop of a network ended. */
export interface LoopAnswer {
  readonly reason: 'finished' | 'not-yet' | 'stalled' | 'held' | 'waiting' | 'running';
  readonly closed: number;
  /** The epoch that it ended at; null: there is nothing left. */
  readonly epoch: number | null;
}

/** The road of one epoch, in order; `gather` also covers waiting for inputs. */
export type Phase = 'gather' | 'seal' | 'derive' | 'reward' | 'check' | 'hold' | 'publish' | 'prove' | 'closed';

export interface EpochStatus {
  readonly epoch: number;
  readonly phase: Phase;
  /** In words: what it does or waits for. */
  readonly detail: string;
}

export const epochStatus = defineQuery<EpochStatus>('status');

export interface Decision {
  readonly contentDigest: string;
  readonly outcome: 'approved' | 'rejected';
}

/** Wakes a held epoch after a decision was recorded. Refused unless it names the content digest that is held. */
export const decide = defineUpdate<string, [Decision]>('decide');

/** An epoch's workflow tells the loop where it stands. */
export const answered = defineSignal<[EpochAnswer]>('answered');

export const loopStatus = defineQuery<{ readonly epoch: number | null; readonly closed: number }>('status');

/** Tells a waiting run that rows changed which concern it: it looks, and the rows decide. */
export const lookAgain = defineSignal('look-again');

export interface DisputeEpochInput extends DisputeRef {
  readonly requestId: string;
  /** Runs that waited for a decision before this one, which continued as new. */
  readonly runsBefore?: number;
  /** Looks after which a run that waits continues as new; for tests, which have no time for a day. */
  readonly looksARun?: number;
}

/** How a dispute's run ends. `open`: nobody decided for long; whoever decides starts it again. */
export type DisputeAnswer =
  | {
      readonly kind: 'published';
      readonly revision: number;
      readonly contentDigest: string;
      readonly head: string;
    }
  | { readonly kind: 'open' | 'rejected' | 'stale' | 'failed' };

export type DisputePhase =
  | 'correct'
  | 'derive'
  | 'reward'
  | 'check'
  | 'review'
  | 'publish'
  | 'prove'
  | 'tell'
  | 'closed';

export interface DisputeStatus extends DisputeRef {
  readonly phase: DisputePhase;
  /** In words: what it does or waits for. */
  readonly detail: string;
}

export const disputeStatus = defineQuery<DisputeStatus>('status');

/** Wakes a dispute in review after a decision was recorded. Refused unless it names the content digest under review. */
export const decideDispute = defineUpdate<string, [Decision]>('decide');
