import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { parse } from 'csv-parse/sync';
import { confirmPayments, failPayment } from '../commands/confirm-payments';
import {
  createBatch,
  decideBatch,
  type OverpayingLine,
  overpayingLines,
  payableLines,
  previewBatch,
} from '../commands/payments';
import type { BatchPlan } from '../ledger/dues';
import type { Amount } from '../numbers/units';
import { getNetwork } from '../store/networks';
import { type Confirmation, listBatches, type PaymentBatch, type PaymentLine } from '../store/payments';
import { reasonArgument } from './arguments';
import { UsageError } from './errors';
import { group, networkOption, requestIdOption } from './groups';
import type { Io } from './io';
import { withDatabase } from './open';
import type { Column } from './output';

/** `settle payment …`: batches of what is due, approved by a second person, paid by a wallet, confirmed here. */
export function register(program: Command, io: Io): void {
  const payment = group(program, 'payment');
  registerMaking(payment, io);
  registerDeciding(payment, io);
  registerPaying(payment, io);
}

function registerMaking(payment: Command, io: Io): void {
  payment
    .command('create')
    .description('make a batch of everything that is due; a second person approves it')
    .addOption(
      new Option('--minimum <base-units>', 'dues below this carry over').argParser(amountArgument).default(1n, '1'),
    )
    .addOption(requestIdOption())
    .option('--dry-run', 'only say what it would pay')
    .addOption(networkOption())
    .action((options) => create(io, options));
  payment
    .command('list')
    .description('all batches')
    .addOption(networkOption())
    .action(({ network }) =>
      withDatabase(io, async ({ pool }) => {
        await getNetwork(pool, network);
        io.sheet({ columns: BATCH_COLUMNS, rows: await listBatches(pool, network), empty: 'No payment batch yet.' });
      }),
    );
}

function registerDeciding(payment: Command, io: Io): void {
  for (const [verb, outcome] of [
    ['approve', 'approved'],
    ['reject', 'rejected'],
  ] as const) {
    payment
      .command(`${verb} <batch>`)
      .description(`${verb} a batch that somebody else made`)
      .requiredOption('--reason <text>', 'for the record', reasonArgument)
      .addOption(requestIdOption())
      .addOption(networkOption())
      .action((number, { network, reason, requestId = null }) =>
        withDatabase(io, async (session) => {
          const batch = batchArgument(number);
          const decided = await decideBatch(session, { network, batch, outcome, reason, requestId });
          io.sheet({ columns: BATCH_COLUMNS, rows: [decided], empty: '' });
          io.say(`Batch ${decided.batch} is ${decided.decision}.`);
        }),
      );
  }
}

function registerPaying(payment: Command, io: Io): void {
  payment
    .command('export <batch>')
    .description(
      'what is still to be paid of an approved batch, for the wallet: -o csv or -o jsonl, amounts in base units',
    )
    .addOption(networkOption())
    .action((batch, { network }) =>
      withDatabase(io, async (session) => {
        const rows = await payableLines(session, network, batchArgument(batch));
        io.sheet({ columns: LINE_COLUMNS, rows, empty: 'Nothing of this batch is left to be paid.' });
        const providers = new Set(rows.map((line) => line.provider));
        sayOverpaying(io, await overpayingLines(session.pool, network, providers));
      }),
    );
  payment
    .command('confirm <batch> <file>')
    .description('book what the wallet paid: a CSV file with the columns provider, reference, amount (base units)')
    .option('--late', 'all lines of the file were given up, and turn out to have been paid; takes --reason')
    .option('--reason <text>', 'for the record, with --late: how it is known that the money left', reasonArgument)
    .addOption(requestIdOption())
    .addOption(networkOption())
    .action((batch, file, options) => confirm(io, batchArgument(batch), file, options));
  payment
    .command('fail <batch> <provider>')
    .description('give up what is unconfirmed of a line: it is due again')
    .requiredOption('--reason <text>', 'for the record', reasonArgument)
    .addOption(requestIdOption())
    .addOption(networkOption())
    .action((number, provider, { network, reason, requestId = null }) =>
      withDatabase(io, async (session) => {
        const batch = batchArgument(number);
        await failPayment(session, { network, batch, provider, reason, requestId });
        io.say(`What was unconfirmed of ${provider} in batch ${batch} is due again.`);
      }),
    );
}

interface CreateOptions {
  readonly network: string;
  readonly minimum: bigint;
  readonly requestId?: string;
  readonly dryRun?: boolean;
}

function create(io: Io, options: CreateOptions): Promise<void> {
  const minimum = options.minimum as Amount;
  return withDatabase(io, async (session) => {
    const plan = await previewBatch(session, options.network, minimum);
    if (options.dryRun === true) {
      const lines = plan.lines.map((line) => ({
        ...line,
        amount: line.amount.toString(),
        confirmed: '0',
        failed: false,
      }));
      io.sheet({ columns: LINE_COLUMNS, rows: lines, empty: 'Nothing is due.' });
      sayRest(io, plan);
      return;
    }
    const requestId = options.requestId ?? null;
    const batch = await createBatch(session, { network: options.network, minimum, requestId });
    io.sheet({ columns: BATCH_COLUMNS, rows: [batch], empty: '' });
    sayRest(io, plan);
    io.say(`Next, by somebody else: settle payment approve ${batch.batch} --reason TEXT`);
  });
}

