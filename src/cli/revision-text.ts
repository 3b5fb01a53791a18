import type { Colors } from 'picocolors/types';
import { type DisputePreview, type Grounds, movedLines, type RevisionChanges } from '../queries/revision-changes';
import type { Correction } from '../store/corrections';
import type { Dispute } from '../store/disputes';
import type { PayoutChange } from '../store/payout-changes';
import { counted, price, rangeText, tokens } from './figures';
import { type Column, safeText, sheetTable } from './output';
import { networkWords } from './summary';

/** How disputes and the changes between two revisions read. */

export interface TokenUnit {
  readonly symbol: string;
  readonly decimals: number;
}

/** Amounts in base units in all data formats; as tokens in the table. */
export function changeColumns({ decimals }: TokenUnit): readonly Column<PayoutChange>[] {
  const amount = (key: string, title: string, value: (row: PayoutChange) => string | null): Column<PayoutChange> => ({
    key,
    title,
    type: 'amount',
    value,
    show: (row, colors) => {
      const found = value(row);
      return found === null ? colors.dim('–') : signedTokens(found, decimals);
    },
  });
  return [
    { key: 'provider', title: 'Provider', type: 'id', value: (row) => row.provider },
    amount('amount_before', 'Before', (row) => row.before?.amount ?? null),
    amount('amount_after', 'After', (row) => row.after?.amount ?? null),
    {
      ...amount('delta', 'Change', (row) => row.delta),
      show: (row, colors) => deltaText(row.delta, decimals, colors),
    },
    { key: 'moved', title: 'Moved', type: 'text', value: (row) => movedLines(row).join(' ') },
    ...(['gross', 'capCut', 'scaleCut', 'reason', 'multiplier'] as const).flatMap((field): Column<PayoutChange>[] => {
      const type = field === 'reason' ? 'id' : 'amount';
      const key = field.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
      return [
        { key: `${key}_before`, type, value: (row) => row.before?.[field] ?? null },
        { key: `${key}_after`, type, value: (row) => row.after?.[field] ?? null },
      ];
    }),
  ];
}

/** Amounts cut towards zero, with their sign. */
function signedTokens(baseUnits: string, decimals: number): string {
  return baseUnits.startsWith('-') ? `−${tokens(baseUnits.slice(1), decimals)}` : tokens(baseUnits, decimals);
}

export function deltaText(baseUnits: string, decimals: number, colors: Colors): string {
  const text = signedTokens(baseUnits, decimals);
  if (baseUnits === '0') return colors.dim(text);
  return baseUnits.startsWith('-') ? colors.red(text) : colors.green(`+${text}`);
}

export function disputeTitle({ epoch, dispute, baseRevision, derive, state }: Dispute, colors: Colors): string {
  return `Dispute ${dispute} of epoch ${epoch}, on revision ${baseRevision}, ${derive}: ${stateText(state, colors)}`;
}

export function stateText(state: Dispute['state'], colors: Colors): string {
  if (state === 'published' || state === 'approved') return colors.green(state);
  return state === 'open' ? colors.yellow(state) : colors.red(state);
}

/** Who wanted it, why, and what was decided. */
export function disputeFacts(dispute: Dispute): string[] {
  const { openedBy, openedAt, reason, decision, decidedBy, decidedAt, decidedReason } = dispute;
  return [
    `  opened   by ${safeText(openedBy)} at ${openedAt}: ${safeText(reason)}`,
    ...(decision === null
      ? []
      : [`  ${decision.padEnd(8)} by ${safeText(decidedBy ?? '')} at ${decidedAt}: ${safeText(decidedReason ?? '')}`]),
  ];
}

