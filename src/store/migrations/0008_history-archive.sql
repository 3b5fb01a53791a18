-- Up Migration

-- The code that runs ran with, once for each hash: a history can be replayed only against the bundle that made it. A
-- run names its own: the worker's build id ends with the hash.
create table settle.workflow_bundle (
  bundle_hash settle.sha256_hex primary key,
  code bytea not null, -- gzip of the UTF-8 text that has the hash
  stored_at timestamptz not null default clock_timestamp()
);

-- Histories of the runs that closed epochs, kept before the server's retention deletes them. The hash of each is in
-- the audit log, so that an archive cannot be rewritten without it.
create table settle.history_archive (
  network settle.identifier not null references settle.network,
  workflow_id text collate "C" not null,
  run_id text collate "C" not null,
  epoch settle.epoch_number not null,
  history_hash settle.sha256_hex not null, -- of the uncompressed JSON
  history bytea not null,                  -- gzip of the JSON
  bundle_hash settle.sha256_hex,           -- null: the run names none; not a reference, as another worker may keep it
  archived_at timestamptz not null default clock_timestamp(),
  primary key (network, run_id)
);
create index on settle.history_archive (network, epoch);

-- What was published by which run is looked for in the audit log.
create index audit_log_published on settle.audit_log (network, action, entry);

do $$
declare
  t text;
begin
  foreach t in array array['workflow_bundle', 'history_archive'] loop
    execute format('create trigger refuse_change before update or delete or truncate on settle.%I
                      for each statement execute function settle.refuse_change()', t);
  end loop;
end
$$;

grant select on settle.workflow_bundle, settle.history_archive to settle_worker, settle_operator, settle_viewer;
grant insert on settle.workflow_bundle, settle.history_archive to settle_worker;

-- Down Migration
drop index settle.audit_log_published;
drop table settle.history_archive, settle.workflow_bundle;
