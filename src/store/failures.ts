import type { Queryable } from './pool';

/** The names by which an epoch can fail (spec §3, §8), `rejected` also being how an operator closes one on purpose. */
export const FAILURES = [
  'incomplete-inputs',
  'conservation',
  'price-bounds',
  'multiplier-bounds',
  'payees',
  'snapshot',
  'chain',
  'rejected',
  'expired',
] as const;
export type FailureName = (typeof FAILURES)[number];

export interface EpochFailure {
  readonly epoch: number;
  /** Counts the failures of an epoch, from 1: it may be settled again, and fail again. */
  readonly failureNo: number;
  readonly failure: FailureName;
  readonly detail: Readonly<Record<string, unknown>>;
  readonly actor: string;
  readonly reason: string;
  /** The workflow run that recorded it; null: a command did. */
  readonly runId: string | null;
  readonly failedAt: string;
}

const COLUMNS = `epoch, failure_no as "failureNo", failure, detail, actor, reason, run_id as "runId", to_char(failed_at, 'YYYY-MM-DD"T"HH24:MI:SS"Z"') as "failedAt"`;

/** Closes an epoch as failed, once for each run. Run under the network's lock, after looking that it is still open. */
export async function insertFailure(
  db: Queryable,
  network: string,
  failure: Omit<EpochFailure, 'failureNo' | 'failedAt'>,
): Promise<void> {
  await db.query(
    `insert into epoch_failure (network, epoch, failure_no, failure, detail, actor, reason, run_id)
     select $1::text, $2::integer, coalesce(max(failure_no), 0) + 1, $3::text, $4::jsonb, $5::text, $6::text, $7::text
       from epoch_failure where network = $1::text and epoch = $2::integer
     on conflict (network, epoch, run_id) do nothing`,
    [
      network,
      failure.epoch,
      failure.failure,
      JSON.stringify(failure.detail),
      failure.actor,
      failure.reason,
      failure.runId,
    ],
  );
}

/** Closes a range of open epochs as `rejected`, by a person's decision. Run under the network's lock. */
export async function insertRejections(
  db: Queryable,
  network: string,
  range: { readonly first: number; readonly last: number },
  actor: string,
  reason: string,
): Promise<void> {
  await db.query(
    `insert into epoch_failure (network, epoch, failure_no, failure, detail, actor, reason, run_id)
     select $1::text, e.epoch, 1 + (
         select count(*) from epoch_failure f where f.network = $1::text and f.epoch = e.epoch),
       'rejected', '{"onPurpose": true}', $4::text, $5::text, null
     from generate_series($2::integer, $3::integer) e(epoch)`,
    [network, range.first, range.last, actor, reason],
  );
}

/** The newest failure of an epoch, whether or not it was settled later. */
export async function findFailure(db: Queryable, network: string, epoch: number): Promise<EpochFailure | null> {
  const found = await db.query<EpochFailure>(
    `select ${COLUMNS} from epoch_failure where network = $1 and epoch = $2 order by failure_no desc limit 1`,
    [network, epoch],
  );
  return found.rows[0] ?? null;
}

/** Every failure of the epochs of a range, by epoch and number, settled later or not. */
export async function everyFailure(
  db: Queryable,
  network: string,
  first: number,
  last: number,
): Promise<readonly EpochFailure[]> {
  const found = await db.query<EpochFailure>(
    `select ${COLUMNS} from epoch_failure where network = $1 and epoch between $2 and $3 order by epoch, failure_no`,
    [network, first, last],
  );
  return found.rows;
}

/** Newest failures of the epochs of a range that were not published afterwards, in order. */
export async function listFailures(
  db: Queryable,
  network: string,
  first: number,
  last: number,
): Promise<readonly EpochFailure[]> {
  const found = await db.query<EpochFailure>(
    `select distinct on (epoch) ${COLUMNS} from epoch_failure f
     where network = $1 and epoch between $2 and $3 and not exists (
       select from chain_entry c where c.network = f.network and c.epoch = f.epoch and c.kind = 'revision')
     order by epoch, failure_no desc`,
    [network, first, last],
  );
  return found.rows;
}
