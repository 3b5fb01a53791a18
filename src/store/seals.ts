import type { Queryable } from './pool';

/** A sealed epoch: its rows can no longer change, and the registry and policy that go with them are fixed. */
export interface Seal {
  readonly policyHash: string;
  readonly registryLoad: number;
}

/** How complete the staged rows of an epoch are (spec §3), apart from the token price. */
export interface Completeness {
  readonly capacityRows: number;
  /** N: active providers with any capacity offered. */
  readonly activeProviders: number;
  /** Of those, the ones with a measured uptime. */
  readonly measuredUptimes: number;
}

export async function findSeal(db: Queryable, network: string, epoch: number): Promise<Seal | null> {
  const found = await db.query<Seal>(
    `select policy_hash as "policyHash", registry_load as "registryLoad" from seal where network = $1 and epoch = $2`,
    [network, epoch],
  );
  return found.rows[0] ?? null;
}

/** Freezes the rows of an epoch. Run under the network's lock and the exclusive input lock. */
export async function insertSeal(db: Queryable, network: string, epoch: number, policyHash: string): Promise<Seal> {
  const inserted = await db.query<Seal>(
    `insert into seal (network, epoch, policy_hash, registry_load)
     select $1::text, $2::integer, $3::text, coalesce(max(load_id), 0) from load where network = $1::text
     returning policy_hash as "policyHash", registry_load as "registryLoad"`,
    [network, epoch, policyHash],
  );
  return inserted.rows[0]!;
}

export async function completeness(db: Queryable, network: string, epoch: number): Promise<Completeness> {
  // No join: right after a large load the tables have no statistics, and one would be planned as a loop over all rows of
  // the epoch for each provider.
  const found = await db.query<Completeness>(
    `select coalesce(sum(rows), 0)::bigint as "capacityRows",
       count(*) filter (where active and offered > 0) as "activeProviders",
       count(uptime) filter (where active and offered > 0) as "measuredUptimes"
     from (
       select count(offered) as rows, max(offered) as offered, bool_or(status = 'active') as active, max(uptime) as uptime
       from (
         select provider, offered::numeric as offered, null::text as status, null::numeric as uptime
         from capacity where network = $1 and epoch = $2
         union all
         (select distinct on (provider) provider, null, status, null from provider_version
          where network = $1 order by provider, load_id desc)
         union all
         select provider, null, null, uptime from performance where network = $1 and epoch = $2) r
       group by provider) p`,
    [network, epoch],
  );
  return found.rows[0]!;
}

/** How many loads a network has. */
export async function loadsOf(db: Queryable, network: string): Promise<number> {
  const found = await db.query<{ loads: number }>('select count(*)::integer as loads from load where network = $1', [
    network,
  ]);
  return found.rows[0]!.loads;
}

export interface EpochClock {
  /** Seconds since 1970 by the database's clock. */
  readonly nowSeconds: number;
}

/** The one clock that decides whether an epoch is due or past its deadline. */
export async function databaseClock(db: Queryable): Promise<EpochClock> {
  const found = await db.query<EpochClock>(
    `select floor(extract(epoch from clock_timestamp()))::bigint as "nowSeconds"`,
  );
  return found.rows[0]!;
}
