import { holdsOf } from './holds';
import { getNetwork } from './networks';
import { graceAt } from './policies';
import type { Queryable } from './pool';

/** A silent source is an incident: after so many epochs closed in a row for lack of inputs, a person has to look. */
export const SILENT_LIMIT = 24;

/** What the loop of a network has to do next. Epochs settle strictly in order, so there is one answer. */
export type DueEpoch =
  /** `held`: it waits for a person, and its hold has not expired. */
  | { readonly kind: 'due'; readonly epoch: number; readonly held: boolean }
  /** The next epoch's end plus the grace of its policy lies ahead; `atSeconds` is that instant. */
  | { readonly kind: 'not-yet'; readonly epoch: number; readonly atSeconds: number }
  /** Every epoch of the calendar, or up to the asked one, is closed. */
  | { readonly kind: 'finished'; readonly lastClosed: number | null }
  /** Too many epochs in a row were closed for lack of inputs: a silent source is an incident (design, the loop). */
  | { readonly kind: 'stalled'; readonly epoch: number; readonly closedInARow: number };

/**
 * An epoch is closed once its revision has its claims, or once it is failed by name; they close in order, so the highest
 * tells the next. A revision whose run ended before the claims is still due: nobody else would make them until the next
 * epoch is published.
 */
const LAST_CLOSED = `
  select greatest(
    (select max(epoch) from chain_entry where network = $1 and kind = 'claims'),
    (select max(epoch) from epoch_failure where network = $1)) as last`;

export async function lastClosedEpoch(db: Queryable, network: string): Promise<number | null> {
  const found = await db.query<{ last: number | null }>(LAST_CLOSED, [network]);
  return found.rows[0]?.last ?? null;
}

/** The first epoch that is neither published nor failed; it may lie ahead, or after the calendar's end. */
export async function nextOpenEpoch(db: Queryable, network: string): Promise<number> {
  const calendar = await getNetwork(db, network);
  return ((await lastClosedEpoch(db, network)) ?? calendar.firstEpoch - 1) + 1;
}

/** The first epoch that was neither published nor failed when a request was made. */
export async function nextOpenEpochAt(db: Queryable, network: string, requestId: string): Promise<number> {
  const found = await db.query<{ next: number }>(
    `select coalesce(greatest(
         (select max(epoch) from chain_entry where network = $1 and kind = 'claims' and published_at < requested_at),
         (select max(epoch) from epoch_failure where network = $1 and failed_at < requested_at)) + 1, first_epoch) as next
     from request join network using (network) where network = $1 and request_id = $2`,
    [network, requestId],
  );
  const [row] = found.rows;
  if (row === undefined) throw new RangeError(`request ${requestId} of ${network} has no row`);
  return row.next;
}

/**
 * The next epoch of the network, judged by the database's clock so that two workers' clocks cannot disagree.
 * `upTo`: the last epoch that was asked for. `silentLimit`: null for a range that a person asked for.
 */
export async function nextDueEpoch(
  db: Queryable,
  network: string,
  upTo: number | null,
  silentLimit: number | null,
): Promise<DueEpoch> {
  const found = await db.query<{
    last: number | null;
    next: number;
    end: number | null;
    /** null: no policy settles the epoch, which is the run's to say. */
    due_at: number | null;
    now: number;
    silent: number;
  }>(
    `with closed as (${LAST_CLOSED}),
     next as (select coalesce((select last + 1 from closed), n.first_epoch) as epoch, n.* from network n where n.network = $1)
     select (select last from closed) as last, next.epoch as next, next.last_epoch as "end",
       (extract(epoch from genesis)::bigint + (next.epoch + 1) * length_seconds + ${graceAt('next.epoch')}) as due_at,
       floor(extract(epoch from clock_timestamp()))::bigint as now,
       (select count(*) from epoch_failure f where f.network = $1 and f.failure = 'incomplete-inputs' and f.epoch > coalesce(
          (select max(epoch) from chain_entry where network = $1 and kind = 'revision'), -1)) as silent
     from next`,
    [network],
  );
  const row = found.rows[0];
  if (row === undefined) throw new RangeError(`network ${network} has no row`);
  const end = upTo === null ? row.end : row.end === null ? upTo : Math.min(upTo, row.end);
  if (end !== null && row.next > end) return { kind: 'finished', lastClosed: row.last };
  if (silentLimit !== null && row.silent >= silentLimit) {
    return { kind: 'stalled', epoch: row.next, closedInARow: row.silent };
  }
  if (row.due_at !== null && row.due_at > row.now) return { kind: 'not-yet', epoch: row.next, atSeconds: row.due_at };
  const hold = (await holdsOf(db, network, row.next))[0];
  return { kind: 'due', epoch: row.next, held: hold !== undefined && hold.decision === null && !hold.overdue };
}
