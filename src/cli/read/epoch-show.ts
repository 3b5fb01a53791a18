import type { Command } from 'commander';
import type { Colors } from 'picocolors/types';
import type { EpochDetail } from '../../queries/epochs';
import type { MarketOverview } from '../../queries/market-overview';
import type { PayoutPage } from '../../queries/payouts';
import type { ArchivedRange } from '../../store/archives';
import { epochArgument } from '../arguments';
import { counted, percent, rounded, tokens } from '../figures';
import { group, networkOption } from '../groups';
import type { Io } from '../io';
import { type Account, safeText } from '../output';
import { behindFact, databaseBehind } from './database-behind';
import { outdatedWords, poolShare, stateCell } from './epoch-list';
import { snakeKeys } from './json-keys';
import { type Fact, factLines, heading, indented, readableTime } from './layout';
import { marketTable } from './market-table';
import { payoutTable } from './payout-table';

const LARGEST_SHOWN = 5;
const SERIES_EPOCHS = 24;

/** Everything about one epoch; markets and payouts are null where it has no results. */
interface EpochView {
  readonly detail: EpochDetail;
  readonly markets: MarketOverview | null;
  readonly largest: PayoutPage | null;
  /** Where its payouts are instead; null: they are in the database. */
  readonly archive: ArchivedRange | null;
  /** Why it is not settled although it may be due; null: nothing is in the way, or it is closed. */
  readonly databaseBehind: string | null;
}

export function register(program: Command, io: Io): void {
  group(program, 'epoch')
    .command('show')
    .description('one epoch: markets, pool, payouts, breakers, digests')
    .argument('<epoch>', 'its number', epochArgument)
    .addOption(networkOption())
    .action(async (epoch: number, { network }: { readonly network: string }) => {
      const { withDatabase } = await import('../open.js');
      const { epochDetail } = await import('../../queries/epochs.js');
      const { marketOverview } = await import('../../queries/market-overview.js');
      const { topPayouts } = await import('../../queries/payouts.js');
      const { absentArchives } = await import('../../store/archives.js');
      const view = await withDatabase(io, async ({ pool: db, home }): Promise<EpochView> => {
        const detail = await epochDetail(db, network, epoch);
        const { state } = detail.summary;
        const behind = state === 'published' || state === 'failed' ? null : await databaseBehind(db, home);
        const view = { detail, databaseBehind: behind };
        if (detail.content === null) return { ...view, markets: null, largest: null, archive: null };
        const markets = await marketOverview(db, network, epoch, SERIES_EPOCHS);
        const [archive = null] = await absentArchives(db, epoch, epoch);
        const largest = archive === null ? await topPayouts(db, network, epoch, LARGEST_SHOWN) : null;
        return { ...view, markets, largest, archive };
      });
      io.account(epochAccount(view, io.width));
    });
}

function epochAccount(view: EpochView, width: number): Account {
  const { detail, markets, largest, archive } = view;
  const { summary, ...rest } = detail;
  const value = {
    ...summary,
    ...rest,
    markets: markets?.markets ?? null,
    payoutTotals: largest === null ? null : totalsValue(largest),
    largestPayouts: largest?.payouts ?? null,
    databaseBehind: view.databaseBehind,
    archive: archive === null ? null : { writtenTo: archive.writtenTo, manifestSha256: archive.manifestHash },
  };
  return { value: snakeKeys(value), human: (colors) => epochText(view, colors, width) };
}

function totalsValue({ totals: { reasons, ...totals } }: PayoutPage): unknown {
  return { ...totals, reasons: Object.entries(reasons).map(([reason, providers]) => ({ reason, providers })) };
}

function epochText(view: EpochView, colors: Colors, width: number): string {
  const { detail, markets, largest, archive } = view;
  const { summary } = detail;
  const title = heading(
    `Epoch ${summary.epoch}`,
    `${readableTime(summary.start)} to ${readableTime(detail.end)}`,
    colors,
  );
  const facts = [...stateFacts(detail, colors), behindFact(view.databaseBehind, colors)];
  const parts = [
    `${title}  ${stateCell(summary, colors)}\n${factLines(facts, colors, width)}`,
    ...(markets === null
      ? []
      : [
          `${heading('Markets', 'USD per unit, change since the published epoch before', colors)}\n${indented(marketTable(markets, colors, width - 2))}`,
        ]),
    ...(largest === null ? [] : [poolText(detail, largest, colors, width), largestText(largest, colors, width)]),
    ...(archive === null
      ? []
      : [
          `${heading('Payouts', 'archived', colors)}\n  Bring the archive that was written to ${safeText(archive.writtenTo)}: settle payout list --epoch ${summary.epoch} --archive DIR`,
        ]),
    ...(detail.content === null ? [] : [digestsText(detail, colors, width)]),
  ];
  return parts.join('\n\n');
}

