import type { Command } from 'commander';
import type { Colors } from 'picocolors/types';
import type { HoldStatus, NetworkStatus } from '../../queries/network-status';
import type { WaitingDecision } from '../../queries/waiting-decisions';
import { counted, duration, tokens } from '../figures';
import { networkOption } from '../groups';
import type { Io } from '../io';
import { type Account, type Column, safeText, sheetTable } from '../output';
import { behindFact, databaseBehind } from './database-behind';
import { snakeKeys } from './json-keys';
import { type Fact, factLines, heading, indented, readableTime, shortDigest } from './layout';

export function register(program: Command, io: Io): void {
  program
    .command('status')
    .description('how a network stands: what is closed, what comes next, what waits for whom')
    .addOption(networkOption())
    .action(async ({ network }: { readonly network: string }) => {
      const { withDatabase } = await import('../open.js');
      const { networkStatus } = await import('../../queries/network-status.js');
      const status = await withDatabase(io, async ({ pool: db, home }) =>
        onWhatIsThere(await networkStatus(db, network), await databaseBehind(db, home)),
      );
      io.account(statusAccount(status, io.width));
    });
}

/** Beside the rows: why nothing is settled on them; null: nothing is in the way. */
type Status = NetworkStatus & { readonly databaseBehind: string | null };

function onWhatIsThere(status: NetworkStatus, databaseBehind: string | null): Status {
  if (databaseBehind === null) return { ...status, databaseBehind };
  const schedule = 'no worker of this home settles: the database is behind heads.log';
  return { ...status, next: { ...status.next, schedule }, databaseBehind };
}

function statusAccount(status: Status, width: number): Account {
  return { value: snakeKeys(status), human: (colors) => statusText(status, colors, width) };
}

function statusText(status: Status, colors: Colors, width: number): string {
  const { calendar, counts, chain, policy, token, next } = status;
  const end = calendar.lastEpoch === null ? 'on, without an end' : `to ${calendar.lastEpoch}`;
  const length = duration(calendar.lengthSeconds);
  const facts = factLines(
    [
      ['calendar', `epochs ${calendar.firstEpoch} ${end}, one every ${length} since ${readableTime(calendar.genesis)}`],
      ['now', `${readableTime(status.now)}, ${presentWords(status)}`],
      ['last closed', status.lastClosed === null ? 'none yet' : `epoch ${status.lastClosed}`],
      ['next', nextWords(status, colors)],
      ['a tick', safeText(next.schedule)],
      behindFact(status.databaseBehind, colors),
      ['lateness', latenessWords(status, colors)],
      ['paid in all', `${tokens(status.paidSum, token.decimals)} ${safeText(token.symbol)}`],
      [
        'policy',
        `${safeText(policy.name)} ${colors.dim(shortDigest(policy.hash))} effective from epoch ${policy.fromEpoch}`,
      ],
      [
        'chain',
        chain === null ? 'empty' : `${counted(chain.position, 'entry', 'entries')}, head ${colors.dim(chain.head)}`,
      ],
      ...status.witnesses.map((one): Fact => ['witness', witnessWords(one, colors)]),
    ],
    colors,
    width,
  );
  const summary = [
    colors.green(`${counts.published} published`),
    counts.failed > 0 ? colors.red(`${counts.failed} failed`) : '0 failed',
    counts.held > 0 ? colors.yellow(`${counts.held} held`) : '0 held',
  ].join(', ');
  const holds = status.holds.length === 0 ? [] : [holdsText(status, colors, width)];
  const decisions = status.decisions.length === 0 ? [] : [decisionsText(status, colors, width)];
  return [`${colors.bold(safeText(status.network))}  ${summary}`, facts, ...holds, ...decisions].join('\n\n');
}

function witnessWords(one: NetworkStatus['witnesses'][number], colors: Colors): string {
  const name = safeText(one.witness);
  const upTo = one.epoch === null ? 'was told nothing yet' : `was told up to epoch ${one.epoch}`;
  if (one.failingSince !== null) {
    const since = `${readableTime(one.failingSince)}: ${safeText(one.lastError ?? '')}`;
    return `${name} ${colors.red(`does not hear, ${counted(one.behind, 'publication')} behind`)} since ${since}`;
  }
  return one.behind === 0 ? `${name} ${upTo}` : `${name} ${upTo}, ${colors.yellow(`${one.behind} behind`)}`;
}

function presentWords({ calendar }: NetworkStatus): string {
  const { current, lastEpoch } = calendar;
  if (current === null) return 'before genesis';
  return lastEpoch !== null && current > lastEpoch ? 'after the last epoch' : `in epoch ${current}`;
}

const MISSING = {
  capacity: 'capacity rows',
  'token-price': 'a usable token price',
  uptimes: 'measured uptimes',
} as const;

