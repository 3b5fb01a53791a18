import { heartbeat } from '@temporalio/activity';
import type { PoolClient } from 'pg';
import { parseAmount, parseScaled } from '../src/numbers/amounts';
import type { Amount, NanoRatio } from '../src/numbers/units';
import { canonicalJson } from '../src/proofs/canonical-json';
import type { RevisionContent } from '../src/proofs/contents';
import { contentDigest, digestOfRows, snapshotDigest } from '../src/proofs/digests';
import {
  type BreakerFigures,
  breakers,
  conservation,
  type GuardViolation,
  multiplierBounds,
  priceBounds,
} from '../src/rulesets/1/checks';
import { revisionContent } from '../src/rulesets/1/content';
import { type DerivationText, parseDerivation } from '../src/rulesets/1/derivation-text';
import type { TrippedBreaker } from '../src/rulesets/1/records';
import { cellsOf, PRICES_COLUMNS, PRICES_KEY, type PricesRow } from '../src/rulesets/1/tables';
import { type ComputationHeader, getComputation, priceRows } from '../src/store/computations';
import { publishedBelow } from '../src/store/history';
import { endHold, findHold, insertHold } from '../src/store/holds';
import { lockNetwork } from '../src/store/networks';
import { type PayoutFigures, payoutFigures, payoutsDigest } from '../src/store/payouts';
import { beside, transaction } from '../src/store/pool';
import { findRequest } from '../src/store/requests';
import { findResult, insertResult, type Result } from '../src/store/results';
import { bindRange, RANGE_TABLES, type RowRange, rangeHashes, readRange } from '../src/store/snapshot-rows';
import type { StoredSnapshot } from '../src/store/snapshots';
import type { Checked, ComputationRef, RunRef } from './contracts';
import type { ActivityDependencies } from './dependencies';
import { sealedEpoch } from './derive';
import { GuardFailed } from './failures';
import { closedAnswer } from './gather';
import { guardChain } from './guard-chain';
import { requireSealed } from './reward';
import { sealedFacts } from './sealed-facts';

/**
 * Checks a computation (spec §8): the guards, recomputed from the database; the breakers; and the content that would
 * be published. A computation that was checked before keeps its result, but every row behind it is digested again.
 *
 * @param cappedSum G of the reward step of this run; null: the computation was rewarded and checked by a run before
 */
export async function check(
  deps: ActivityDependencies,
  key: ComputationRef,
  cappedSum: string | null,
  run: RunRef,
): Promise<Checked> {
  const header = await getComputation(deps.pool, key);
  const { seal, snapshot, policy } = await sealedEpoch(deps, key, header.dispute);
  const rows = await priceRows(deps.pool, key);
  const derivation = parseDerivation(header.derivation as DerivationText, rows);
  const found = await transaction(deps.pool, async (client) => {
    await client.query('set transaction isolation level repeatable read read only');
    const facts = await sealedFacts(client, key, policy, snapshot, header.dispute);
    if (cappedSum === null) {
      await guardSnapshot(client, { ...key, registryLoad: seal.registryLoad, dispute: header.dispute }, snapshot);
    }
    // Both read all payouts, one in the database and one here: the longer of the two is what it takes.
    const [digest, payouts] = await Promise.all([
      beside(deps.pool, client, (other) => payoutsDigest(other, key)),
      payoutFigures(client, key, derivation.cap.toString(), header.dispute),
    ]);
    return {
      facts,
      payouts,
      payoutsDigest: digest,
      last: (await publishedBelow(client, key.network, key.epoch, 1)).at(-1) ?? null,
    };
  });
  heartbeat({ payouts: found.payouts.count });
  const sum = parseAmount(found.payouts.sum);
  requireGuards(guards());
  const content = revisionContent(
    {
      ...key,
      policyHash: header.policyHash,
      snapshotDigest: requireSnapshotDigest(deps, header, snapshot),
      pricesDigest: pricesDigest(deps, rows),
      payoutsDigest: found.payoutsDigest,
    },
    derivation,
    sum,
  );
  const known = await findResult(deps.pool, key);
  const result =
    known === null ? newResult(deps, content, found.payouts, tripped(), cappedSum, derivation.pool) : known;
  if (known !== null) requireSameContent(deps, known, content);
  await deps.reached('check:computed');
  await insertResult(deps.pool, key, result);
  return {
    contentDigest: result.contentDigest,
    sum: content.sum,
    unallocated: content.unallocated,
    breakers: result.breakers,
    hold: result.breakers.length === 0 ? null : await holdOf(deps, key, header, result, policy.epoch.holdSeconds, run),
  };

  function guards(): GuardViolation[] {
    return [
      ...conservation(derivation.pool, sum, (derivation.pool - sum) as Amount),
      ...priceBounds(policy, derivation.prices),
      ...multiplierBounds(policy, derivation.multipliers, multiplierRange(found.payouts)),
      ...payees(found.payouts),
    ];
  }

  function tripped() {
    const top: BreakerFigures['top'] =
      found.payouts.largestProvider === null
        ? null
        : { provider: found.payouts.largestProvider, amount: parseAmount(found.payouts.largest!) };
    return breakers(policy, { facts: found.facts, derivation, sum, top, last: found.last });
  }
}

function multiplierRange(payouts: PayoutFigures): { lowest: NanoRatio; highest: NanoRatio } | null {
  if (payouts.lowestMultiplier === null || payouts.highestMultiplier === null) return null;
  return {
    lowest: parseScaled(payouts.lowestMultiplier, 9) as NanoRatio,
    highest: parseScaled(payouts.highestMultiplier, 9) as NanoRatio,
  };
}

