import type { Command } from 'commander';
import type { PayoutPage } from '../../queries/payouts';
import type { ProviderPayout } from '../../store/payout-reports';
import { type EpochRange, epochArgument, LAST_EPOCH, rangeArgument } from '../arguments';
import { UsageError } from '../errors';
import { counted, tokens } from '../figures';
import { archiveOption, group, networkOption } from '../groups';
import type { Io } from '../io';
import { type Column, type Sheet, safeText } from '../output';
import type { Session } from '../session';
import { countArgument } from './counts';
import { printFitted } from './fitted-table';
import { multiplierCell, PAYOUT_DROPPABLE, payoutSheet, reasonCell } from './payout-table';

const TOP_SHOWN = 20;
const PAGE_ROWS = 1_000;
const EPOCHS_SHOWN = 24;

interface ListOptions {
  readonly network: string;
  readonly epoch?: number;
  readonly top?: number;
  readonly all?: boolean;
  readonly after?: string;
  readonly provider?: string;
  readonly epochs?: EpochRange;
  readonly archive?: readonly string[];
}

export function register(program: Command, io: Io): void {
  group(program, 'payout')
    .command('list')
    .description('payouts of an epoch, or of a provider over epochs')
    .addOption(networkOption())
    .option('--epoch <epoch>', 'which epoch (default: the last published)', epochArgument)
    .option('--top <n>', `the largest so many (default: ${TOP_SHOWN})`, countArgument)
    .option('--all', 'all of them by provider')
    .option('--after <provider>', `by provider, the ${PAGE_ROWS} after this one`)
    .option('--provider <provider>', `of this provider over epochs (default: the last ${EPOCHS_SHOWN})`)
    .option('--epochs <A..B>', 'with --provider: in these epochs', rangeArgument)
    .addOption(archiveOption())
    .action(async (options: ListOptions) => {
      if (options.provider === undefined) await listEpoch(io, options);
      else await listProvider(io, options, options.provider);
    });
}

async function listEpoch(io: Io, options: ListOptions): Promise<void> {
  const { network, after, top, all } = options;
  if (options.epochs !== undefined)
    throw new UsageError('--epochs needs --provider; one epoch is chosen with --epoch.');
  if (top !== undefined && (all === true || after !== undefined))
    throw new UsageError('--top lists by amount, --all and --after by provider: choose one.');
  const { broughtFor, withDatabase } = await import('../open.js');
  const { allPayouts, payoutPage, topPayouts } = await import('../../queries/payouts.js');
  const { lastPublishedEpoch } = await import('../../queries/epochs.js');
  const work = async ({ pool: db }: Pick<Session, 'pool'>): Promise<PayoutPage> => {
    const epoch = options.epoch ?? (await lastPublishedEpoch(db, network));
    if (all === true) return allPayouts(db, network, epoch);
    if (after !== undefined) return payoutPage(db, network, epoch, after, PAGE_ROWS);
    return topPayouts(db, network, epoch, top ?? TOP_SHOWN);
  };
  const { epoch: first = 0, epoch: last = LAST_EPOCH } = options;
  const page = await withDatabase(io, work, broughtFor(options.archive, { network, first, last, allPayouts: false }));
  printFitted(io, payoutSheet(page), PAYOUT_DROPPABLE);
  sayOf(io, page);
}

/** What the rows are part of, as words: they would be no rows of the data. */
function sayOf(io: Io, { settled, totals, payouts, next }: PayoutPage): void {
  const shown = payouts.length;
  const { policy, key, report } = settled;
  const of = shown === totals.providers ? '' : ` of ${totals.providers}`;
  const paid = `${tokens(totals.amount, policy.token.decimals)} ${safeText(policy.token.symbol)}`;
  const held = report.state === 'held' ? ' The epoch is on hold: nothing of this is paid yet.' : '';
  io.say(io.wordColors.dim(`${counted(shown, 'payout')}${of} in epoch ${key.epoch}; ${paid} to all.${held}`));
  if (next !== null) io.say(io.wordColors.dim(`next: settle payout list --epoch ${key.epoch} --after ${next}`));
}

async function listProvider(io: Io, options: ListOptions, provider: string): Promise<void> {
  const { network, epoch, epochs } = options;
  const { broughtFor, withDatabase } = await import('../open.js');
  const { providerPayouts } = await import('../../queries/payouts.js');
  const { networkStatus } = await import('../../queries/network-status.js');
  const { absentArchives } = await import('../../store/archives.js');
  const range = epochs ?? { first: epoch ?? 0, last: epoch ?? LAST_EPOCH };
  const count = epochs === undefined ? EPOCHS_SHOWN : epochs.last - epochs.first + 1;
  const { payouts, token, without } = await withDatabase(
    io,
    async ({ pool: db }) => {
      // Those that were not asked for by number are left out where they are archived, and said so.
      const without = epochs === undefined && epoch === undefined ? await absentArchives(db, 0, LAST_EPOCH) : [];
      const found = await providerPayouts(db, network, provider, range, count, without);
      return { ...found, without, token: (await networkStatus(db, network)).token };
    },
    broughtFor(options.archive, { network, ...range, allPayouts: false }),
  );
  printFitted(io, providerSheet(payouts, token), ['revision', 'multiplier', 'gross']);
  for (const { first, last } of without) {
    io.say(io.wordColors.dim(`Epochs ${first} to ${last} are archived and left out: bring them with --archive DIR.`));
  }
}

function providerSheet(
  rows: readonly ProviderPayout[],
  { symbol, decimals }: { readonly symbol: string; readonly decimals: number },
): Sheet<ProviderPayout> {
  const shown = (amount: string) => tokens(amount, decimals);
  const cut = (amount: string) => (amount === '0' ? '0' : `−${shown(amount)}`);
  const columns: readonly Column<ProviderPayout>[] = [
    { key: 'epoch', title: 'Epoch', type: 'count', value: (row) => row.epoch },
    { key: 'revision', title: 'Revision', type: 'count', value: (row) => row.revision },
    { key: 'provider', type: 'id', value: (row) => row.provider },
    {
      key: 'gross',
      title: `Earned ${safeText(symbol)}`,
      type: 'amount',
      value: (row) => row.gross,
      show: (row) => shown(row.gross),
    },
    { key: 'cap_cut', title: 'Cap', type: 'amount', value: (row) => row.capCut, show: (row) => cut(row.capCut) },
    {
      key: 'scale_cut',
      title: 'Scaling',
      type: 'amount',
      value: (row) => row.scaleCut,
      show: (row) => cut(row.scaleCut),
    },
    {
      key: 'amount',
      title: `Paid ${safeText(symbol)}`,
      type: 'amount',
      value: (row) => row.amount,
      show: (row, c) => c.bold(shown(row.amount)),
    },
    { key: 'multiplier', title: 'Perf. ×', type: 'amount', value: (row) => row.multiplier, show: multiplierCell },
    { key: 'reason', title: 'Reason', type: 'id', value: (row) => row.reason, show: reasonCell },
  ];
  return { columns, rows, empty: 'It has no payout in these epochs.' };
}
