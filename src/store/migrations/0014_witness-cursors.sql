-- Up Migration

-- How far each witness outside of the database was told the chain, and what keeps it from being told more. Nothing is
-- computed from it: a lost row means that heads are told again, which a witness has to bear. A row that was put too far
-- is found by comparing the chain with what the witness holds (`settle audit --witness`).
create table settle.witness_cursor (
  network settle.identifier not null references settle.network,
  witness text not null check (octet_length(witness) <= 300),
  position bigint not null default 0 check (position >= 0), -- of the last claims entry that was told
  told_at timestamptz,
  failing_since timestamptz, -- null: the last attempt was heard
  failures integer not null default 0 check (failures >= 0), -- in a row
  last_error text check (octet_length(last_error) <= 2000),
  primary key (network, witness),
  check ((failing_since is null) = (failures = 0)),
  check ((failing_since is null) = (last_error is null))
);

grant select on settle.witness_cursor to settle_worker, settle_operator, settle_viewer, settle_approver, settle_auditor,
  settle_policy_admin;

-- The only ways to write it, since nobody has the right to change a row. Another worker may have told more already: a
-- cursor never goes back.
create function settle.record_told(of_network text, of_witness text, of_position bigint) returns void
language sql security definer set search_path = settle, pg_catalog, pg_temp as $$
  insert into witness_cursor as w (network, witness, position, told_at)
    values (of_network, of_witness, of_position, clock_timestamp())
    on conflict (network, witness) do update set position = greatest(w.position, excluded.position),
      told_at = excluded.told_at, failing_since = null, failures = 0, last_error = null
$$;

create function settle.record_unheard(of_network text, of_witness text, error text) returns void
language sql security definer set search_path = settle, pg_catalog, pg_temp as $$
  insert into witness_cursor as w (network, witness, failing_since, failures, last_error)
    values (of_network, of_witness, clock_timestamp(), 1, error)
    on conflict (network, witness) do update set failing_since = coalesce(w.failing_since, excluded.failing_since),
      failures = w.failures + 1, last_error = excluded.last_error
$$;

revoke all on function settle.record_told, settle.record_unheard from public;
grant execute on function settle.record_told, settle.record_unheard to settle_worker;

-- Down Migration
drop function settle.record_told, settle.record_unheard;
drop table settle.witness_cursor;