function stateFacts({ summary, sealedAt, inputDeadline, policy }: EpochDetail, colors: Colors): Fact[] {
  const { breakers } = summary;
  return [
    summary.state === 'published'
      ? ['published', `${readableTime(summary.since ?? '')}, revision ${summary.revision}`]
      : null,
    summary.failure === null ? null : ['failed', `${summary.failure}: ${safeText(summary.failureReason ?? '')}`],
    summary.state === 'held'
      ? [
          'held',
          `since ${readableTime(summary.since ?? '')} until ${readableTime(summary.holdDeadline ?? '')}, run asked for by ${safeText(summary.askedBy ?? '')}`,
        ]
      : null,
    ...breakers.map((breaker): Fact => {
      const where = breaker.subject === null ? '' : ` (${safeText(breaker.subject)})`;
      return ['breaker', `${colors.yellow(breaker.id)} ${breaker.figure}, limit ${breaker.limit}${where}`];
    }),
    sealedAt === null ? null : ['sealed', readableTime(sealedAt)],
    inputDeadline === null || sealedAt !== null ? null : ['deadline', readableTime(inputDeadline)],
    policy === null ? null : ['policy', `${safeText(policy.name)} ${colors.dim(policy.hash)}`],
    summary.outdated.length > 0
      ? ['remark', `${outdatedWords(summary).join('; ')}: it keeps what it was settled on`]
      : null,
  ];
}

function poolText({ summary, content }: EpochDetail, { totals }: PayoutPage, colors: Colors, width: number): string {
  const decimals = summary.token?.decimals ?? 0;
  const symbol = safeText(summary.token?.symbol ?? '');
  const amount = (baseUnits: string) => `${tokens(baseUnits, decimals).padStart(longest)} ${symbol}`;
  const figures = [content?.pool ?? '0', totals.gross, totals.capCut, totals.scaleCut];
  const longest = Math.max(...figures.map((figure) => tokens(figure, decimals).length));
  const share = poolShare(summary);
  const others = Object.entries(totals.reasons).filter(([reason]) => reason !== 'paid');
  const facts = factLines(
    [
      ['pool', amount(content?.pool ?? '0')],
      ['earned', `${amount(totals.gross)} by ${counted(totals.reasons.paid ?? 0, 'eligible provider')}`],
      ['cut by cap', `${amount(totals.capCut)} of ${counted(totals.capped, 'provider')}`],
      ['cut to pool', amount(totals.scaleCut)],
      ['paid', `${colors.bold(amount(totals.amount))}${share === null ? '' : `, ${percent(share)} of the pool`}`],
      [
        'unallocated',
        `${amount(summary.unallocated ?? '0')} to the treasury: ${UNALLOCATED[summary.unallocatedReason ?? 'unspent']}`,
      ],
      others.length === 0 ? null : ['not eligible', others.map(([reason, count]) => `${count} ${reason}`).join(', ')],
    ],
    colors,
    width,
  );
  const words = `growth phase ${safeText(content?.growthPhase ?? '')}, ${symbol} at ${rounded(content?.tokenPrice ?? '0', 4)} USD`;
  return `${heading('Pool', words, colors)}\n${facts}`;
}

const UNALLOCATED = { rounding: 'rounding, after all were scaled down to the pool', unspent: 'not earned' } as const;

function largestText(page: PayoutPage, colors: Colors, width: number): string {
  return `${heading('Largest payouts', '', colors)}\n${indented(payoutTable(page, colors, width - 2))}`;
}

function digestsText({ content, claims, summary }: EpochDetail, colors: Colors, width: number): string {
  const facts = factLines(
    [
      ['content', summary.contentDigest ?? ''],
      ['snapshot', content?.snapshotDigest ?? ''],
      ['prices', content?.pricesDigest ?? ''],
      ['payouts', content?.payoutsDigest ?? ''],
      claims === null ? null : ['claims root', `${claims.root} (${counted(claims.payees, 'payee')})`],
      summary.head === null ? null : ['head', summary.head],
    ],
    colors,
    width,
  );
  return `${heading('Digests', 'SHA-256; of the claims, keccak-256', colors)}\n${facts}`;
}
