import type { Colors } from 'picocolors/types';
import type { TokenAmount } from '../../explain/figures';
import type { LineExplanation, PayoutExplanation } from '../../explain/payout-explanation';
import type { ExplainedPayout } from '../../explain/payout-standing';
import type { CurveSegment, MetricExplanation } from '../../explain/performance-explanation';
import { percent } from '../figures';
import { type Column, safeText, sheetTable } from '../output';
import { exactDecimal, factLines, heading, indented, readableTime, shortDigest, wrapped } from './layout';
import { standingText } from './standing-text';

/** A payout for its provider: what was measured, what it is worth, what was cut, what is left; every step adds up. */
export function explanationText(found: ExplainedPayout, colors: Colors, width: number): string {
  const earned = found.reason === 'paid' ? found.lines.map((line) => lineText(found, line, colors, width)) : [];
  return [
    titleText(found, colors, width),
    inputsText(found, colors, width),
    performanceText(found, colors, width),
    ...earned,
    amountText(found, colors, width),
    standingText(found, colors, width),
    sourceText(found, colors, width),
  ].join('\n\n');
}

function titleText(found: PayoutExplanation, colors: Colors, width: number): string {
  const symbol = safeText(found.token.symbol);
  const held = found.source.state === 'held' ? colors.yellow('  on hold: not published, not paid') : '';
  const because = found.reason === 'paid' ? colors.green(found.reason) : colors.yellow(found.reason);
  return [
    `${heading(`${found.provider} in epoch ${found.epoch}`, '', colors)}${held}`,
    factLines(
      [
        ['amount', `${colors.bold(found.amount.tokens)} ${symbol}`],
        ['', `${found.amount.baseUnits} base units, of which ${oneToken(found.token.decimals)} are one ${symbol}`],
        ['reason', `${because}: ${safeText(found.because)}`],
      ],
      colors,
      width,
    ),
  ].join('\n');
}

const oneToken = (decimals: number): string => `10^${decimals}`;

function inputsText({ registry, lines, performance }: PayoutExplanation, colors: Colors, width: number): string {
  const measured = performance.metrics.map((metric) => `${metric.title} ${measuredText(metric)}`);
  const facts = factLines(
    [
      [
        'registry',
        `${registry.status}, joined in epoch ${registry.joinedEpoch}, paid to ${registry.payee ?? 'nobody yet: no payee is registered'}`,
      ],
      ['measured', measured.join(', ')],
    ],
    colors,
    width,
  );
  const table = sheetTable({ columns: CAPACITY_COLUMNS, rows: lines, empty: 'No capacity rows.' }, colors, width - 2);
  return `${heading('What was recorded', 'sealed: it can no longer change', colors)}\n${facts}\n\n${indented(table)}`;
}

const CAPACITY_COLUMNS: readonly Column<LineExplanation>[] = [
  { key: 'market', title: 'Market', type: 'id', value: (line) => line.market },
  { key: 'offered', title: 'Offered', type: 'amount', value: (line) => exactDecimal(line.offered, 6) },
  { key: 'served', title: 'Served', type: 'amount', value: (line) => exactDecimal(line.served, 6) },
  { key: 'idle', title: 'Idle', type: 'amount', value: (line) => exactDecimal(line.idle, 6) },
  { key: 'standby', title: 'Idle and paid', type: 'amount', value: (line) => exactDecimal(line.standbyHours, 6) },
  { key: 'unit', title: 'Unit', type: 'text', value: (line) => line.unit },
];

function measuredText({ value, unit }: MetricExplanation): string {
  if (value === null) return 'not measured';
  // Four decimals of a percentage are all that a share can have.
  return unit === 'share' ? percent(value, 4) : unit === 'ms' ? `${value} ms` : value;
}

