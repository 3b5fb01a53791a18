import type { PoolClient } from 'pg';
import { PRICES_COLUMNS, type PricesRow } from '../rulesets/1/tables';
import { StoreError } from './errors';
import type { Queryable } from './pool';

/** Which computation of which revision: every draft row carries these four. */
export interface ComputationKey {
  readonly network: string;
  readonly epoch: number;
  readonly revision: number;
  readonly computation: number;
}

/** One published epoch that a computation read: epoch, revision, content digest. */
export type HistoryEntry = readonly [epoch: number, revision: number, contentDigest: string];

/** What a computation was made from, and what it made besides its price rows. */
export interface ComputationHeader {
  readonly ruleset: number;
  readonly policyHash: string;
  readonly snapshotDigest: string;
  readonly historyDigest: string;
  readonly history: readonly HistoryEntry[];
  readonly previousEpoch: number | null;
  /** Decimal text (derivation-text.ts). */
  readonly derivation: unknown;
  readonly workflowId: string;
  readonly runId: string;
  /** The dispute whose corrected rows it was made from; 0: the sealed rows. */
  readonly dispute: number;
}

const KEY_COLUMNS = ['network', 'epoch', 'revision', 'computation'] as const;
const PRICE_TARGETS = [...KEY_COLUMNS, ...PRICES_COLUMNS].join(', ');
const PRICE_SOURCES = PRICES_COLUMNS.map((column) => `r.${column}`).join(', ');

/** The computation of a revision from exactly these rows, policy and history, unless its hold ended it. */
export async function findComputation(
  db: Queryable,
  network: string,
  epoch: number,
  revision: number,
  made: Pick<ComputationHeader, 'policyHash' | 'snapshotDigest' | 'historyDigest' | 'dispute'>,
): Promise<ComputationKey | null> {
  const found = await db.query<ComputationKey>(
    `select network, epoch, revision, computation from computation
     where network = $1 and epoch = $2 and revision = $3 and policy_hash = $4 and snapshot_digest = $5
       and history_digest = $6 and dispute = $7 and not exists (
         select from hold_decision d where (d.network, d.epoch, d.revision, d.computation) =
             (computation.network, computation.epoch, computation.revision, computation.computation)
           and d.decision in ('rejected', 'expired', 'superseded'))
     order by computation desc limit 1`,
    [network, epoch, revision, made.policyHash, made.snapshotDigest, made.historyDigest, made.dispute],
  );
  return found.rows[0] ?? null;
}

/** Writes a computation with its price rows. Two runs at once: the second meets the primary key and reads back. */
export async function insertComputation(
  client: PoolClient,
  network: string,
  epoch: number,
  revision: number,
  header: ComputationHeader,
  prices: readonly PricesRow[],
): Promise<ComputationKey> {
  const inserted = await client.query<ComputationKey>(
    `insert into computation (network, epoch, revision, computation, ruleset, policy_hash, snapshot_digest,
       history_digest, history, previous_epoch, derivation, workflow_id, run_id, dispute)
     select $1::text, $2::integer, $3::integer, coalesce(max(computation), 0) + 1, $4::integer, $5::text, $6::text, $7::text,
       $8::jsonb, $9::integer, $10::jsonb, $11::text, $12::text, $13::integer from computation
       where network = $1::text and epoch = $2::integer and revision = $3::integer
     on conflict do nothing
     returning network, epoch, revision, computation`,
    [
      network,
      epoch,
      revision,
      header.ruleset,
      header.policyHash,
      header.snapshotDigest,
      header.historyDigest,
      JSON.stringify(header.history),
      header.previousEpoch,
      JSON.stringify(header.derivation),
      header.workflowId,
      header.runId,
      header.dispute,
    ],
  );
  const key = inserted.rows[0];
  if (key === undefined) {
    const other = await findComputation(client, network, epoch, revision, header);
    if (other !== null) return other;
    throw new StoreError('ComputationConflict', `another computation of epoch ${epoch} was written at the same moment`);
  }
  await client.query(
    `insert into price (${PRICE_TARGETS})
     select $1::text, $2::integer, $3::integer, $4::integer, ${PRICE_SOURCES} from jsonb_populate_recordset(null::price, $5) r`,
    [network, epoch, revision, key.computation, JSON.stringify(prices.map(withNulls))],
  );
  return key;
}

/** Empty cells are "undefined" in canonical text and NULL in the database. */
function withNulls(row: PricesRow): Record<string, string | null> {
  return Object.fromEntries(Object.entries(row).map(([column, text]) => [column, text === '' ? null : text]));
}

export async function getComputation(db: Queryable, key: ComputationKey): Promise<ComputationHeader> {
  const found = await db.query<ComputationHeader>(
    `select ruleset, policy_hash as "policyHash", snapshot_digest as "snapshotDigest", history_digest as "historyDigest",
       history, previous_epoch as "previousEpoch", derivation, workflow_id as "workflowId", run_id as "runId",
       dispute
     from computation where network = $1 and epoch = $2 and revision = $3 and computation = $4`,
    [key.network, key.epoch, key.revision, key.computation],
  );
  if (found.rows[0] === undefined) {
    throw new StoreError('EpochUnknown', `computation ${key.computation} of epoch ${key.epoch} is not in the database`);
  }
  return found.rows[0];
}

/** The prices table of a computation in canonical text, by bytes of the market's name (spec §9). */
export async function priceRows(db: Queryable, key: ComputationKey): Promise<readonly PricesRow[]> {
  const cells = PRICES_COLUMNS.map((column) => `coalesce(${column}::text, '') as ${column}`).join(', ');
  const found = await db.query<PricesRow>(
    `select ${cells} from price
     where network = $1 and epoch = $2 and revision = $3 and computation = $4 order by market collate "C"`,
    [key.network, key.epoch, key.revision, key.computation],
  );
  return found.rows;
}
