import { StoreError } from './errors';
import type { Queryable } from './pool';

export interface Network {
  readonly network: string;
  /** Seconds since 1970-01-01T00:00:00Z. */
  readonly genesisSeconds: number;
  readonly lengthSeconds: number;
  /** Of the first policy, with which the network was made. An epoch is due by that of its own policy (spec §3). */
  readonly graceSeconds: number;
  readonly firstEpoch: number;
  /** null: the network has no end. */
  readonly lastEpoch: number | null;
  /** `release`: held epochs are let through at once, on record; for throw-away homes only. */
  readonly holds: 'wait' | 'release';
}

const COLUMNS = `network, extract(epoch from genesis)::bigint as "genesisSeconds", length_seconds as "lengthSeconds",
  grace_seconds as "graceSeconds", first_epoch as "firstEpoch", last_epoch as "lastEpoch", holds`;

export async function insertNetwork(db: Queryable, network: Network): Promise<void> {
  const inserted = await db.query(
    `insert into network (network, genesis, length_seconds, grace_seconds, first_epoch, last_epoch, holds)
     values ($1, to_timestamp($2::bigint), $3, $4, $5, $6, $7) on conflict do nothing`,
    [
      network.network,
      network.genesisSeconds,
      network.lengthSeconds,
      network.graceSeconds,
      network.firstEpoch,
      network.lastEpoch,
      network.holds,
    ],
  );
  if (inserted.rowCount === 0) {
    throw new StoreError('NetworkExists', `network ${network.network} exists: its calendar cannot be changed`);
  }
}

export async function findNetwork(db: Queryable, network: string): Promise<Network | null> {
  const found = await db.query<Network>(`select ${COLUMNS} from network where network = $1`, [network]);
  return found.rows[0] ?? null;
}

export async function getNetwork(db: Queryable, network: string): Promise<Network> {
  const found = await findNetwork(db, network);
  if (found !== null) return found;
  const others = await listNetworks(db);
  throw new StoreError(
    'NetworkUnknown',
    `network ${network} is not known here; known: ${others.map((other) => other.network).join(', ') || 'none'}. ` +
      'Create one with `settle network create NAME --policy FILE --from EPOCH`',
  );
}

export async function listNetworks(db: Queryable): Promise<readonly Network[]> {
  return (await db.query<Network>(`select ${COLUMNS} from network order by network`)).rows;
}

/** Takes the network's lock until the transaction ends: publishing, sealing and policy approval exclude each other. */
export async function lockNetwork(db: Queryable, network: string): Promise<Network> {
  const found = await db.query<Network>(`select ${COLUMNS} from network where network = $1 for update`, [network]);
  if (found.rows[0] === undefined) {
    throw new StoreError('NetworkUnknown', `network ${network} is not known here: see \`settle network list\``);
  }
  return found.rows[0];
}

/**
 * The lock between loading inputs (shared: loads may overlap) and sealing an epoch (exclusive), held until the
 * transaction ends. Apart from the network's row, so that a long load does not stop the network from publishing.
 */
export async function lockInputs(db: Queryable, network: string, mode: 'shared' | 'exclusive'): Promise<void> {
  await db.query(
    mode === 'shared'
      ? `select pg_advisory_xact_lock_shared(hashtext('settle.inputs'), hashtext($1))`
      : `select pg_advisory_xact_lock(hashtext('settle.inputs'), hashtext($1))`,
    [network],
  );
}
