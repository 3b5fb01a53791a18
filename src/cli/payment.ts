import { type Command, InvalidArgumentError, Option } from 'commander';
import { alteredBatch, type DigestedBatch, withDigests } from '../commands/batch-digests';
import { failPayment } from '../commands/confirm-payments';
import { createBatch, decideBatch, overpayingLines, payableLines, previewBatch } from '../commands/payments';
import type { BatchPlan } from '../ledger/dues';
import type { Amount } from '../numbers/units';
import { getNetwork } from '../store/networks';
import { getBatch, listBatches, type PaymentLine, paymentLines } from '../store/payments';
import { reasonArgument } from './arguments';
import { CommandEnds, UsageError } from './errors';
import { EXIT } from './exit-codes';
import { group, networkOption, requestIdOption } from './groups';
import type { Io } from './io';
import { requireHeadsOf, withDatabase } from './open';
import { type Column, type Sheet, sheetTable } from './output';
import { confirm, sayOverpaying } from './payment-confirm';

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
        const rows = await withDigests(pool, network, await listBatches(pool, network));
        io.sheet({ columns: BATCH_COLUMNS, rows, empty: 'No payment batch yet.' });
      }),
    );
  payment
    .command('show <batch>')
    .description('a batch and its lines, with the digest that its approval is bound to')
    .addOption(networkOption())
    .action((batch, { network }) => show(io, network, batchArgument(batch)));
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
      .option('--digest <hex>', 'of the lines that you looked at: refused if the batch has others')
      .addOption(requestIdOption())
      .addOption(networkOption())
      .action((number, { network, reason, digest = null, requestId = null }) =>
        withDatabase(io, async (session) => {
          const batch = batchArgument(number);
          await requireHeadsOf(session);
          const decision = { network, batch, outcome, reason, linesDigest: digest, requestId };
          const decided = await decideBatch(session, decision);
          const rows = await withDigests(session.pool, network, [decided]);
          io.sheet({ columns: BATCH_COLUMNS, rows, empty: '' });
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
        await requireHeadsOf(session);
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
    await requireHeadsOf(session);
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
    io.sheet({
      columns: BATCH_COLUMNS,
      rows: await withDigests(session.pool, options.network, [batch]),
      empty: '',
    });
    sayRest(io, plan);
    io.say(
      `Next, by somebody else: settle payment show ${batch.batch}, then settle payment approve ${batch.batch} --digest HEX --reason TEXT`,
    );
  });
}

/** A batch and its lines; exit code 5 if it was decided and has other lines now. */
function show(io: Io, network: string, number: number): Promise<void> {
  return withDatabase(io, async ({ pool }) => {
    const [batch] = await withDigests(pool, network, [await getBatch(pool, network, number)]);
    const { createdBy, createdAt, decision, decidedBy, linesDigest } = batch!;
    const rows = await paymentLines(pool, network, number);
    const sheet: Sheet<PaymentLine> = { columns: SHOWN_COLUMNS, rows, empty: '' };
    const lines = rows.map(({ failed, ...line }) => ({ ...line, given_up: failed }));
    const state = decision ?? 'waits for approval';
    io.account({
      value: {
        batch: number,
        state,
        created_by: createdBy,
        created_at: createdAt,
        decided_by: decidedBy,
        lines_digest: linesDigest,
        lines,
      },
      human: (colors) => sheetTable(sheet, colors, io.width),
      sheet: sheet as never,
    });
    io.say(`Batch ${number}, made by ${createdBy} at ${createdAt}: ${state}. Digest of its lines: ${linesDigest}`);
    const altered = await alteredBatch(pool, network, [batch!]);
    if (altered === null) return;
    io.say(`Warning: these are not the lines that ${decidedBy} decided on; their digest is ${altered.linesDigest}.`);
    throw new CommandEnds(EXIT.mismatch);
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

function batchArgument(text: string): number {
  if (/^[1-9][0-9]{0,8}$/.test(text)) return Number(text);
  throw new UsageError(`${JSON.stringify(text)} is no batch: \`settle payment list\` shows their numbers`);
}

function amountArgument(text: string): bigint {
  if (/^[1-9][0-9]{0,77}$/.test(text)) return BigInt(text);
  throw new InvalidArgumentError('a whole number of base units above 0.');
}

const BATCH_COLUMNS: readonly Column<DigestedBatch>[] = [
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
  {
    key: 'lines_digest',
    title: 'Digest',
    type: 'id',
    value: (b) => b.linesDigest,
    show: (b) => b.linesDigest.slice(0, 12),
  },
];

const SHOWN_COLUMNS: readonly Column<PaymentLine>[] = [
  { key: 'provider', title: 'Provider', type: 'id', value: (l) => l.provider },
  { key: 'payee', title: 'Payee', type: 'id', value: (l) => l.payee },
  { key: 'amount', title: 'Amount (base units)', type: 'amount', value: (l) => l.amount },
  { key: 'confirmed', title: 'Confirmed', type: 'amount', value: (l) => l.confirmed },
  { key: 'given_up', title: 'Given up', type: 'flag', value: (l) => l.failed },
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