/** Guard `payees`: one payout per provider with a capacity row, none for anybody else, none negative, none over cap. */
function payees(payouts: PayoutFigures): GuardViolation[] {
  const violated = (where: string, message: string): GuardViolation => ({ guard: 'payees', where, message });
  return [
    ...(payouts.unmatched > 0
      ? [
          violated(
            payouts.unmatchedProvider ?? 'epoch',
            `${payouts.unmatched} providers have a capacity row and no payout, or a payout and no capacity row`,
          ),
        ]
      : []),
    ...(payouts.negative > 0 ? [violated('epoch', `${payouts.negative} payouts are negative`)] : []),
    ...(payouts.overCap > 0 ? [violated('epoch', `${payouts.overCap} payouts are over the cap`)] : []),
  ];
}

function requireGuards(violations: readonly GuardViolation[]): void {
  const first = violations[0];
  if (first !== undefined) throw new GuardFailed(first.guard, { violations });
}

function pricesDigest(deps: ActivityDependencies, rows: readonly PricesRow[]): string {
  return digestOfRows(
    deps.hashes,
    PRICES_KEY,
    rows.map((row) => cellsOf(PRICES_COLUMNS, row)),
  );
}

/** The sealed digest, which must be that of the sealed tables' digests and the one that the computation started from. */
function requireSnapshotDigest(
  deps: ActivityDependencies,
  header: ComputationHeader,
  snapshot: StoredSnapshot,
): string {
  const digest = snapshotDigest(deps.hashes, snapshot.tableDigests);
  if (digest === snapshot.snapshotDigest && digest === header.snapshotDigest) return digest;
  throw new GuardFailed('snapshot', {
    sealed: snapshot.snapshotDigest,
    computed: header.snapshotDigest,
    tables: digest,
  });
}

/**
 * The sealed tables once more, whole: for a computation that was rewarded by a run before this one, which read its rows
 * then. A run that rewards has compared every chunk, as it streamed by, with the digest that the chunk was sealed with;
 * reading a million rows a third time would say the same again (spec §8: the rows that this settlement read).
 */
async function guardSnapshot(
  client: PoolClient,
  rows: Omit<RowRange, 'after' | 'upTo'> & { readonly dispute: number },
  snapshot: StoredSnapshot,
): Promise<void> {
  const hashes = rangeHashes();
  for (const chunk of snapshot.chunks) {
    await bindRange(client, { ...rows, after: chunk.after, upTo: chunk.upTo });
    const read = await readRange(client, rows.dispute);
    requireSealed(chunk, read);
    for (const table of RANGE_TABLES) hashes[table].update(read.tables[table]);
    heartbeat({ upTo: chunk.upTo });
  }
  for (const table of RANGE_TABLES) {
    const read = hashes[table].digest('hex');
    if (read !== snapshot.tableDigests[table]) {
      throw new GuardFailed('snapshot', { table, sealed: snapshot.tableDigests[table], read });
    }
  }
}

function newResult(
  deps: ActivityDependencies,
  content: RevisionContent,
  payouts: PayoutFigures,
  tripped: readonly TrippedBreaker[],
  cappedSum: string | null,
  pool: Amount,
): Result {
  if (cappedSum === null) throw new RangeError('a computation without a result needs the sum of its capped amounts');
  return {
    content: canonicalJson(content),
    contentDigest: contentDigest(deps.hashes, content),
    // Above revision 1 a dispute has its second person, and breakers only inform (spec §10).
    breakers: content.revision === 1 ? tripped : [],
    wouldTrip: content.revision === 1 ? [] : tripped,
    unallocatedReason: parseAmount(cappedSum) > pool ? 'rounding' : 'unspent',
    payoutCount: payouts.count,
  };
}

function requireSameContent(deps: ActivityDependencies, known: Result, content: RevisionContent): void {
  const now = contentDigest(deps.hashes, content);
  if (now === known.contentDigest) return;
  throw new GuardFailed('snapshot', {
    checked: known.contentDigest,
    now,
    reason: 'draft rows changed since they were checked',
  });
}

/**
 * Puts the computation on hold, or finds the hold again; null: nothing has to be waited for. Under the network's lock,
 * where whoever publishes or closes looks for holds to end: one that is put on an epoch afterwards would wait for a
 * decision that cannot be carried out. Such a computation goes on to be published, and is told there what became of it.
 */
async function holdOf(
  deps: ActivityDependencies,
  key: ComputationRef,
  header: ComputationHeader,
  result: Result,
  holdSeconds: number,
  run: RunRef,
): Promise<Checked['hold']> {
  const askedBy = (await findRequest(deps.pool, run.requestId))?.actor ?? 'system';
  const hold = await transaction(deps.pool, async (client) => {
    const network = await lockNetwork(client, key.network);
    const known = await findHold(client, key);
    if (known !== null && (known.decision !== null || network.holds !== 'release')) return known;
    if ((await closedAnswer(client, key, run)) !== null) return null;
    if ((await guardChain(client, key, header, network)) === 'superseded') return null;
    await insertHold(client, key, result.contentDigest, askedBy, holdSeconds);
    const { contentDigest } = result;
    if (network.holds === 'release') {
      await endHold(client, { ...key, contentDigest }, 'released', 'this throw-away network lets holds through');
    }
    return findHold(client, key);
  });
  if (hold === null || hold.decision === 'approved' || hold.decision === 'released') return null;
  return { deadline: hold.deadline, waitSeconds: hold.waitSeconds };
}
