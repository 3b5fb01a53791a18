import type { PoolClient } from 'pg';
import { copyInto, type RowSource, type TableCounts } from './load-source';
import { REGISTRY_STAGED, type SourceTable } from './staging';

/** Whether anything is known of any provider of a network. */
export async function hasRegistry(client: PoolClient, network: string): Promise<boolean> {
  const found = await client.query('select from provider_version where network = $1 limit 1', [network]);
  return found.rowCount !== 0;
}

/** Stages the bundle's registry, which may have a new word on providers or the one that is known. */
export async function stageProviders(client: PoolClient, source: RowSource): Promise<void> {
  await client.query(`create temp table stage_providers (line integer, ${REGISTRY_STAGED}) on commit drop`);
  await copyInto(client, 'copy stage_providers from stdin (format csv)', numberedLines(source, 'providers'));
  // Temporary tables have no statistics until asked; without them the joins on them can be planned quadratic.
  await client.query('analyze stage_providers');
}

/** The lines of a table for staging: each after its line number. */
export async function* numberedLines(source: RowSource, table: SourceTable): AsyncGenerator<string, void, undefined> {
  for await (const batch of source.batches(table)) yield batch.copyLines(null);
}

/** Adds a version for each staged provider whose row differs from its newest one. */
export async function addProviders(client: PoolClient, network: string, loadId: number): Promise<TableCounts> {
  const read = await client.query<{ n: number }>('select count(*) as n from stage_providers');
  const added = await client.query(
    `insert into provider_version (network, provider, load_id, joined_epoch, status, payee)
     select distinct on (s.provider) $1::text, s.provider, $2::bigint, s.joined_epoch, s.status, s.payee
     from stage_providers s
     left join lateral (
       select v.joined_epoch, v.status, v.payee from provider_version v
       where v.network = $1::text and v.provider = s.provider order by v.load_id desc limit 1) newest on true
     where (s.joined_epoch, s.status, s.payee) is distinct from (newest.joined_epoch, newest.status, newest.payee)
     order by s.provider`,
    [network, loadId],
  );
  const count = read.rows[0]!.n;
  const changed = added.rowCount ?? 0;
  return { read: count, added: changed, repeated: count - changed, late: 0, outside: 0 };
}
