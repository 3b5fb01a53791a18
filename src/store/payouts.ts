import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { PoolClient } from 'pg';
import { from as copyFrom, to as copyTo } from 'pg-copy-streams';
import { requireCanonicalLines } from '../proofs/canonical-lines';
import type { ComputationKey } from './computations';
import { joinByHashing } from './plans';
import type { Queryable } from './pool';
import { SEALED_ROWS, type SnapshotChunk } from './snapshots';

const OF_CHUNK = `where network = $1 and epoch = $2 and revision = $3 and computation = $4
  and provider > $5 and ($6::text is null or provider <= $6)`;
const SCALED_ROW = `select from payout ${OF_CHUNK} and scale_cut > 0`;

/**
 * Writes the draft payouts of one chunk: the rows of its key range are deleted and copied again under a lock on the
 * chunk, so that a slow first attempt and its retry cannot hurt each other. One transaction, the caller's.
 * `lines`: canonical payout cells followed by M4, without line ends.
 * `round`: 'unscaled' where the pool may yet turn out to bind. An attempt of that round that wakes up late finds the
 * scaled rows of the round after it, and leaves them.
 */
export async function replaceChunk(
  client: PoolClient,
  key: ComputationKey,
  chunk: Pick<SnapshotChunk, 'after' | 'upTo'>,
  lines: Iterable<string>,
  round: 'unscaled' | 'final',
): Promise<void> {
  await client.query('select pg_advisory_xact_lock(hashtext($1), hashtext($2))', [
    'settle.payout',
    `${key.network}/${key.epoch}/${key.revision}/${key.computation}/${chunk.after ?? ''}`,
  ]);
  const range = [key.network, key.epoch, key.revision, key.computation, chunk.after ?? '', chunk.upTo];
  if (round === 'unscaled' && (await client.query(`${SCALED_ROW} limit 1`, range)).rowCount === 1) return;
  await client.query(`delete from payout ${OF_CHUNK}`, range);
  const prefix = `${key.network},${key.epoch},${key.revision},${key.computation},`;
  await pipeline(
    Readable.from(prefixed(lines, prefix), { objectMode: false, highWaterMark: 2 * PIECE_CHARS }),
    client.query(
      copyFrom(`copy payout (network, epoch, revision, computation, provider, gross, cap_cut, scale_cut, amount, reason,
        multiplier) from stdin (format csv)`),
    ),
  );
}

const PIECE_CHARS = 65_536;
/** Key, payout cells, M4. */
const CELLS = 11;

/** The COPY's bytes of lines that were checked as bytes, where a line end or comma too many would be a row of its own. */
function canonicalBytes(lines: string, cells: number): Buffer {
  const bytes = Buffer.from(lines, 'utf8');
  requireCanonicalLines(bytes, cells);
  return bytes;
}

function* prefixed(lines: Iterable<string>, prefix: string): Iterable<Buffer> {
  let piece = '';
  for (const line of lines) {
    piece += `${prefix}${line}\n`;
    if (piece.length < PIECE_CHARS) continue;
    yield canonicalBytes(piece, CELLS);
    piece = '';
  }
  if (piece !== '') yield canonicalBytes(piece, CELLS);
}

/** SHA-256 of the payouts table of a computation (spec §9), as the database holds it now. Inside a transaction. */
export async function payoutsDigest(client: PoolClient, key: ComputationKey): Promise<string> {
  await client.query(
    `select set_config('settle.network', $1, true), set_config('settle.epoch', $2, true),
       set_config('settle.revision', $3, true), set_config('settle.computation', $4, true)`,
    [key.network, String(key.epoch), String(key.revision), String(key.computation)],
  );
  const hash = createHash('sha256');
  const stream = client.query(
    copyTo(`copy (
      select provider, gross, cap_cut, scale_cut, amount, reason from payout
      where network = current_setting('settle.network') and epoch = current_setting('settle.epoch')::integer
        and revision = current_setting('settle.revision')::integer
        and computation = current_setting('settle.computation')::integer
      order by provider) to stdout (format csv)`),
  );
  for await (const part of stream) hash.update(part as Buffer);
  return hash.digest('hex');
}

/** What the guards and breakers need of all payouts of a computation, recomputed from the rows (spec §8). */
export interface PayoutFigures {
  readonly count: number;
  readonly sum: string;
  readonly grossSum: string;
  readonly negative: number;
  readonly overCap: number;
  readonly lowestMultiplier: string | null;
  readonly highestMultiplier: string | null;
  readonly largest: string | null;
  readonly largestProvider: string | null;
  /** Providers with a capacity row and no payout, or the other way round; the first of them. */
  readonly unmatched: number;
  readonly unmatchedProvider: string | null;
}

/** `dispute`: the one whose corrected capacity rows are owed a payout each; {@link SEALED_ROWS}: the sealed ones. Inside a transaction. */
export async function payoutFigures(
  db: Queryable,
  key: ComputationKey,
  cap: string,
  dispute: number,
): Promise<PayoutFigures> {
  if (dispute !== SEALED_ROWS) await joinByHashing(db);
  const owed =
    dispute === SEALED_ROWS
      ? 'capacity where network = $1 and epoch = $2 and $6::integer = 0'
      : 'corrected_capacity($1::text, $2::integer, $6::integer)';
  const own = 'payout where network = $1 and epoch = $2 and revision = $3 and computation = $4';
  // Each scan reads the rows in key order or once over; a common table of a million rows would be written to disk first.
  const found = await db.query<PayoutFigures>(
    `with figures as (
       select count(*) as count, coalesce(sum(amount), 0)::text as sum, coalesce(sum(gross), 0)::text as "grossSum",
         count(*) filter (where amount < 0) as negative, count(*) filter (where amount > $5::numeric) as "overCap",
         min(multiplier)::text as "lowestMultiplier", max(multiplier)::text as "highestMultiplier", max(amount) as most
       from ${own}),
     unmatched as (
       select count(*) as unmatched, min(coalesce(own.provider, owed.provider)) as "unmatchedProvider"
       from (select provider from ${own}) own
       full join (select distinct provider from ${owed}) owed on own.provider = owed.provider
       where own.provider is null or owed.provider is null)
     select count, sum, "grossSum", negative, "overCap", "lowestMultiplier", "highestMultiplier", most::text as largest,
       (select min(provider) from ${own} and amount = figures.most) as "largestProvider", unmatched, "unmatchedProvider"
     from figures, unmatched`,
    [key.network, key.epoch, key.revision, key.computation, cap, dispute],
  );
  return found.rows[0]!;
}
