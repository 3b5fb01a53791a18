import type { RevisionContent } from '../proofs/contents';
import type { TrippedBreaker } from '../rulesets/1/records';
import { requireRows } from '../store/archives';
import { findEntry, newestRevision } from '../store/chain';
import { type ComputationKey, priceRows } from '../store/computations';
import { type Correction, countCorrections, listCorrections } from '../store/corrections';
import {
  type Dispute,
  type DisputeKey,
  disputeBehind,
  disputeOfRevision,
  findProposal,
  getDispute,
} from '../store/disputes';
import {
  type ChangeTotals,
  changeTotals,
  largestPayoutChanges,
  type PayoutChange,
  payoutChanges,
} from '../store/payout-changes';
import type { Queryable } from '../store/pool';
import { findResult } from '../store/results';
import { epochsBuiltOn } from '../store/superseded';
import { QueryError } from './errors';

/** What of a payout moved, in the order of its computation. */
export const MOVED = ['reason', 'performance', 'gross', 'cap', 'scale'] as const;
export type Moved = (typeof MOVED)[number];

/** What can be said of a change without looking at rates and rows: which of its lines differ. */
export function movedLines({ before, after }: PayoutChange): readonly Moved[] {
  const differs: Readonly<Record<Moved, boolean>> = {
    reason: before?.reason !== after?.reason,
    performance: before?.multiplier !== after?.multiplier,
    gross: before?.gross !== after?.gross,
    cap: (before?.capCut ?? '0') !== (after?.capCut ?? '0'),
    scale: (before?.scaleCut ?? '0') !== (after?.scaleCut ?? '0'),
  };
  return MOVED.filter((line) => differs[line]);
}

/** A market whose price or rate differs; a pinned revision has none. */
export interface PriceMove {
  readonly market: string;
  /** USD per unit-hour. */
  readonly priceBefore: string;
  readonly priceAfter: string;
  /** Scaled base units per micro-unit-hour (spec §7). */
  readonly rateBefore: string;
  readonly rateAfter: string;
}

/** Two computations of one epoch compared, all that does not grow with providers. */
export interface RevisionChanges {
  readonly from: ComputationKey;
  readonly to: ComputationKey;
  readonly contentBefore: RevisionContent;
  readonly contentAfter: RevisionContent;
  readonly totals: ChangeTotals;
  readonly topMovers: readonly PayoutChange[];
  readonly prices: readonly PriceMove[];
}

/** Why a revision is there: its dispute, and the rows that it corrects. */
export interface Grounds {
  readonly dispute: Dispute;
  readonly corrections: readonly Correction[];
  /** All of them, by table. */
  readonly counts: Awaited<ReturnType<typeof countCorrections>>;
}

export interface DisputePreview extends Grounds {
  /** null: nothing is computed yet, or it failed. */
  readonly changes: RevisionChanges | null;
  readonly contentDigest: string | null;
  /** What breakers would have said: information only. */
  readonly wouldTrip: readonly TrippedBreaker[];
  /** Published epochs that read the disputed revision: they keep what they were settled on. */
  readonly builtOn: readonly number[];
}

export interface RevisionDiff {
  readonly changes: RevisionChanges;
  /** Of every revision after the first of the two, up to the second. */
  readonly grounds: readonly Grounds[];
}

const TOP_MOVERS = 10;
const CORRECTIONS_SHOWN = 100;
const PAGE = 5_000;

/** Everything there is to know of a dispute before it is decided, from its rows. */
export async function previewDispute(db: Queryable, key: DisputeKey): Promise<DisputePreview> {
  const dispute = await getDispute(db, key);
  const { network, epoch, baseRevision: revision, baseComputation: computation } = dispute;
  const base = { network, epoch, revision, computation };
  const proposal = await findProposal(db, key);
  const proposed = proposal === null ? null : { ...base, ...proposal };
  return {
    ...(await groundsOf(db, dispute)),
    changes: proposed === null ? null : await compare(db, base, proposed),
    contentDigest: proposal?.contentDigest ?? null,
    wouldTrip: proposal?.wouldTrip ?? [],
    builtOn: await epochsBuiltOn(db, network, epoch, revision),
  };
}

