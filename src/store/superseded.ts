import type { Queryable } from './pool';

/** What a published epoch was settled on that the chain says otherwise now (spec §8, §10). */
export interface OutdatedHistory {
  readonly epoch: number;
  /** The epoch below that it read, or did not read. */
  readonly of: number;
  /** The revision that it read; null: `of` had failed then, and was settled later. */
  readonly read: number | null;
  /** The newest published revision of `of`. */
  readonly newest: number;
}

/** The newest revision of each epoch. */
const NEWEST = `
  select distinct on (epoch) network, epoch, revision, computation from chain_entry
  where network = $1 and kind = 'revision' order by epoch, revision desc`;

/**
 * The epochs of a range that were built on a revision which is superseded by now, or without an epoch that failed
 * and was settled later. They keep what they were settled on; this says so wherever they are shown.
 */
export async function builtOnSuperseded(
  db: Queryable,
  network: string,
  first: number,
  last: number,
): Promise<readonly OutdatedHistory[]> {
  const any = await db.query<{ any: boolean }>(
    `select exists (select from chain_entry where network = $1 and kind = 'revision' and revision > 1)
       or exists (select from epoch_failure f join chain_entry c using (network, epoch)
                  where f.network = $1 and c.kind = 'revision') as any`,
    [network],
  );
  // The rule: nothing was ever corrected or settled later, and no history needs to be looked at.
  if (!any.rows[0]!.any) return [];
  const found = await db.query<OutdatedHistory>(
    `with newest as (${NEWEST}),
     own as (
       select n.epoch, k.history,
         greatest((p.canonical::jsonb #>> '{history,window}')::integer,
           (p.canonical::jsonb #>> '{history,growthWindow}')::integer) as reach
       from newest n join computation k using (network, epoch, revision, computation) join policy p using (policy_hash)
       where n.epoch between $2 and $3),
     read as (
       select o.epoch, (h ->> 0)::integer as of, (h ->> 1)::integer as revision
       from own o cross join lateral jsonb_array_elements(o.history) h)
     select r.epoch, r.of, r.revision as read, n.revision as newest from read r join newest n on n.epoch = r.of
     where n.revision > r.revision
     union all
     select o.epoch, n.epoch, null, n.revision from own o join newest n on n.epoch < o.epoch
     where (jsonb_array_length(o.history) < o.reach or n.epoch > (o.history -> 0 ->> 0)::integer)
       and not exists (select from read r where r.epoch = o.epoch and r.of = n.epoch)
     order by epoch, of`,
    [network, first, last],
  );
  return found.rows;
}

/** Published epochs whose newest revision read that revision of another one as history, lowest first. */
export async function epochsBuiltOn(
  db: Queryable,
  network: string,
  epoch: number,
  revision: number,
): Promise<readonly number[]> {
  const found = await db.query<{ epoch: number }>(
    `select n.epoch from (${NEWEST}) n join computation k using (network, epoch, revision, computation)
     where n.epoch > $2 and exists (
       select from jsonb_array_elements(k.history) h where (h ->> 0)::integer = $2 and (h ->> 1)::integer = $3)
     order by n.epoch`,
    [network, epoch, revision],
  );
  return found.rows.map((row) => row.epoch);
}
