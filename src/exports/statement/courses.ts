import type { MarketCourse, ProviderStatement } from '../../ledger/statement';
import { scaledText } from '../../numbers/amounts';
import { escaped, grouped, instantWords, type TableColumn, tableMarkup, tokenWords } from './markup';
import { type Plot, type PlotMark, plotMarkup } from './plots';

/** The plots of a statement: rewards, balance, performance, and the price of each market. */
export function courses(found: ProviderStatement): readonly string[] {
  const { first, last, from, to } = found;
  const ends = [
    { epoch: `epoch ${first}`, time: instantWords(from) },
    { epoch: `epoch ${last}`, time: `to ${instantWords(to)}` },
  ] as const;
  const span = { first, last, ends };
  return [
    wide(plotMarkup(rewardsPlot(found, span))),
    plotMarkup(balancePlot(found, span)),
    `<div class="quality">${plotMarkup(performancePlot(found, span), performanceTable(found))}</div>`,
    ...found.prices.map(
      (course, index) =>
        `<div class="price">${plotMarkup(pricePlot(course, index, span), priceTable(course, index))}</div>`,
    ),
  ];
}

type Span = Pick<Plot, 'first' | 'last' | 'ends'>;

const wide = (markup: string): string => `<div class="wide">${markup}</div>`;

/** A figure's place on paper. The exact one stands in the account. */
const tokensOf = (baseUnits: bigint, { token }: ProviderStatement): number =>
  Number(scaledText(baseUnits, token.decimals));

function rewardsPlot(found: ProviderStatement, span: Span): Plot {
  const { epochs } = found.statement;
  const settled = epochs.filter(({ revision }) => revision !== null);
  const points = settled.map(({ epoch, entitled }) => ({ epoch, value: tokensOf(entitled, found) }));
  const revised = settled.filter(({ adjustments }) => adjustments.length > 0);
  const entitled = settled.reduce((sum, row) => sum + row.entitled, 0n);
  const [largest = 0n] = settled.map((row) => row.entitled).sort((a, b) => (a < b ? 1 : -1));
  const words = (amount: bigint) => `${tokenWords(amount, found.token.decimals)} ${found.token.symbol}`;
  return {
    ...span,
    id: 'rewards',
    title: 'Rewards in each epoch',
    unit: found.token.symbol,
    description: `${settled.length} epochs with a payout, ${words(entitled)} in all, at most ${words(largest)} in one; ${revised.length} of them were revised. The figures are in the account below.`,
    points,
    shape: 'bars',
    fromZero: true,
    marks: revised.map(
      (row): PlotMark => ({ epoch: row.epoch, value: tokensOf(row.entitled, found), kind: 'revised' }),
    ),
  };
}

/** The balance changes where something is booked and stays in between. */
function balancePlot(found: ProviderStatement, span: Span): Plot {
  const { opening, epochs, closing } = found.statement;
  const points: { epoch: number; value: number }[] = [];
  let balance = opening.balance;
  let next = 0;
  for (let epoch = found.first; epoch <= found.last; epoch += 1) {
    const row = epochs[next];
    if (row?.epoch === epoch) {
      balance = row.balance;
      next += 1;
    }
    points.push({ epoch, value: tokensOf(balance, found) });
  }
  const paying = epochs.filter(({ payments }) => payments.length > 0);
  const words = (amount: bigint) => `${tokenWords(amount, found.token.decimals)} ${found.token.symbol}`;
  return {
    ...span,
    id: 'balance',
    title: 'Balance',
    unit: found.token.symbol,
    description: `From ${words(opening.balance)} to ${words(closing.balance)}, with payments in ${paying.length} epochs. The figures are in the account below.`,
    points,
    shape: 'line',
    fromZero: true,
    marks: paying.map((row): PlotMark => ({ epoch: row.epoch, value: tokensOf(row.balance, found), kind: 'paid' })),
  };
}

function performancePlot({ statement }: ProviderStatement, span: Span): Plot {
  const settled = statement.epochs.filter(({ reason }) => reason !== null);
  const scored = settled.filter(({ multiplier }) => multiplier !== null);
  const values = scored.map(({ multiplier }) => Number(multiplier));
  const range = values.length === 0 ? '' : ` from ${lowest(values)} to ${highest(values)}`;
  return {
    ...span,
    id: 'performance',
    title: 'Performance multiplier',
    unit: 'times what was earned',
    description: `${scored.length} epochs with a multiplier${range}; not eligible in ${settled.length - scored.length}.`,
    points: scored.map(({ epoch }, index) => ({ epoch, value: values[index]! })),
    shape: 'line',
    fromZero: true,
    marks: settled
      .filter(({ multiplier }) => multiplier === null)
      .map(({ epoch }): PlotMark => ({ epoch, value: 0, kind: 'gap' })),
  };
}

// Math.min and Math.max take only so many arguments.
const lowest = (values: readonly number[]): number => values.reduce((low, value) => Math.min(low, value));
const highest = (values: readonly number[]): number => values.reduce((high, value) => Math.max(high, value));

function performanceTable({ statement }: ProviderStatement): string {
  const rows = statement.epochs.filter(({ reason }) => reason !== null);
  const columns: readonly TableColumn<(typeof rows)[number]>[] = [
    { title: 'Epoch', kind: 'figure', cell: ({ epoch }) => String(epoch) },
    { title: 'Multiplier', kind: 'figure', cell: ({ multiplier }) => multiplier ?? '<span class="nil">–</span>' },
    { title: 'Because', kind: 'word', cell: ({ reason }) => escaped(reason ?? '') },
  ];
  return figuresOf(tableMarkup('Performance multiplier by epoch', columns, rows, { id: 'performance-figures' }));
}

function pricePlot({ market, points }: MarketCourse, index: number, span: Span): Plot {
  const [from, to] = [points[0], points.at(-1)];
  const course =
    from === undefined || to === undefined
      ? 'No price in the range.'
      : `From ${from.price} USD in epoch ${from.epoch} to ${to.price} USD in epoch ${to.epoch}.`;
  return {
    ...span,
    id: `price-${index + 1}`,
    title: `Price of ${market}`,
    unit: 'USD a unit-hour',
    description: course,
    points: points.map(({ epoch, price }) => ({ epoch, value: Number(price) })),
    shape: 'line',
    fromZero: false,
    marks: [],
  };
}

function priceTable({ market, points }: MarketCourse, index: number): string {
  const columns: readonly TableColumn<(typeof points)[number]>[] = [
    { title: 'Epoch', kind: 'figure', cell: ({ epoch }) => String(epoch) },
    { title: 'USD', kind: 'figure', cell: ({ price }) => grouped(price) },
  ];
  return figuresOf(tableMarkup(`Price of ${market} by epoch`, columns, points, { id: `price-${index + 1}-figures` }));
}

const figuresOf = (table: string): string => `<details><summary>Figures</summary>${table}</details>`;
