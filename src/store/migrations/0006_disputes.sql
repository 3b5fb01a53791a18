-- Up Migration

-- A dispute of a published epoch (spec §10): who wants which of its rows corrected, and why. It is on the revision
-- that was newest when it was opened; the one that it makes is the next.
create table settle.dispute (
  network settle.identifier not null references settle.network,
  epoch settle.epoch_number not null,
  dispute integer not null check (dispute >= 1),
  base_revision integer not null check (base_revision >= 1),
  base_computation integer not null,
  derive text collate "C" not null check (derive in ('pinned', 'full')),
  reason text not null,
  opened_by text not null,
  opened_at timestamptz not null default clock_timestamp(),
  request_id text collate "C" not null unique references settle.request,
  primary key (network, epoch, dispute),
  foreign key (network, epoch, base_revision, base_computation) references settle.result
);

-- The key of a canonical line (spec §3): so many of its first cells.
create function settle.correction_key(table_name text, line text) returns text
language sql immutable parallel safe set search_path = pg_catalog as $$
  select case table_name
    when 'providers' then split_part(line, ',', 1)
    when 'capacity' then split_part(line, ',', 1) || ',' || split_part(line, ',', 2) || ',' || split_part(line, ',', 3)
    when 'performance' then split_part(line, ',', 1) || ',' || split_part(line, ',', 2)
    when 'demand' then split_part(line, ',', 1) || ',' || split_part(line, ',', 2)
    when 'quotes' then line
    when 'token' then split_part(line, ',', 1) || ',' || split_part(line, ',', 2) || ',' || split_part(line, ',', 3)
    when 'macro' then split_part(line, ',', 1)
  end
$$;

-- The rows in which a corrected snapshot differs from the sealed one. All of them, also those that the revision before
-- had corrected already (`kept`): so a corrected snapshot is the sealed rows and the corrections of one dispute.
create table settle.correction (
  network settle.identifier not null,
  epoch settle.epoch_number not null,
  dispute integer not null,
  table_name text collate "C" not null
    check (table_name in ('providers', 'capacity', 'performance', 'demand', 'quotes', 'token', 'macro')),
  key text collate "C" not null, -- the row's key columns in canonical text, joined by commas
  line text collate "C",         -- the row's canonical line, without its line end; null: the row is withdrawn
  origin text collate "C" not null check (origin in ('given', 'late', 'kept')),
  primary key (network, epoch, dispute, table_name, key),
  foreign key (network, epoch, dispute) references settle.dispute,
  check (line is null or key = settle.correction_key(table_name, line)),
  check (table_name = 'providers' or split_part(key, ',', 1) = epoch::text),
  check (table_name <> 'providers' or line is not null), -- a provider leaves an epoch with its capacity rows
  check (table_name <> 'capacity' or line is null or (split_part(line, ',', 5)::settle.exact >= 0
    and split_part(line, ',', 5)::settle.exact <= split_part(line, ',', 4)::settle.exact))
);

-- The snapshot of a dispute: as settle.snapshot, over the corrected rows, in the same chunks.
create table settle.corrected_snapshot (
  network settle.identifier not null,
  epoch settle.epoch_number not null,
  dispute integer not null,
  snapshot_digest settle.sha256_hex not null,
  table_digests jsonb not null,
  row_counts jsonb not null,
  facts jsonb not null,
  chunks jsonb not null,
  primary key (network, epoch, dispute),
  foreign key (network, epoch, dispute) references settle.dispute
);

-- Which rows a computation was made from; 0: the sealed ones.
alter table settle.computation add column dispute integer not null default 0 check (dispute >= 0);

-- What the breakers would have said of a revision that they do not hold (spec §10: they run on revision 1 only).
alter table settle.result add column would_trip jsonb not null default '[]';

-- What was decided of a dispute, and what became of it. An approval is bound to a content digest and ends as
-- `superseded` where the history that it was computed from changed before it was published; the dispute is open again
-- then. `rejected`, `stale` (another revision was published first) and `failed` (a guard does not hold) are final.
create table settle.dispute_decision (
  network settle.identifier not null,
  epoch settle.epoch_number not null,
  dispute integer not null,
  decision_no integer not null check (decision_no >= 1),
  decision text collate "C" not null check (decision in ('approved', 'rejected', 'stale', 'failed', 'superseded')),
  content_digest settle.sha256_hex, -- null: nothing had been computed
  actor text not null,
  reason text not null,
  detail jsonb not null default '{}',
  decided_at timestamptz not null default clock_timestamp(),
  primary key (network, epoch, dispute, decision_no),
  foreign key (network, epoch, dispute) references settle.dispute,
  check (decision not in ('approved', 'superseded') or content_digest is not null)
);

