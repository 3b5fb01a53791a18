import type { PoolClient } from 'pg';
import { to as copyTo } from 'pg-copy-streams';
import type { ComputationKey } from './computations';
import { joinByHashing } from './plans';
import type { Queryable } from './pool';

/**
 * Books a revision to the payees in force at its snapshot and writes the claims after it at `position`, from those of
 * the claims entry before (`previousPosition`, null: none). Revision 1 books its amounts; revision r+1 books the
 * adjustments to those of revision r, to the payees of the registry as `dispute` corrects it (0: as it was sealed). One
 * statement: nothing is read, changed and written back by hand. Inside a transaction.
 *
 * A payee whose entitlement fell below 0 without ever having been above keeps its row with a cumulative amount of 0:
 * what it is paid later is set against it.
 */
export async function writeClaims(
  db: Queryable,
  key: ComputationKey,
  position: number,
  previousPosition: number | null,
  dispute: number,
): Promise<void> {
  // A million payees are joined and summed in memory rather than in files.
  await db.query(`set local work_mem = '128MB'`);
  await joinByHashing(db);
  await db.query(
    `with published as (
       select p.provider, p.amount from payout p
       where p.network = $1::text and p.epoch = $2::integer and p.revision = $3::integer and p.computation = $4::integer),
     superseded as (
       select p.provider, p.amount from payout p
       join chain_entry c using (network, epoch, revision, computation)
       where p.network = $1::text and p.epoch = $2::integer and p.revision = $3::integer - 1 and c.kind = 'revision'),
     booked as (
       select provider, coalesce(published.amount, 0) - coalesce(superseded.amount, 0) as adjustment
       from published full join superseded using (provider)),
     payees as (
       select r.provider, r.payee from corrected_registry($1::text, $2::integer, $7::integer) r),
     added as (
       select payees.payee, sum(booked.adjustment) as adjustment
       from booked join payees using (provider) where payees.payee is not null group by payees.payee),
     before as (select payee, entitlement, cumulative from claim where network = $1::text and position = $6::bigint)
     insert into claim (network, position, payee, entitlement, cumulative)
     select $1::text, $5::bigint, payee, entitlement, greatest(cumulative, entitlement)
     from (select payee, coalesce(before.entitlement, 0) + coalesce(added.adjustment, 0) as entitlement,
             coalesce(before.cumulative, 0) as cumulative
           from before full join added using (payee)) c
     where greatest(cumulative, entitlement) > 0 or entitlement < 0`,
    [key.network, key.epoch, key.revision, key.computation, position, previousPosition, dispute],
  );
}

/**
 * Claims after the claims entry at `position`, by payee; without those that have nothing to claim. They stream by, so
 * that a million payees are a million rows of a table of bytes and never a million objects.
 */
export async function* readClaims(
  client: PoolClient,
  network: string,
  position: number,
): AsyncGenerator<readonly [payee: string, cumulative: string], void, undefined> {
  await client.query(`select set_config('settle.network', $1, true), set_config('settle.position', $2, true)`, [
    network,
    String(position),
  ]);
  const stream = client.query(
    copyTo(`copy (
      select payee, cumulative from claim
      where network = current_setting('settle.network') and position = current_setting('settle.position')::bigint
        and cumulative > 0 order by payee) to stdout (format csv)`),
  );
  let rest = '';
  for await (const part of stream) {
    const lines = (rest + (part as Buffer).toString('latin1')).split('\n');
    rest = lines.pop()!;
    for (const line of lines) yield [line.slice(0, PAYEE_CHARS), line.slice(PAYEE_CHARS + 1)];
  }
}

/** `0x` and 40 hex digits. */
const PAYEE_CHARS = 42;

/** Drops the claims rows of entries before `position`: they can be derived again from payouts and registry. */
export async function dropClaimsBefore(db: Queryable, network: string, position: number): Promise<void> {
  await db.query('delete from claim where network = $1::text and position < $2', [network, position]);
}
