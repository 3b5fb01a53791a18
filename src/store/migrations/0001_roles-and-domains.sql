-- Up Migration

-- Roles belong to the cluster, not to this database, so another database of the same cluster may have made them.
-- They are groups without login: a login role is granted one of them and nothing else.
do $$
declare
  name text;
begin
  foreach name in array array['settle_owner', 'settle_worker', 'settle_operator', 'settle_viewer'] loop
    -- Looked for first: where somebody with more rights has made them, the one who migrates may not create roles.
    continue when exists (select from pg_roles where rolname = name);
    begin
      execute format('create role %I nologin', name);
    exception when duplicate_object or unique_violation then
      null; -- already made by a neighbour
    end;
  end loop;
end
$$;

create schema if not exists settle;
grant usage on schema settle to settle_worker, settle_operator, settle_viewer;

-- An identifier compares by bytes (spec §3), so that two spellings of one letter are two ids and the order of rows
-- never depends on the machine's locale. The length is checked by itself: a pattern that counts to 128 takes PostgreSQL
-- 15 microseconds a value, this one half a microsecond, and every row of every table has two or three of them.
create domain settle.identifier as text collate "C"
  check (value ~ '^[A-Za-z0-9._:-]+$' and octet_length(value) <= 128);

-- numeric accepts NaN, and NaN >= 0 is true in PostgreSQL: every number is refused NaN and infinity by name.
create domain settle.exact as numeric
  check (value <> 'NaN' and value <> 'Infinity' and value <> '-Infinity');

-- Token base units (spec §1).
create domain settle.base_units as numeric(78, 0)
  check (value <> 'NaN');

create domain settle.epoch_number as integer check (value >= 0);

create domain settle.sha256_hex as text collate "C" check (value ~ '^[0-9a-f]+$' and octet_length(value) = 64);

-- Down Migration
drop schema settle cascade;
