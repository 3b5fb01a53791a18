import { createHash, type Hash, randomUUID } from 'node:crypto';
import type { PoolClient } from 'pg';
import {
  type Corrections,
  checkCorrections,
  correctionsRefused,
  openCorrections,
  readCorrections,
} from '../inputs/corrections';
import { BundleError } from '../inputs/refusals';
import { epochEndSeconds } from '../rulesets/1/calendar';
import { type Policy, parsePolicy } from '../rulesets/1/policy';
import { tokenObservationOf } from '../rulesets/1/sealed-rows';
import { usableTokenPrice } from '../rulesets/1/token-price';
import { requireAttached } from '../store/archives';
import { appendAudit } from '../store/audit-log';
import { newestRevision, type StoredEntry } from '../store/chain';
import { getComputation } from '../store/computations';
import { findBaseProblems, findCorrectedProblems, findStageProblems } from '../store/correction-problems';
import {
  correctedTokenLines,
  dropUnchanged,
  insertCorrections,
  type LateRows,
  openCorrectionStage,
  PINNED_TABLES,
  stageCorrections,
  stageLateRows,
} from '../store/corrections';
import {
  type DerivationKind,
  type Dispute,
  type DisputeKey,
  disputeBehind,
  findDisputeOfRequest,
  findSameOpenDispute,
  insertDispute,
} from '../store/disputes';
import { StoreError } from '../store/errors';
import { findFailure } from '../store/failures';
import { getNetwork, lockNetwork } from '../store/networks';
import { getPolicy } from '../store/policies';
import { insertRequest } from '../store/requests';
import { transactionAs } from '../store/rights';
import type { RowProblem } from '../store/row-problems';
import type { CommandContext } from './context';
import { refusedOnRecord } from './refusals';

export interface NewDispute {
  readonly network: string;
  readonly epoch: number;
  /** The revision that is disputed; null: the newest. */
  readonly revision: number | null;
  readonly reason: string;
  /** Folder of the corrections; null: the late rows alone. */
  readonly corrections: string | null;
  /** true: the epoch's late rows too (spec §3). */
  readonly late: boolean;
  readonly derive: DerivationKind;
  /** null: a new one. The same again with the same contents gives the first answer. */
  readonly requestId: string | null;
}

export interface DisputeRecord {
  readonly key: DisputeKey;
  readonly requestId: string;
  /** This request had opened the dispute before. */
  readonly already: boolean;
  /** Rows that are so already, and were left out; null where it was opened before. */
  readonly unchanged: number | null;
  readonly late: LateRows | null;
  /** CSV files of the folder that are no part of it. */
  readonly ignored: readonly string[];
}

const NO_LATE_ROWS: LateRows = { taken: 0, leftOut: 0 };

/**
 * Records a dispute with its corrections, whole or not at all (spec §10). Nothing is computed here.
 *
 * @throws BundleError with file, line and reason of every refused row
 * @throws StoreError `DisputeRefused`, `DisputeEmpty`, `DisputeOpen`, `RequestConflict`, `NetworkUnknown`, `EpochArchived`
 */
export async function recordDispute(context: CommandContext, wanted: NewDispute): Promise<DisputeRecord> {
  const { network, epoch, requestId } = wanted;
  const attempt = { network, action: 'dispute-open', subject: `epoch ${epoch}`, requestId };
  return refusedOnRecord(context, attempt, async () => {
    await getNetwork(context.pool, network);
    const corrections = wanted.corrections === null ? null : await openCorrections(wanted.corrections);
    requirePinnable(wanted, corrections);
    try {
      return await transactionAs(context.pool, 'settle_operator', (client) =>
        record(client, context, wanted, corrections),
      );
    } catch (error) {
      // A file that is wrong on its own ends the work at its first bad batch; this shows what is wrong in all of them.
      if (corrections !== null && error instanceof BundleError) await checkCorrections(corrections);
      throw error;
    }
  });
}

function requirePinnable({ derive, late }: NewDispute, corrections: Corrections | null): void {
  if (corrections === null && !late) {
    throw new StoreError('DisputeEmpty', 'a dispute needs rows: give a folder of corrections, the late rows, or both');
  }
  const other = corrections?.files.find(({ table }) => !PINNED_TABLES.includes(table));
  if (derive === 'full' || other === undefined) return;
  throw new StoreError(
    'DisputeRefused',
    `${other.name} changes what prices are made of, and a pinned dispute keeps them: it may correct ${PINNED_TABLES.join(', ')}. Ask for a full derivation with --derive full, or take the file away`,
  );
}

