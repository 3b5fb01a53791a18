import { epochTimes, instantText } from '../rulesets/1/calendar';
import type { Policy } from '../rulesets/1/policy';
import { tokenObservationOf } from '../rulesets/1/sealed-rows';
import { type MissingInput, missingInputs } from '../rulesets/1/sealing';
import { lastEntry } from '../store/chain';
import { type DueEpoch, lastClosedEpoch, nextDueEpoch } from '../store/due';
import { epochCounts, newestPublishedEpoch } from '../store/epoch-reports';
import { type Hold, openHolds } from '../store/holds';
import { getNetwork, type Network } from '../store/networks';
import { effectivePolicyHash } from '../store/policies';
import type { Queryable } from '../store/pool';
import { completeness, databaseClock, findSeal } from '../store/seals';
import { tokenLines } from '../store/snapshot-rows';
import { readPolicy } from './policies';

/** How a network stands. Instants are text `YYYY-MM-DDTHH:MM:SSZ`, by the database's clock. */
export interface NetworkStatus {
  readonly network: string;
  readonly now: string;
  readonly calendar: CalendarStatus;
  readonly policy: { readonly name: string; readonly hash: string; readonly fromEpoch: number };
  readonly counts: { readonly published: number; readonly failed: number; readonly held: number };
  readonly lastClosed: number | null;
  readonly lastPublished: number | null;
  readonly next: NextEpoch;
  readonly lateness: Lateness | null;
  readonly holds: readonly HoldStatus[];
  readonly chain: { readonly position: number; readonly epoch: number; readonly head: string; readonly at: string } | null;
}

export interface CalendarStatus {
  readonly genesis: string;
  readonly lengthSeconds: number;
  readonly graceSeconds: number;
  readonly firstEpoch: number;
  readonly lastEpoch: number | null;
  /** The epoch of this moment; null: before genesis. */
  readonly current: number | null;
}

/** What comes next, what it waits for, and what a tick of the schedule does about it. */
export interface NextEpoch {
  readonly kind: DueEpoch['kind'] | 'held';
  /** null: every epoch of the calendar is closed. */
  readonly epoch: number | null;
  /** End plus grace of the epoch: from then on it is sealed when complete. */
  readonly dueAt: string | null;
  /** At this instant it is sealed or fails. */
  readonly inputDeadline: string | null;
  /** Inputs that are not there yet; empty also where it is sealed already. */
  readonly missing: readonly MissingInput[];
  readonly sealed: boolean;
  readonly schedule: string;
}

export interface Lateness {
  /** Epochs that are due and not closed. */
  readonly epochs: number;
  /** Since the first of them was due. */
  readonly seconds: number;
}

export interface HoldStatus {
  readonly epoch: number;
  readonly revision: number;
  readonly since: string;
  readonly deadline: string;
  readonly overdue: boolean;
  readonly secondsLeft: number;
  readonly askedBy: string;
  readonly contentDigest: string;
  readonly breakers: Hold['breakers'];
}

/** How many epochs in a row the loop closes for lack of inputs before it stops (see activities/due). */
const SILENT_LIMIT = 24;

export async function networkStatus(db: Queryable, name: string): Promise<NetworkStatus> {
  const network = await getNetwork(db, name);
  const { nowSeconds } = await databaseClock(db);
  const due = await nextDueEpoch(db, name, null, SILENT_LIMIT);
  const lastClosed = await lastClosedEpoch(db, name);
  const holds = (await openHolds(db, name)).map(holdStatus);
  const policyEpoch = due.kind === 'finished' ? (due.lastClosed ?? network.firstEpoch) : due.epoch;
  const hash = await effectivePolicyHash(db, name, policyEpoch);
  const policy = await readPolicy(db, hash);
  const last = await lastEntry(db, name);
  return {
    network: name,
    now: instantText(nowSeconds),
    calendar: calendarStatus(network, nowSeconds),
    policy: { name: policy.name, hash, fromEpoch: await policyFrom(db, name, hash) },
    counts: { ...(await epochCounts(db, name)), held: holds.length },
    lastClosed,
    lastPublished: await newestPublishedEpoch(db, name),
    next: await nextEpoch(db, network, policy, due),
    lateness: latenessOf(network, due, nowSeconds),
    holds,
    chain: last === null ? null : { position: last.position, epoch: last.epoch, head: last.head, at: last.publishedAt },
  };
}
