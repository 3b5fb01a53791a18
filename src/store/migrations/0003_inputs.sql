-- Up Migration

-- One accepted input bundle. A bundle is loaded whole or not at all, so this row exists if and only if its rows do.
create table settle.load (
  load_id bigint generated always as identity primary key,
  network settle.identifier not null references settle.network,
  source text not null,
  actor text not null,
  loaded_at timestamptz not null default clock_timestamp(),
  counts jsonb not null
);

-- The registry is versioned, not copied per epoch: a snapshot names the last load that it saw (registry_load), and
-- the newest version up to that load is the one in force.
create table settle.provider_version (
  network settle.identifier not null,
  provider settle.identifier not null,
  load_id bigint not null references settle.load,
  joined_epoch settle.epoch_number not null,
  status text collate "C" not null check (status in ('active', 'suspended')),
  payee text collate "C" check (payee ~ '^0x[0-9a-f]+$' and octet_length(payee) = 42 and payee <> '0x0000000000000000000000000000000000000000'),
  primary key (network, provider, load_id)
);

-- The three tables that grow with providers are partitioned by fixed ranges of epochs (settle.ensure_partitions):
-- old ranges can be detached whole, and thousands of epochs stay a few dozen partitions.
create table settle.capacity (
  network settle.identifier not null,
  epoch settle.epoch_number not null,
  provider settle.identifier not null,
  market settle.identifier not null,
  offered settle.exact not null check (offered >= 0 and scale(offered) <= 6),
  served settle.exact not null check (served >= 0 and served <= offered and scale(served) <= 6),
  primary key (network, epoch, provider, market)
) partition by range (epoch);

create table settle.performance (
  network settle.identifier not null,
  epoch settle.epoch_number not null,
  provider settle.identifier not null,
  uptime settle.exact check (uptime between 0 and 1 and scale(uptime) <= 6),
  response_ms settle.exact check (response_ms >= 0 and scale(response_ms) <= 3),
  error_rate settle.exact check (error_rate between 0 and 1 and scale(error_rate) <= 6),
  rating settle.exact check (rating between 1 and 5 and scale(rating) <= 3),
  primary key (network, epoch, provider)
) partition by range (epoch);

create table settle.demand (
  network settle.identifier not null,
  epoch settle.epoch_number not null,
  market settle.identifier not null,
  requested settle.exact not null check (requested >= 0 and scale(requested) <= 6),
  primary key (network, epoch, market)
);

create table settle.quote (
  network settle.identifier not null,
  epoch settle.epoch_number not null,
  market settle.identifier not null,
  source settle.identifier not null,
  usd_per_unit settle.exact not null check (usd_per_unit > 0 and scale(usd_per_unit) <= 12),
  primary key (network, epoch, market, source, usd_per_unit)
);

create table settle.token_observation (
  network settle.identifier not null,
  epoch settle.epoch_number not null,
  source settle.identifier not null,
  observed_at timestamptz not null,
  price_usd settle.exact not null check (price_usd > 0 and scale(price_usd) <= 12),
  volume_usd settle.exact not null check (volume_usd >= 0 and scale(volume_usd) <= 12),
  primary key (network, epoch, source, observed_at)
);

create table settle.macro (
  network settle.identifier not null,
  epoch settle.epoch_number not null,
  index settle.exact not null check (index > 0 and scale(index) <= 9),
  primary key (network, epoch)
);

-- Rows that arrived after their epoch was sealed: kept apart, counted, and usable only through a dispute (spec §3).
create table settle.late_row (
  network settle.identifier not null,
  epoch settle.epoch_number not null,
  table_name text collate "C" not null,
  line text not null, -- the row's canonical line, without its line end
  load_id bigint not null references settle.load,
  primary key (network, epoch, table_name, line)
);

-- An epoch is sealed from the moment this row is there; what the registry and the policy were is named by it.
create table settle.seal (
  network settle.identifier not null references settle.network,
  epoch settle.epoch_number not null,
  policy_hash settle.sha256_hex not null references settle.policy,
  registry_load bigint not null,
  sealed_at timestamptz not null default clock_timestamp(),
  primary key (network, epoch)
);

-- The digest of the sealed rows and what the prices need of them, written once the rows have been read.
create table settle.snapshot (
  network settle.identifier not null,
  epoch settle.epoch_number not null,
  snapshot_digest settle.sha256_hex not null,
  table_digests jsonb not null, -- table name to hex, the seven tables of spec §3
  row_counts jsonb not null,
  facts jsonb not null,         -- EpochFacts as decimal text; recomputed and compared whenever the rows are read again
  chunks jsonb not null,        -- key ranges of the reward step, each with the digests of its rows
  primary key (network, epoch),
  foreign key (network, epoch) references settle.seal
);

-- No staged row may join an epoch that is sealed, whoever writes it: sealing would otherwise race with a load.
-- Loads hold the network's input lock shared and sealing holds it exclusively; this is the belt to those braces.
create function settle.refuse_sealed_epoch() returns trigger language plpgsql as $$
declare
  sealed record;
begin
  select n.network, n.epoch into sealed
    from (select distinct network, epoch from added) n join settle.seal s using (network, epoch) limit 1;
  if found then
    raise exception 'epoch % of network % is sealed: its % rows can no longer be added to', sealed.epoch, sealed.network, tg_table_name
      using errcode = 'object_not_in_prerequisite_state',
            hint = 'rows that arrive late are kept in settle.late_row and enter through a dispute';
  end if;
  return null;
end
$$;

create function settle.refuse_change() returns trigger language plpgsql as $$
begin
  raise exception '% rows are append-only: % is refused', tg_table_name, tg_op
    using errcode = 'object_not_in_prerequisite_state',
          hint = 'a published result is corrected by a dispute, which adds a revision';
end
$$;

do $$
declare
  t text;
begin
  foreach t in array array['capacity', 'performance', 'demand', 'quote', 'token_observation', 'macro'] loop
    execute format('create trigger refuse_sealed_epoch after insert on settle.%I
                      referencing new table as added for each statement execute function settle.refuse_sealed_epoch()', t);
    execute format('create trigger refuse_change before update or delete or truncate on settle.%I
                      for each statement execute function settle.refuse_change()', t);
  end loop;
  foreach t in array array['load', 'provider_version', 'late_row', 'seal', 'snapshot', 'policy', 'policy_effective'] loop
    execute format('create trigger refuse_change before update or delete or truncate on settle.%I
                      for each statement execute function settle.refuse_change()', t);
  end loop;
end
$$;

-- Down Migration
drop table settle.snapshot, settle.seal, settle.late_row, settle.macro, settle.token_observation, settle.quote,
  settle.demand, settle.performance, settle.capacity, settle.provider_version, settle.load;
drop function settle.refuse_sealed_epoch, settle.refuse_change;