const METRIC_COLUMNS: readonly Column<MetricExplanation>[] = [
  { key: 'metric', title: 'Metric', type: 'text', value: (metric) => metric.title },
  { key: 'value', title: 'Measured', type: 'amount', value: measuredText },
  { key: 'score', title: 'Score', type: 'amount', value: ({ score }) => score, show: scoreCell },
  { key: 'weight', title: '× Weight', type: 'amount', value: ({ weight }) => weight },
  { key: 'weighted', title: '= Points', type: 'amount', value: ({ weighted }) => weighted, show: pointsCell },
  { key: 'remark', title: 'On its curve', type: 'text', value: remarkOf },
];

function scoreCell({ score }: MetricExplanation, colors: Colors): string {
  return score === null ? colors.dim('–') : exactDecimal(score, 9);
}

function pointsCell({ weighted }: MetricExplanation, colors: Colors): string {
  return weighted === null ? colors.dim('–') : exactDecimal(weighted, 9);
}

function remarkOf({ counts, assumed, segment }: MetricExplanation): string {
  if (!counts) return 'nobody has it: left out';
  if (assumed) return 'set by the policy';
  return segment === null ? '' : segmentWords(segment);
}

/** A piece of a curve: value to score at both of its ends. */
function segmentWords({ from, to }: CurveSegment): string {
  return from.x === to.x ? `flat at ${to.y}` : `${from.x}→${from.y}, ${to.x}→${to.y}`;
}

function performanceText({ performance }: PayoutExplanation, colors: Colors, width: number): string {
  const title = heading('How well it was served', '', colors);
  if (!performance.verdict) {
    return `${title}\n${indented(wrapped(NO_VERDICT, width - 2).join('\n'))}\n  performance multiplier ${colors.bold(performance.multiplier ?? '–')}`;
  }
  if (performance.quality === null) return `${title}\n  Not scored: the provider is not eligible.`;
  const table = sheetTable({ columns: METRIC_COLUMNS, rows: performance.metrics, empty: '' }, colors, width - 2);
  const { weighted, weights, quality, multiplier, segment } = performance;
  return [
    title,
    indented(table),
    '',
    `  quality       ${exactDecimal(weighted ?? '0', 9)} points / ${weights} = ${quality}, rounded to 9 decimals`,
    `  multiplier    ${colors.bold(multiplier ?? '')}${segment === null ? '' : ` on its curve: ${segmentWords(segment)}`}`,
  ].join('\n');
}

const NO_VERDICT =
  'This epoch gives no verdict on performance: too many providers were not measured, or most of them fell below the minimum together. Nobody gains or loses by it.';

function lineText({ token, epoch }: PayoutExplanation, line: LineExplanation, colors: Colors, width: number): string {
  const symbol = safeText(token.symbol);
  const unit = safeText(line.unit);
  const { multipliers } = line;
  const product = [
    `conditions ${multipliers.marketConditions}`,
    `demand ${multipliers.networkDemand}`,
    `availability ${multipliers.resourceAvailability}`,
    `growth ${multipliers.growth}`,
  ].join(' × ');
  const bounded =
    multipliers.product === multipliers.network
      ? multipliers.network
      : `${multipliers.product}, bounded to ${multipliers.network}`;
  const facts = factLines(
    [
      [
        'paid hours',
        `served ${line.served} + idle and paid ${line.standbyHours} × ${line.standbyShare} = ${colors.bold(line.paidHours)} ${unit}`,
      ],
      ['network ×', `${product} = ${bounded}`],
      [
        'rate',
        `price ${line.priceUsd} USD × network ${multipliers.network} / ${token.priceUsd} USD a token = ${colors.bold(line.tokensPerUnitHour)} ${symbol} per ${unit}`,
      ],
      [
        'earned',
        `paid hours × rate × performance ${multipliers.performance} = ${colors.bold(line.gross.tokens)} ${symbol}`,
      ],
      ['rounding', `down by ${shortFraction(line.roundedOff)} of a base unit`],
    ],
    colors,
    width,
  );
  return `${heading(`What ${line.market} earned`, `its price: settle price show --market ${line.market} --epoch ${epoch}`, colors)}\n${facts}`;
}

