import { parseAmount } from '../numbers/amounts';
import { Decimal } from '../numbers/decimal';
import type { UnitHours, UsdPrice, UsdVolume } from '../numbers/units';
import { canonicalJson } from '../proofs/canonical-json';
import type { RevisionContent } from '../proofs/contents';
import { type Hashes, sha256Hex } from '../proofs/hashes';
import type { History, PublishedEpoch, PublishedMarket } from '../rulesets/1/records';
import { PRICES_COLUMNS, type PricesRow } from '../rulesets/1/tables';
import { requireSame } from './difference';
import type { Dossier, PublishedRecord } from './dossier';
import { once } from './once';
import { linesDigest } from './row-digests';
import { type EpochRecord, readRecord } from './second/records';

/** Content of a published entry, and the digest that names it. */
export interface EntryContent {
  readonly content: RevisionContent;
  readonly contentJson: string;
  readonly previousHead: string;
}

/** What an entry's text says, without its link. */
export const contentOf = once((record: { readonly entry: string }): EntryContent => {
  const { previousHead, ...content } = JSON.parse(record.entry) as RevisionContent & { previousHead: string };
  return { content, contentJson: canonicalJson(content), previousHead };
});

const contentDigests = new WeakMap<object, string>();
const provenPrices = new WeakSet<PublishedRecord>();

/** SHA-256 of what an entry says without its link. */
export function contentDigestOf(record: { readonly entry: string }, hashes: Hashes): string {
  const known = contentDigests.get(record);
  if (known !== undefined) return known;
  const digest = sha256Hex(hashes, contentOf(record).contentJson);
  contentDigests.set(record, digest);
  return digest;
}

/** A prices row of canonical cells, by column. */
export function pricesRowOf(line: string): PricesRow {
  const cells = line.split(',');
  if (cells.length !== PRICES_COLUMNS.length) throw new RangeError(`prices row ${line} has ${cells.length} cells`);
  return Object.fromEntries(PRICES_COLUMNS.map((column, index) => [column, cells[index]!])) as PricesRow;
}

/**
 * What was read as history is what the computation names, by epoch, revision and content digest; and its price rows are
 * those that the content digest stands for.
 * @throws Mismatch
 */
export function requireRecords(dossier: Dossier, hashes: Hashes): void {
  const row = `${dossier.epoch}/${dossier.revision}/${dossier.computation}`;
  dossier.header.history.forEach(([epoch, revision, digest], index) => {
    const record = dossier.records[index];
    const place = { table: 'computation', row };
    requireSame(
      place,
      `history.${index}`,
      `${epoch}/${revision}`,
      record ? `${record.epoch}/${record.revision}` : null,
    );
    requireSame(place, `history.${index}.contentDigest`, digest, contentDigestOf(record!, hashes));
  });
  const { length } = dossier.header.history;
  requireSame({ table: 'computation', row }, 'history.length', length, dossier.records.length);
  for (const record of [...dossier.records, ...dossier.older]) requirePrices(record, hashes);
}

/** @throws Mismatch unless the price rows of a record digest to what its content says */
export function requirePrices(record: PublishedRecord, hashes: Hashes): void {
  if (provenPrices.has(record)) return;
  const { content } = contentOf(record);
  const place = { table: 'price', row: `${record.epoch}/${record.revision}` };
  requireSame(place, 'pricesDigest', linesDigest(hashes, record.prices), content.pricesDigest);
  requireSame(place, 'epoch', record.epoch, content.epoch);
  requireSame(place, 'revision', record.revision, content.revision);
  provenPrices.add(record);
}

const publishedEpochs = new WeakMap<PublishedRecord, PublishedEpoch>();

function publishedEpoch(record: PublishedRecord, hashes: Hashes): PublishedEpoch {
  const known = publishedEpochs.get(record);
  if (known !== undefined) return known;
  const { content } = contentOf(record);
  const read: PublishedEpoch = {
    epoch: record.epoch,
    revision: record.revision,
    contentDigest: contentDigestOf(record, hashes),
    activeProviders: content.activeProviders,
    growthPhase: content.growthPhase,
    tokenPrice: new Decimal(content.tokenPrice) as UsdPrice,
    tokenVolume: new Decimal(content.tokenVolume) as UsdVolume,
    sum: parseAmount(content.sum),
    markets: record.prices.map(publishedMarket),
  };
  publishedEpochs.set(record, read);
  return read;
}

function publishedMarket(line: string): PublishedMarket {
  const row = pricesRowOf(line);
  return {
    market: row.market,
    supply: new Decimal(row.supply) as UnitHours,
    demand: new Decimal(row.demand) as UnitHours,
    competitor: row.competitor === '' ? null : (new Decimal(row.competitor) as UsdPrice),
    competitorEpoch: row.competitor_epoch === '' ? null : Number(row.competitor_epoch),
    base: new Decimal(row.base) as UsdPrice,
    price: new Decimal(row.price) as UsdPrice,
  };
}

/** The history of a dossier as the pure rooms read it. */
export function historyOf(dossier: Dossier, hashes: Hashes): History {
  const epochs = dossier.records.map((record) => publishedEpoch(record, hashes));
  const lastBases = new Map<string, UsdPrice>();
  for (const record of dossier.older) {
    for (const { market, base } of publishedEpoch(record, hashes).markets) lastBases.set(market, base);
  }
  for (const { markets } of epochs) for (const { market, base } of markets) lastBases.set(market, base);
  return { epochs, lastBases };
}

const secondRecord = once((record: PublishedRecord): EpochRecord => {
  const { content } = contentOf(record);
  return readRecord({ ...content, prices: record.prices.map((line) => line.split(',')) });
});

/** The same history as the second implementation reads it. */
export function secondHistoryOf(dossier: Dossier): EpochRecord[] {
  return [...dossier.older, ...dossier.records].map(secondRecord);
}
