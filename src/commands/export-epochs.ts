import type { PoolClient } from 'pg';
import { ALL_EXPORTS, EPOCHS_EXPORT_COLUMNS, type ExportName } from '../exports/tables';
import { type ExportOptions, type ExportRows, type WrittenExport, writeExports } from '../exports/write-exports';
import type { ClaimsContent, RevisionContent } from '../proofs/contents';
import { cellsOf, PRICES_COLUMNS } from '../rulesets/1/tables';
import { requireRows } from '../store/archives';
import { claimsEntries, newestRevisions, publishedRevisions, type StoredEntry } from '../store/chain';
import { type ComputationKey, priceRows } from '../store/computations';
import { type EpochFailure, listFailures } from '../store/failures';
import { type LedgerPosting, postingsOfEpochs } from '../store/ledger';
import { getNetwork } from '../store/networks';
import { adjustmentCells, payoutCells } from '../store/payout-cells';
import { unchangingView } from '../store/pool';
import { findResult } from '../store/results';
import type { CommandContext } from './context';
import { CommandError } from './errors';
import type { EpochRange } from './run-epochs';

/**
 * Writes exports of a range of epochs, from one unchanging view of the database. Those of spec §11 have the newest
 * published revision of each epoch, and a row for each that failed: the same chain gives the same bytes. `tables`: which,
 * by default all.
 *
 * @throws ExportError `export-exists` and its like; CommandError `ClaimsMissing` for an epoch just being published;
 *   StoreError `EpochArchived`
 */
export async function exportEpochs(
  context: CommandContext,
  network: string,
  range: EpochRange | null,
  folder: string,
  options: ExportOptions,
  tables: readonly ExportName[] = ALL_EXPORTS,
): Promise<readonly WrittenExport[]> {
  const calendar = await getNetwork(context.pool, network);
  const { first, last } = range ?? { first: calendar.firstEpoch, last: calendar.lastEpoch ?? 2_147_483_647 };
  return unchangingView(context.pool, async (client) => {
    const published = await newestRevisions(client, network, first, last);
    if (published.length > 0) await requireRows(client, published[0]!.epoch, published.at(-1)!.epoch);
    const failed = await listFailures(client, network, first, last);
    const claims = await claimsEntries(client, network, first, last);
    const keys = published.map((entry) => ({ ...entry, network }));
    const rows: Readonly<Record<ExportName, ExportRows>> = {
      prices: pricesOf(client, keys),
      payouts: payoutsOf(client, keys),
      epochs: epochsOf(client, keys, claims, failed),
      adjustments: adjustmentsOf(client, network, first, last),
      ledger: ledgerOf(client, network, first, last),
    };
    return writeExports(folder, Object.fromEntries(tables.map((name) => [name, rows[name]])), options);
  });
}

/** Revisions are numbered from 1 without a gap: each after the first follows the one before it. */
async function* adjustmentsOf(client: PoolClient, network: string, first: number, last: number): ExportRows {
  let before: StoredEntry | null = null;
  for (const entry of await publishedRevisions(client, network, first, last)) {
    if (before !== null && before.epoch === entry.epoch) {
      const [epoch, revision] = [String(entry.epoch), String(entry.revision)];
      for await (const cells of adjustmentCells(client, { ...before, network }, { ...entry, network })) {
        yield [epoch, revision, ...cells];
      }
    }
    before = entry;
  }
}

async function* ledgerOf(client: PoolClient, network: string, first: number, last: number): ExportRows {
  for (const posting of await postingsOfEpochs(client, network, first, last)) yield postingRow(posting);
}

function postingRow({ epoch, revision, batch, journal, account, amount, bookedAt }: LedgerPosting): string[] {
  const count = (value: number | null) => (value === null ? '' : String(value));
  return [String(epoch), count(revision), count(batch), journal, account, amount, bookedAt];
}

type PublishedKey = ComputationKey & StoredEntry;

async function* pricesOf(client: PoolClient, keys: readonly PublishedKey[]): ExportRows {
  for (const key of keys) {
    const epoch = String(key.epoch);
    for (const row of await priceRows(client, key)) yield [epoch, ...cellsOf(PRICES_COLUMNS, row)];
  }
}

async function* payoutsOf(client: PoolClient, keys: readonly PublishedKey[]): ExportRows {
  for (const key of keys) {
    const epoch = String(key.epoch);
    for await (const cells of payoutCells(client, key)) yield [epoch, ...cells];
  }
}

async function* epochsOf(
  client: PoolClient,
  keys: readonly PublishedKey[],
  claims: readonly StoredEntry[],
  failed: readonly EpochFailure[],
): ExportRows {
  const claimsOf = new Map(claims.map((entry) => [`${entry.epoch}/${entry.revision}`, entry]));
  const closed = [...keys, ...failed].sort((a, b) => a.epoch - b.epoch);
  for (const one of closed) {
    if ('failure' in one) yield failedRow(one);
    else yield await publishedRow(client, one, claimsOf.get(`${one.epoch}/${one.revision}`));
  }
}

async function publishedRow(client: PoolClient, key: PublishedKey, claims: StoredEntry | undefined): Promise<string[]> {
  const result = await findResult(client, key);
  if (claims === undefined || result === null) {
    throw new CommandError(
      'ClaimsMissing',
      `epoch ${key.epoch} revision ${key.revision} is published and its claims are not: a run is just making them, or died. Wait, or run \`settle epoch run ${key.epoch}\`, and export again`,
    );
  }
  const content = JSON.parse(key.entry) as RevisionContent;
  const { root } = JSON.parse(claims.entry) as ClaimsContent;
  return cellsOf(EPOCHS_EXPORT_COLUMNS, {
    epoch: String(key.epoch),
    revision: String(key.revision),
    pool: content.pool,
    sum: content.sum,
    unallocated: content.unallocated,
    unallocated_reason: result.unallocatedReason,
    active_providers: String(content.activeProviders),
    growth_phase: content.growthPhase,
    token_price: content.tokenPrice,
    token_volume: content.tokenVolume,
    breakers: result.breakers.map(({ id }) => id).join(';'),
    snapshot_digest: content.snapshotDigest,
    prices_digest: content.pricesDigest,
    payouts_digest: content.payoutsDigest,
    claims_root: root,
    head: claims.head,
  });
}

function failedRow({ epoch, failure }: EpochFailure): string[] {
  const known: Partial<Record<string, string>> = {
    epoch: String(epoch),
    revision: '0',
    breakers: `failed(${failure})`,
  };
  return EPOCHS_EXPORT_COLUMNS.map((column) => known[column] ?? '');
}
