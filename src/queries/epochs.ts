import type { ClaimsContent, RevisionContent } from '../proofs/contents';
import { epochTimes, instantText } from '../rulesets/1/calendar';
import type { Policy } from '../rulesets/1/policy';
import type { TrippedBreaker } from '../rulesets/1/records';
import { newestPublishedEpoch } from '../store/chain';
import type { ComputationKey } from '../store/computations';
import { type EpochReport, type EpochState, epochReport, epochReports, recordedEpochs } from '../store/epoch-reports';
import { getNetwork, type Network } from '../store/networks';
import type { Queryable } from '../store/pool';
import { builtOnSuperseded, type OutdatedHistory } from '../store/superseded';
import { QueryError } from './errors';
import { readPolicy } from './policies';

/** An epoch in a list. Amounts in base units, prices in USD. */
export interface EpochSummary {
  readonly epoch: number;
  readonly state: EpochState;
  readonly start: string;
  readonly revision: number | null;
  /** null: no revision to take it from. */
  readonly token: { readonly symbol: string; readonly decimals: number } | null;
  readonly pool: string | null;
  readonly sum: string | null;
  readonly unallocated: string | null;
  readonly unallocatedReason: 'rounding' | 'unspent' | null;
  readonly activeProviders: number | null;
  readonly payouts: number | null;
  readonly growthPhase: string | null;
  readonly tokenPrice: string | null;
  readonly breakers: readonly TrippedBreaker[];
  readonly failure: string | null;
  readonly failureReason: string | null;
  /** When it was published, failed, held or sealed, whichever is its state. */
  readonly since: string | null;
  readonly holdDeadline: string | null;
  readonly holdOverdue: boolean;
  readonly askedBy: string | null;
  /** What it was settled on that the chain says otherwise by now: it keeps that (spec §8, §10). */
  readonly outdated: readonly OutdatedHistory[];
  readonly contentDigest: string | null;
  readonly head: string | null;
  readonly claimsRoot: string | null;
}

export interface EpochSelection {
  readonly first: number | null;
  readonly last: number | null;
  readonly states: readonly EpochState[] | null;
  /** The newest so many of the selection; null: all. */
  readonly newest: number | null;
}

/** Epochs of which anything is recorded, oldest first. */
export async function listEpochs(
  db: Queryable,
  network: string,
  selection: EpochSelection,
): Promise<readonly EpochSummary[]> {
  const calendar = await getNetwork(db, network);
  const recorded = await recordedEpochs(db, network);
  if (recorded === null) return [];
  const first = Math.max(recorded.first, selection.first ?? 0);
  const last = Math.min(recorded.last, selection.last ?? recorded.last);
  const { newest, states } = selection;
  // Epochs follow each other without holes, so the newest few of all states lie in as many numbers.
  const from = newest === null || states !== null ? first : Math.max(first, last - newest + 1);
  const reports = await epochReports(db, network, from, last, states);
  const outdated = await builtOnSuperseded(db, network, from, last);
  const summaries: EpochSummary[] = [];
  for (const report of newest === null ? reports : reports.slice(-newest)) {
    const own = outdated.filter(({ epoch }) => epoch === report.epoch);
    summaries.push(summaryOf(calendar, report, await policyOf(db, report), own));
  }
  return summaries;
}

/** One epoch with the policy that settles it and its times. */
export interface EpochDetail {
  readonly summary: EpochSummary;
  readonly policy: { readonly name: string; readonly hash: string } | null;
  readonly end: string;
  readonly inputDeadline: string | null;
  readonly sealedAt: string | null;
  readonly content: RevisionContent | null;
  readonly claims: ClaimsContent | null;
}

export async function epochDetail(db: Queryable, network: string, epoch: number): Promise<EpochDetail> {
  const calendar = await getNetwork(db, network);
  const report = await requireReport(db, calendar, epoch);
  const content = contentOf(report);
  const policy = await policyOf(db, report);
  const times = policy === null ? null : epochTimes(policy.epoch, epoch);
  const endSeconds = calendar.genesisSeconds + (epoch + 1) * calendar.lengthSeconds;
  return {
    summary: summaryOf(calendar, report, policy, await builtOnSuperseded(db, network, epoch, epoch)),
    policy: policy === null || content === null ? null : { name: policy.name, hash: content.policyHash },
    end: instantText(endSeconds),
    inputDeadline: times === null ? null : instantText(times.deadlineSeconds),
    sealedAt: report.sealedAt,
    content,
    claims: claimsOf(report),
  };
}

/** The revision of an epoch that has results: the published one, or the one on hold. */
export interface SettledEpoch {
  readonly key: ComputationKey;
  readonly report: EpochReport;
  readonly content: RevisionContent;
  readonly claims: ClaimsContent | null;
  readonly policy: Policy;
}

