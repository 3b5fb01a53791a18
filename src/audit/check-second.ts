import { PAYOUTS_COLUMNS, PRICES_COLUMNS } from '../rulesets/1/tables';
import { payoutCells } from './check-recompute';
import { requireSame, requireSameJson, requireSameLines } from './difference';
import { type Dossier, rowOf } from './dossier';
import { secondHistoryOf } from './records';
import { allot } from './second/amounts';
import { documentDigest, type Hashes } from './second/digests';
import { type EpochSettlement, revisionContent, settleEpoch } from './second/epoch';
import { type Policy, readPolicy } from './second/policy';
import { payoutsRow } from './second/results';
import type { Row, Tables } from './second/tables';

const policies = new Map<string, Policy>();

function secondPolicy(canonical: string): Policy {
  const known = policies.get(canonical);
  if (known !== undefined) return known;
  const read = readPolicy(JSON.parse(canonical));
  policies.set(canonical, read);
  return read;
}

/**
 * `second`: the same rows, policy and history settled by the second implementation, which shares no code with the
 * first, give the same prices, payouts and content.
 */
export function checkSecond(dossier: Dossier, hashes: Hashes): string {
  const policy = secondPolicy(dossier.policy.canonical);
  const tables = Object.fromEntries(
    Object.entries(dossier.rows).map(([table, lines]) => [table, lines.map((line) => line.split(','))]),
  ) as unknown as Tables;
  const pinned = dossier.base?.derive === 'pinned';
  // The history of a pinned revision is not looked at: only what follows from the rows alone is taken from it.
  const settled = settleEpoch(dossier.epoch, tables, policy, pinned ? [] : secondHistoryOf(dossier));
  if (settled.state === 'failed') throw new Error(`it ends the epoch as failed(${settled.failure})`);
  const own = pinned ? pinnedTables(dossier, settled, tables, policy) : settled;
  const prefix = `${rowOf(dossier)}/`;
  const price = { table: 'price', columns: PRICES_COLUMNS, keyLength: 1, prefix };
  requireSameLines(price, dossier.prices, joined(own.prices));
  const payout = { table: 'payout', columns: PAYOUTS_COLUMNS, keyLength: 1, prefix };
  requireSameLines(payout, payoutCells(dossier), joined(own.payouts));
  requireContent(dossier, settled, own, policy, hashes);
  return `${own.prices.length} prices and ${own.payouts.length} payouts by exact fractions`;
}

type Settled = Pick<EpochSettlement, 'prices' | 'payouts'>;

/** A pinned revision keeps the rates; eligibility, performance and amounts come from the corrected rows (spec §10). */
function pinnedTables(dossier: Dossier, settled: EpochSettlement, tables: Tables, policy: Policy): Settled {
  const prices = dossier.base!.prices.map((line) => line.split(','));
  const rates = new Map(prices.map((row) => [row[0]!, BigInt(row.at(-1)!)]));
  const { payouts } = allot(dossier.epoch, tables, settled.judgements, rates, policy);
  // Sealed providers are sorted by key, and there is one payout for each, in their order.
  return { prices, payouts: payouts.map(payoutsRow) };
}

function requireContent(
  dossier: Dossier,
  settled: EpochSettlement,
  own: Settled,
  policy: Policy,
  hashes: Hashes,
): void {
  const stored = JSON.parse(dossier.result.content) as Record<string, unknown>;
  const place = { table: 'result', row: rowOf(dossier) };
  if (dossier.base?.derive !== 'pinned') {
    const content = revisionContent(settled, dossier.network, policy, hashes.sha256);
    requireSameJson(place, 'content', stored, { ...content, revision: dossier.revision });
  } else {
    const sum = own.payouts.reduce((total, row) => total + BigInt(row[4]!), 0n);
    requireSame(place, 'content.sum', String(stored.sum), sum.toString());
  }
  requireSame(place, 'content_digest', dossier.result.contentDigest, documentDigest(stored, hashes.sha256));
}

const joined = (rows: readonly Row[]): string[] => rows.map((row) => row.join(','));
