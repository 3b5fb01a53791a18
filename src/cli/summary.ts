import type { Colors } from 'picocolors/types';
import type { LastEpoch, MarketSummary, NetworkSummary, TokenUnit } from '../queries/network-summary';
import type { TrippedBreaker } from '../rulesets/1/records';
import type { Hold } from '../store/holds';
import type { PublishedPayout } from '../store/published';
import { counted, percent, price, rangeText, rounded, signedPercent, sparkline, tokens } from './figures';
import { type Account, type Column, safeText, sheetTable } from './output';

/** The report at the end of `start` and `epoch run`: what happened, why, and what to type next. */
export function summaryAccount(summary: NetworkSummary, width: number): Account {
  return { value: summaryValue(summary), human: (colors) => summaryText(summary, colors, width) };
}

function summaryValue(summary: NetworkSummary): unknown {
  const { network, last, holds, token } = summary;
  return {
    network: network.network,
    calendar: { first_epoch: network.firstEpoch, last_epoch: network.lastEpoch },
    token,
    last_published: last === null ? null : lastValue(last),
    held: holds.map((hold) => ({
      epoch: hold.epoch,
      content_digest: hold.contentDigest,
      breakers: hold.breakers,
      deadline: hold.deadline,
      decide: decideCommand(network.network, hold.epoch),
    })),
    epochs: {
      published: summary.standing.published,
      failed: summary.standing.failed,
      held: holds.length,
      open: summary.open,
    },
  };
}

function lastValue(last: LastEpoch): unknown {
  const { content } = last;
  return {
    epoch: last.epoch,
    revision: last.revision,
    starts_at: last.startsAt,
    ends_at: last.endsAt,
    pool: content.pool,
    sum: content.sum,
    unallocated: content.unallocated,
    unallocated_reason: last.unallocatedReason,
    token_price: content.tokenPrice,
    growth_phase: content.growthPhase,
    active_providers: content.activeProviders,
    providers: last.providers,
    paid_providers: last.paidProviders,
    unpaid: last.unpaid,
    markets: last.markets.map(({ course, ...market }) => ({ ...market, course })),
    largest_payouts: last.payouts.map((payout) => ({
      provider: payout.provider,
      amount: payout.amount,
      gross: payout.gross,
      cap_cut: payout.capCut,
      scale_cut: payout.scaleCut,
    })),
  };
}

function summaryText(summary: NetworkSummary, colors: Colors, width: number): string {
  const { last, token } = summary;
  const parts =
    last === null
      ? [colors.yellow('No epoch is published yet.')]
      : [marketsText(last, colors, width), poolText(last, token, colors), payoutsText(last, token, colors, width)];
  return [
    ...parts,
    ...summary.holds.map((hold) => holdText(hold, colors)),
    nextText(summary, colors),
    outcomeText(summary, colors),
  ].join('\n\n');
}

const MARKET_COLUMNS: readonly Column<MarketSummary>[] = [
  { key: 'market', title: 'Market', type: 'id', value: ({ market }) => market },
  { key: 'price', title: 'USD/hour', type: 'amount', value: (row) => row.price, show: (row) => price(row.price) },
  { key: 'change', title: 'Change', type: 'amount', value: (row) => row.change, show: changeCell },
  { key: 'utilisation', title: 'Used', type: 'amount', value: (row) => row.utilisation, show: usedCell },
  { key: 'course', title: 'Last 24 epochs', type: 'text', value: () => '', show: courseCell },
  { key: 'factors', title: 'Moved most by', type: 'text', value: () => '', show: factorsCell },
];

function changeCell({ change }: MarketSummary, colors: Colors): string {
  if (change === null) return colors.dim('new');
  return direction(change, signedPercent(change, 2), colors);
}

function usedCell({ utilisation }: MarketSummary, colors: Colors): string {
  return utilisation === null ? colors.dim('no supply') : percent(utilisation, 0);
}

function courseCell({ course }: MarketSummary, colors: Colors): string {
  return colors.cyan(sparkline(course));
}

function factorsCell({ factors }: MarketSummary, colors: Colors): string {
  if (factors.length === 0) return colors.dim('nothing');
  return factors
    .map(({ factor, share }) => `${factor} ${direction(share, signedPercent(share, 2), colors)}`)
    .join(', ');
}

function direction(figure: string, text: string, colors: Colors): string {
  if (/^0(\.0+)?$/.test(figure)) return colors.dim(text);
  return figure.startsWith('-') ? colors.red(text) : colors.green(text);
}

function marketsText(last: LastEpoch, colors: Colors, width: number): string {
  const title = heading(
    `Markets of epoch ${last.epoch}`,
    `${readableTime(last.startsAt)} to ${readableTime(last.endsAt)}`,
    colors,
  );
  return `${title}\n${sheetTable({ columns: MARKET_COLUMNS, rows: last.markets, empty: '' }, colors, width).trimEnd()}`;
}

function poolText({ content, ...last }: LastEpoch, { symbol, decimals }: TokenUnit, colors: Colors): string {
  const amount = (baseUnits: string) => `${tokens(baseUnits, decimals)} ${safeText(symbol)}`;
  const share = content.pool === '0' ? '' : ` (${percent(shareOf(content.sum, content.pool))})`;
  const why =
    last.unallocatedReason === 'rounding' ? 'the pool was too small: all were scaled down to it' : 'not needed';
  const unpaid = last.unpaid.map(({ reason, providers }) => `${providers} ${reason}`).join(', ');
  return [
    heading(
      'Pool',
      `growth phase ${safeText(content.growthPhase)}, token at ${rounded(content.tokenPrice, 4)} USD`,
      colors,
    ),
    `  pool          ${amount(content.pool)}`,
    `  paid          ${colors.bold(amount(content.sum))}${share} to ${last.paidProviders} of ${counted(last.providers, 'provider')}`,
    `  unallocated   ${amount(content.unallocated)} ${colors.dim(`to the treasury: ${why}`)}`,
    ...(unpaid === '' ? [] : [`  not eligible  ${unpaid}`]),
  ].join('\n');
}

