import { epochAt, epochTimes, instantText } from '../rulesets/1/calendar';
import type { Policy } from '../rulesets/1/policy';
import { tokenObservationOf } from '../rulesets/1/sealed-rows';
import { type MissingInput, missingInputs } from '../rulesets/1/sealing';
import { lastEntry, newestPublishedEpoch } from '../store/chain';
import { type DueEpoch, nextDueEpoch, SILENT_LIMIT } from '../store/due';
import { type Hold, openHolds } from '../store/holds';
import { getNetwork, type Network } from '../store/networks';
import { effectivePolicyHash, listEffectivePolicies } from '../store/policies';
import type { Queryable } from '../store/pool';
import { completeness, databaseClock, findSeal } from '../store/seals';
import { tokenLines } from '../store/snapshot-rows';
import { networkStanding } from '../store/standing';
import { type WitnessStanding, witnessStandings } from '../store/witness-cursors';
import { readPolicy } from './policies';
import { type WaitingDecision, waitingDecisions } from './waiting-decisions';

/** How a network stands. Instants are text `YYYY-MM-DDTHH:MM:SSZ`, by the database's clock. */
export interface NetworkStatus {
  readonly network: string;
  readonly now: string;
  readonly calendar: CalendarStatus;
  readonly policy: { readonly name: string; readonly hash: string; readonly fromEpoch: number };
  readonly counts: { readonly published: number; readonly failed: number; readonly held: number };
  readonly token: { readonly symbol: string; readonly decimals: number };
  /** Base units: paid in all published epochs. */
  readonly paidSum: string;
  readonly lastClosed: number | null;
  readonly lastPublished: number | null;
  readonly next: NextEpoch;
  readonly lateness: Lateness | null;
  readonly holds: readonly HoldStatus[];
  /** Those outside of the database that a worker was told to tell; `heads.log` is looked at by `settle doctor`. */
  readonly witnesses: readonly WitnessStanding[];
  /** What else a second person has to decide. */
  readonly decisions: readonly WaitingDecision[];
  readonly chain: {
    readonly position: number;
    readonly epoch: number;
    readonly head: string;
    readonly at: string;
  } | null;
}

interface CalendarStatus {
  readonly genesis: string;
  readonly lengthSeconds: number;
  /** Of the policy of the next epoch, or of the last one where all are closed. */
  readonly graceSeconds: number;
  readonly firstEpoch: number;
  readonly lastEpoch: number | null;
  /** The epoch of this moment; null: before genesis. */
  readonly current: number | null;
}

