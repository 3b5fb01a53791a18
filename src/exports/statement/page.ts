import type { ProviderStatement, StatementEpoch, StatementPayment } from '../../ledger/statement';
import { instantText } from '../../rulesets/1/calendar';
import { courses } from './courses';
import { escaped, instantWords, type TableColumn, tableMarkup, tokenFigure, tokenWords } from './markup';
import { STYLE } from './style';

/**
 * A provider's statement as one page: no script, nothing fetched, readable on a telephone, by ear and on paper. The
 * same chain gives the same bytes; amounts have all of their places, so that each column adds up.
 */
export function statementPage(found: ProviderStatement): string {
  const title = `Statement of ${found.provider}, epochs ${found.first} to ${found.last}`;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width,initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="referrer" content="no-referrer">
<title>${escaped(title)}</title>
<style>
${STYLE}
</style>
</head>
<body>
<main>
${headMarkup(found)}
${sumMarkup(found)}
<h2>Rewards, prices and performance</h2>
<div class="plots">
${courses(found).join('\n')}
</div>
<h2>Account</h2>
${accountMarkup(found)}
${paymentsMarkup(found)}
${adjustmentsMarkup(found)}
${footMarkup(found)}
</main>
</body>
</html>
`;
}

function headMarkup({ provider, network, first, last, from, to, registry, token, asOf }: ProviderStatement): string {
  const payee = registry.payee === null ? 'nobody yet' : `<span class="hash">${escaped(registry.payee)}</span>`;
  return `<header>
<p class="kicker">Statement, network ${escaped(network)}</p>
<h1>${escaped(provider)}</h1>
<p>Epochs ${first} to ${last}, ${instantWords(from)} to ${instantWords(to)} UTC. Amounts in ${escaped(token.symbol)}.</p>
<p class="soft">Registered since epoch ${registry.joinedEpoch}, ${escaped(registry.status)}; paid to ${payee}.
As of ${instantWords(asOf.publishedAt)} UTC, chain entry ${asOf.position}, head <span class="hash">${escaped(asOf.head)}</span>.</p>
</header>`;
}

function sumMarkup({ statement, token, inFlight, due, receivable }: ProviderStatement): string {
  const { opening, epochs, closing } = statement;
  const sum = (of: (row: StatementEpoch) => bigint) => epochs.reduce((total, row) => total + of(row), 0n);
  const figure = (amount: bigint, sign = false) => tokenFigure(amount, token.decimals, sign);
  const entries: readonly (readonly [title: string, figure: string, name: string])[] = [
    ['Opening balance', figure(opening.balance), ''],
    [
      'Amounts',
      figure(
        sum(({ amount }) => amount),
        true,
      ),
      '',
    ],
    [
      'Adjustments by revisions',
      figure(
        sum(({ adjustment }) => adjustment),
        true,
      ),
      '',
    ],
    ['Payments', figure(-sum(({ paid }) => paid)), ''],
    ['Closing balance', figure(closing.balance), 'total'],
    ['On its way in batches', figure(inFlight), ''],
    receivable > 0n ? ['Receivable: the provider owes', figure(receivable), 'owed'] : ['Due', figure(due), 'total'],
  ];
  const items = entries.map(
    ([title, text, name]) => `<div${name === '' ? '' : ` class="${name}"`}><dt>${title}</dt><dd>${text}</dd></div>`,
  );
  return `<dl class="sum">\n${items.join('\n')}\n</dl>`;
}

function accountMarkup({ statement, token, calendar, first, last }: ProviderStatement): string {
  const figure = (amount: bigint, sign = false) => tokenFigure(amount, token.decimals, sign);
  const start = (epoch: number) => instantWords(instantText(calendar.genesisSeconds + epoch * calendar.lengthSeconds));
  const columns: readonly TableColumn<StatementEpoch>[] = [
    { title: 'Epoch', kind: 'figure', cell: ({ epoch }) => String(epoch) },
    { title: 'From (UTC)', kind: 'word', cell: ({ epoch }) => `<span class="figure">${start(epoch)}</span>` },
    { title: 'Revision', kind: 'word', cell: revisionCell },
    { title: 'Gross', kind: 'figure', cell: ({ gross }) => figure(gross) },
    { title: 'Cap and scaling', kind: 'figure', cell: ({ capCut, scaleCut }) => figure(-capCut - scaleCut) },
    { title: 'Amount', kind: 'figure', cell: ({ amount }) => figure(amount) },
    { title: 'Adjustments', kind: 'figure', cell: ({ adjustment }) => figure(adjustment, true) },
    { title: 'Payments', kind: 'figure', cell: ({ paid }) => figure(-paid) },
    { title: 'Balance', kind: 'figure', cell: ({ balance }) => balanceCell(balance, figure(balance)) },
  ];
  const span = columns.length - 1;
  const edge = (title: string, amount: bigint) =>
    `<tr class="edge"><th scope="row" colspan="${span}">${title}</th><td class="figure">${balanceCell(amount, figure(amount))}</td></tr>`;
  const caption = `Gross less cap and scaling is the amount of an epoch; balance is the one before, plus amount and adjustments, less payments.`;
  return tableMarkup(caption, columns, statement.epochs, {
    id: 'account',
    head: edge(`Opening balance before epoch ${first}`, statement.opening.balance),
    foot: edge(`Closing balance after epoch ${last}`, statement.closing.balance),
  });
}

function revisionCell({ revision, reason }: StatementEpoch): string {
  const why = reason === null || reason === 'paid' ? '' : ` <span class="soft">${escaped(reason)}</span>`;
  if (revision === null) return '<span class="nil">–</span>';
  return revision === 1 ? `1${why}` : `<span class="mark">${revision} revised</span>${why}`;
}

function balanceCell(balance: bigint, figure: string): string {
  return balance < 0n ? `<span class="debt" title="the provider owes it">${figure}</span>` : figure;
}

function paymentsMarkup({ statement, token }: ProviderStatement): string {
  const rows = statement.epochs.flatMap(({ payments }) => payments);
  if (rows.length === 0) return '';
  const columns: readonly TableColumn<(typeof rows)[number]>[] = [
    { title: 'Batch', kind: 'figure', cell: ({ batch }) => String(batch) },
    { title: 'Settles up to epoch', kind: 'figure', cell: ({ epoch }) => String(epoch) },
    { title: 'Confirmed (UTC)', kind: 'word', cell: confirmedCell },
    { title: 'Paid to', kind: 'word', cell: ({ payee }) => `<span class="hash">${escaped(payee)}</span>` },
    { title: 'Reference', kind: 'word', cell: ({ reference }) => `<span class="hash">${escaped(reference)}</span>` },
    { title: 'Amount', kind: 'figure', cell: ({ amount }) => tokenFigure(amount, token.decimals) },
  ];
  return `<h2>Payments</h2>\n${tableMarkup('Confirmed payments of the range.', columns, rows, { id: 'payments' })}`;
}

function confirmedCell({ confirmedAt, late }: StatementPayment): string {
  const mark = late ? ' <span class="mark" title="its line had been given up">late</span>' : '';
  return `${instantWords(confirmedAt)}${mark}`;
}

function adjustmentsMarkup({ statement, token }: ProviderStatement): string {
  const rows = statement.epochs.flatMap(({ epoch, adjustments }) => adjustments.map((one) => ({ epoch, ...one })));
  if (rows.length === 0) return '';
  const columns: readonly TableColumn<(typeof rows)[number]>[] = [
    { title: 'Epoch', kind: 'figure', cell: ({ epoch }) => String(epoch) },
    { title: 'Revision', kind: 'figure', cell: ({ revision }) => String(revision) },
    { title: 'Published (UTC)', kind: 'word', cell: ({ publishedAt }) => instantWords(publishedAt) },
    { title: 'Adjustment', kind: 'figure', cell: ({ amount }) => tokenFigure(amount, token.decimals, true) },
  ];
  const caption = 'What revisions after the first added to an epoch, or took from it.';
  return `<h2>Revisions</h2>\n${tableMarkup(caption, columns, rows, { id: 'revisions' })}`;
}

function footMarkup({ network, provider, statement, token }: ProviderStatement): string {
  const { closing } = statement;
  const which = network === 'swarm' ? '' : ` --network ${escaped(network)}`;
  const last = statement.epochs.findLast(({ revision }) => revision !== null)?.epoch;
  const explain =
    last === undefined
      ? ''
      : ` Any amount from its inputs to the last digit: <code>settle explain ${last} ${escaped(provider)}${which}</code>.`;
  return `<footer>
<p>Since the network's first epoch: ${tokenWords(closing.entitled, token.decimals)} entitled less ${tokenWords(closing.paid, token.decimals)} paid
is ${tokenWords(closing.balance, token.decimals)} ${escaped(token.symbol)}, the closing balance. A payment stands at the last epoch that was published when
its batch was made. An adjustment stands at the epoch that it corrects.</p>
<p>${explain} All of it checked again: <code>settle ledger check${which}</code>.</p>
</footer>`;
}
