import type { Colors } from 'picocolors/types';
import type { ProviderStatement, StatementEpoch } from '../../ledger/statement';
import { counted, tokens } from '../figures';
import { type Column, type Sheet, safeText } from '../output';
import { fittedTable } from './fitted-table';
import { factLines, heading, indented, readableTime } from './layout';

/** The account as JSON: amounts as text in base units, epochs oldest first. */
export function statementValue(found: ProviderStatement) {
  const { network, provider, registry, token, first, last, from, to, asOf, statement, prices } = found;
  const { opening, epochs, closing } = statement;
  const totals = (of: typeof opening) => ({
    entitled: of.entitled.toString(),
    paid: of.paid.toString(),
    balance: of.balance.toString(),
  });
  return {
    network,
    provider,
    registry: { joined_epoch: registry.joinedEpoch, status: registry.status, payee: registry.payee },
    token,
    first,
    last,
    from,
    to,
    as_of: { position: asOf.position, head: asOf.head, published_at: asOf.publishedAt },
    opening: totals(opening),
    epochs: epochs.map(epochValue),
    closing: totals(closing),
    in_flight: found.inFlight.toString(),
    due: found.due.toString(),
    receivable: found.receivable.toString(),
    prices,
  };
}

function epochValue(row: StatementEpoch) {
  return {
    epoch: row.epoch,
    revision: row.revision,
    gross: row.gross.toString(),
    cap_cut: row.capCut.toString(),
    scale_cut: row.scaleCut.toString(),
    amount: row.amount.toString(),
    adjustment: row.adjustment.toString(),
    entitled: row.entitled.toString(),
    paid: row.paid.toString(),
    balance: row.balance.toString(),
    receivable: row.receivable.toString(),
    multiplier: row.multiplier,
    reason: row.reason,
    adjustments: row.adjustments.map(({ revision, publishedAt, amount }) => ({
      revision,
      published_at: publishedAt,
      amount: amount.toString(),
    })),
    payments: row.payments.map(({ batch, reference, payee, amount, confirmedAt, late }) => ({
      batch,
      reference,
      payee,
      amount: amount.toString(),
      confirmed_at: confirmedAt,
      late,
    })),
  };
}

/** A row of the account: the opening balance, an epoch, or the closing balance. */
type AccountRow =
  | { readonly kind: 'epoch'; readonly row: StatementEpoch }
  | { readonly kind: 'opening' | 'closing'; readonly balance: bigint };

/** The account as rows; in the data formats in base units, where cuts and payments are positive as in the exports. */
export function statementSheet(found: ProviderStatement): Sheet<AccountRow> {
  const { token, provider, network, statement, first, last } = found;
  const { opening, epochs, closing } = statement;
  const edge = { opening: first, closing: last };
  const shown = (amount: bigint) => tokensText(amount, token.decimals);
  const amount = (
    key: string,
    title: string | null,
    of: (row: StatementEpoch) => bigint,
    sign = 1n,
  ): Column<AccountRow> => ({
    key,
    ...(title === null ? {} : { title }),
    type: 'amount',
    value: (row) => (row.kind === 'epoch' ? of(row.row).toString() : null),
    show: (row, c) => (row.kind === 'epoch' ? cell(of(row.row) * sign, shown, c) : ''),
  });
  const columns: readonly Column<AccountRow>[] = [
    { key: 'network', type: 'id', value: () => network },
    { key: 'provider', type: 'id', value: () => provider },
    { key: 'row', type: 'id', value: ({ kind }) => kind },
    {
      key: 'epoch',
      title: 'Epoch',
      type: 'count',
      value: (row) => (row.kind === 'epoch' ? row.row.epoch : edge[row.kind]),
      show: (row, c) => (row.kind === 'epoch' ? String(row.row.epoch) : c.bold(row.kind)),
    },
    {
      key: 'revision',
      title: 'Rev.',
      type: 'count',
      value: (row) => (row.kind === 'epoch' ? row.row.revision : null),
      show: revisionCell,
    },
    amount('gross', `Earned ${safeText(token.symbol)}`, ({ gross }) => gross),
    amount('cap_cut', 'Cap', ({ capCut }) => capCut, -1n),
    amount('scale_cut', 'Scaling', ({ scaleCut }) => scaleCut, -1n),
    amount('amount', 'Amount', (row) => row.amount),
    amount('adjustment', 'Adjusted', ({ adjustment }) => adjustment),
    amount('entitled', null, ({ entitled }) => entitled),
    amount('paid', 'Payments', ({ paid }) => paid, -1n),
    {
      key: 'balance',
      title: 'Balance',
      type: 'amount',
      value: (row) => balanceOf(row).toString(),
      show: (row, c) => (balanceOf(row) < 0n ? c.red(shown(balanceOf(row))) : c.bold(shown(balanceOf(row)))),
    },
    amount('receivable', null, ({ receivable }) => receivable),
    { key: 'multiplier', type: 'amount', value: (row) => (row.kind === 'epoch' ? row.row.multiplier : null) },
    { key: 'reason', type: 'id', value: (row) => (row.kind === 'epoch' ? row.row.reason : null) },
  ];
  const rows: readonly AccountRow[] = [
    { kind: 'opening', balance: opening.balance },
    ...epochs.map((row): AccountRow => ({ kind: 'epoch', row })),
    { kind: 'closing', balance: closing.balance },
  ];
  return { columns, rows, empty: '' };
}

/** Cut towards zero, so that what is owed reads the same on both sides of it. */
function tokensText(amount: bigint, decimals: number): string {
  return amount < 0n ? `−${tokens((-amount).toString(), decimals)}` : tokens(amount.toString(), decimals);
}

const balanceOf = (row: AccountRow): bigint => (row.kind === 'epoch' ? row.row.balance : row.balance);

function cell(amount: bigint, shown: (amount: bigint) => string, colors: Colors): string {
  return amount === 0n ? colors.dim('0') : shown(amount);
}

function revisionCell(row: AccountRow, colors: Colors): string {
  if (row.kind !== 'epoch' || row.row.revision === null) return '';
  return row.row.revision === 1 ? '1' : colors.yellow(`${row.row.revision} *`);
}

/** What a narrow terminal does without, in this order. */
const DROPPABLE = ['cap_cut', 'scale_cut', 'gross', 'revision'];

export function statementText(found: ProviderStatement, colors: Colors, width: number): string {
  const { provider, network, first, last, from, to, token, statement, inFlight, due, receivable, asOf } = found;
  const symbol = safeText(token.symbol);
  const shown = (amount: bigint) => `${tokensText(amount, token.decimals)} ${symbol}`;
  const revised = statement.epochs.filter(({ adjustments }) => adjustments.length > 0);
  const facts = factLines(
    [
      ['epochs', `${first} to ${last}, ${readableTime(from)} to ${readableTime(to)}`],
      ['as of', `chain entry ${asOf.position} of ${readableTime(asOf.publishedAt)}, network ${network}`],
      revised.length === 0
        ? null
        : ['* revised', `${counted(revised.length, 'epoch')} by a dispute: \`settle diff\` says what changed`],
      inFlight === 0n ? null : ['in batches', shown(inFlight)],
      receivable > 0n
        ? ['receivable', colors.red(`the provider owes ${shown(receivable)}`)]
        : ['due', colors.bold(shown(due))],
    ],
    colors,
    width,
  );
  const table = fittedTable(statementSheet(found), DROPPABLE, colors, width - 2);
  return [
    heading(`Statement of ${provider}`, 'amounts cut to 4 places; exact in base units: -o csv', colors),
    facts,
    '',
    indented(table),
  ].join('\n');
}