-- A payee whose revision took more than it ever had keeps its negative entitlement, so that what it is paid later is
-- set against it; it has no claim, and is no leaf of the tree, until its entitlement is above 0 (spec §9).
alter table settle.claim drop constraint claim_check;
alter table settle.claim add constraint claim_check check (cumulative >= entitlement and cumulative >= 0);

-- The rows of an epoch as a dispute corrects them; without corrections (dispute 0), the sealed rows.
create function settle.corrected_registry(of_network text, of_epoch integer, of_dispute integer)
returns table (provider settle.identifier, joined_epoch settle.epoch_number, status text, payee text)
language sql stable as $$
  select v.provider, v.joined_epoch, v.status, v.payee from (
    select distinct on (v.provider) v.provider, v.joined_epoch, v.status, v.payee from settle.provider_version v
    where v.network = $1 and v.load_id <= (select s.registry_load from settle.seal s where s.network = $1 and s.epoch = $2)
    order by v.provider, v.load_id desc) v
  where not exists (select from settle.correction k where k.network = $1 and k.epoch = $2 and k.dispute = $3
    and k.table_name = 'providers' and k.key = v.provider)
  union all
  select split_part(k.line, ',', 1)::settle.identifier, split_part(k.line, ',', 2)::settle.epoch_number,
    split_part(k.line, ',', 3), nullif(split_part(k.line, ',', 4), '')
  from settle.correction k where k.network = $1 and k.epoch = $2 and k.dispute = $3 and k.table_name = 'providers'
    and k.line is not null
$$;

create function settle.corrected_capacity(of_network text, of_epoch integer, of_dispute integer)
returns table (epoch settle.epoch_number, provider settle.identifier, market settle.identifier, offered settle.exact,
  served settle.exact)
language sql stable as $$
  select c.epoch, c.provider, c.market, c.offered, c.served from settle.capacity c
  where c.network = $1 and c.epoch = $2 and not exists (
    select from settle.correction k where k.network = $1 and k.epoch = $2 and k.dispute = $3
      and k.table_name = 'capacity' and k.key = c.epoch || ',' || c.provider || ',' || c.market)
  union all
  select split_part(k.line, ',', 1)::settle.epoch_number, split_part(k.line, ',', 2)::settle.identifier,
    split_part(k.line, ',', 3)::settle.identifier, split_part(k.line, ',', 4)::settle.exact,
    split_part(k.line, ',', 5)::settle.exact
  from settle.correction k where k.network = $1 and k.epoch = $2 and k.dispute = $3 and k.table_name = 'capacity'
    and k.line is not null
$$;

create function settle.corrected_performance(of_network text, of_epoch integer, of_dispute integer)
returns table (epoch settle.epoch_number, provider settle.identifier, uptime settle.exact, response_ms settle.exact,
  error_rate settle.exact, rating settle.exact)
language sql stable as $$
  select p.epoch, p.provider, p.uptime, p.response_ms, p.error_rate, p.rating from settle.performance p
  where p.network = $1 and p.epoch = $2 and not exists (
    select from settle.correction k where k.network = $1 and k.epoch = $2 and k.dispute = $3
      and k.table_name = 'performance' and k.key = p.epoch || ',' || p.provider)
  union all
  select split_part(k.line, ',', 1)::settle.epoch_number, split_part(k.line, ',', 2)::settle.identifier,
    nullif(split_part(k.line, ',', 3), '')::settle.exact, nullif(split_part(k.line, ',', 4), '')::settle.exact,
    nullif(split_part(k.line, ',', 5), '')::settle.exact, nullif(split_part(k.line, ',', 6), '')::settle.exact
  from settle.correction k where k.network = $1 and k.epoch = $2 and k.dispute = $3 and k.table_name = 'performance'
    and k.line is not null
$$;

