import type { Colors } from 'picocolors/types';
import type { LastEpoch, NetworkSummary } from '../queries/network-summary';
import type { TrippedBreaker } from '../rulesets/1/records';
import type { Hold } from '../store/holds';
import { counted, percent, rangeText, rounded, tokens } from './figures';
import { type Account, safeText } from './output';
import { poolShare } from './read/epoch-list';
import { snakeKeys } from './read/json-keys';
import { factLines, heading, indented, readableTime } from './read/layout';
import { marketTable } from './read/market-table';
import { payoutTable } from './read/payout-table';

/** The report at the end of `start`: what happened, why, and what to type next. */
export function summaryAccount(summary: NetworkSummary, width: number): Account {
  return { value: summaryValue(summary), human: (colors) => summaryText(summary, colors, width) };
}

function summaryValue({ network, standing, open, last, holds }: NetworkSummary): unknown {
  return {
    network: network.network,
    calendar: { first_epoch: network.firstEpoch, last_epoch: network.lastEpoch },
    last_published: last === null ? null : lastValue(last),
    held: holds.map((hold) => ({
      epoch: hold.epoch,
      content_digest: hold.contentDigest,
      breakers: hold.breakers,
      deadline: hold.deadline,
      decide: decideCommand(hold.network, hold.epoch),
    })),
    epochs: { published: standing.published, failed: standing.failed, held: holds.length, open },
  };
}

function lastValue({ payouts, overview, ...last }: LastEpoch): unknown {
  const { settled, totals } = payouts;
  const { content, policy } = settled;
  return {
    epoch: last.epoch,
    revision: settled.key.revision,
    starts_at: last.startsAt,
    ends_at: last.endsAt,
    token: policy.token,
    token_price: content.tokenPrice,
    growth_phase: content.growthPhase,
    active_providers: content.activeProviders,
    pool: content.pool,
    sum: content.sum,
    unallocated: content.unallocated,
    unallocated_reason: last.unallocatedReason,
    providers: totals.providers,
    reasons: totals.reasons,
    markets: snakeKeys(overview.markets),
    largest_payouts: snakeKeys(payouts.payouts),
  };
}

function summaryText(summary: NetworkSummary, colors: Colors, width: number): string {
  const { last } = summary;
  const parts =
    last === null
      ? [colors.yellow('No epoch is published yet.')]
      : [marketsText(last, colors, width), poolText(last, colors, width), payoutsText(last, colors, width)];
  const holds = summary.holds.map((hold) => holdText(hold, colors, width));
  return [...parts, ...holds, nextText(summary, colors), outcomeText(summary, colors)].join('\n\n');
}

function marketsText({ epoch, startsAt, endsAt, overview }: LastEpoch, colors: Colors, width: number): string {
  const title = heading(`Markets of epoch ${epoch}`, `${readableTime(startsAt)} to ${readableTime(endsAt)}`, colors);
  return `${title}\n${indented(marketTable(overview, colors, width - 2))}`;
}

function poolText({ payouts, unallocatedReason }: LastEpoch, colors: Colors, width: number): string {
  const { settled, totals } = payouts;
  const { content, policy } = settled;
  const amount = (baseUnits: string) => `${tokens(baseUnits, policy.token.decimals)} ${safeText(policy.token.symbol)}`;
  const share = poolShare({ sum: content.sum, pool: content.pool });
  const { paid = 0, ...unpaid } = totals.reasons;
  const reasons = Object.entries(unpaid).map(([reason, providers]) => `${providers} ${reason}`);
  const words = `growth phase ${safeText(content.growthPhase)}, token at ${rounded(content.tokenPrice, 4)} USD`;
  const facts = factLines(
    [
      ['pool', amount(content.pool)],
      [
        'paid',
        `${colors.bold(amount(content.sum))}${share === null ? '' : ` (${percent(share)})`} to ${counted(paid, 'provider')}`,
      ],
      ['unallocated', `${amount(content.unallocated)} ${colors.dim(whyText(unallocatedReason))}`],
      reasons.length === 0 ? null : ['not eligible', reasons.join(', ')],
    ],
    colors,
    width,
  );
  return `${heading('Pool', words, colors)}\n${facts}`;
}

