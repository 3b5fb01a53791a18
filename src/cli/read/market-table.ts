import type { Colors } from 'picocolors/types';
import { Decimal, q9 } from '../../numbers/decimal';
import type { MarketGlance, MarketOverview } from '../../queries/market-overview';
import { percent, price, signedPercent, sparkline } from '../figures';
import { type Column, safeText } from '../output';
import { fittedTable } from './fitted-table';

/** The markets of an epoch at a glance. */

/** From this width on there is room for the two strongest factors. */
const WIDE = 116;

const FACTOR_NAMES = {
  supply: 'supply',
  demand: 'demand',
  marketConditions: 'conditions',
  availableCapacity: 'capacity',
  providerGrowth: 'growth',
  usagePatterns: 'usage',
  peakDemand: 'peak',
  competition: 'competition',
  marketTrends: 'trend',
} as const;

/** Below this width a course of half as many epochs has to do. */
const NARROW = 90;
const POINTS_IF_NARROW = 12;

export function marketTable({ markets }: MarketOverview, colors: Colors, width: number): string {
  const points = width >= NARROW ? Number.POSITIVE_INFINITY : POINTS_IF_NARROW;
  const sheet = { columns: columnsWith(width >= WIDE ? 2 : 1, points), rows: markets, empty: 'No markets.' };
  return fittedTable(sheet, ['multiplier', 'demand', 'unit', 'factors', 'series'], colors, width);
}

const columnsWith = (factors: number, points: number): readonly Column<MarketGlance>[] => [
  { key: 'market', title: 'Market', type: 'id', value: (row) => row.market },
  { key: 'price', title: 'USD', type: 'amount', value: (row) => row.price, show: (row) => price(row.price) },
  { key: 'unit', title: 'per', type: 'text', value: (row) => row.unit },
  { key: 'change', title: 'Change', type: 'amount', value: (row) => row.change, show: changeCell },
  {
    key: 'utilisation',
    title: 'Used',
    type: 'amount',
    value: (row) => row.utilisation,
    show: (row, c) => shareCell(row.utilisation, c),
  },
  {
    key: 'demand',
    title: 'Asked',
    type: 'amount',
    value: (row) => row.demandShare,
    show: (row, c) => shareCell(row.demandShare, c),
  },
  {
    key: 'multiplier',
    title: 'Reward ×',
    type: 'amount',
    value: (row) => row.multiplier,
    show: (row) => price(row.multiplier),
  },
  {
    key: 'series',
    title: 'Course',
    type: 'text',
    value: () => '',
    show: (row, c) => c.cyan(sparkline(row.series.slice(-points).map((point) => point.price))),
  },
  {
    key: 'factors',
    title: 'Moved most by',
    type: 'text',
    value: () => '',
    show: (row, c) => factorsCell(row, factors, c),
  },
];

function changeCell({ change }: MarketGlance, colors: Colors): string {
  return change === null ? colors.dim('new') : direction(change, signedPercent(change, 2), colors);
}

function shareCell(share: string | null, colors: Colors): string {
  return share === null ? colors.dim('none') : percent(share, 0);
}

function factorsCell(row: MarketGlance, count: number, colors: Colors): string {
  const shown = row.factors.slice(0, count);
  if (shown.length === 0) return colors.dim('nothing');
  return shown.map(({ factor, amount }) => `${FACTOR_NAMES[factor]} ${moveText(row, amount, colors)}`).join(', ');
}

/** In the unit of the change beside it: a share of the price before. */
function moveText({ previousPrice }: MarketGlance, amount: string, colors: Colors): string {
  if (previousPrice === null) return direction(amount, signedPrice(amount), colors);
  const share = q9(new Decimal(amount).dividedBy(previousPrice)).toFixed();
  return direction(share, signedPercent(share, 2), colors);
}

function signedPrice(amount: string): string {
  return amount.startsWith('-') ? `−${price(amount.slice(1))}` : `+${price(amount)}`;
}

/** Up is green, down is red, nothing is dim. */
export function direction(figure: string, text: string, colors: Colors): string {
  if (/^-?0(\.0+)?$/.test(figure)) return colors.dim(safeText(text));
  return figure.startsWith('-') ? colors.red(safeText(text)) : colors.green(safeText(text));
}
