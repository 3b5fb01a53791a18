/** The three CSV files of an export (spec §11). */
import type { Breaker } from './breakers';
import type { ClaimsContent, RevisionContent } from './chain';
import type { Claim } from './claims';
import { formatCsv } from './csv';
import type { EpochFailure, EpochSettlement } from './epoch';
import { PAYOUTS_COLUMNS, PRICES_COLUMNS } from './results';
import type { Row } from './tables';

/** A published first revision with its two entries of the chain. */
export interface PublishedEpoch {
  readonly state: 'published';
  readonly epoch: number;
  readonly settlement: EpochSettlement;
  readonly content: RevisionContent;
  readonly contentDigest: string;
  readonly previousHead: string;
  readonly head: string;
  readonly claims: readonly Claim[];
  readonly claimsContent: ClaimsContent;
  /** The head after the epoch's claims entry. */
  readonly claimsHead: string;
}

export type ExportedEpoch = PublishedEpoch | EpochFailure;

export const EPOCHS_COLUMNS: readonly string[] = [
  'epoch',
  'revision',
  'pool',
  'sum',
  'unallocated',
  'unallocated_reason',
  'active_providers',
  'growth_phase',
  'token_price',
  'token_volume',
  'breakers',
  'snapshot_digest',
  'prices_digest',
  'payouts_digest',
  'claims_root',
  'head',
];

/** The tripped breakers' ids in the order of spec §8, joined by `;`. */
export function trippedIds(breakers: readonly Breaker[]): string {
  return breakers
    .filter(({ tripped }) => tripped)
    .map(({ id }) => id)
    .join(';');
}

function failedRow({ epoch, failure }: EpochFailure): Row {
  return EPOCHS_COLUMNS.map((column) => {
    if (column === 'epoch') return String(epoch);
    if (column === 'revision') return '0';
    return column === 'breakers' ? `failed(${failure})` : '';
  });
}

function publishedRow({ content, settlement, claimsContent, claimsHead }: PublishedEpoch): Row {
  return [
    String(content.epoch),
    String(content.revision),
    content.pool,
    content.sum,
    content.unallocated,
    settlement.allotment.unallocatedReason,
    String(content.activeProviders),
    content.growthPhase,
    content.tokenPrice,
    content.tokenVolume,
    trippedIds(settlement.breakers),
    content.snapshotDigest,
    content.pricesDigest,
    content.payoutsDigest,
    claimsContent.root,
    claimsHead,
  ];
}

/** The CSV texts of `prices.csv`, `payouts.csv` and `epochs.csv` for epochs in ascending order. */
export function exportEpochs(epochs: readonly ExportedEpoch[]): { prices: string; payouts: string; epochs: string } {
  const published = epochs.filter((epoch) => epoch.state === 'published');
  const under = (table: 'prices' | 'payouts') =>
    published.flatMap(({ epoch, settlement }) => settlement[table].map((row) => [String(epoch), ...row]));
  return {
    prices: formatCsv(['epoch', ...PRICES_COLUMNS], under('prices')),
    payouts: formatCsv(['epoch', ...PAYOUTS_COLUMNS], under('payouts')),
    epochs: formatCsv(
      EPOCHS_COLUMNS,
      epochs.map((epoch) => (epoch.state === 'published' ? publishedRow(epoch) : failedRow(epoch))),
    ),
  };
}
