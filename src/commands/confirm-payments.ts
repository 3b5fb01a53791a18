import { createHash, randomUUID } from 'node:crypto';
import { StoreError } from '../store/errors';
import { bookConfirmations } from '../store/ledger';
import { lockNetwork } from '../store/networks';
import {
  batchConfirmations,
  bookedByRequest,
  bookedElsewhere,
  type Confirmation,
  confirmationJournals,
  insertConfirmations,
  insertPaymentFailure,
  type PaymentLine,
  paymentLines,
} from '../store/payments';
import type { Queryable } from '../store/pool';
import { insertRequest } from '../store/requests';
import { transactionAs } from '../store/rights';
import type { CommandContext } from './context';
import { type OverpayingLine, overpayingLines, recordPayment, requireApproved } from './payments';
import { refusedOnRecord } from './refusals';

export interface PaymentReport {
  readonly network: string;
  readonly batch: number;
  readonly confirmations: readonly Confirmation[];
  /** Why lines that were given up were paid after all; null: every line is open, as it should be. */
  readonly lateReason: string | null;
  /** The same id again returns the first answer; null: a new request. */
  readonly requestId: string | null;
}

export interface Booked {
  readonly booked: number;
  /** Confirmations that were booked before, with the same amount. */
  readonly repeated: number;
  /** Base units. */
  readonly amount: string;
  /** Of providers that were paid late: open lines that would pay them more than is due now. */
  readonly overpaying: readonly OverpayingLine[];
}

/**
 * Books what the wallet confirms, all of it or nothing. The same (batch, provider, reference) again changes nothing.
 *
 * A line that was given up is due again, and a later batch may pay it. If the wallet confirms it after all, the money
 * left: it is booked on purpose, with a reason, and the provider's account may go below zero. That is a receivable like
 * any other, which its next payouts meet.
 *
 * @throws StoreError `PaymentConflict`: the reference stands with another amount or in another batch, or a line would be overpaid;
 *   a line was given up and no reason says why it was paid late, or the other way round; `BatchNotApproved`,
 *   `BatchUnknown`, `RequestConflict`; a refused attempt is on record
 */
export function confirmPayments(context: CommandContext, report: PaymentReport): Promise<Booked> {
  const { network, batch, confirmations, lateReason } = report;
  const requestId = report.requestId ?? randomUUID();
  const action = lateReason === null ? 'payment-confirm' : 'payment-confirm-late';
  const attempt = { network, action, subject: `batch ${batch}`, requestId };
  return refusedOnRecord(context, attempt, () =>
    transactionAs(context.pool, 'settle_operator', async (client) => {
      await lockNetwork(client, network);
      await requireApproved(client, network, batch);
      const body = { batch, confirmations: digestOf(confirmations), ...(lateReason === null ? {} : { lateReason }) };
      const request = { requestId, network, action, body, actor: context.actor };
      const overpaying = async () =>
        lateReason === null ? [] : overpayingLines(client, network, new Set(confirmations.map((one) => one.provider)));
      if (!(await insertRequest(client, request))) {
        const { booked, amount } = await bookedByRequest(client, requestId);
        return { booked, amount, repeated: confirmations.length - booked, overpaying: await overpaying() };
      }
      const known = await batchConfirmations(client, network, batch);
      const fresh = newOnes(report, await paymentLines(client, network, batch), known);
      const amount = fresh.reduce((sum, one) => sum + BigInt(one.amount), 0n).toString();
      const journal = `confirmation/${batch}/${(await confirmationJournals(client, network, batch)) + 1}`;
      if (fresh.length > 0) {
        const by = { journal, actor: context.actor, requestId, lateReason };
        const written = await insertConfirmations(client, network, batch, by, fresh);
        if (written < fresh.length) throw await transferElsewhere(client, report, requestId, fresh);
        await bookConfirmations(client, network, journal, amount);
      }
      const answer = { booked: fresh.length, repeated: confirmations.length - fresh.length, amount };
      const booking = fresh.length > 0 ? journal : 'booked before';
      if (lateReason === null) await recordPayment(client, context, attempt, batch, booking, answer);
      else await recordPayment(client, context, attempt, batch, lateReason, { ...answer, booking });
      return { ...answer, overpaying: await overpaying() };
    }),
  );
}