create function settle.corrected_demand(of_network text, of_epoch integer, of_dispute integer)
returns table (epoch settle.epoch_number, market settle.identifier, requested settle.exact)
language sql stable as $$
  select d.epoch, d.market, d.requested from settle.demand d
  where d.network = $1 and d.epoch = $2 and not exists (
    select from settle.correction k where k.network = $1 and k.epoch = $2 and k.dispute = $3
      and k.table_name = 'demand' and k.key = d.epoch || ',' || d.market)
  union all
  select split_part(k.line, ',', 1)::settle.epoch_number, split_part(k.line, ',', 2)::settle.identifier,
    split_part(k.line, ',', 3)::settle.exact
  from settle.correction k where k.network = $1 and k.epoch = $2 and k.dispute = $3 and k.table_name = 'demand'
    and k.line is not null
$$;

create function settle.corrected_quotes(of_network text, of_epoch integer, of_dispute integer)
returns table (epoch settle.epoch_number, market settle.identifier, source settle.identifier, usd_per_unit settle.exact)
language sql stable as $$
  select q.epoch, q.market, q.source, q.usd_per_unit from settle.quote q
  where q.network = $1 and q.epoch = $2 and not exists (
    select from settle.correction k where k.network = $1 and k.epoch = $2 and k.dispute = $3
      and k.table_name = 'quotes' and k.key = q.epoch || ',' || q.market || ',' || q.source || ',' || q.usd_per_unit)
  union all
  select split_part(k.line, ',', 1)::settle.epoch_number, split_part(k.line, ',', 2)::settle.identifier,
    split_part(k.line, ',', 3)::settle.identifier, split_part(k.line, ',', 4)::settle.exact
  from settle.correction k where k.network = $1 and k.epoch = $2 and k.dispute = $3 and k.table_name = 'quotes'
    and k.line is not null
$$;

create function settle.corrected_token(of_network text, of_epoch integer, of_dispute integer)
returns table (epoch settle.epoch_number, source settle.identifier, observed_at timestamptz, price_usd settle.exact,
  volume_usd settle.exact)
