import { type Command, Option } from 'commander';
import type { Colors } from 'picocolors/types';
import type { PriceLine } from '../../explain/price-explanation';
import { Decimal, q9 } from '../../numbers/decimal';
import type { PriceRecord } from '../../queries/price-record';
import { epochArgument } from '../arguments';
import { percent, price, rounded } from '../figures';
import { group, networkOption } from '../groups';
import type { Io } from '../io';
import { type Account, type Column, type Sheet, safeText, sheetTable, visibleLength } from '../output';
import { countArgument } from './counts';
import { snakeKeys } from './json-keys';
import { exactDecimal, factLines, heading, indented, wrapped } from './layout';
import { direction } from './market-table';
import { pricePlot } from './price-plot';

const SERIES_EPOCHS = 72;

interface ShowOptions {
  readonly network: string;
  readonly market: string;
  readonly epoch?: number;
  readonly last: number;
}

export function register(program: Command, io: Io): void {
  group(program, 'price')
    .command('show')
    .description('how a price was formed, line by line, and its course')
    .addOption(new Option('--market <market>', 'which market').makeOptionMandatory())
    .option('--epoch <epoch>', 'in which epoch (default: the last published)', epochArgument)
    .option('--last <n>', 'how many epochs the plot covers', countArgument, SERIES_EPOCHS)
    .addOption(networkOption())
    .action(async ({ network, market, epoch, last }: ShowOptions) => {
      const { withDatabase } = await import('../open.js');
      const { priceRecord } = await import('../../queries/price-record.js');
      const { lastPublishedEpoch } = await import('../../queries/epochs.js');
      const record = await withDatabase(io, async ({ pool: db }) =>
        priceRecord(db, network, epoch ?? (await lastPublishedEpoch(db, network)), market, last),
      );
      io.account(priceAccount(record, io.width));
    });
}

function priceAccount(record: PriceRecord, width: number): Account {
  const { explanation, ...rest } = record;
  const sheet: Sheet<PriceLine> = {
    columns: [
      { key: 'epoch', type: 'count', value: () => record.epoch },
      { key: 'market', type: 'id', value: () => explanation.market },
      ...LINE_COLUMNS,
      { key: 'measured', type: 'text', value: ({ measured }) => measured },
    ],
    rows: explanation.lines,
    empty: '',
  };
  return {
    value: snakeKeys({ ...rest, ...explanation }),
    human: (colors) => priceText(record, colors, width),
    sheet: sheet as unknown as Sheet<never>,
  };
}

const LINE_COLUMNS: readonly Column<PriceLine>[] = [
  { key: 'line', title: 'Line', type: 'id', value: ({ name }) => name, show: titleCell },
  { key: 'kind', type: 'id', value: ({ kind }) => kind },
  { key: 'signal', title: 'Signal', type: 'amount', value: ({ signal }) => signal, show: signalCell },
  { key: 'weight', title: 'Weight', type: 'amount', value: ({ weight }) => weight, show: ({ weight }) => weight ?? '' },
  { key: 'amount', title: 'USD', type: 'amount', value: ({ amount }) => amount, show: amountCell },
  { key: 'subtotal', title: 'Price so far', type: 'amount', value: ({ subtotal }) => subtotal, show: subtotalCell },
];

const PLACES = 12;

function titleCell({ title, kind }: PriceLine, colors: Colors): string {
  return kind === 'start' ? colors.bold(title) : title;
}

function signalCell({ signal }: PriceLine, colors: Colors): string {
  return signal === null ? '' : direction(signal, exactDecimal(signal, 9), colors);
}

function amountCell({ amount, kind }: PriceLine, colors: Colors): string {
  const text = exactDecimal(amount, PLACES);
  if (kind === 'start') return text;
  return direction(amount, amount === '0' || amount.startsWith('-') ? text : `+${text}`, colors);
}

function subtotalCell({ subtotal }: PriceLine): string {
  return exactDecimal(subtotal, PLACES);
}

function priceText(record: PriceRecord, colors: Colors, width: number): string {
  const { explanation: found, epoch, state } = record;
  const held = state === 'held' ? colors.yellow('  on hold, not published') : '';
  const title = heading(
    `${found.market} in epoch ${epoch}`,
    `${price(found.price)} USD per ${safeText(found.unit)}, revision ${record.revision}`,
    colors,
  );
  const words = found.kept ? [colors.yellow('  The market stood still: nothing was offered and asked for.')] : [];
  return [
    `${title}${held}`,
    ...words,
    linesText(found.lines, colors, width),
    indented(colors.bold(`price  ${exactDecimal(found.price, PLACES)} USD per ${safeText(found.unit)}`)),
    factLines(measureFacts(record), colors, width),
    pricePlot(record.series, colors, width),
  ].join('\n\n');
}

/** The table of the lines; what was measured stands beside it where there is room, else below each line. */
function linesText(lines: readonly PriceLine[], colors: Colors, width: number): string {
  const inside = width - 2;
  const table = sheetTable({ columns: LINE_COLUMNS, rows: lines, empty: '' }, colors, inside).trimEnd().split('\n');
  const widest = Math.max(...table.map(visibleLength));
  const room = inside - widest - 2;
  const beside = room >= Math.max(...lines.map(({ measured }) => measured.length));
  const [head = '', rule = '', ...rows] = table;
  const shown = rows.flatMap((row, index) => {
    const measured = safeText(lines[index]?.measured ?? '');
    if (beside) return [`${row}${' '.repeat(widest - visibleLength(row) + 2)}${colors.dim(measured)}`];
    return [row, ...wrapped(measured, inside - 4).map((line) => `    ${colors.dim(line)}`)];
  });
  const headLine = beside ? `${head}${' '.repeat(widest - visibleLength(head) + 2)}${colors.bold('Measured')}` : head;
  return indented([headLine, rule, ...shown].join('\n'));
}

function measureFacts({ explanation }: PriceRecord): [string, string][] {
  const { measures, multipliers, unit } = explanation;
  const quantity = (text: string) => rounded(text, 2);
  const factors = [
    `conditions ${exactDecimal(multipliers.marketConditions, 4)}`,
    `demand ${exactDecimal(multipliers.networkDemand, 4)}`,
    `availability ${exactDecimal(multipliers.resourceAvailability, 4)}`,
    `growth ${exactDecimal(multipliers.growth, 4)} (${safeText(multipliers.growthPhase)})`,
  ];
  const used = measures.supply === '0' ? '' : `, ${percent(shareOf(measures.used, measures.supply))} used`;
  return [
    ['base price', `${exactDecimal(explanation.base, PLACES)} USD, which the next epoch starts from`],
    ['supply', `${quantity(measures.supply)} ${safeText(unit)}${used}`],
    ['demand', `${quantity(measures.demand)} ${safeText(unit)}, next epoch ${quantity(measures.forecast)} expected`],
    ['reward ×', `${exactDecimal(multipliers.network, 9)} = ${factors.join(' × ')}, within its bounds`],
  ];
}

/** For reading: rounded to nine decimals. */
const shareOf = (part: string, whole: string): string => q9(new Decimal(part).div(whole)).toFixed();
