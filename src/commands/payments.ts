import { randomUUID } from 'node:crypto';
import type { PoolClient } from 'pg';
import { type BatchPlan, planBatch } from '../ledger/dues';
import { parseAmount } from '../numbers/amounts';
import type { Amount } from '../numbers/units';
import { appendAudit } from '../store/audit-log';
import { StoreError } from '../store/errors';
import { bookConfirmations, foldEntitlements, providerAccounts } from '../store/ledger';
import { getNetwork, lockNetwork } from '../store/networks';
import {
  type Confirmation,
  confirmationJournals,
  findBatchOfRequest,
  findConfirmation,
  getBatch,
  insertBatch,
  insertConfirmation,
  insertPaymentDecision,
  insertPaymentFailure,
  type PaymentBatch,
  type PaymentLine,
  paymentLines,
} from '../store/payments';
import { transaction } from '../store/pool';
import { insertRequest } from '../store/requests';
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
export async function previewBatch(context: CommandContext, network: string, minimum: Amount): Promise<BatchPlan> {
  await getNetwork(context.pool, network);
  return plan(context.pool, network, minimum);
}

/**
 * Makes a batch of everything that is due net of receivables (spec §10). What is in an open batch is not due again, so
 * two batches never pay the same thing.
 *
 * @throws CommandError `NothingDue`; StoreError `RequestConflict`
 */
export async function createBatch(context: CommandContext, wanted: NewBatch): Promise<PaymentBatch> {
  const requestId = wanted.requestId ?? randomUUID();
  const number = await transaction(context.pool, async (client) => {
    await lockNetwork(client, wanted.network);
    await insertRequest(client, {
      requestId,
      network: wanted.network,
      action: 'payment-create',
      body: { minimum: wanted.minimum.toString() },
      actor: context.actor,
    });
    const made = await findBatchOfRequest(client, requestId);
    if (made !== null) return made;
    const position = await foldEntitlements(client, wanted.network);
    const planned = await plan(client, wanted.network, wanted.minimum);
    if (planned.lines.length === 0) throw nothingDue(planned);
    const lines = planned.lines.map((line) => ({ ...line, amount: line.amount.toString() }));
    const batch = await insertBatch(
      client,
      wanted.network,
      { position, minimum: wanted.minimum.toString(), createdBy: context.actor, requestId },
      lines,
    );
    await audit(client, context, wanted.network, 'payment-create', batch, 'everything that is due', {
      lines: lines.length,
      total: planned.total.toString(),
    });
    return batch;
  });
  return getBatch(context.pool, wanted.network, number);
}

async function plan(db: Parameters<typeof providerAccounts>[0], network: string, minimum: Amount): Promise<BatchPlan> {
  const rows = await providerAccounts(db, network);
  const accounts = rows.map((row) => ({
    provider: row.provider,
    payee: row.payee,
    entitlement: parseAmount(row.entitlement),
    paid: parseAmount(row.paid),
    inFlight: parseAmount(row.in_flight),
  }));
  return planBatch(accounts, minimum);
}

function nothingDue(planned: BatchPlan): CommandError {
  const { carriedOver, withoutPayee } = planned;
  return new CommandError(
    'NothingDue',
    `nothing is due at or above the minimum: ${carriedOver.providers} providers carry over ${carriedOver.amount} base units below it, ${withoutPayee.providers} providers with ${withoutPayee.amount} have no payee`,
  );
}

/**
 * Approves or rejects a batch; by somebody other than its maker.
 * @throws StoreError `BatchUnknown`, `BatchClosed`, `SelfApproval`; a refused attempt is on record
 */
export function decideBatch(
  context: CommandContext,
  network: string,
  batch: number,
  outcome: 'approved' | 'rejected',
  reason: string,
): Promise<PaymentBatch> {
  return refusedOnRecord(context, { network, action: `payment-${outcome}`, subject: `batch ${batch}` }, () =>
    transaction(context.pool, async (client) => {
      await lockNetwork(client, network);
      const known = await getBatch(client, network, batch);
      if (known.decision !== null) {
        throw new StoreError('BatchClosed', `batch ${batch} is ${known.decision} already, by ${known.decidedBy}`);
      }
      if (outcome === 'approved' && known.createdBy === context.actor) {
        throw new StoreError('SelfApproval', `${context.actor} made batch ${batch}: somebody else has to approve it`);
      }
      await insertPaymentDecision(client, network, batch, { outcome, actor: context.actor, reason });
      await audit(client, context, network, `payment-${outcome}`, batch, reason, { total: known.total });
      return getBatch(client, network, batch);
    }),
  );
}

/**
 * The lines of an approved batch that are still to be paid, for the paying wallet: amounts in base units as text.
 * @throws StoreError `BatchNotApproved`
 */
export async function payableLines(
  context: CommandContext,
  network: string,
  batch: number,
): Promise<readonly PaymentLine[]> {
  await requireApproved(context.pool, network, batch);
  return (await paymentLines(context.pool, network, batch)).filter(
    (line) => !line.failed && BigInt(line.confirmed) < BigInt(line.amount),
  );
}