const digestOf = (confirmations: readonly Confirmation[]): string =>
  createHash('sha256')
    .update(confirmations.map(({ provider, reference, amount }) => `${provider},${reference},${amount}\n`).join(''))
    .digest('hex');

/** The confirmations that are to be booked, each once; the others stand already. */
function newOnes(
  { batch, confirmations, lateReason }: PaymentReport,
  lines: readonly PaymentLine[],
  known: readonly Confirmation[],
): readonly Confirmation[] {
  const open = new Map(
    lines.map((line) => [line.provider, { ...line, rest: BigInt(line.amount) - BigInt(line.confirmed) }]),
  );
  // Neither part of the key has a comma.
  const standing = new Map(known.map((one) => [`${one.provider},${one.reference}`, BigInt(one.amount)]));
  return confirmations.filter((one) => {
    const conflict = (what: string) =>
      new StoreError(
        'PaymentConflict',
        `batch ${batch}, provider ${one.provider}, reference ${one.reference}: ${what}`,
      );
    const line = open.get(one.provider);
    if (line === undefined) throw conflict('the batch has no such provider');
    const amount = BigInt(one.amount);
    if (amount <= 0n) throw conflict(`${one.amount} base units are no payment`);
    const before = standing.get(`${one.provider},${one.reference}`);
    if (before === amount) return false;
    if (before !== undefined) throw conflict(`booked before with ${before} base units, now ${amount}`);
    if (line.failed && lateReason === null) {
      throw conflict(
        `the line was given up, and what it held is due again. If the money left all the same, book it with \`settle payment confirm ${batch} FILE --late --reason TEXT\`, with nothing but such lines in the file`,
      );
    }
    if (!line.failed && lateReason !== null) {
      throw conflict('the line was not given up, so this is not late: confirm it without --late');
    }
    line.rest -= amount;
    if (line.rest < 0n) {
      throw conflict(`${amount} base units are ${-line.rest} more than is open of ${line.amount}`);
    }
    standing.set(`${one.provider},${one.reference}`, amount);
    return true;
  });
}

/** One transfer to a provider settles one line: the file of another batch, given by mistake, books nothing. */
async function transferElsewhere(
  client: Queryable,
  { network, batch }: PaymentReport,
  requestId: string,
  fresh: readonly Confirmation[],
): Promise<StoreError> {
  const elsewhere = await bookedElsewhere(client, network, requestId, fresh);
  return new StoreError(
    'PaymentConflict',
    elsewhere === null
      ? `batch ${batch}: a reference of the file was booked at the same moment: confirm again, and see which`
      : `batch ${batch}, provider ${elsewhere.provider}, reference ${elsewhere.reference}: booked for batch ${elsewhere.batch} with ${elsewhere.amount} base units: look whether the file belongs to that batch`,
  );
}

export interface GivenUp {
  readonly network: string;
  readonly batch: number;
  readonly provider: string;
  readonly reason: string;
  readonly requestId: string | null;
}

/**
 * Gives up what is unconfirmed of a line: it is due again. The same again changes nothing.
 * @throws StoreError `PaymentConflict`, `BatchNotApproved`, `BatchUnknown`; a refused attempt is on record
 */
export function failPayment(context: CommandContext, { network, batch, provider, ...rest }: GivenUp): Promise<void> {
  const requestId = rest.requestId ?? randomUUID();
  const attempt = { network, action: 'payment-fail', subject: `batch ${batch} ${provider}`, requestId };
  return refusedOnRecord(context, attempt, () =>
    transactionAs(context.pool, 'settle_operator', async (client) => {
      await lockNetwork(client, network);
      await requireApproved(client, network, batch);
      const body = { batch, provider, reason: rest.reason };
      const request = { requestId, network, action: attempt.action, body, actor: context.actor };
      if (!(await insertRequest(client, request))) return;
      const line = (await paymentLines(client, network, batch)).find((one) => one.provider === provider);
      if (line === undefined) {
        throw new StoreError('PaymentConflict', `batch ${batch} has no line of provider ${provider}`);
      }
      if (BigInt(line.confirmed) === BigInt(line.amount)) {
        throw new StoreError('PaymentConflict', `the line of provider ${provider} in batch ${batch} is paid in full`);
      }
      const failure = { provider, actor: context.actor, reason: rest.reason };
      if (await insertPaymentFailure(client, network, batch, failure)) {
        await recordPayment(client, context, attempt, batch, rest.reason, { provider });
      }
    }),
  );
}