async function record(
  client: PoolClient,
  context: CommandContext,
  wanted: NewDispute,
  corrections: Corrections | null,
): Promise<DisputeRecord> {
  const { network, epoch, reason, derive, late } = wanted;
  const requestId = wanted.requestId ?? randomUUID();
  const ignored = corrections?.ignored ?? [];
  await openCorrectionStage(client);
  const given = createHash('sha256');
  if (corrections !== null) await stage(client, corrections, given);
  const asked = { derive, late, corrections: given.digest('hex') };
  const body = { epoch, revision: wanted.revision, reason, ...asked };
  // Before the first row that refers to the network: whoever shares its row and then wants it alone waits for the others
  // who do, and they for him.
  await lockNetwork(client, network);
  await insertRequest(client, { requestId, network, action: 'dispute-open', body, actor: context.actor });
  const known = await findDisputeOfRequest(client, requestId);
  if (known !== null) return { key: known, requestId, already: true, unchanged: null, late: null, ignored };

  const base = await requireBase(client, wanted);
  await requireAttached(client, epoch);
  const behind = await disputeBehind(client, network, epoch, base.revision, base.computation);
  const refuse = (problems: readonly RowProblem[]) => refuseRows(wanted.corrections ?? 'late rows', problems);
  refuse(await findStageProblems(client, epoch));
  const lateRows = late ? await stageLateRows(client, network, epoch, derive) : NO_LATE_ROWS;
  refuse(await findBaseProblems(client, { network, epoch, dispute: 0 }, behind));
  const { before, after } = await dropUnchanged(client, { network, epoch, dispute: 0 }, behind);
  if (after === 0) throw nothingChanges(epoch, base.revision, before);
  const key = await insertDispute(client, {
    network,
    epoch,
    baseRevision: base.revision,
    baseComputation: base.computation,
    derive,
    reason,
    openedBy: context.actor,
    requestId,
  });
  await insertCorrections(client, key, behind);
  const same = await findSameOpenDispute(client, key, asked);
  if (same !== null) throw sameIsOpen(same);
  const policy = await policyOf(client, base, network);
  refuse(await findCorrectedProblems(client, key, [...policy.markets.keys()]));
  if (derive === 'full') await requireTokenPrice(client, key, policy);
  await appendAudit(client, {
    network,
    actor: context.actor,
    action: 'dispute-open',
    subject: `epoch ${epoch} dispute ${key.dispute}`,
    outcome: 'done',
    reason,
    requestId,
    detail: { revision: base.revision, derive, rows: after, unchanged: before - after, late: lateRows },
  });
  return { key, requestId, already: false, unchanged: before - after, late: lateRows, ignored };
}

async function stage(client: PoolClient, corrections: Corrections, digest: Hash): Promise<void> {
  for (const file of corrections.files) {
    digest.update(`${file.kind} ${file.table}\n`);
    for await (const rows of readCorrections(corrections, file)) {
      for (const { key, row } of rows) digest.update(`${row ?? key}\n`);
      await stageCorrections(
        client,
        rows.map((row) => ({ ...row, table: file.table, file: file.name })),
      );
    }
  }
}

/** The published revision that is disputed: the newest one. */
async function requireBase(client: PoolClient, { network, epoch, revision }: NewDispute): Promise<StoredEntry> {
  const newest = await newestRevision(client, network, epoch);
  if (newest !== null && (revision === null || revision === newest.revision)) return newest;
  if (newest !== null) {
    const said =
      (revision as number) > newest.revision
        ? `epoch ${epoch} has no revision ${revision}: the newest is ${newest.revision}`
        : `revision ${revision} of epoch ${epoch} is superseded by revision ${newest.revision}: look at that one and dispute it`;
    throw new StoreError('DisputeRefused', said);
  }
  const failure = await findFailure(client, network, epoch);
  throw new StoreError(
    'DisputeRefused',
    failure === null
      ? `epoch ${epoch} of ${network} is not published, so there is nothing to dispute: until it is sealed, its rows can be added to with \`settle import\``
      : `epoch ${epoch} of ${network} is not published: it is failed(${failure.failure}). Settle it again with \`settle epoch run ${epoch} --again\``,
  );
}

function refuseRows(folder: string, problems: readonly RowProblem[]): void {
  if (problems.length === 0) return;
  const refused = problems.map((one) => ({ ...one, column: null, value: null, todo: 'correct or remove the row' }));
  throw correctionsRefused(folder, refused, refused.length);
}

/** Whoever comes second with the same rows is told who was first. */
function sameIsOpen({ epoch, dispute, openedBy, openedAt, state }: Dispute): StoreError {
  return new StoreError(
    'DisputeOpen',
    `dispute ${dispute} of epoch ${epoch} asks for the same, opened by ${openedBy} at ${openedAt}; it is ${state}: see \`settle dispute preview ${epoch} ${dispute}\``,
  );
}

function nothingChanges(epoch: number, revision: number, rows: number): StoreError {
  const what = rows === 0 ? 'there is no such row' : `all ${rows} rows are so already`;
  return new StoreError(
    'DisputeEmpty',
    `the corrections change nothing in revision ${revision} of epoch ${epoch}: ${what}`,
  );
}

async function policyOf(client: PoolClient, base: StoredEntry, network: string): Promise<Policy> {
  const { policyHash } = await getComputation(client, { network, ...base });
  return parsePolicy(JSON.parse((await getPolicy(client, policyHash)).canonical));
}

/** Without a token price nothing can be derived (spec §3); refused here, where the rows can still be changed. */
async function requireTokenPrice(client: PoolClient, key: DisputeKey, policy: Policy): Promise<void> {
  const token = (await correctedTokenLines(client, key)).map(tokenObservationOf);
  if (usableTokenPrice(policy, epochEndSeconds(policy.epoch, key.epoch), token) !== null) return;
  throw new StoreError(
    'DisputeRefused',
    `the corrections leave epoch ${key.epoch} without a usable token price: it takes ${policy.tokenPrice.minSources} sources`,
  );
}
