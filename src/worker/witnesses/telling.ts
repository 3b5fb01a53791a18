import type { PublishedHead } from '../../store/witness-cursors';

/** Somebody outside who is told every published head, at least once and in order. */
export interface HeadWitness {
  /** Who it is, without anything secret: it stands in the database, in `settle status` and in `settle doctor`. */
  readonly name: string;
  /** Resolves when the witness has the head. @throws WitnessError, or whatever went wrong; it is told again later. */
  tell(head: PublishedHead, signal: AbortSignal): Promise<void>;
}

/** Why a head was not heard, in words that hold no secret. */
export class WitnessError extends Error {
  override readonly name = 'WitnessError';
}

/** What a witness is told of a publication, as one line of JSON. The key is the same whenever it is told again. */
export function headLine({ network, epoch, revision, head, position, publishedAt }: PublishedHead): string {
  return JSON.stringify({
    network,
    epoch,
    revision,
    head,
    position,
    published_at: publishedAt,
    idempotency_key: idempotencyKey({ network, epoch, revision, head }),
  });
}

export const idempotencyKey = (told: Pick<PublishedHead, 'network' | 'epoch' | 'revision' | 'head'>): string =>
  `${told.network}/${told.epoch}/${told.revision}/${told.head}`;