/** @throws QueryError `epoch-unknown`, or `epoch-without-results` saying how the epoch stands instead */
export async function settledEpoch(db: Queryable, network: string, epoch: number): Promise<SettledEpoch> {
  const report = await requireReport(db, await getNetwork(db, network), epoch);
  const content = contentOf(report);
  if (content === null || report.revision === null || report.computation === null) {
    throw new QueryError('epoch-without-results', {
      what: `Epoch ${epoch} has no prices and payouts: it ${standsWords(report)}.`,
      where: `network ${network}, epoch ${epoch}`,
      todo: 'see `settle epoch list` for the epochs that are published.',
    });
  }
  return {
    key: { network, epoch, revision: report.revision, computation: report.computation },
    report,
    content,
    claims: claimsOf(report),
    policy: await readPolicy(db, content.policyHash),
  };
}

// Epoch numbers are 32-bit in the database.
const LAST_EPOCH = 2_147_483_647;

/** The last published epoch. @throws QueryError `nothing-published` */
export async function lastPublishedEpoch(db: Queryable, network: string): Promise<number> {
  await getNetwork(db, network);
  const newest = await newestPublishedEpoch(db, network, LAST_EPOCH);
  if (newest !== null) return newest;
  throw new QueryError('nothing-published', {
    what: 'No epoch of this network is published yet.',
    where: `network ${network}`,
    todo: 'run `settle epoch run`, or see `settle status` for what it waits for.',
  });
}

async function requireReport(db: Queryable, calendar: Network, epoch: number): Promise<EpochReport> {
  const report = await epochReport(db, calendar.network, epoch);
  if (report !== null) return report;
  const recorded = await recordedEpochs(db, calendar.network);
  const there =
    recorded === null ? 'none has been closed yet' : `the epochs ${recorded.first} to ${recorded.last} have records`;
  const inside = epoch >= calendar.firstEpoch && epoch <= (calendar.lastEpoch ?? epoch);
  throw new QueryError('epoch-unknown', {
    what: inside
      ? `Nothing is recorded of epoch ${epoch} yet; ${there}.`
      : `Epoch ${epoch} is not in the calendar, which has ${calendarWords(calendar)}; ${there}.`,
    where: `network ${calendar.network}`,
    todo: inside ? 'see `settle status` for when it is due.' : 'see `settle epoch list` for its epochs.',
  });
}

const calendarWords = ({ firstEpoch, lastEpoch }: Network): string =>
  lastEpoch === null ? `epochs from ${firstEpoch} on` : `the epochs ${firstEpoch} to ${lastEpoch}`;

function standsWords(report: EpochReport): string {
  if (report.state === 'failed') return `failed with ${report.failure} (${report.failureReason})`;
  return 'is sealed and not computed to its end';
}

function contentOf(report: EpochReport): RevisionContent | null {
  return report.content === null ? null : (JSON.parse(report.content) as RevisionContent);
}

async function policyOf(db: Queryable, report: EpochReport): Promise<Policy | null> {
  const content = contentOf(report);
  return content === null ? null : readPolicy(db, content.policyHash);
}

function claimsOf(report: EpochReport): ClaimsContent | null {
  return report.claims === null ? null : (JSON.parse(report.claims) as ClaimsContent);
}

const SINCE: Readonly<Record<EpochState, 'publishedAt' | 'failedAt' | 'heldSince' | 'sealedAt'>> = {
  published: 'publishedAt',
  failed: 'failedAt',
  held: 'heldSince',
  open: 'sealedAt',
};

function summaryOf(
  calendar: Network,
  report: EpochReport,
  policy: Policy | null,
  outdated: readonly OutdatedHistory[],
): EpochSummary {
  const content = contentOf(report);
  return {
    epoch: report.epoch,
    state: report.state,
    start: instantText(calendar.genesisSeconds + report.epoch * calendar.lengthSeconds),
    revision: report.revision,
    token: policy === null ? null : policy.token,
    pool: content?.pool ?? null,
    sum: content?.sum ?? null,
    unallocated: content?.unallocated ?? null,
    unallocatedReason: report.unallocatedReason,
    activeProviders: content?.activeProviders ?? null,
    payouts: report.payoutCount,
    growthPhase: content?.growthPhase ?? null,
    tokenPrice: content?.tokenPrice ?? null,
    breakers: report.breakers,
    failure: report.state === 'failed' ? report.failure : null,
    failureReason: report.state === 'failed' ? report.failureReason : null,
    since: report[SINCE[report.state]],
    holdDeadline: report.state === 'held' ? report.holdDeadline : null,
    holdOverdue: report.holdOverdue,
    askedBy: report.state === 'held' ? report.askedBy : null,
    outdated,
    contentDigest: report.contentDigest,
    head: report.claimsHead ?? report.revisionHead,
    claimsRoot: claimsOf(report)?.root ?? null,
  };
}