/** part / whole of two amounts, to nine decimals, for reading. */
function shareOf(part: string, whole: string): string {
  const nano = (BigInt(part) * 1_000_000_000n) / BigInt(whole);
  return `${nano / 1_000_000_000n}.${String(nano % 1_000_000_000n).padStart(9, '0')}`;
}

function payoutsText(last: LastEpoch, { symbol, decimals }: TokenUnit, colors: Colors, width: number): string {
  const columns: readonly Column<PublishedPayout>[] = [
    { key: 'provider', title: 'Provider', type: 'id', value: (row) => row.provider },
    {
      key: 'amount',
      title: safeText(symbol),
      type: 'amount',
      value: (row) => row.amount,
      show: (row) => tokens(row.amount, decimals),
    },
    {
      key: 'share',
      title: 'Share of pool',
      type: 'amount',
      value: () => '',
      show: (row) => percent(shareOf(row.amount, last.content.pool), 2),
    },
    { key: 'cut', title: 'Cut', type: 'text', value: () => '', show: (row) => cutCell(row, decimals, colors) },
  ];
  const sheet = { columns, rows: last.payouts, empty: '  Nobody was paid.' };
  return `${heading('Largest payouts', `epoch ${last.epoch}`, colors)}\n${sheetTable(sheet, colors, width).trimEnd()}`;
}

function cutCell({ capCut, scaleCut }: PublishedPayout, decimals: number, colors: Colors): string {
  const cuts = [
    ...(capCut === '0' ? [] : [`cap −${tokens(capCut, decimals)}`]),
    ...(scaleCut === '0' ? [] : [`scaling −${tokens(scaleCut, decimals)}`]),
  ];
  return cuts.length === 0 ? colors.dim('none') : cuts.join(', ');
}

/** `priceChange 0.31, limit 0.25 (gpu.t4)`. */
export function breakerText({ id, figure, limit, subject }: TrippedBreaker): string {
  return `${id} ${figure}, limit ${limit}${subject === null ? '' : ` (${safeText(subject)})`}`;
}

/** The one command that decides a hold. */
export function decideCommand(network: string, epoch: number): string {
  const which = network === 'swarm' ? '' : ` --network ${network}`;
  return `npx settle hold approve ${epoch}${which} --reason "why it is right"`;
}

/** One hold: what tripped, and the command that decides it. */
export function holdText(hold: Hold, colors: Colors): string {
  return [
    heading(`Epoch ${hold.epoch} is on hold`, `until ${readableTime(hold.deadline)}`, colors),
    ...hold.breakers.map((breaker) => `  ${colors.yellow('!')} ${breakerText(breaker)}`),
    `  decide with   ${colors.bold(decideCommand(hold.network, hold.epoch))}`,
    colors.dim('                (`hold reject` instead closes the epoch and pays nobody)'),
  ].join('\n');
}

function nextText({ last, network, holds }: NetworkSummary, colors: Colors): string {
  const which = network.network === 'swarm' ? '' : ` --network ${network.network}`;
  const market = last?.markets[0]?.market;
  const provider = last?.payouts[0]?.provider;
  const lines = [
    ['npx settle status', 'how the network stands'],
    ...(market === undefined ? [] : [[`npx settle price show --market ${market}`, 'what made this price']]),
    ...(provider === undefined ? [] : [[`npx settle explain ${last?.epoch} ${provider}`, 'what made this payout']]),
    ...(holds.length === 0 ? [] : [[`npx settle hold list`, 'what is held, and why']]),
    ['npx settle --help', 'everything else'],
  ].map(([command = '', words = '']) => [command.includes('--help') ? command : `${command}${which}`, words] as const);
  const widest = Math.max(...lines.map(([command]) => command.length));
  return [
    heading('Next', '', colors),
    ...lines.map(([command, words]) => `  ${command.padEnd(widest)}   ${colors.dim(words)}`),
  ].join('\n');
}

/** The last line: how many epochs ended how. */
export function outcomeText({ standing, holds, open, network }: NetworkSummary, colors: Colors): string {
  const failed = Object.entries(standing.failed);
  const failures = failed.map(([name, count]) => `${name} ${count}`).join(', ');
  const failedCount = failed.reduce((sum, [, count]) => sum + count, 0);
  const calendar =
    network.lastEpoch === null ? `from ${network.firstEpoch}` : rangeText(network.firstEpoch, network.lastEpoch);
  const waiting = open === null ? [] : [`${open} open`];
  return [
    `Epochs ${calendar} of ${safeText(network.network)}:`,
    [
      colors.green(`${standing.published} published`),
      `${failedCount} failed${failures === '' ? '' : ` (${failures})`}`,
      holds.length > 0 ? colors.yellow(`${holds.length} held`) : '0 held',
      ...waiting,
    ].join(', '),
  ].join(' ');
}

function heading(title: string, words: string, colors: Colors): string {
  return words === '' ? colors.bold(title) : `${colors.bold(title)}  ${colors.dim(words)}`;
}

/** `2020-05-28 22:00 UTC`. */
export function readableTime(instant: string): string {
  return `${instant.slice(0, 10)} ${instant.slice(11, 16)} UTC`;
}
