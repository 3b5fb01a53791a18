import { randomUUID } from 'node:crypto';
import type { PoolClient } from 'pg';
import { nodeHashes } from '../hashing/node-hashes';
import { type BatchPlan, balanceOf, type PayableAccount, planBatch } from '../ledger/dues';
import { linesDigest } from '../ledger/lines-digest';
import { parseAmount } from '../numbers/amounts';
import type { Amount } from '../numbers/units';
import { appendAudit } from '../store/audit-log';
import { StoreError } from '../store/errors';
import { foldEntitlements, providerAccounts } from '../store/ledger';
import { getNetwork, lockNetwork } from '../store/networks';
import {
  findBatchOfRequest,
  getBatch,
  insertBatch,
  insertPaymentDecision,
  listBatches,
  type OpenLine,
  openLines,
  type PaymentBatch,
  type PaymentLine,
  paymentLines,
} from '../store/payments';
import type { Queryable } from '../store/pool';
import { insertRequest } from '../store/requests';
import { transactionAs } from '../store/rights';
import type { CommandContext } from './context';
import { CommandError } from './errors';
import { refusedOnRecord } from './refusals';

export interface NewBatch {
  readonly network: string;
  /** Base units; dues below it carry over. */
  readonly minimum: Amount;
  /** The same id again returns the first answer; null: a new request. */
  readonly requestId: string | null;
}

/** What a batch would pay now, without making it. */
export async function previewBatch(
  context: Pick<CommandContext, 'pool'>,
  network: string,
  minimum: Amount,
): Promise<BatchPlan> {
  await getNetwork(context.pool, network);
  return planBatch(await accountsOf(context.pool, network), minimum);
}

/**
 * Makes a batch of everything that is due net of receivables (spec §10). What is in an open batch is not due again, so
 * two batches never pay the same thing.
 *
 * @throws CommandError `NothingDue`; StoreError `BatchOpen`, `RequestConflict`; a refused attempt is on record
 */
export async function createBatch(context: CommandContext, wanted: NewBatch): Promise<PaymentBatch> {
  const { network, minimum } = wanted;
  const requestId = wanted.requestId ?? randomUUID();
  const attempt = { network, action: 'payment-create', subject: network, requestId };
  return refusedOnRecord(context, attempt, () =>
    transactionAs(context.pool, 'settle_operator', async (client) => {
      await lockNetwork(client, network);
      const body = { minimum: minimum.toString() };
      await insertRequest(client, { requestId, network, action: attempt.action, body, actor: context.actor });
      const made = await findBatchOfRequest(client, requestId);
      if (made !== null) return getBatch(client, network, made);
      const position = await foldEntitlements(client, network);
      const accounts = await accountsOf(client, network);
      const planned = planBatch(accounts, minimum);
      if (planned.lines.length === 0) throw await nothingToPay(client, network, planned, accounts);
      const lines = planned.lines.map((line) => ({ ...line, amount: line.amount.toString() }));
      const number = await insertBatch(
        client,
        network,
        { position, minimum: minimum.toString(), createdBy: context.actor, requestId },
        lines,
      );
      await recordPayment(client, context, attempt, number, 'everything that is due', {
        lines: lines.length,
        total: planned.total.toString(),
      });
      return getBatch(client, network, number);
    }),
  );
}

async function accountsOf(db: Queryable, network: string): Promise<readonly PayableAccount[]> {
  return (await providerAccounts(db, network)).map((row) => ({
    provider: row.provider,
    payee: row.payee,
    entitlement: parseAmount(row.entitlement),
    paid: parseAmount(row.paid),
    inFlight: parseAmount(row.in_flight),
  }));
}

/** Whoever comes second is told who has it. */
async function nothingToPay(
  client: PoolClient,
  network: string,
  planned: BatchPlan,
  accounts: readonly PayableAccount[],
): Promise<Error> {
  const { carriedOver, withoutPayee } = planned;
  const rest = `${carriedOver.providers} providers carry over ${carriedOver.amount} base units below the minimum, ${withoutPayee.providers} providers with ${withoutPayee.amount} have no payee`;
  const inFlight = accounts.reduce((sum, account) => sum + account.inFlight, 0n);
  const open = (await listBatches(client, network)).filter((batch) => batch.decision !== 'rejected').at(-1);
  if (inFlight === 0n || open === undefined) {
    return new CommandError('NothingDue', `nothing is due at or above the minimum: ${rest}`);
  }
  return new StoreError(
    'BatchOpen',
    `what is due is in a batch already: the newest is batch ${open.batch}, made by ${open.createdBy} at ${open.createdAt}, ${open.decision ?? 'waiting for approval'}; ${inFlight} base units are on their way in all. Of the rest, ${rest}`,
  );
}

export interface BatchDecision {
  readonly network: string;
  readonly batch: number;
  readonly outcome: 'approved' | 'rejected';
  readonly reason: string;
  /** Of the lines that the decider looked at; null: of whichever there are. */
  readonly linesDigest: string | null;
  readonly requestId: string | null;
}

/**
 * Approves or rejects a batch; the approval by somebody other than its maker, and only while no line of it pays more
 * than is due, or to somebody else than the payee in force: a dispute or the registry may have changed since it was made.
 * The decision is bound to the digest of the lines that are there.
 * @throws StoreError `BatchUnknown`, `BatchClosed`, `BatchMismatch`, `BatchStale`, `SelfApproval`; a refused attempt is
 *   on record
 */
