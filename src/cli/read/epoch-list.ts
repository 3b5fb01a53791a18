import { type Command, Option } from 'commander';
import type { Colors } from 'picocolors/types';
import type { EpochSummary } from '../../queries/epochs';
import type { EpochState } from '../../store/epoch-reports';
import { type EpochRange, rangeArgument } from '../arguments';
import { percent, price, tokens } from '../figures';
import { group, networkOption } from '../groups';
import type { Io } from '../io';
import { type Column, type Sheet, safeText } from '../output';
import { countArgument } from './counts';
import { printFitted } from './fitted-table';
import { readableTime } from './layout';

const NEWEST_SHOWN = 24;
const STATES: readonly EpochState[] = ['published', 'failed', 'held', 'open'];

interface ListOptions {
  readonly network: string;
  readonly epochs?: EpochRange;
  readonly state?: EpochState;
  readonly last: number;
}

export function register(program: Command, io: Io): void {
  group(program, 'epoch')
    .command('list')
    .description('epochs and how they stand, oldest first')
    .addOption(networkOption())
    .option('--epochs <A..B>', 'only these', rangeArgument)
    .addOption(new Option('--state <state>', 'only epochs that stand like this').choices(STATES))
    .option('--last <n>', 'the newest so many', countArgument, NEWEST_SHOWN)
    .action(async (options: ListOptions) => {
      const { withDatabase } = await import('../open.js');
      const { listEpochs } = await import('../../queries/epochs.js');
      const { network, epochs, state, last } = options;
      const found = await withDatabase(io, ({ pool: db }) =>
        listEpochs(db, network, {
          first: epochs?.first ?? null,
          last: epochs?.last ?? null,
          states: state === undefined ? null : [state],
          newest: epochs === undefined ? last : null,
        }),
      );
      printFitted(io, epochSheet(found), ['token_price', 'active_providers', 'unallocated', 'start']);
    });
}

function epochSheet(rows: readonly EpochSummary[]): Sheet<EpochSummary> {
  return { columns: columnsFor(rows), rows, empty: 'There is no such epoch: none of these is closed, held or sealed.' };
}

function columnsFor(rows: readonly EpochSummary[]): readonly Column<EpochSummary>[] {
  // One network has one token; its symbol stands in the heading instead of in every row.
  const symbol = safeText(rows.find(({ token }) => token !== null)?.token?.symbol ?? 'tokens');
  return [
    { key: 'epoch', title: 'Epoch', type: 'count', value: (row) => row.epoch },
    { key: 'start', title: 'Start', type: 'id', value: (row) => row.start, show: (row) => readableTime(row.start) },
    { key: 'state', title: 'State', type: 'id', value: (row) => row.state, show: stateCell },
    { key: 'revision', type: 'count', value: (row) => row.revision },
    {
      key: 'sum',
      title: `Paid ${symbol}`,
      type: 'amount',
      value: (row) => row.sum,
      show: (row, c) => amountCell(row, row.sum, c),
    },
    { key: 'pool_share', title: 'Of pool', type: 'amount', value: (row) => poolShare(row), show: shareCell },
    { key: 'pool', type: 'amount', value: (row) => row.pool },
    {
      key: 'unallocated',
      title: 'Unallocated',
      type: 'amount',
      value: (row) => row.unallocated,
      show: (row, c) => amountCell(row, row.unallocated, c),
    },
    { key: 'unallocated_reason', type: 'id', value: (row) => row.unallocatedReason },
    { key: 'active_providers', title: 'Active', type: 'count', value: (row) => row.activeProviders },
    { key: 'payouts', type: 'count', value: (row) => row.payouts },
    { key: 'token_price', title: 'USD/token', type: 'amount', value: (row) => row.tokenPrice, show: tokenCell },
    { key: 'growth_phase', type: 'text', value: (row) => row.growthPhase },
    { key: 'remarks', title: 'Remarks', type: 'text', value: (row) => remarks(row).join('; '), show: remarksCell },
    { key: 'since', type: 'id', value: (row) => row.since },
    { key: 'content_digest', type: 'id', value: (row) => row.contentDigest },
    { key: 'claims_root', type: 'id', value: (row) => row.claimsRoot },
    { key: 'head', type: 'id', value: (row) => row.head },
  ];
}

export function stateCell({ state, holdOverdue }: Pick<EpochSummary, 'state' | 'holdOverdue'>, colors: Colors): string {
  if (state === 'published') return colors.green('published');
  if (state === 'failed') return colors.red('failed');
  if (state === 'held') return colors.yellow(holdOverdue ? 'held, expired' : 'held');
  return colors.cyan('open');
}

function amountCell({ token }: EpochSummary, amount: string | null, colors: Colors): string {
  if (token === null || amount === null) return colors.dim('–');
  const shown = tokens(amount, token.decimals);
  // What is left over by rounding is a few base units, and that is not nothing.
  return amount !== '0' && /^0\.0*$/.test(shown) ? colors.dim(`>${shown}`) : shown;
}

/** sum / pool to nine decimals, for reading. */
export function poolShare({ sum, pool }: Pick<EpochSummary, 'sum' | 'pool'>): string | null {
  if (sum === null || pool === null || pool === '0') return null;
  const nano = (BigInt(sum) * 1_000_000_000n) / BigInt(pool);
  return `${nano / 1_000_000_000n}.${String(nano % 1_000_000_000n).padStart(9, '0')}`;
}

function shareCell(row: EpochSummary, colors: Colors): string {
  const share = poolShare(row);
  return share === null ? colors.dim('–') : percent(share);
}

function tokenCell({ tokenPrice }: EpochSummary, colors: Colors): string {
  return tokenPrice === null ? colors.dim('–') : price(tokenPrice);
}

function remarks(row: EpochSummary): string[] {
  return [
    ...(row.failure === null ? [] : [row.failure]),
    ...row.breakers.map(({ id }) => id),
    ...(row.revision !== null && row.revision > 1 ? [`revision ${row.revision}`] : []),
    ...outdatedWords(row),
  ];
}

function remarksCell(row: EpochSummary, colors: Colors): string {
  const text = safeText(remarks(row).join(', '));
  return row.state === 'published' ? colors.dim(text) : text;
}

/** An epoch keeps what it was settled on; this says where the chain says otherwise by now. */
export function outdatedWords({ outdated }: Pick<EpochSummary, 'outdated'>): string[] {
  const superseded = outdated.filter(({ read }) => read !== null).map(({ of, read }) => `${of}@${read}`);
  const without = outdated.filter(({ read }) => read === null).map(({ of }) => String(of));
  return [
    ...(superseded.length === 0 ? [] : [`built on superseded ${shortened(superseded)}`]),
    ...(without.length === 0 ? [] : [`built without epoch ${shortened(without)}`]),
  ];
}

const SHOWN = 3;

function shortened(names: readonly string[]): string {
  const more = names.length - SHOWN;
  return `${names.slice(0, SHOWN).join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}
