import type { Queryable } from './pool';

/** The head after the claims of a published revision: what a witness is told. */
export interface PublishedHead {
  readonly network: string;
  readonly epoch: number;
  readonly revision: number;
  readonly head: string;
  /** Of the claims entry in the chain. */
  readonly position: number;
  readonly publishedAt: string;
}

/** Heads of a network's claims entries after a position, in the order of the chain, at most `count`. */
export async function headsAfter(
  db: Queryable,
  network: string,
  position: number,
  count: number,
): Promise<readonly PublishedHead[]> {
  const found = await db.query<PublishedHead>(
    `select network, epoch, revision, head, position,
       to_char(published_at, 'YYYY-MM-DD"T"HH24:MI:SS"Z"') as "publishedAt"
     from chain_entry where network = $1 and kind = 'claims' and position > $2 order by position limit $3`,
    [network, position, count],
  );
  return found.rows;
}

/** Where a head stands. */
export interface HeadPlace extends Omit<PublishedHead, 'publishedAt'> {}

/**
 * Where heads stand, in the chains of all networks; those that are in none are left out. By way of the networks, since
 * the index of a chain begins with its network.
 */
export async function placesOfHeads(db: Queryable, heads: readonly string[]): Promise<readonly HeadPlace[]> {
  const found = await db.query<HeadPlace>(
    `select c.network, c.epoch, c.revision, c.head, c.position
     from network n join chain_entry c on c.network = n.network and c.head = any($1::text[])`,
    [heads],
  );
  return found.rows;
}

/** Up to which position a witness was told; 0: it was told nothing. */
export async function toldUpTo(db: Queryable, network: string, witness: string): Promise<number> {
  const found = await db.query<{ position: number }>(
    'select position from witness_cursor where network = $1 and witness = $2',
    [network, witness],
  );
  return found.rows[0]?.position ?? 0;
}

/** A witness has everything up to a position. Another worker may have told it more already: a cursor never goes back. */
export async function recordTold(db: Queryable, network: string, witness: string, position: number): Promise<void> {
  await db.query('select settle.record_told($1, $2, $3)', [network, witness, position]);
}

export async function recordUnheard(db: Queryable, network: string, witness: string, error: string): Promise<void> {
  await db.query('select settle.record_unheard($1, $2, $3)', [network, witness, error]);
}

/** How a witness stands. */
export interface WitnessStanding {
  readonly network: string;
  readonly witness: string;
  /** Publications that it was not told yet. */
  readonly behind: number;
  /** Epoch of the last one that it was told; null: none. */
  readonly epoch: number | null;
  readonly toldAt: string | null;
  readonly failingSince: string | null;
  readonly failures: number;
  readonly lastError: string | null;
}

/** Witnesses of a network, or of all, by name. */
export async function witnessStandings(db: Queryable, network: string | null): Promise<readonly WitnessStanding[]> {
  const instant = (column: string) => `to_char(${column}, 'YYYY-MM-DD"T"HH24:MI:SS"Z"')`;
  const found = await db.query<WitnessStanding>(
    `select w.network, w.witness, w.failures, w.last_error as "lastError", ${instant('w.told_at')} as "toldAt",
       ${instant('w.failing_since')} as "failingSince",
       (select count(*) from chain_entry c where c.network = w.network and c.kind = 'claims' and c.position > w.position) as behind,
       (select epoch from chain_entry c where c.network = w.network and c.position = w.position) as epoch
     from witness_cursor w where $1::text is null or w.network = $1 order by w.network, w.witness`,
    [network],
  );
  return found.rows;
}