export function decideBatch(context: CommandContext, decision: BatchDecision): Promise<PaymentBatch> {
  const { network, batch, outcome, reason, linesDigest: looked } = decision;
  const requestId = decision.requestId ?? randomUUID();
  const attempt = { network, action: `payment-${outcome}`, subject: `batch ${batch}`, requestId };
  return refusedOnRecord(context, attempt, () =>
    transactionAs(context.pool, 'settle_approver', async (client) => {
      await lockNetwork(client, network);
      const known = await getBatch(client, network, batch);
      const body = { batch, reason, ...(looked === null ? {} : { linesDigest: looked }) };
      const request = { requestId, network, action: attempt.action, body, actor: context.actor };
      if (!(await insertRequest(client, request))) return known;
      if (known.decision !== null) {
        throw new StoreError('BatchClosed', `batch ${batch} is ${known.decision} already, by ${known.decidedBy}`);
      }
      const lines = await paymentLines(client, network, batch);
      const digest = linesDigest(await nodeHashes(), lines);
      if (looked !== null && looked !== digest) {
        throw new StoreError('BatchMismatch', `the lines of batch ${batch} have the digest ${digest}, not ${looked}`);
      }
      if (outcome === 'approved') await requireApprovable(client, context, { ...known, network }, lines);
      const { actor } = context;
      await insertPaymentDecision(client, network, batch, { outcome, actor, reason, linesDigest: digest });
      await recordPayment(client, context, attempt, batch, reason, { total: known.total, linesDigest: digest });
      return getBatch(client, network, batch);
    }),
  );
}

async function requireApprovable(
  client: PoolClient,
  context: CommandContext,
  { network, batch, createdBy }: PaymentBatch & { readonly network: string },
  lines: readonly PaymentLine[],
): Promise<void> {
  if (createdBy === context.actor) {
    throw new StoreError('SelfApproval', `${createdBy} made batch ${batch}: somebody else has to approve it`);
  }
  const accounts = new Map((await accountsOf(client, network)).map((account) => [account.provider, account]));
  for (const { provider, payee } of lines) {
    const account = accounts.get(provider);
    const excess = account === undefined ? 0n : balanceOf(account).receivable;
    if (excess > 0n) {
      throw new StoreError(
        'BatchStale',
        `batch ${batch} would pay ${provider} ${excess} base units more than is due to it since it was made: reject the batch and make another`,
      );
    }
    // Whatever made them differ: a provider that changed its payee may have lost the key of the one before.
    if (account?.payee !== payee) {
      throw new StoreError(
        'BatchStale',
        `batch ${batch} would pay ${provider} at ${payee}, and its payee is ${account?.payee ?? 'nobody'} now: reject the batch and make another`,
      );
    }
  }
}

/**
 * The lines of an approved batch that are still to be paid, for the paying wallet: amounts in base units as text.
 * @throws StoreError `BatchNotApproved`; `TamperedRows`: its lines are not those that were approved
 */
export async function payableLines(
  context: Pick<CommandContext, 'pool'>,
  network: string,
  batch: number,
): Promise<readonly PaymentLine[]> {
  const { decidedBy, decidedDigest } = await requireApproved(context.pool, network, batch);
  const lines = await paymentLines(context.pool, network, batch);
  const found = linesDigest(await nodeHashes(), lines);
  if (found !== decidedDigest) {
    throw new StoreError(
      'TamperedRows',
      `batch ${batch} does not have the lines that ${decidedBy} approved: their digest is ${found}, approved was ${decidedDigest}. Pay nothing of it, keep the database as it is, and look for who changed payment_line`,
    );
  }
  return lines.filter((line) => !line.failed && BigInt(line.confirmed) < BigInt(line.amount));
}

/** An open line of a provider to which less is due than its open lines would pay. */
export interface OverpayingLine extends OpenLine {
  /** What the provider owes once all its open lines are paid, in base units. */
  readonly owed: string;
}

/** The open lines of these providers by which more would be paid than is due, as after a confirmation that came late. */
export async function overpayingLines(
  db: Queryable,
  network: string,
  providers: ReadonlySet<string>,
): Promise<readonly OverpayingLine[]> {
  const owed = new Map<string, bigint>();
  for (const account of await accountsOf(db, network)) {
    const { receivable } = balanceOf(account);
    if (providers.has(account.provider) && receivable > 0n) owed.set(account.provider, receivable);
  }
  if (owed.size === 0) return [];
  const lines = await openLines(db, network, [...owed.keys()]);
  return lines.map((line) => ({ ...line, owed: String(owed.get(line.provider)) }));
}

/** @throws StoreError `BatchUnknown`, `BatchNotApproved` */
export async function requireApproved(db: Queryable, network: string, batch: number): Promise<PaymentBatch> {
  const known = await getBatch(db, network, batch);
  if (known.decision === 'approved') return known;
  throw new StoreError(
    'BatchNotApproved',
    known.decision === null
      ? `batch ${batch} is not approved yet: a second person runs \`settle payment approve ${batch} --reason TEXT\``
      : `batch ${batch} was rejected by ${known.decidedBy}: what was in it is due again, \`settle payment create\` makes another`,
  );
}

/** Puts what was done with a batch on record, in the same transaction. */
export function recordPayment(
  client: PoolClient,
  context: CommandContext,
  attempt: { readonly network: string; readonly action: string; readonly requestId: string },
  batch: number,
  reason: string,
  detail: Readonly<Record<string, unknown>>,
): Promise<void> {
  const { network, action, requestId } = attempt;
  const subject = `batch ${batch}`;
  return appendAudit(client, {
    network,
    action,
    requestId,
    actor: context.actor,
    subject,
    outcome: 'done',
    reason,
    detail,
  });
}
