import type { Colors } from 'picocolors/types';
import type { PayoutPage } from '../../queries/payouts';
import type { StoredPayout } from '../../store/payout-reports';
import { percent, rounded, tokens } from '../figures';
import { type Column, type Sheet, safeText } from '../output';
import { poolShare } from './epoch-list';
import { fittedTable } from './fitted-table';

/** What a narrow terminal does without, in this order. */
export const PAYOUT_DROPPABLE = ['pool_share', 'reason', 'multiplier', 'gross'];

/** Payouts of one epoch as rows: tokens in the table, base units in the data formats. */

export function payoutSheet(page: PayoutPage): Sheet<StoredPayout> {
  return { columns: columnsOf(page), rows: page.payouts, empty: 'Nobody has a payout there.' };
}

export function payoutTable(page: PayoutPage, colors: Colors, width: number): string {
  return fittedTable(payoutSheet(page), PAYOUT_DROPPABLE, colors, width);
}

function columnsOf({ settled }: PayoutPage): readonly Column<StoredPayout>[] {
  const { policy, content } = settled;
  const symbol = safeText(policy.token.symbol);
  const shown = (amount: string) => tokens(amount, policy.token.decimals);
  const cut = (amount: string, colors: Colors) => (amount === '0' ? colors.dim('0') : `−${shown(amount)}`);
  const share = (row: StoredPayout) => poolShare({ sum: row.amount, pool: content.pool });
  return [
    { key: 'epoch', type: 'count', value: () => settled.key.epoch },
    { key: 'revision', type: 'count', value: () => settled.key.revision },
    { key: 'provider', title: 'Provider', type: 'id', value: (row) => row.provider },
    {
      key: 'gross',
      title: `Earned ${symbol}`,
      type: 'amount',
      value: (row) => row.gross,
      show: (row) => shown(row.gross),
    },
    { key: 'cap_cut', title: 'Cap', type: 'amount', value: (row) => row.capCut, show: (row, c) => cut(row.capCut, c) },
    {
      key: 'scale_cut',
      title: 'Scaling',
      type: 'amount',
      value: (row) => row.scaleCut,
      show: (row, c) => cut(row.scaleCut, c),
    },
    {
      key: 'amount',
      title: `Paid ${symbol}`,
      type: 'amount',
      value: (row) => row.amount,
      show: (row, c) => c.bold(shown(row.amount)),
    },
    { key: 'pool_share', title: 'Of pool', type: 'amount', value: share, show: (row) => percent(share(row) ?? '0', 2) },
    { key: 'multiplier', title: 'Perf. ×', type: 'amount', value: (row) => row.multiplier, show: multiplierCell },
    { key: 'reason', title: 'Reason', type: 'id', value: (row) => row.reason, show: reasonCell },
  ];
}

export function multiplierCell({ multiplier }: Pick<StoredPayout, 'multiplier'>, colors: Colors): string {
  return multiplier === null ? colors.dim('–') : rounded(multiplier, 4);
}

export function reasonCell({ reason }: Pick<StoredPayout, 'reason'>, colors: Colors): string {
  return reason === 'paid' ? colors.green(reason) : colors.yellow(reason);
}