function whyText(reason: LastEpoch['unallocatedReason']): string {
  if (reason === 'rounding') return 'left by rounding: the pool was less than earned, so all were scaled down';
  return 'more than was earned';
}

function payoutsText({ epoch, payouts }: LastEpoch, colors: Colors, width: number): string {
  return `${heading('Largest payouts', `epoch ${epoch}`, colors)}\n${indented(payoutTable(payouts, colors, width - 2))}`;
}

/** `priceChange 0.31, limit 0.25 (gpu.t4)`. */
export function breakerText({ id, figure, limit, subject }: TrippedBreaker): string {
  return `${id} ${figure}, limit ${limit}${subject === null ? '' : ` (${safeText(subject)})`}`;
}

/** The one command that decides a hold. */
export function decideCommand(network: string, epoch: number): string {
  return `npx settle hold approve ${epoch}${networkWords(network)} --reason "why it is right"`;
}

/** What has to be added to a command for a network that is not the default one. */
export function networkWords(network: string): string {
  return network === 'swarm' ? '' : ` --network ${network}`;
}

/** One hold: what tripped, and the command that decides it. */
export function holdText(hold: Hold, colors: Colors, width: number): string {
  const title = heading(`Epoch ${hold.epoch} is on hold`, `until ${readableTime(hold.deadline)}`, colors);
  const facts = factLines(
    [
      ...hold.breakers.map((breaker) => ['tripped', colors.yellow(breakerText(breaker))] as const),
      hold.askedBy === 'system' ? null : ['decided by', `anybody but ${safeText(hold.askedBy)}, who asked for the run`],
      ['decide with', colors.bold(decideCommand(hold.network, hold.epoch))],
      ['or', 'the same with `reject`: the epoch is closed, and nobody is paid for it'],
    ],
    colors,
    width,
  );
  return `${title}\n${facts}`;
}

function nextText({ last, network, holds }: NetworkSummary, colors: Colors): string {
  const which = networkWords(network.network);
  const market = last?.overview.markets[0]?.market;
  const provider = last?.payouts.payouts[0]?.provider;
  const lines = [
    [`npx settle status${which}`, 'how the network stands'],
    ...(market === undefined ? [] : [[`npx settle price show --market ${market}${which}`, 'what made this price']]),
    ...(provider === undefined
      ? []
      : [[`npx settle explain ${last?.epoch} ${provider}${which}`, 'what made this payout']]),
    ...(holds.length === 0 ? [] : [[`npx settle hold list${which}`, 'what is held, and why']]),
    ['npx settle --help', 'everything else'],
  ] as const;
  const widest = Math.max(...lines.map(([command = '']) => command.length));
  return [
    heading('Next', '', colors),
    ...lines.map(([command = '', words = '']) => `  ${command.padEnd(widest)}   ${colors.dim(words)}`),
  ].join('\n');
}

/** The last line: how many epochs ended how. */
export function outcomeText({ standing, holds, open, network }: NetworkSummary, colors: Colors): string {
  const failed = Object.entries(standing.failed);
  const failures = failed.map(([name, count]) => `${name} ${count}`).join(', ');
  const failedCount = failed.reduce((sum, [, count]) => sum + count, 0);
  const { firstEpoch, lastEpoch } = network;
  const calendar = lastEpoch === null ? `from ${firstEpoch}` : rangeText(firstEpoch, lastEpoch);
  const counts = [
    colors.green(`${standing.published} published`),
    `${failedCount} failed${failures === '' ? '' : ` (${failures})`}`,
    holds.length > 0 ? colors.yellow(`${holds.length} held`) : '0 held',
    ...(open === null ? [] : [`${open} open`]),
  ];
  return `Epochs ${calendar} of ${safeText(network.network)}: ${counts.join(', ')}`;
}