language sql stable as $$
  select t.epoch, t.source, t.observed_at, t.price_usd, t.volume_usd from settle.token_observation t
  where t.network = $1 and t.epoch = $2 and not exists (
    select from settle.correction k where k.network = $1 and k.epoch = $2 and k.dispute = $3
      and k.table_name = 'token' and k.key = t.epoch || ',' || t.source || ','
        || to_char(t.observed_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'))
  union all
  select split_part(k.line, ',', 1)::settle.epoch_number, split_part(k.line, ',', 2)::settle.identifier,
    split_part(k.line, ',', 3)::timestamptz, split_part(k.line, ',', 4)::settle.exact,
    split_part(k.line, ',', 5)::settle.exact
  from settle.correction k where k.network = $1 and k.epoch = $2 and k.dispute = $3 and k.table_name = 'token'
    and k.line is not null
$$;

create function settle.corrected_macro(of_network text, of_epoch integer, of_dispute integer)
returns table (epoch settle.epoch_number, index settle.exact)
language sql stable as $$
  select m.epoch, m.index from settle.macro m
  where m.network = $1 and m.epoch = $2 and not exists (
    select from settle.correction k where k.network = $1 and k.epoch = $2 and k.dispute = $3
      and k.table_name = 'macro' and k.key = m.epoch::text)
  union all
  select split_part(k.line, ',', 1)::settle.epoch_number, split_part(k.line, ',', 2)::settle.exact
  from settle.correction k where k.network = $1 and k.epoch = $2 and k.dispute = $3 and k.table_name = 'macro'
    and k.line is not null
$$;

-- A dispute is about something published.
create function settle.check_dispute() returns trigger language plpgsql as $$
begin
  if not exists (select from settle.chain_entry c where (c.network, c.epoch, c.revision, c.computation)
                   = (new.network, new.epoch, new.base_revision, new.base_computation) and c.kind = 'revision') then
    raise exception 'revision % of epoch % is not published: nothing can be disputed', new.base_revision, new.epoch
      using errcode = 'object_not_in_prerequisite_state';
  end if;
  return new;
end
$$;
create trigger check_dispute before insert on settle.dispute for each row execute function settle.check_dispute();

-- What is disputed is fixed once its rows have been read.
create function settle.refuse_taken_dispute() returns trigger language plpgsql as $$
begin
  if exists (select from (select distinct network, epoch, dispute from added) n
               join settle.corrected_snapshot using (network, epoch, dispute)) then
    raise exception 'the corrected snapshot is taken: its corrections can no longer be added to'
      using errcode = 'object_not_in_prerequisite_state', hint = 'open another dispute';
  end if;
  return null;
end
$$;
create trigger refuse_taken_dispute after insert on settle.correction
  referencing new table as added for each statement execute function settle.refuse_taken_dispute();

-- Revision 1 comes from the sealed rows; every other from a dispute of the revision before it.
create function settle.check_computation() returns trigger language plpgsql as $$
begin
  if (new.revision = 1) <> (new.dispute = 0) or (new.dispute > 0 and not exists (
      select from settle.dispute d where (d.network, d.epoch, d.dispute, d.base_revision)
        = (new.network, new.epoch, new.dispute, new.revision - 1))) then
    raise exception 'revision % of epoch % cannot come from dispute %', new.revision, new.epoch, new.dispute
      using errcode = 'object_not_in_prerequisite_state';
  end if;
  return new;
end
$$;
create trigger check_computation before insert on settle.computation
  for each row execute function settle.check_computation();

-- The rules of deciding, whoever writes: the opener does not decide, nor does a worker; what is final stays so; an
-- approval names a content that was computed for this very dispute.
create function settle.check_dispute_decision() returns trigger language plpgsql as $$
declare
  opener text;
  newest record;
begin
  select opened_by into opener from settle.dispute d
    where (d.network, d.epoch, d.dispute) = (new.network, new.epoch, new.dispute);
  select decision_no, decision into newest from settle.dispute_decision d
    where (d.network, d.epoch, d.dispute) = (new.network, new.epoch, new.dispute) order by decision_no desc limit 1;
  if new.decision_no <> coalesce(newest.decision_no, 0) + 1 or newest.decision in ('rejected', 'stale', 'failed') then
    raise exception 'dispute % of epoch % is % already', new.dispute, new.epoch, newest.decision
      using errcode = 'object_not_in_prerequisite_state';
  end if;
  if exists (select from settle.chain_entry e join settle.computation c using (network, epoch, revision, computation)
      where c.network = new.network and c.epoch = new.epoch and c.dispute = new.dispute and e.kind = 'revision') then
    raise exception 'dispute % of epoch % is published', new.dispute, new.epoch
      using errcode = 'object_not_in_prerequisite_state';
  end if;
  if new.decision in ('approved', 'rejected') and (current_user = 'settle_worker' or new.actor = opener) then
    raise exception '% cannot decide this dispute', new.actor using errcode = 'insufficient_privilege';
  end if;
  if new.decision = 'approved' and not exists (
      select from settle.result r join settle.computation c using (network, epoch, revision, computation)
      where c.network = new.network and c.epoch = new.epoch and c.dispute = new.dispute
        and r.content_digest = new.content_digest) then
    raise exception 'the decision names content digest %, which was not computed for this dispute', new.content_digest
      using errcode = 'object_not_in_prerequisite_state';
  end if;
  return new;
end
$$;
create trigger check_dispute_decision before insert on settle.dispute_decision
  for each row execute function settle.check_dispute_decision();

do $$
declare
  t text;
begin
  foreach t in array array['dispute', 'correction', 'corrected_snapshot', 'dispute_decision'] loop
    execute format('create trigger refuse_change before update or delete or truncate on settle.%I
                      for each statement execute function settle.refuse_change()', t);
  end loop;
end
$$;

grant select on settle.dispute, settle.correction, settle.corrected_snapshot, settle.dispute_decision
  to settle_worker, settle_operator, settle_viewer;
-- The operator says what is to be corrected and decides; the worker takes the snapshot and says what became of it.
grant insert on settle.dispute, settle.correction, settle.dispute_decision to settle_operator;
grant insert on settle.corrected_snapshot, settle.dispute_decision to settle_worker;

-- Down Migration
alter table settle.claim drop constraint claim_check;
alter table settle.claim add constraint claim_check check (cumulative >= entitlement and cumulative > 0);
drop trigger check_computation on settle.computation;
drop function settle.corrected_registry, settle.corrected_capacity, settle.corrected_performance,
  settle.corrected_demand, settle.corrected_quotes, settle.corrected_token, settle.corrected_macro;
alter table settle.result drop column would_trip;
alter table settle.computation drop column dispute;
drop table settle.dispute_decision, settle.corrected_snapshot, settle.correction, settle.dispute;
drop function settle.check_dispute, settle.refuse_taken_dispute, settle.check_computation,
  settle.check_dispute_decision, settle.correction_key;
