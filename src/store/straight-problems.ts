import type { PoolClient } from 'pg';
import { registryTwice } from './row-problems';

/** Where a bundle's own registry stands: staged beside the one that was there, or stored as the network's first. */
export type BundleRegistry = 'staged' | 'stored';

const OWN_REGISTRY: Readonly<Record<BundleRegistry, string>> = {
  staged: '(select provider, max(joined_epoch) as joined_epoch from stage_providers group by provider)',
  stored: '(select provider, joined_epoch from provider_version where network = $1)',
};

/**
 * Whether one of the rules across rows (row-problems.ts) may be broken by the rows of these epochs, as they stand in
 * their tables: one scan of each table answers for all rules, and a row that was there before costs no more than a
 * second look by way of staging. The tables' keys have seen to it that no key is there twice.
 */
export async function hasProblem(
  client: PoolClient,
  network: string,
  epochs: readonly number[],
  registry: BundleRegistry,
): Promise<boolean> {
  // Nobody has counted the rows that were just written: taken for a handful, each would be looked up by itself.
  await client.query('set local enable_nestloop = off');
  const questions = [askCapacity(registry), askPerformance(registry), askMarkets('demand'), askMarkets('quote')];
  let found = registry === 'staged' && (await finds(client, registryTwice(), []));
  for (const question of questions) found ||= await finds(client, question, [network, epochs]);
  await client.query('set local enable_nestloop = on');
  return found;
}

async function finds(client: PoolClient, question: string, values: readonly unknown[]): Promise<boolean> {
  return (await client.query(`${question} limit 1`, [...values])).rowCount !== 0;
}

const ROWS = 'where t.network = $1 and t.epoch = any($2::integer[])';

/** The epoch in which a row's provider joined, by the bundle's word or else the newest; null: it is not registered. */
const JOINED = `coalesce(own.joined_epoch, (
  select v.joined_epoch from provider_version v
  where v.network = $1 and v.provider = t.provider order by v.load_id desc limit 1))`;

const KNOWN_MARKET = 'm.market = t.market and t.epoch between m.first_epoch and m.last_epoch';

const askCapacity = (registry: BundleRegistry): string => `
  select from capacity t
  left join ${OWN_REGISTRY[registry]} own on own.provider = t.provider
  left join stage_market m on ${KNOWN_MARKET}
  ${ROWS} and (m.market is null or (t.epoch >= ${JOINED}) is not true)`;

const askPerformance = (registry: BundleRegistry): string => `
  select from performance t left join ${OWN_REGISTRY[registry]} own on own.provider = t.provider
  ${ROWS} and ${JOINED} is null`;

const askMarkets = (table: 'demand' | 'quote'): string => `
  select from ${table} t left join stage_market m on ${KNOWN_MARKET}
  ${ROWS} and m.market is null`;