async function requireApproved(db: Parameters<typeof getBatch>[0], network: string, batch: number): Promise<void> {
  const known = await getBatch(db, network, batch);
  if (known.decision === 'approved') return;
  throw new StoreError(
    'BatchNotApproved',
    `batch ${batch} is ${known.decision ?? 'not approved yet'}: a second person runs \`settle payment approve ${batch} --reason TEXT\``,
  );
}

export interface Booked {
  readonly booked: number;
  /** Confirmations that were booked before, with the same amount. */
  readonly repeated: number;
  /** Base units. */
  readonly amount: string;
}

/**
 * Books what the wallet confirms, all of it or nothing. The same (batch, provider, reference) again changes nothing.
 *
 * @throws StoreError `PaymentConflict`: the reference stands with another amount, or a line would be overpaid;
 *   `BatchNotApproved`, `BatchUnknown`
 */
export function confirmPayments(
  context: CommandContext,
  network: string,
  batch: number,
  confirmations: readonly Confirmation[],
): Promise<Booked> {
  return refusedOnRecord(context, { network, action: 'payment-confirm', subject: `batch ${batch}` }, () =>
    transaction(context.pool, async (client) => {
      await lockNetwork(client, network);
      await requireApproved(client, network, batch);
      const lines = new Map((await paymentLines(client, network, batch)).map((line) => [line.provider, line]));
      const journal = `confirmation/${batch}/${(await confirmationJournals(client, network, batch)) + 1}`;
      const open = new Map(
        [...lines].map(([provider, line]) => [provider, BigInt(line.amount) - BigInt(line.confirmed)]),
      );
      let booked = 0;
      let amount = 0n;
      for (const one of confirmations) {
        if (!(await isNew(client, network, batch, lines, open, one))) continue;
        await insertConfirmation(client, network, batch, { ...one, journal, actor: context.actor });
        booked += 1;
        amount += BigInt(one.amount);
      }
      if (booked > 0) await bookConfirmations(client, network, journal, amount.toString());
      const repeated = confirmations.length - booked;
      await audit(client, context, network, 'payment-confirm', batch, journal, {
        booked,
        repeated,
        amount: amount.toString(),
      });
      return { booked, repeated, amount: amount.toString() };
    }),
  );
}

/** Whether a confirmation is to be booked; takes its amount from what is open of its line. */
async function isNew(
  client: PoolClient,
  network: string,
  batch: number,
  lines: ReadonlyMap<string, PaymentLine>,
  open: Map<string, bigint>,
  one: Confirmation,
): Promise<boolean> {
  const line = lines.get(one.provider);
  const where = `batch ${batch}, provider ${one.provider}, reference ${one.reference}`;
  if (line === undefined) throw new StoreError('PaymentConflict', `${where}: the batch has no such provider`);
  const known = await findConfirmation(client, network, batch, one.provider, one.reference);
  if (known !== null) {
    if (known.amount === one.amount) return false;
    throw new StoreError(
      'PaymentConflict',
      `${where}: booked before with ${known.amount} base units, now ${one.amount}`,
    );
  }
  if (line.failed)
    throw new StoreError('PaymentConflict', `${where}: the line was given up; what it held is due again`);
  const rest = (open.get(one.provider) ?? 0n) - BigInt(one.amount);
  if (rest < 0n) {
    throw new StoreError(
      'PaymentConflict',
      `${where}: ${one.amount} base units are ${-rest} more than is open of ${line.amount}`,
    );
  }
  open.set(one.provider, rest);
  return true;
}

/** Gives up what is unconfirmed of a line: it is due again. The same again changes nothing. */
export function failPayment(
  context: CommandContext,
  network: string,
  batch: number,
  provider: string,
  reason: string,
): Promise<void> {
  return refusedOnRecord(context, { network, action: 'payment-fail', subject: `batch ${batch} ${provider}` }, () =>
    transaction(context.pool, async (client) => {
      await lockNetwork(client, network);
      await requireApproved(client, network, batch);
      const line = (await paymentLines(client, network, batch)).find((one) => one.provider === provider);
      if (line === undefined)
        throw new StoreError('PaymentConflict', `batch ${batch} has no line of provider ${provider}`);
      if (BigInt(line.confirmed) === BigInt(line.amount)) {
        throw new StoreError('PaymentConflict', `the line of provider ${provider} in batch ${batch} is paid in full`);
      }
      if (await insertPaymentFailure(client, network, batch, { provider, actor: context.actor, reason })) {
        await audit(client, context, network, 'payment-fail', batch, reason, { provider });
      }
    }),
  );
}

function audit(
  client: PoolClient,
  context: CommandContext,
  network: string,
  action: string,
  batch: number,
  reason: string,
  detail: Readonly<Record<string, unknown>>,
): Promise<void> {
  return appendAudit(client, {
    network,
    actor: context.actor,
    action,
    subject: `batch ${batch}`,
    outcome: 'done',
    reason,
    detail,
  });
}