/** The first digits of what rounding took: there are up to 27. */
const shortFraction = (text: string): string => (text.length > 8 ? `${text.slice(0, 8)}…` : text);

interface AmountRow {
  readonly title: string;
  readonly amount: TokenAmount;
  readonly sign: '' | '+' | '−';
  readonly total: boolean;
}

function amountText(found: PayoutExplanation, colors: Colors, width: number): string {
  const { lines, gross, cap, scaling, amount, token } = found;
  const row = (title: string, of: TokenAmount, sign: AmountRow['sign'], total = false): AmountRow => ({
    title,
    amount: of,
    sign,
    total,
  });
  const rows = [
    ...lines.map((line) => row(line.market, line.gross, '+')),
    row('earned', gross, '', true),
    row('cut by the cap', cap.cut, '−'),
    row('cut to the pool', scaling.cut, '−'),
    row('amount', amount, '', true),
  ];
  const symbol = safeText(token.symbol);
  const columns: readonly Column<AmountRow>[] = [
    {
      key: 'step',
      title: 'Step',
      type: 'text',
      value: ({ title }) => title,
      show: (one, c) => (one.total ? c.bold(one.title) : one.title),
    },
    {
      key: 'tokens',
      title: symbol,
      type: 'amount',
      value: ({ amount: of }) => of.tokens,
      show: (one, c) => figure(one, exactDecimal(one.amount.tokens, token.decimals), c),
    },
    {
      key: 'base_units',
      title: 'Base units',
      type: 'amount',
      value: ({ amount: of }) => of.baseUnits,
      show: (one, c) => figure(one, one.amount.baseUnits, c),
    },
  ];
  const table = sheetTable({ columns, rows, empty: '' }, colors, width - 2);
  const facts = factLines(
    [
      ['pool', `${cap.pool.tokens} ${symbol} for all providers of the epoch`],
      ['cap', `${percent(cap.share, 2)} of the pool at most for one provider: ${cap.cap.tokens} ${symbol}`],
      ['scaling', scalingWords(found)],
    ],
    colors,
    width,
  );
  return `${heading('What is paid', 'lines and cuts come to the amount, in both units', colors)}\n${indented(table)}\n\n${facts}`;
}

function figure({ sign, amount, total }: AmountRow, text: string, colors: Colors): string {
  if (total) return colors.bold(text);
  if (amount.baseUnits === '0') return colors.dim(text);
  return `${sign === '−' ? '−' : ''}${text}`;
}

function scalingWords({ scaling, token }: PayoutExplanation): string {
  const symbol = safeText(token.symbol);
  const earned = `all providers together earned ${scaling.cappedSum.tokens} ${symbol} after the cap`;
  if (!scaling.binds) return `none: ${earned}, which the pool covers`;
  return `${earned}, more than the pool: each keeps the same share of what it earned, rounded down to a base unit`;
}

function sourceText({ source, revision, token, network }: PayoutExplanation, colors: Colors, width: number): string {
  const published = source.publishedAt === null ? 'not published' : `published ${readableTime(source.publishedAt)}`;
  const facts = factLines(
    [
      ['revision', `${revision} of network ${network}, ${published}`],
      [
        'rules',
        `ruleset ${source.ruleset}, policy ${safeText(source.policy.name)} ${colors.dim(shortDigest(source.policy.hash))}`,
      ],
      [
        'network',
        `${source.activeProviders} active providers, growth phase ${safeText(source.growthPhase)}, one ${safeText(token.symbol)} is ${token.priceUsd} USD`,
      ],
      ['content', source.contentDigest],
      source.head === null ? null : ['head', source.head],
      source.claimsRoot === null ? null : ['claims', source.claimsRoot],
    ],
    colors,
    width,
  );
  return `${heading('Where this is written', 'all of it as data: -o json', colors)}\n${facts}`;
}
