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
  const found = await db.query<Completeness>(
    `select (select count(*) from capacity where network = $1 and epoch = $2) as "capacityRows",
       count(*) as "activeProviders", count(p.uptime) as "measuredUptimes"
     from (select provider from capacity where network = $1 and epoch = $2 group by provider having max(offered) > 0) c
     cross join lateral (
       select v.status from provider_version v where v.network = $1 and v.provider = c.provider
       order by v.load_id desc limit 1) v
     -- The limit keeps this a lookup by key: right after a large load the tables have no statistics, and a join would
     -- be planned as a loop over all rows of the epoch for each provider.
     left join lateral (
       select p.uptime from performance p where p.network = $1 and p.epoch = $2 and p.provider = c.provider
       limit 1) p on true
     where v.status = 'active'`,
    [network, epoch],
  );
  return found.rows[0]!;
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
