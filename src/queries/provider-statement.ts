import { balanceOf } from '../ledger/dues';
import { type ProviderStatement, statementDiscrepancy, statementOf } from '../ledger/statement';
import { parseAmount } from '../numbers/amounts';
import { instantText } from '../rulesets/1/calendar';
import { absentArchives, requireRows } from '../store/archives';
import { lastEntry } from '../store/chain';
import { getNetwork } from '../store/networks';
import type { Queryable } from '../store/pool';
import {
  entitledUpTo,
  inFlightTo,
  marketsOfProvider,
  paymentsToProvider,
  pricesOfMarkets,
  type StatementRevisionRow,
  statementRevisions,
} from '../store/statement-rows';
import { lastPublishedEpoch, settledEpoch } from './epochs';
import { QueryError } from './errors';
import { knownProvider } from './payouts';

export interface StatementRange {
  /** null: from the network's first epoch on. */
  readonly first: number | null;
  /** null: to the last published one. */
  readonly last: number | null;
}

/** So many prices a page can show; a provider with more markets has the others in `settle price show`. */
const MARKETS = 6;

/**
 * A provider's account over a range of epochs, from one unchanging view of the database.
 *
 * @throws QueryError `nothing-published`, `provider-unknown`, `range-empty`, `statement-mismatch`
 * @throws StoreError `EpochArchived` if the range has archived epochs; those below it are no hindrance
 */
export async function providerStatement(
  db: Queryable,
  network: string,
  provider: string,
  range: StatementRange,
): Promise<ProviderStatement> {
  const calendar = await getNetwork(db, network);
  const newest = await lastPublishedEpoch(db, network);
  const { token } = (await settledEpoch(db, network, newest)).policy;
  const { joinedEpoch, status, payee } = await knownProvider(db, network, provider);
  const last = range.last ?? newest;
  const archivedUpTo = range.first === null ? await archivedBefore(db, calendar.firstEpoch, last) : null;
  const first = range.first ?? (archivedUpTo === null ? calendar.firstEpoch : archivedUpTo + 1);
  if (first > last) throw emptyRange(network, first, last, newest);
  await requireRows(db, first, last);
  const entry = (await lastEntry(db, network))!;
  const { statement, inFlight } = await accountOf(db, network, provider, first, last);
  const { closing } = statement;
  const account = { provider, entitlement: closing.entitled, paid: closing.paid, inFlight };
  return {
    network,
    provider,
    registry: { joinedEpoch, status, payee },
    token: { symbol: token.symbol, decimals: token.decimals },
    calendar: { genesisSeconds: calendar.genesisSeconds, lengthSeconds: calendar.lengthSeconds },
    first,
    last,
    archivedUpTo,
    from: instantText(calendar.genesisSeconds + first * calendar.lengthSeconds),
    to: instantText(calendar.genesisSeconds + (last + 1) * calendar.lengthSeconds),
    asOf: { position: entry.position, head: entry.head, publishedAt: entry.publishedAt },
    statement,
    inFlight,
    ...balanceOf(account as Parameters<typeof balanceOf>[0]),
    prices: await pricesOf(db, network, provider, first, last),
  };
}

/** A range that nobody asked for by number begins after the archived epochs, if any are left; their sum is known. */
async function archivedBefore(db: Queryable, first: number, last: number): Promise<number | null> {
  const end = (await absentArchives(db, first, last)).at(-1)?.last;
  return end === undefined || end >= last ? null : end;
}

async function accountOf(db: Queryable, network: string, provider: string, first: number, last: number) {
  const revisions = await statementRevisions(db, network, provider, first, last);
  const payments = (await paymentsToProvider(db, network, provider)).map(({ position: _, ...row }) => ({
    ...row,
    amount: parseAmount(row.amount),
  }));
  const entitled = await entitledUpTo(db, network, provider, first, last);
  const paid = (upTo: number) =>
    payments.filter(({ epoch }) => epoch <= upTo).reduce((sum, { amount }) => sum + amount, 0n);
  const statement = statementOf({
    before: { entitled: BigInt(entitled.before), paid: paid(first - 1) },
    revisions: revisions.map(revisionOf),
    payments: payments.filter(({ epoch }) => epoch >= first && epoch <= last),
  });
  const wrong = statementDiscrepancy(statement, { entitled: BigInt(entitled.upTo), paid: paid(last) });
  if (wrong !== null) {
    throw new QueryError('statement-mismatch', {
      what: `The statement does not add up: its ${wrong} does not follow from the rows.`,
      where: `network ${network}, provider ${provider}, epochs ${first} to ${last}`,
      todo: 'run `settle ledger check` and `settle audit` before anything is paid on these figures.',
    });
  }
  return { statement, inFlight: BigInt(await inFlightTo(db, network, provider)) };
}

function revisionOf(row: StatementRevisionRow) {
  const { epoch, revision, publishedAt, amount, gross, capCut, scaleCut, reason, multiplier } = row;
  if (amount === null || gross === null || capCut === null || scaleCut === null || reason === null) {
    return { epoch, revision, publishedAt, payout: null };
  }
  return {
    epoch,
    revision,
    publishedAt,
    payout: {
      gross: parseAmount(gross),
      capCut: parseAmount(capCut),
      scaleCut: parseAmount(scaleCut),
      amount: parseAmount(amount),
      reason,
      multiplier,
    },
  };
}

async function pricesOf(db: Queryable, network: string, provider: string, first: number, last: number) {
  const markets = await marketsOfProvider(db, network, provider, first, last, MARKETS);
  const points = await pricesOfMarkets(db, network, markets, first, last);
  return markets.map((market) => ({ market, points: points.filter((point) => point.market === market) }));
}

function emptyRange(network: string, first: number, last: number, newest: number): QueryError {
  return new QueryError('range-empty', {
    what: `There are no epochs from ${first} to ${last}; the last published one is ${newest}.`,
    where: `network ${network}`,
    todo: 'write the lower epoch in --from; without --to the statement ends with the last published epoch.',
  });
}
