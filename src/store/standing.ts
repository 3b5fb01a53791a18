import type { Queryable } from './pool';

/** How a network stands, in counts that do not grow with its providers. */
export interface Standing {
  readonly published: number;
  /** Failed by name and not settled afterwards: name to count. */
  readonly failed: Readonly<Record<string, number>>;
  /** Published epochs with a breaker that was released or approved. */
  readonly letThrough: number;
  readonly held: number;
  /** Highest closed epoch; null: none. */
  readonly lastClosed: number | null;
  /** Base units: the pools and the payouts of the newest revisions of all published epochs. */
  readonly poolSum: string;
  readonly paidSum: string;
}

const NEWEST = `select distinct on (epoch) epoch, revision, computation, entry from chain_entry
  where network = $1 and kind = 'revision' order by epoch, revision desc`;

export async function networkStanding(db: Queryable, network: string): Promise<Standing> {
  const found = await db.query<Standing>(
    `with newest as (${NEWEST}),
     failures as (
       select failure, count(*) as n from (
         select distinct on (epoch) epoch, failure from epoch_failure f where network = $1
           and not exists (select from newest where newest.epoch = f.epoch)
         order by epoch, failure_no desc) f group by failure)
     select (select count(*) from newest) as published,
       coalesce((select jsonb_object_agg(failure, n order by failure) from failures), '{}') as failed,
       (select count(*) from hold_decision d where d.network = $1 and d.decision in ('released', 'approved')) as "letThrough",
       (select count(*) from hold h left join hold_decision d using (network, epoch, revision, computation)
         where h.network = $1 and d.decision is null) as held,
       greatest((select max(epoch) from newest), (select max(epoch) from epoch_failure where network = $1)) as "lastClosed",
       coalesce((select sum((entry::jsonb ->> 'pool')::numeric) from newest), 0)::text as "poolSum",
       coalesce((select sum((entry::jsonb ->> 'sum')::numeric) from newest), 0)::text as "paidSum"`,
    [network],
  );
  return found.rows[0]!;
}

/** How far the road of one epoch has come, told by its rows. */
export interface RowsOfEpoch {
  readonly lastClosed: number | null;
  readonly closed: number;
  readonly sealed: boolean;
  readonly digested: boolean;
  readonly computed: boolean;
  readonly checked: boolean;
  readonly held: boolean;
}

/** Counts the closed epochs from `first` on, and looks at the rows of the one after them. Cheap: asked twice a second. */
export async function rowsOfNextEpoch(db: Queryable, network: string, first: number): Promise<RowsOfEpoch> {
  const found = await db.query<RowsOfEpoch>(
    `with closed as (
       select greatest(
         (select max(epoch) from chain_entry where network = $1 and kind = 'revision'),
         (select max(epoch) from epoch_failure where network = $1)) as last),
     next as (select coalesce(last + 1, $2::integer) as epoch, last from closed)
     select last as "lastClosed", greatest(0, next.epoch - $2::integer) as closed,
       exists (select from seal s where s.network = $1 and s.epoch = next.epoch) as sealed,
       exists (select from snapshot s where s.network = $1 and s.epoch = next.epoch) as digested,
       exists (select from computation c where c.network = $1 and c.epoch = next.epoch) as computed,
       exists (select from result r where r.network = $1 and r.epoch = next.epoch) as checked,
       exists (select from hold h left join hold_decision d using (network, epoch, revision, computation)
         where h.network = $1 and h.epoch = next.epoch and d.decision is null) as held
     from next`,
    [network, first],
  );
  return found.rows[0]!;
}

export interface EpochOutcome {
  readonly epoch: number;
  /** `published`, `failed(<name>)` or `held`. */
  readonly outcome: string;
  readonly revision: number | null;
  /** Base units. */
  readonly sum: string | null;
  readonly contentDigest: string | null;
  readonly head: string | null;
}

/** How the epochs of a range ended; those that are open and not held are left out. */
export async function epochOutcomes(
  db: Queryable,
  network: string,
  first: number,
  last: number,
): Promise<readonly EpochOutcome[]> {
  const found = await db.query<EpochOutcome>(
    `with published as (
       select distinct on (epoch) epoch, revision, entry::jsonb ->> 'sum' as sum, content_digest, head
       from chain_entry where network = $1 and kind = 'revision' and epoch between $2 and $3
       order by epoch, revision desc),
     failed as (
       select distinct on (epoch) epoch, failure from epoch_failure
       where network = $1 and epoch between $2 and $3 order by epoch, failure_no desc),
     held as (
       select distinct on (h.epoch) h.epoch, h.content_digest from hold h
       left join hold_decision d using (network, epoch, revision, computation)
       where h.network = $1 and h.epoch between $2 and $3 and d.decision is null order by h.epoch, h.computation desc)
     select epoch,
       case when p.epoch is not null then 'published' when f.epoch is not null then format('failed(%s)', f.failure)
         else 'held' end as outcome,
       p.revision, p.sum, coalesce(p.content_digest, held.content_digest) as "contentDigest", p.head
     from published p full join failed f using (epoch) full join held using (epoch) order by epoch`,
    [network, first, last],
  );
  return found.rows;
}
