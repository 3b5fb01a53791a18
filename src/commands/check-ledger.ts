import { absentArchives, type CarriedTotals, carriedTotals } from '../store/archives';
import { accountTotals, derivedEntitlements, foldPosition, foldRows } from '../store/ledger';
import { getNetwork } from '../store/networks';
import { type ConfirmedLines, confirmedLines, confirmedTotal, listBatches } from '../store/payments';
import { type Queryable, unchangingView } from '../store/pool';
import { alteredBatch } from './batch-digests';
import type { CommandContext } from './context';

export interface LedgerCheck {
  readonly name: string;
  readonly holds: boolean;
  /** What was compared; the first difference where it does not hold. */
  readonly detail: string;
}

/**
 * Compares the ledger with what it is derived from (amounts in base units), on one view of it. Changes nothing. Of
 * archived epochs the totals are looked at that were kept of them, and said so; with their archives brought along, every
 * row.
 */
export function checkLedger(context: Pick<CommandContext, 'pool'>, network: string): Promise<readonly LedgerCheck[]> {
  return unchangingView(context.pool, async (client) => {
    await getNetwork(client, network);
    const totals = new Map(
      (await accountTotals(client, network)).map(({ account, amount }) => [account, BigInt(amount)]),
    );
    const sum = [...totals.values()].reduce((a, b) => a + b, 0n);
    const derived = await derivedEntitlements(client, network, Number.MAX_SAFE_INTEGER);
    const entitled = derived.reduce((total, row) => total + BigInt(row.entitlement), 0n);
    const confirmed = BigInt(await confirmedTotal(client, network));
    const providers = totals.get('providers') ?? 0n;
    const paid = totals.get('paid') ?? 0n;
    return [
      { name: 'accounts-balance', holds: sum === 0n, detail: `all accounts sum to ${sum}` },
      {
        name: 'providers-control',
        holds: providers === entitled - confirmed,
        detail: `control account ${providers}; payout rows ${entitled} less confirmations ${confirmed} are ${entitled - confirmed}`,
      },
      { name: 'paid-control', holds: paid === confirmed, detail: `account ${paid}, confirmations ${confirmed}` },
      linesCheck(await confirmedLines(client, network)),
      await decidedCheck(client, network),
      await foldCheck(client, network),
      ...(await carriedTotals(client, network)).map(carryCheck),
    ];
  });
}

/** What was confirmed is of approved lines and within them; late ones are of lines that were given up, and counted. */
function linesCheck({ lines, late, lateAmount, wrong }: ConfirmedLines): LedgerCheck {
  return {
    name: 'payment-lines',
    holds: wrong === null,
    detail:
      wrong === null
        ? `${lines} lines, none confirmed beyond its amount; ${late} confirmations came late, with ${lateAmount} base units`
        : `the line of ${wrong.provider} in batch ${wrong.batch} is not approved, confirmed beyond its amount, or late without having been given up`,
  };
}

/** The lines of every decided batch are those that were decided on. */
async function decidedCheck(client: Queryable, network: string): Promise<LedgerCheck> {
  const decided = (await listBatches(client, network)).filter(({ decision }) => decision !== null);
  const altered = await alteredBatch(client, network, decided);
  return {
    name: 'decided-lines',
    holds: altered === null,
    detail:
      altered === null
        ? `${decided.length} decided batches have the lines that were decided on`
        : `batch ${altered.batch}: its lines have the digest ${altered.linesDigest}, decided was ${altered.decidedDigest}`,
  };
}

async function foldCheck(client: Queryable, network: string): Promise<LedgerCheck> {
  const position = await foldPosition(client, network);
  const folded = entitlementsOf(await foldRows(client, network, position));
  const expected = entitlementsOf(await derivedEntitlements(client, network, position));
  const at = (entitlements: ReadonlyMap<string, string>, provider: string) => entitlements.get(provider) ?? '0';
  const differing = [...new Set([...folded.keys(), ...expected.keys()])]
    .sort()
    .find((provider) => at(folded, provider) !== at(expected, provider));
  const absent = await absentArchives(client, 0, LAST_EPOCH);
  const unread = absent.map(
    ({ first, last }) =>
      `; payouts of epochs ${first} to ${last} by the totals kept of them: for every row bring epochs-${first}-${last} with --archive`,
  );
  const detail =
    differing === undefined
      ? `${folded.size} providers folded to chain position ${position}${unread.join('')}`
      : `provider ${differing}: folded ${at(folded, differing)}, derived ${at(expected, differing)}`;
  return { name: 'entitlement-fold', holds: differing === undefined, detail };
}

// Epoch numbers are 32-bit in the database.
const LAST_EPOCH = 2_147_483_647;

/** What was kept of archived payouts is what was kept, and comes to what the chain says. */
function carryCheck({ first, last, whole, entitled, published }: CarriedTotals): LedgerCheck {
  const sums = `kept totals of epochs ${first} to ${last} ${entitled}, published sums ${published}`;
  return {
    name: 'archived-totals',
    holds: whole && entitled === published,
    detail: whole ? sums : `${sums}; the kept rows do not have the digests that they were kept with`,
  };
}

/** By provider. One without a payout row is entitled to 0, as one whose payouts a dispute took away. */
const entitlementsOf = (rows: Awaited<ReturnType<typeof foldRows>>): ReadonlyMap<string, string> =>
  new Map(rows.map(({ provider, entitlement }) => [provider, entitlement]));