/** The rows that are corrected, as a patch: those before with a minus, those after with a plus. */
export function correctionLines({ corrections, counts }: Grounds, colors: Colors): string[] {
  const all = counts.reduce((sum, { rows }) => sum + rows, 0);
  const lines = corrections.flatMap((one) => correctionText(one, colors));
  const more = all - corrections.length;
  return [
    `  ${counts.map(({ table, rows, withdrawn }) => `${table} ${counted(rows, 'row')}${withdrawn > 0 ? `, ${withdrawn} withdrawn` : ''}`).join('; ')}`,
    ...lines,
    ...(more > 0 ? [colors.dim(`    and ${counted(more, 'row')} more: -o json`)] : []),
  ];
}

function correctionText({ table, before, after, origin }: Correction, colors: Colors): string[] {
  const note = origin === 'late' ? ' (late)' : '';
  return [
    ...(before === null ? [] : [colors.red(`    - ${table} ${before}`)]),
    ...(after === null ? [] : [colors.green(`    + ${table} ${after}${note}`)]),
  ];
}

/** What two computations come to, and who is moved most. */
export function changesText(changes: RevisionChanges, token: TokenUnit, colors: Colors, width: number): string[] {
  const { totals, topMovers, prices, contentBefore, contentAfter } = changes;
  const { decimals, symbol } = token;
  const delta = (BigInt(totals.after) - BigInt(totals.before)).toString();
  const shown = (amount: string) => `${tokens(amount, decimals)} ${safeText(symbol)}`;
  return [
    `  paid     ${shown(totals.before)} → ${shown(totals.after)} (${deltaText(delta, decimals, colors)}) of a pool of ${shown(contentAfter.pool)}`,
    `  payouts  ${counted(totals.changed, 'changes', 'change')}: ${totals.raised} up, ${totals.lowered} down, ${totals.added} added, ${totals.removed} gone`,
    ...headLines(contentBefore, contentAfter),
    ...prices.map(
      ({ market, priceBefore, priceAfter }) => `  price    ${market} ${price(priceBefore)} → ${price(priceAfter)} USD`,
    ),
    ...(topMovers.length === 0
      ? []
      : ['', sheetTable({ columns: changeColumns(token), rows: topMovers, empty: '' }, colors, width).trimEnd()]),
  ];
}

function headLines(before: RevisionChanges['contentBefore'], after: RevisionChanges['contentAfter']): string[] {
  const named = [
    ['activeProviders', 'active'],
    ['growthPhase', 'phase'],
    ['tokenPrice', 'token'],
    ['macro', 'macro'],
  ] as const;
  return named.flatMap(([key, name]) =>
    before[key] === after[key]
      ? []
      : [`  ${name.padEnd(8)} ${safeText(String(before[key]))} → ${safeText(String(after[key]))}`],
  );
}

/** All that somebody has to see before deciding. */
export function previewText(found: DisputePreview, token: TokenUnit, width: number, colors: Colors): string {
  const { dispute, changes, wouldTrip, builtOn, contentDigest } = found;
  const { epoch, state } = dispute;
  return [
    disputeTitle(dispute, colors),
    ...disputeFacts(dispute),
    ...correctionLines(found, colors),
    ...(changes === null ? ['  nothing is computed yet'] : ['', ...changesText(changes, token, colors, width), '']),
    ...(changes === null ? [] : [`  guards   all hold`]),
    ...wouldTrip.map(
      ({ id, figure, limit, subject }) =>
        `  breaker  ${colors.yellow(id)} ${figure} over ${limit}${subject === null ? '' : ` (${safeText(subject)})`}, for information`,
    ),
    ...(builtOn.length === 0
      ? []
      : [
          `  later    ${counted(builtOn.length, 'epoch stays', 'epochs stay')} settled on revision ${dispute.baseRevision}: ${rangeText(builtOn[0]!, builtOn.at(-1)!)}`,
        ]),
    ...(contentDigest === null ? [] : [`  digest   ${contentDigest}`]),
    ...(state === 'open' && contentDigest !== null
      ? [
          '',
          `Somebody else than ${safeText(dispute.openedBy)} decides: settle dispute approve ${epoch} ${dispute.dispute}${networkWords(dispute.network)} --reason "…"`,
        ]
      : []),
  ].join('\n');
}
