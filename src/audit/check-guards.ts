import { parseAmount, parseScaled } from '../numbers/amounts';
import type { Amount, NanoRatio } from '../numbers/units';
import type { Hashes } from '../proofs/hashes';
import { conservation, type GuardViolation, multiplierBounds, priceBounds } from '../rulesets/1/checks';
import { historyReach } from '../rulesets/1/history';
import { PAYOUTS_COLUMNS, pricesRowRecords } from '../rulesets/1/tables';
import { policyOf } from './check-policy';
import { Mismatch, NO_ROW, requireSame } from './difference';
import { type ChainLink, type Dossier, rowOf } from './dossier';
import { contentDigestOf, contentOf, pricesRowOf } from './records';

const AMOUNT = PAYOUTS_COLUMNS.indexOf('amount');
const MULTIPLIER = PAYOUTS_COLUMNS.length;

/** `guards`: what spec §8 demands of every revision holds of the stored rows. */
export function checkGuards(dossier: Dossier, hashes: Hashes): string {
  const policy = policyOf(dossier);
  const records = dossier.prices.map((line) => pricesRowRecords(pricesRowOf(line)));
  const { content } = contentOf({ entry: dossier.result.content });
  const amounts = dossier.payouts.map((line) => parseAmount(line.split(',')[AMOUNT]!));
  const sum = amounts.reduce((total, amount) => total + amount, 0n) as Amount;
  requireNone(dossier, [
    ...conservation(parseAmount(content.pool), sum, parseAmount(content.unallocated)),
    ...priceBounds(
      policy,
      records.map(({ price }) => price),
    ),
    ...multiplierBounds(
      policy,
      records.map(({ multipliers }) => multipliers),
      multiplierRange(dossier),
    ),
  ]);
  requirePayees(dossier, parseAmount(dossier.header.derivation.cap));
  if (dossier.base?.derive !== 'pinned') requireChain(dossier, historyReach(policy), hashes);
  return 'conservation, price-bounds, multiplier-bounds, payees, snapshot, chain';
}

function requireNone(dossier: Dossier, [first]: readonly GuardViolation[]): void {
  if (first === undefined) return;
  const row = first.where === 'epoch' ? rowOf(dossier) : `${rowOf(dossier)}/${first.where}`;
  throw new Mismatch({
    table: first.guard === 'price-bounds' ? 'price' : 'payout',
    row,
    column: first.guard,
    stored: first.message,
    recomputed: `guard ${first.guard} holds`,
  });
}

function multiplierRange({ payouts }: Dossier): { lowest: NanoRatio; highest: NanoRatio } | null {
  let range: { lowest: bigint; highest: bigint } | null = null;
  for (const line of payouts) {
    const text = line.split(',')[MULTIPLIER]!;
    if (text === '') continue;
    const value = parseScaled(text, 9);
    range = {
      lowest: range === null || value < range.lowest ? value : range.lowest,
      highest: range === null || value > range.highest ? value : range.highest,
    };
  }
  return range as { lowest: NanoRatio; highest: NanoRatio } | null;
}

/** One payout for each provider with a capacity row, none for anybody else, none negative, none over the cap. */
function requirePayees(dossier: Dossier, cap: Amount): void {
  const owed = new Set(dossier.rows.capacity.map((line) => line.split(',', 2)[1]!));
  for (const line of dossier.payouts) {
    const cells = line.split(',');
    const place = { table: 'payout', row: `${rowOf(dossier)}/${cells[0]}` };
    if (!owed.delete(cells[0]!)) throw new Mismatch({ ...place, column: 'provider', stored: line, recomputed: NO_ROW });
    const amount = parseAmount(cells[AMOUNT]!);
    if (amount >= 0n && amount <= cap) continue;
    throw new Mismatch({ ...place, column: 'amount', stored: cells[AMOUNT]!, recomputed: `0 to the cap ${cap}` });
  }
  const [missing] = owed;
  if (missing === undefined) return;
  const row = `${rowOf(dossier)}/${missing}`;
  throw new Mismatch({ table: 'payout', row, column: 'provider', stored: NO_ROW, recomputed: 'one payout' });
}

interface Newest {
  readonly revision: number;
  readonly contentDigest: string;
}

/**
 * Guard `chain`: at its place in the chain, what the revision read as history was the newest of each published epoch
 * below it, and every epoch between was closed as failed.
 */
function requireChain(dossier: Dossier, reach: number, hashes: Hashes): void {
  const { epoch, revision, computation, header, entries, failedBelow, firstEpoch } = dossier;
  const place = { table: 'computation', row: `${epoch}/${revision}/${computation}` };
  const read = new Map(header.history.map(([past, number, digest]) => [past, { number, digest }]));
  const first = header.history.length < reach ? firstEpoch : header.history[0]![0];
  const newest = newestBelow(dossier, entries, hashes);
  const failed = new Set(failedBelow);
  for (let past = first; past < epoch; past += 1) {
    const then = newest.get(past);
    const own = read.get(past);
    if (then === undefined && own === undefined && failed.has(past)) continue;
    const [stored, should] = [own && `${own.number} ${own.digest}`, then && `${then.revision} ${then.contentDigest}`];
    requireSame(place, `history of epoch ${past}`, stored ?? '(not read)', should ?? '(neither published nor failed)');
  }
}

/** Newest revision of each epoch below, of those that stand before this one in the chain. */
function newestBelow(dossier: Dossier, entries: readonly ChainLink[], hashes: Hashes): Map<number, Newest> {
  const newest = new Map<number, Newest>();
  for (const link of entries) {
    const { content } = contentOf(link);
    if (content.kind !== 'revision' || content.epoch >= dossier.epoch) continue;
    newest.set(content.epoch, { revision: content.revision, contentDigest: contentDigestOf(link, hashes) });
  }
  return newest;
}