/** What comes next, what it waits for, and what a tick of the schedule does about it. */
interface NextEpoch {
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

interface Lateness {
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

export async function networkStatus(db: Queryable, name: string): Promise<NetworkStatus> {
  const network = await getNetwork(db, name);
  const { nowSeconds } = await databaseClock(db);
  const due = await nextDueEpoch(db, name, null, SILENT_LIMIT);
  const standing = await networkStanding(db, name);
  const policyEpoch = due.kind === 'finished' ? (due.lastClosed ?? network.firstEpoch) : due.epoch;
  const hash = await effectivePolicyHash(db, name, policyEpoch);
  const policy = await readPolicy(db, hash);
  const approvals = await listEffectivePolicies(db, name);
  const last = await lastEntry(db, name);
  return {
    network: name,
    now: instantText(nowSeconds),
    calendar: calendarStatus(network, policy, nowSeconds),
    policy: {
      name: policy.name,
      hash,
      fromEpoch: approvals.findLast(({ policyHash }) => policyHash === hash)?.fromEpoch ?? network.firstEpoch,
    },
    counts: {
      published: standing.published,
      failed: Object.values(standing.failed).reduce((sum, count) => sum + count, 0),
      held: standing.held,
    },
    token: policy.token,
    paidSum: standing.paidSum,
    lastClosed: standing.lastClosed,
    lastPublished: await newestPublishedEpoch(db, name, standing.lastClosed ?? 0),
    next: await nextEpoch(db, network, policy, due),
    lateness: latenessOf(network, policy, due, nowSeconds),
    holds: (await openHolds(db, name)).map(holdStatus),
    witnesses: await witnessStandings(db, name),
    decisions: await waitingDecisions(db, name),
    chain: last === null ? null : { position: last.position, epoch: last.epoch, head: last.head, at: last.publishedAt },
  };
}

function calendarStatus(network: Network, policy: Policy, nowSeconds: number): CalendarStatus {
  const { genesisSeconds, lengthSeconds, firstEpoch, lastEpoch } = network;
  const { graceSeconds } = policy.epoch;
  const genesis = instantText(genesisSeconds);
  return { genesis, lengthSeconds, graceSeconds, firstEpoch, lastEpoch, current: epochAt(network, nowSeconds) };
}

async function nextEpoch(db: Queryable, network: Network, policy: Policy, due: DueEpoch): Promise<NextEpoch> {
  if (due.kind === 'finished') {
    const schedule = 'nothing to do: every epoch of the calendar is closed';
    const none = { epoch: null, dueAt: null, inputDeadline: null, missing: [], sealed: false };
    return { kind: 'finished', ...none, schedule };
  }
  const { epoch } = due;
  const { sealSeconds, deadlineSeconds } = epochTimes(policy.epoch, epoch);
  const sealed = (await findSeal(db, network.network, epoch)) !== null;
  const missing = due.kind === 'due' && !sealed ? await missingNow(db, network.network, epoch, policy) : [];
  const kind = due.kind === 'due' && due.held ? 'held' : due.kind;
  const dueAt = instantText(sealSeconds);
  return {
    kind,
    epoch,
    dueAt,
    inputDeadline: instantText(deadlineSeconds),
    missing,
    sealed,
    schedule: scheduleWords(due, kind, dueAt, missing),
  };
}

/** What a tick does now, in words. */
function scheduleWords(
  due: Exclude<DueEpoch, { kind: 'finished' }>,
  kind: NextEpoch['kind'],
  dueAt: string,
  missing: readonly MissingInput[],
): string {
  const epoch = `epoch ${due.epoch}`;
  if (due.kind === 'stalled') {
    return `stops: ${due.closedInARow} epochs in a row had no inputs. Look at their source, then \`settle epoch run ${due.epoch}\``;
  }
  if (kind === 'not-yet') return `settles ${epoch} from ${dueAt} on`;
  if (kind === 'held')
    return `passes: ${epoch} waits for a person; once the hold has expired a tick closes it as failed`;
  if (missing.length > 0) return `looks at the inputs of ${epoch} again; at their deadline it goes on or fails`;
  return `settles ${epoch}, and then every epoch that is due`;
}

async function missingNow(
  db: Queryable,
  network: string,
  epoch: number,
  policy: Policy,
): Promise<readonly MissingInput[]> {
  const found = await completeness(db, network, epoch);
  const token = (await tokenLines(db, network, epoch)).map(tokenObservationOf);
  return missingInputs(policy, epoch, { capacityRows: found.capacityRows, token, performance: found });
}

/** null: no epoch is due that is not closed. The epochs behind the first are counted by its policy's grace. */
function latenessOf(network: Network, policy: Policy, due: DueEpoch, nowSeconds: number): Lateness | null {
  if (due.kind === 'finished' || due.kind === 'not-yet') return null;
  const seconds = nowSeconds - epochTimes(policy.epoch, due.epoch).sealSeconds;
  if (seconds < 0) return null;
  const waiting = (seconds - (seconds % network.lengthSeconds)) / network.lengthSeconds + 1;
  const left = network.lastEpoch === null ? waiting : network.lastEpoch - due.epoch + 1;
  return { epochs: Math.min(waiting, left), seconds };
}

function holdStatus(hold: Hold): HoldStatus {
  return {
    epoch: hold.epoch,
    revision: hold.revision,
    since: hold.heldAt,
    deadline: hold.deadline,
    overdue: hold.overdue,
    secondsLeft: hold.overdue ? 0 : hold.waitSeconds,
    askedBy: hold.askedBy,
    contentDigest: hold.contentDigest,
    breakers: hold.breakers,
  };
}