/** What changed between two published revisions of an epoch, and why. `to`: null: the newest. */
export async function diffRevisions(
  db: Queryable,
  network: string,
  epoch: number,
  from: number,
  to: number | null,
): Promise<RevisionDiff> {
  const before = await publishedKey(db, network, epoch, from);
  const after = await publishedKey(db, network, epoch, to);
  const grounds: Grounds[] = [];
  for (let revision = Math.min(before.revision, after.revision) + 1; ; revision += 1) {
    if (revision > Math.max(before.revision, after.revision)) break;
    const dispute = await disputeOfRevision(db, network, epoch, revision);
    if (dispute !== null) grounds.push(await groundsOf(db, dispute));
  }
  return { changes: await compare(db, before, after), grounds };
}

/** All changed payouts by provider, page by page. */
export async function* eachPayoutChange({
  db,
  from,
  to,
}: {
  readonly db: Queryable;
  readonly from: ComputationKey;
  readonly to: ComputationKey;
}): AsyncGenerator<PayoutChange> {
  for (let after: string | null = null; ; ) {
    const page: readonly PayoutChange[] = await payoutChanges(db, from, to, after, PAGE);
    yield* page;
    if (page.length < PAGE) return;
    after = page.at(-1)!.provider;
  }
}

async function groundsOf(db: Queryable, dispute: Dispute): Promise<Grounds> {
  const { network, epoch, baseRevision, baseComputation } = dispute;
  const base = await disputeBehind(db, network, epoch, baseRevision, baseComputation);
  return {
    dispute,
    corrections: await listCorrections(db, dispute, base, CORRECTIONS_SHOWN),
    counts: await countCorrections(db, dispute),
  };
}

async function compare(db: Queryable, from: ComputationKey, to: ComputationKey): Promise<RevisionChanges> {
  await requireRows(db, from.epoch, from.epoch);
  const [before, after] = [await findResult(db, from), await findResult(db, to)];
  if (before === null || after === null) throw new RangeError(`epoch ${from.epoch} has no checked results to compare`);
  return {
    from,
    to,
    contentBefore: JSON.parse(before.content) as RevisionContent,
    contentAfter: JSON.parse(after.content) as RevisionContent,
    totals: await changeTotals(db, from, to),
    topMovers: await largestPayoutChanges(db, from, to, TOP_MOVERS),
    prices: await priceMoves(db, from, to),
  };
}

async function priceMoves(db: Queryable, from: ComputationKey, to: ComputationKey): Promise<PriceMove[]> {
  const then = new Map((await priceRows(db, from)).map((row) => [row.market, row]));
  return (await priceRows(db, to)).flatMap(({ market, price, rate }) => {
    const before = then.get(market);
    if (before === undefined || (before.price === price && before.rate === rate)) return [];
    return [{ market, priceBefore: before.price, priceAfter: price, rateBefore: before.rate, rateAfter: rate }];
  });
}

async function publishedKey(
  db: Queryable,
  network: string,
  epoch: number,
  revision: number | null,
): Promise<ComputationKey> {
  const newest = await newestRevision(db, network, epoch);
  const entry = revision === null ? newest : await findEntry(db, network, epoch, revision, 'revision');
  if (entry !== null) return { network, epoch, revision: entry.revision, computation: entry.computation };
  throw new QueryError('revision-unknown', {
    what:
      newest === null ? `Epoch ${epoch} is not published.` : `Epoch ${epoch} has no published revision ${revision}.`,
    where: `network ${network}, epoch ${epoch}`,
    todo:
      newest === null
        ? `see \`settle epoch show ${epoch}\` for how it stands.`
        : `ask for one of its revisions, 1 to ${newest.revision}.`,
  });
}