function nextWords({ next, holds }: NetworkStatus, colors: Colors): string {
  if (next.kind === 'finished') return 'nothing: the calendar is settled to its end';
  const epoch = `epoch ${next.epoch}`;
  if (next.kind === 'held') {
    const since = holds.find((hold) => hold.epoch === next.epoch)?.since;
    return `${epoch} ${colors.yellow('waits for a person')}${since === undefined ? '' : ` since ${readableTime(since)}`}`;
  }
  if (next.kind === 'stalled') return `${epoch} ${colors.red('stopped: its source is silent')}`;
  if (next.kind === 'not-yet') return `${epoch}, due ${readableTime(next.dueAt ?? '')}`;
  if (next.missing.length === 0) return `${epoch}, ${next.sealed ? 'sealed and on its way' : 'inputs complete'}`;
  const missing = next.missing.map((input) => MISSING[input]).join(', ');
  return `${epoch} ${colors.yellow('waits for inputs')} since ${readableTime(next.dueAt ?? '')}: ${missing}; deadline ${readableTime(next.inputDeadline ?? '')}`;
}

function latenessWords({ lateness, next, calendar }: NetworkStatus, colors: Colors): string {
  if (lateness === null) return colors.green('none');
  const since = next.dueAt === null ? '' : `, the first due since ${readableTime(next.dueAt)}`;
  // In a calendar that has ended the age of its epochs says nothing of the settlement.
  const { current, lastEpoch } = calendar;
  const recorded = lastEpoch !== null && current !== null && current > lastEpoch;
  const age = recorded ? '' : ` (${duration(lateness.seconds)})`;
  return `${colors.yellow(`${counted(lateness.epochs, 'epoch')} behind`)}${since}${age}`;
}

type HoldRow = HoldStatus & { readonly breaker: HoldStatus['breakers'][number] | null };

const HOLD_COLUMNS: readonly Column<HoldRow>[] = [
  { key: 'epoch', title: 'Epoch', type: 'count', value: (row) => row.epoch },
  { key: 'breaker', title: 'Breaker', type: 'id', value: (row) => row.breaker?.id ?? null },
  { key: 'figure', title: 'Figure', type: 'amount', value: (row) => row.breaker?.figure ?? null },
  { key: 'limit', title: 'Limit', type: 'amount', value: (row) => row.breaker?.limit ?? null },
  { key: 'subject', title: 'Where', type: 'id', value: (row) => row.breaker?.subject ?? null },
  { key: 'since', title: 'Since', type: 'id', value: (row) => row.since, show: (row) => readableTime(row.since) },
  { key: 'left', title: 'Time left', type: 'count', value: (row) => row.secondsLeft, show: leftCell },
];

function leftCell(row: HoldRow, colors: Colors): string {
  return row.overdue ? colors.red('expired') : duration(row.secondsLeft);
}

function holdsText({ holds, network }: NetworkStatus, colors: Colors, width: number): string {
  const rows = holds.flatMap((hold): HoldRow[] =>
    hold.breakers.length === 0 ? [{ ...hold, breaker: null }] : hold.breakers.map((breaker) => ({ ...hold, breaker })),
  );
  const which = network === 'swarm' ? '' : ` --network ${network}`;
  return [
    heading('On hold', 'until somebody decides', colors),
    indented(sheetTable({ columns: HOLD_COLUMNS, rows, empty: '' }, colors, width - 2)),
    ...[...new Set(holds.map(({ askedBy }) => askedBy))].map((asker) => `  decided by    ${deciderWords(asker)}`),
    `  decide with   ${colors.bold(`settle hold approve ${holds[0]?.epoch}${which} --reason "why it is right"`)}`,
    colors.dim('                (or `hold reject`, which closes the epoch without paying anybody)'),
  ].join('\n');
}

const DECISION_COLUMNS: readonly Column<WaitingDecision>[] = [
  { key: 'subject', title: 'What', type: 'text', value: (row) => row.subject },
  { key: 'since', title: 'Since', type: 'id', value: (row) => row.since, show: (row) => readableTime(row.since) },
  { key: 'asked_by', title: 'Asked by', type: 'text', value: (row) => row.askedBy },
  { key: 'decide', title: 'Decide with', type: 'id', value: (row) => row.decide },
];

function decisionsText({ decisions, network }: NetworkStatus, colors: Colors, width: number): string {
  const which = network === 'swarm' ? '' : ` --network ${network}`;
  return [
    heading('To be decided', 'by anybody but who asked', colors),
    indented(sheetTable({ columns: DECISION_COLUMNS, rows: decisions, empty: '' }, colors, width - 2)),
    colors.dim(`  each with${which} --reason "why"; or \`reject\` in the place of \`approve\``),
  ].join('\n');
}

/** Who asked for a run does not approve what it found. */
function deciderWords(askedBy: string): string {
  return askedBy === 'system'
    ? 'anybody: no person asked for the run'
    : `anybody but ${safeText(askedBy)}, who asked for the run`;
}
