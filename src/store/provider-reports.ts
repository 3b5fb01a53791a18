import type { Queryable } from './pool';

/** A provider as the registry had it at some load. */
export interface RegistryEntry {
  readonly provider: string;
  readonly joinedEpoch: number;
  readonly status: 'active' | 'suspended';
  readonly payee: string | null;
}

/** Sealed rows of one provider in one epoch; canonical text, null where nothing was measured. */
export interface SealedProvider {
  readonly registry: RegistryEntry;
  readonly capacity: readonly { readonly market: string; readonly offered: string; readonly served: string }[];
  readonly performance: {
    readonly uptime: string | null;
    readonly responseMs: string | null;
    readonly errorRate: string | null;
    readonly rating: string | null;
  } | null;
}

const REGISTRY = `provider, joined_epoch as "joinedEpoch", status, payee`;

/** The registry's entry of a provider as of a load; null load: as it is now. null: the provider is not registered. */
export async function registryEntry(
  db: Queryable,
  network: string,
  provider: string,
  load: number | null,
): Promise<RegistryEntry | null> {
  const found = await db.query<RegistryEntry>(
    `select ${REGISTRY} from provider_version
     where network = $1 and provider = $2 and ($3::bigint is null or load_id <= $3::bigint)
     order by load_id desc limit 1`,
    [network, provider, load],
  );
  return found.rows[0] ?? null;
}

/** Which rows a computation read: the registry as of a load, and a dispute's corrections (0: none). */
export interface RowsOfComputation {
  readonly registryLoad: number;
  readonly dispute: number;
}

const CAPACITY = 'select market, offered::text, served::text';
const PERFORMANCE = `select uptime::text, response_ms::text as "responseMs", error_rate::text as "errorRate", rating::text`;

/**
 * What a computation of a sealed epoch read of a provider; null: it has no capacity row there. The sealed tables are
 * asked by their keys; the corrected ones only for the revisions that a dispute made.
 */
export async function sealedProvider(
  db: Queryable,
  network: string,
  epoch: number,
  provider: string,
  { registryLoad, dispute }: RowsOfComputation,
): Promise<SealedProvider | null> {
  const sealed = dispute === 0;
  const where = sealed ? 'network = $1 and epoch = $2 and provider = $3' : 'provider = $3';
  const from = (table: string) => (sealed ? table : `corrected_${table}($1, $2, $4)`);
  const values = [network, epoch, provider, ...(sealed ? [] : [dispute])];
  const registry = sealed
    ? await registryEntry(db, network, provider, registryLoad)
    : ((await db.query<RegistryEntry>(`select ${REGISTRY} from ${from('registry')} where ${where}`, values)).rows[0] ??
      null);
  const capacity = await db.query<SealedProvider['capacity'][number]>(
    `${CAPACITY} from ${from('capacity')} where ${where} order by market`,
    values,
  );
  if (registry === null || capacity.rows.length === 0) return null;
  const performance = await db.query<NonNullable<SealedProvider['performance']>>(
    `${PERFORMANCE} from ${from('performance')} where ${where}`,
    values,
  );
  return { registry, capacity: capacity.rows, performance: performance.rows[0] ?? null };
}

/**
 * Registered providers whose id could be meant by `text`: it contains it in whatever case, or begins alike. Enough to
 * pick suggestions from, not a search.
 */
export async function similarProviders(
  db: Queryable,
  network: string,
  text: string,
  count: number,
): Promise<readonly string[]> {
  const start = text.slice(0, Math.max(1, Math.floor(text.length / 2)));
  const found = await db.query<{ provider: string }>(
    `select distinct provider from provider_version
     where network = $1 and (strpos(lower(provider), lower($2)) > 0 or starts_with(lower(provider), lower($3)))
     order by provider limit $4`,
    [network, text, start, count],
  );
  return found.rows.map((row) => row.provider);
}
