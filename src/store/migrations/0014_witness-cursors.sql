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
grant insert, update on settle.witness_cursor to settle_worker;

-- Down Migration
drop table settle.witness_cursor;
