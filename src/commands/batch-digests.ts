import type { RecordedBatch } from '../audit/decision-log';
import { nodeHashes } from '../hashing/node-hashes';
import { linesDigest } from '../ledger/lines-digest';
import { listBatches, type PaymentBatch, paymentLines } from '../store/payments';
import type { Queryable } from '../store/pool';

/** A batch with the digest of its lines: of those that were decided on or, while it waits, of those that are there. */
export interface DigestedBatch extends PaymentBatch {
  readonly linesDigest: string;
}

export async function withDigests(
  db: Queryable,
  network: string,
  batches: readonly PaymentBatch[],
): Promise<readonly DigestedBatch[]> {
  const digested: DigestedBatch[] = [];
  for (const batch of batches) {
    digested.push({ ...batch, linesDigest: batch.decidedDigest ?? (await digestOfBatch(db, network, batch.batch)) });
  }
  return digested;
}

const digestOfBatch = async (db: Queryable, network: string, batch: number): Promise<string> =>
  linesDigest(await nodeHashes(), await paymentLines(db, network, batch));

/** A batch that was decided and no longer has the lines that were decided on; null: all have. */
export interface AlteredBatch {
  readonly batch: number;
  readonly decidedDigest: string;
  readonly linesDigest: string;
}

export async function alteredBatch(
  db: Queryable,
  network: string,
  batches: readonly PaymentBatch[],
): Promise<AlteredBatch | null> {
  for (const { batch, decidedDigest } of batches) {
    if (decidedDigest === null) continue;
    const found = await digestOfBatch(db, network, batch);
    if (found !== decidedDigest) return { batch, decidedDigest, linesDigest: found };
  }
  return null;
}

/** The batches of a network that were decided, each with the digest of the lines that it has now. */
export async function decidedBatches(db: Queryable, network: string): Promise<readonly RecordedBatch[]> {
  const batches: RecordedBatch[] = [];
  for (const { batch, decision, decidedBy, decidedDigest } of await listBatches(db, network)) {
    if (decision === null) continue;
    const found = await digestOfBatch(db, network, batch);
    batches.push({ batch, decision, decidedBy: decidedBy!, decidedDigest: decidedDigest!, linesDigest: found });
  }
  return batches;
}
