import type { PoolClient } from 'pg';
import { appendAudit } from './audit-log';
import type { LoadOptions, RowSource, TableCounts } from './load-source';

/** The load's own row: the rows that it brings name it. */
export async function insertLoad(client: PoolClient, source: RowSource, options: LoadOptions): Promise<number> {
  const load = await client.query<{ load_id: number }>(
    `insert into load (network, source, actor, counts) values ($1, $2, $3, '{}') returning load_id`,
    [options.network, source.name, options.actor],
  );
  return load.rows[0]!.load_id;
}

export async function recordLoad(
  client: PoolClient,
  source: RowSource,
  options: LoadOptions,
  loadId: number,
  counts: Readonly<Record<string, TableCounts>>,
): Promise<void> {
  await appendAudit(client, {
    network: options.network,
    actor: options.actor,
    action: 'import',
    subject: source.name,
    outcome: 'done',
    reason: `load ${loadId}`,
    detail: { counts },
  });
}
