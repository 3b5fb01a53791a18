import type { Queryable } from './pool';

/**
 * Makes the planner join by hashing until the transaction ends. For statements over all providers of an epoch: right
 * after a large load the tables have no statistics, and a plan for a handful of rows loops over all of them for each.
 */
export async function joinByHashing(client: Queryable): Promise<void> {
  await client.query(`select set_config('enable_nestloop', 'off', true)`);
}