function sayRest(io: Io, { carriedOver, withoutPayee, receivables }: BatchPlan): void {
  if (carriedOver.providers > 0) {
    io.say(`Carried over below the minimum: ${carriedOver.amount} base units of ${carriedOver.providers} providers.`);
  }
  if (withoutPayee.providers > 0) {
    io.say(`Waiting for a payee: ${withoutPayee.amount} base units of ${withoutPayee.providers} providers.`);
  }
  if (receivables.providers > 0) {
    io.say(
      `Receivables, met by the next payouts: ${receivables.amount} base units of ${receivables.providers} providers.`,
    );
  }
}

interface ConfirmOptions {
  readonly network: string;
  readonly late?: boolean;
  readonly reason?: string;
  readonly requestId?: string;
}

async function confirm(io: Io, batch: number, file: string, options: ConfirmOptions): Promise<void> {
  const { network, late = false, reason = null, requestId = null } = options;
  if (late !== (reason !== null)) throw new UsageError('--late and --reason are given together, or neither');
  const confirmations = readConfirmations(await readFile(file, 'utf8'), basename(file));
  await withDatabase(io, async (session) => {
    const report = { network, batch, confirmations, lateReason: reason, requestId };
    const { overpaying, ...booked } = await confirmPayments(session, report);
    io.account({
      value: late ? { batch, ...booked, overpaying } : { batch, ...booked },
      human: () =>
        `Booked ${booked.booked} ${late ? 'late ' : ''}confirmations (${booked.amount} base units); ${booked.repeated} were booked before.`,
    });
    sayOverpaying(io, overpaying);
  });
}

/** Lines that pay somebody twice, and what to do before the wallet does. */
function sayOverpaying(io: Io, lines: readonly OverpayingLine[]): void {
  for (const { batch, provider, open, approved, owed } of lines) {
    const command = approved ? `settle payment fail ${batch} ${provider}` : `settle payment reject ${batch}`;
    io.say(
      `Warning: batch ${batch} would pay ${provider} twice: ${open} base units are still to be paid, with which ${provider} owes ${owed}. Unless the wallet has sent it: ${command} --reason TEXT`,
    );
  }
}

/** Confirmations of a wallet. @throws UsageError with file and line */
function readConfirmations(text: string, file: string): readonly Confirmation[] {
  const rows = parse(text, { columns: false, skip_empty_lines: true, info: true }) as unknown as {
    readonly record: readonly string[];
    readonly info: { readonly lines: number };
  }[];
  if (rows[0]?.record.join(',') !== 'provider,reference,amount') {
    throw new UsageError(`${file}:1: the header is not provider,reference,amount`);
  }
  return rows.slice(1).map(({ record, info }) => {
    const [provider = '', reference = '', amount = ''] = record;
    const wrong = (what: string) => new UsageError(`${file}:${info.lines}: ${what}`);
    if (!IDENTIFIER.test(provider)) throw wrong('the provider is not an identifier');
    if (!IDENTIFIER.test(reference)) throw wrong('the reference is not 1 to 128 of A-Z a-z 0-9 . _ : -');
    if (!/^[1-9][0-9]{0,77}$/.test(amount)) throw wrong('the amount is not a whole number of base units above 0');
    return { provider, reference, amount };
  });
}

const IDENTIFIER = /^[A-Za-z0-9._:-]{1,128}$/;

function batchArgument(text: string): number {
  if (/^[1-9][0-9]{0,8}$/.test(text)) return Number(text);
  throw new UsageError(`${JSON.stringify(text)} is no batch: \`settle payment list\` shows their numbers`);
}

function amountArgument(text: string): bigint {
  if (/^[1-9][0-9]{0,77}$/.test(text)) return BigInt(text);
  throw new InvalidArgumentError('a whole number of base units above 0.');
}

const BATCH_COLUMNS: readonly Column<PaymentBatch>[] = [
  { key: 'batch', title: 'Batch', type: 'count', value: (b) => b.batch },
  { key: 'state', title: 'State', type: 'id', value: (b) => b.decision ?? 'waits for approval' },
  { key: 'lines', title: 'Lines', type: 'count', value: (b) => b.lines },
  { key: 'total', title: 'Total (base units)', type: 'amount', value: (b) => b.total },
  { key: 'confirmed', title: 'Confirmed', type: 'amount', value: (b) => b.confirmed },
  { key: 'failed_lines', title: 'Failed', type: 'count', value: (b) => b.failedLines },
  { key: 'minimum', type: 'amount', value: (b) => b.minimum },
  { key: 'created_by', title: 'Made by', type: 'text', value: (b) => b.createdBy },
  { key: 'created_at', title: 'At', type: 'id', value: (b) => b.createdAt },
  { key: 'decided_by', title: 'Decided by', type: 'text', value: (b) => b.decidedBy },
  { key: 'request_id', type: 'id', value: (b) => b.requestId },
];

const LINE_COLUMNS: readonly Column<PaymentLine>[] = [
  { key: 'provider', title: 'Provider', type: 'id', value: (l) => l.provider },
  { key: 'payee', title: 'Payee', type: 'id', value: (l) => l.payee },
  {
    key: 'amount',
    title: 'To pay (base units)',
    type: 'amount',
    value: (l) => (BigInt(l.amount) - BigInt(l.confirmed)).toString(),
  },
];
