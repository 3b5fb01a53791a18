-- Up Migration

-- Retention: a range of 256 epochs leaves the database for an archive, a folder of files outside of it. What later
-- epochs, claims and the ledger need stays here. A partition belongs to all networks, so a range leaves for all of them.
-- A range is archived if its newest row here has no row in partition_return: there is no state to forget.
create table settle.partition_archive (
  low settle.epoch_number not null check (low % 256 = 0), -- the range is low to low + 255
  archive_no integer not null check (archive_no >= 1),
  manifest_hash settle.sha256_hex not null,
  manifest text not null,                                 -- what the files are: names, digests, rows of each epoch
  written_to text not null,                               -- where the folder was written; it may have moved since
  archived_by text not null,
  reason text not null,
  request_id text not null,
  archived_at timestamptz not null default clock_timestamp(),
  primary key (low, archive_no),
  check (manifest_hash = encode(sha256(convert_to(manifest, 'UTF8')), 'hex'))
);

create table settle.partition_return (
  low settle.epoch_number not null,
  archive_no integer not null,
  returned_by text not null,
  reason text not null,
  request_id text not null,
  returned_at timestamptz not null default clock_timestamp(),
  primary key (low, archive_no),
  foreign key (low, archive_no) references settle.partition_archive
);

create trigger refuse_change before update or delete or truncate on settle.partition_archive
  for each statement execute function settle.refuse_change();
create trigger refuse_change before update or delete or truncate on settle.partition_return
  for each statement execute function settle.refuse_change();

-- What is kept of a network's archived payouts, derived from them while they were here: the digests of the two tables
-- below, which stand in the audit log too. Dropped when the range comes back.
create table settle.archive_carry (
  low settle.epoch_number not null,
  archive_no integer not null,
  network settle.identifier not null references settle.network,
  claims_position bigint not null, -- the kept claims are those after the chain entries before this position
  claims_digest settle.sha256_hex not null,
  entitlements_digest settle.sha256_hex not null,
  primary key (low, archive_no, network),
  foreign key (low, archive_no) references settle.partition_archive
);

-- What each provider is entitled to of the range, in the newest revision of each epoch: `settle ledger check` goes on.
create table settle.archived_entitlement (
  low settle.epoch_number not null,
  archive_no integer not null,
  network settle.identifier not null,
  provider settle.identifier not null,
  entitlement settle.base_units not null,
  primary key (low, archive_no, network, provider)
);

-- Claims after the range's last publication: those of later publications are derived from here on. The chain has the
-- root of them, so nobody has to believe these rows.
create table settle.archived_claim (
  low settle.epoch_number not null,
  archive_no integer not null,
  network settle.identifier not null,
  payee text collate "C" not null check (payee ~ '^0x[0-9a-f]+$' and octet_length(payee) = 42),
  entitlement settle.base_units not null,
  cumulative settle.base_units not null check (cumulative >= entitlement and cumulative >= 0),
  primary key (low, archive_no, network, payee)
);

-- Ranges whose rows are outside, and those of them that this session did not bring along (settle.brought names the
-- first epochs of those that it did). Rules of the database ask the first one only.
create function settle.archived_ranges() returns table (low integer, archive_no integer)
language sql stable as $$
  select a.low, a.archive_no from settle.partition_archive a
  where not exists (select from settle.partition_return r where r.low = a.low and r.archive_no = a.archive_no)
$$;

create function settle.absent_ranges() returns table (low integer, archive_no integer)
language sql stable as $$
  select a.low, a.archive_no from settle.archived_ranges() a
  where a.low <> all (coalesce(string_to_array(nullif(current_setting('settle.brought', true), ''), ',')::integer[], '{}'))
$$;

-- Nothing is sealed, computed, disputed or published where the rows are missing.
create function settle.refuse_archived() returns trigger language plpgsql as $$
declare
  gone record;
begin
  select a.low into gone from settle.archived_ranges() a where new.epoch between a.low and a.low + 255;
  if found then
    raise exception 'epochs % to % are archived: epoch % cannot be worked on', gone.low, gone.low + 255, new.epoch
      using errcode = 'ST001', hint = 'put the rows back first: settle archive attach';
  end if;
  return new;
end
$$;

do $$
declare
  t text;
begin
  foreach t in array array['seal', 'computation', 'dispute', 'chain_entry'] loop
    execute format('create trigger refuse_archived before insert on settle.%I
                      for each row execute function settle.refuse_archived()', t);
  end loop;
end
$$;

-- As before; and a range that is archived gets no new partition, which could not be told from the rows that are gone.
create or replace function settle.ensure_partitions(epochs integer[]) returns void
language plpgsql security definer set search_path = pg_catalog, settle, pg_temp as $$
declare
  parent text;
  range_low integer;
  child text;
begin
  select a.low into range_low from settle.archived_ranges() a
    where exists (select from unnest(epochs) e where e between a.low and a.low + 255) limit 1;
  if found then
    raise exception 'epochs % to % are archived: no rows can join them', range_low, range_low + 255
      using errcode = 'ST001', hint = 'leave their rows out, or put the rows back first: settle archive attach';
  end if;
  foreach parent in array array['capacity', 'performance', 'payout'] loop
    for range_low in select distinct e / 256 * 256 from unnest(epochs) e order by 1 loop
      child := format('%s_%s', parent, range_low);
      continue when to_regclass('settle.' || child) is not null;
      -- Two sessions may want the same partition; the second waits here and then finds it.
      perform pg_advisory_xact_lock(hashtext('settle.ensure_partitions'));
      -- Asked of the catalogue's rows: to_regclass would answer from what this session remembers of before the wait.
      continue when exists (select from pg_class c where c.relnamespace = 'settle'::regnamespace and c.relname = child);
      execute format('create table settle.%I (like settle.%I including all)', child, parent);
      perform settle.guard_partition(parent, child);
      execute format('alter table settle.%I attach partition settle.%I for values from (%s) to (%s)', parent, child, range_low,
        case when range_low > 2147483647 - 256 then 'maxvalue' else (range_low + 256)::text end);
    end loop;
  end loop;
end
$$;

-- What keeps a range from being archived, by network and epoch. No row: nothing does.
create function settle.archive_obstacles(of_low integer) returns table (network text, epoch integer, obstacle text)
language sql stable set search_path = settle, pg_catalog, pg_temp as $$
  with calendar as (
    select n.network, greatest(n.first_epoch, of_low) as first, least(coalesce(n.last_epoch, 2147483647), of_low + 255) as last,
      greatest(
        (select max(c.epoch) from chain_entry c where c.network = n.network and c.kind = 'claims'),
        (select max(f.epoch) from epoch_failure f where f.network = n.network)) as closed
    from network n)
  select c.network::text, greatest(c.first, c.closed + 1), 'open' from calendar c
  where c.first <= c.last and coalesce(c.closed, -1) < c.last
  union all
  select c.network::text, c.epoch::integer, 'unproved' from chain_entry c
  where c.kind = 'revision' and c.epoch between of_low and of_low + 255 and not exists (
    select from chain_entry k where (k.network, k.epoch, k.revision) = (c.network, c.epoch, c.revision) and k.kind = 'claims')
  union all
  select h.network::text, h.epoch::integer, 'held' from hold h
  where h.epoch between of_low and of_low + 255 and not exists (
    select from hold_decision d where (d.network, d.epoch, d.revision, d.computation) = (h.network, h.epoch, h.revision, h.computation))
  union all
  select d.network::text, d.epoch::integer, 'disputed' from dispute d
  where d.epoch between of_low and of_low + 255
    and coalesce((select e.decision from dispute_decision e where (e.network, e.epoch, e.dispute) = (d.network, d.epoch, d.dispute)
      order by e.decision_no desc limit 1), '') not in ('rejected', 'stale', 'failed')
    and not exists (
      select from chain_entry c join computation k using (network, epoch, revision, computation)
      where (k.network, k.epoch, k.dispute) = (d.network, d.epoch, d.dispute) and c.kind = 'revision')
  order by 1, 2, 3
$$;

-- Digests of the rows of three tables that are named `prefix` and the name of a partition: of each network and epoch,
-- SHA-256 over the SHA-256s of pieces of 65,536 lines, so that no text grows past what PostgreSQL can hold. The lines
-- are those of an archive's files, without their check.
create function settle.partition_digests(of_low integer, prefix text)
returns table (table_name text, network text, epoch integer, row_count bigint, digest text)
language plpgsql stable set search_path = settle, pg_catalog, pg_temp as $$
declare
  parent text;
  shape text[];
begin
  foreach shape slice 1 in array array[
    ['capacity', 'r.provider, r.market, r.offered, r.served', 'provider, market'],
    ['performance', 'r.provider, coalesce(r.uptime::text, ''''), coalesce(r.response_ms::text, ''''),
      coalesce(r.error_rate::text, ''''), coalesce(r.rating::text, '''')', 'provider'],
    ['payout', 'r.revision, r.computation, r.provider, r.gross, r.cap_cut, r.scale_cut, r.amount, r.reason,
      coalesce(r.multiplier::text, '''')', 'revision, computation, provider']] loop
    parent := shape[1];
    return query execute format($q$
      select %1$L::text, p.network, p.epoch, sum(p.n)::bigint, encode(sha256(string_agg(p.piece, ''::bytea order by p.part)), 'hex')
      from (
        select l.network, l.epoch, l.part, count(*) as n,
          sha256(convert_to(string_agg(l.line || E'\n', '' order by l.place), 'UTF8')) as piece
        from (
          select r.network::text, r.epoch::integer, concat_ws(',', r.network, r.epoch, %3$s) as line,
            row_number() over w as place, (row_number() over w - 1) / 65536 as part
          from settle.%2$I r window w as (partition by r.network, r.epoch order by %4$s)) l
        group by l.network, l.epoch, l.part) p
      group by p.network, p.epoch$q$, parent, format('%s%s_%s', prefix, parent, of_low), shape[2], shape[3]);
  end loop;
end
$$;

-- The manifest's rows that are not those of the tables, or the other way round.
create function settle.manifest_differences(of_low integer, prefix text, manifest text)
returns table (table_name text, network text, epoch integer)
language sql stable set search_path = settle, pg_catalog, pg_temp as $$
  select coalesce(d.table_name, m."table"), coalesce(d.network, m.network), coalesce(d.epoch, m.epoch)
  from settle.partition_digests(of_low, prefix) d
  full join jsonb_to_recordset(manifest::jsonb -> 'epochs')
    as m ("table" text, network text, epoch integer, rows bigint, digest text)
    on (m."table", m.network, m.epoch) = (d.table_name, d.network, d.epoch)
  where (d.row_count, d.digest) is distinct from (m.rows, m.digest)
  order by 1, 2, 3
$$;

-- From where claims before a chain position can be derived: 0, the beginning, or the claims that were kept with an
-- archive; null: payouts are needed that are outside.
create function settle.claims_base(of_network text, before_position bigint) returns bigint
language sql stable as $$
  select case when absent.position is null then 0 else (
    select min(k.claims_position) from settle.archive_carry k
    where k.network = $1 and k.claims_position > absent.position and k.claims_position <= $2) end
  from (
    select max(c.position) as position from settle.chain_entry c
    join settle.absent_ranges() a on c.epoch between a.low and a.low + 255
    where c.network = $1 and c.kind = 'revision' and c.position < $2) absent
$$;

-- Entitlements and highest entitlements of all payees after the chain entries before a position (spec §9), derived from
-- the claims at `base` and the payout rows and registries of every publication since. `payout` is whatever the session
-- calls so: with archives brought along, a view that has their rows too.
set local check_function_bodies = off; -- the session that migrates has other names in reach
create function settle.derived_claims(of_network text, before_position bigint, base bigint)
returns table (payee text, entitlement numeric, cumulative numeric)
language sql stable as $$
  with published as (
    select c.position, c.epoch, c.revision, c.computation, k.dispute, b.computation as base
    from chain_entry c
    join computation k using (network, epoch, revision, computation)
    left join chain_entry b on b.network = c.network and b.epoch = c.epoch and b.revision = c.revision - 1
      and b.kind = 'revision'
    where c.network = $1 and c.kind = 'revision' and c.position < $2 and c.position >= $3),
  booked as (
    select n.position, n.epoch, n.dispute, p.provider, p.amount from published n
    join payout p on p.network = $1 and (p.epoch, p.revision, p.computation) = (n.epoch, n.revision, n.computation)
    union all
    select n.position, n.epoch, n.dispute, p.provider, -p.amount from published n
    join payout p on p.network = $1 and (p.epoch, p.revision, p.computation) = (n.epoch, n.revision - 1, n.base)),
  registry as (
    select n.position, r.provider, r.payee from published n
    cross join lateral settle.corrected_registry($1, n.epoch, n.dispute) r where r.payee is not null),
  changed as (
    select r.payee, position, sum(b.amount) as amount from booked b join registry r using (position, provider)
    group by position, r.payee),
  kept as (
    select a.payee, a.entitlement, a.cumulative from settle.archive_carry k
    join settle.archived_claim a using (low, archive_no, network)
    where k.network = $1 and k.claims_position = $3),
  running as (
    select e.payee, e.position, sum(e.amount) over (partition by e.payee order by e.position) as entitlement from (
      select c.payee, c.position, c.amount from changed c
      union all select k.payee, 0, k.entitlement from kept k) e),
  standing as (
    select r.payee, (array_agg(r.entitlement order by r.position desc))[1] as entitlement, max(r.entitlement) as highest
    from running r group by r.payee)
  select s.payee, s.entitlement, greatest(s.highest, k.cumulative, 0)
  from standing s left join kept k using (payee)
  where greatest(s.highest, k.cumulative) > 0 or s.entitlement < 0 order by s.payee
$$;

set local check_function_bodies = on;

-- Digests of what is kept of an archive, of the lines `payee,entitlement,cumulative` and `provider,entitlement`, in
-- pieces as above.
create function settle.carry_digests(of_low integer, of_archive_no integer, of_network text,
  out claims_digest text, out entitlements_digest text)
language sql stable set search_path = settle, pg_catalog, pg_temp as $$
  with lines as (
    select 'claims' as kind, concat_ws(',', c.payee, c.entitlement, c.cumulative) as line,
      row_number() over (order by c.payee) as place
    from archived_claim c where (c.low, c.archive_no, c.network) = (of_low, of_archive_no, of_network)
    union all
    select 'entitlements', concat_ws(',', e.provider, e.entitlement), row_number() over (order by e.provider)
    from archived_entitlement e where (e.low, e.archive_no, e.network) = (of_low, of_archive_no, of_network)),
  pieces as (
    select l.kind, (l.place - 1) / 65536 as part, sha256(convert_to(string_agg(l.line || E'\n', '' order by l.place), 'UTF8')) as piece
    from lines l group by 1, 2)
  select encode(sha256(coalesce(string_agg(p.piece, ''::bytea order by p.part) filter (where p.kind = 'claims'), '')), 'hex'),
    encode(sha256(coalesce(string_agg(p.piece, ''::bytea order by p.part) filter (where p.kind = 'entitlements'), '')), 'hex')
  from pieces p
$$;

-- Takes the networks' locks and keeps everybody from the three tables until the transaction ends. Gives way whenever
-- somebody is at work there: nobody's settlement waits behind a wait.
create function settle.lock_for_archiving() returns void
language plpgsql set search_path = settle, pg_catalog, pg_temp as $$
begin
  perform set_config('lock_timeout', '400ms', true);
  for attempt in 1..25 loop
    begin
      perform from network n order by n.network for update;
      lock table capacity, performance, payout in access exclusive mode;
      return;
    exception when lock_not_available or deadlock_detected then
      perform pg_sleep(0.3);
    end;
  end loop;
  raise exception 'others are at work on the tables' using errcode = 'lock_not_available',
    hint = 'nothing was changed and the files are complete: the same command again goes on from there';
end
$$;

-- Keeps what later epochs need, drops the rows of a range and records where they are, in one transaction: after a kill
-- at any point the rows are here or the record is. As its owner, and therefore with every precondition in it: the
-- manifest has the digests of exactly these rows, all epochs are closed and undisputed, and the entitlements of all
-- networks are folded past the range.
create function settle.archive_partition(of_low integer, manifest text, written_to text, actor text, reason text, request_id text)
returns integer
language plpgsql security definer set search_path = settle, pg_catalog, pg_temp as $$
declare
  parent text;
  wrong record;
  number integer;
  newest bigint;
begin
  -- Asked first, since all the rest is long; append_audit asks again.
  if not settle.may_act_as(actor) then
    raise exception '% cannot act in the name of %', session_user, actor using errcode = 'insufficient_privilege';
  end if;
  perform pg_advisory_xact_lock(hashtext('settle.ensure_partitions'));
  foreach parent in array array['capacity', 'performance', 'payout'] loop
    if to_regclass(format('settle.%I', parent || '_' || of_low)) is null then
      raise exception 'epochs % to % have no partition of %', of_low, of_low + 255, parent
        using errcode = 'object_not_in_prerequisite_state';
    end if;
    -- Nobody writes there any more; others go on reading.
    execute format('lock table settle.%I in share mode', parent || '_' || of_low);
  end loop;
  select d.* into wrong from settle.manifest_differences(of_low, '', manifest) d limit 1;
  if found then
    raise exception 'the manifest does not have the % rows of epoch % of network % as they are', wrong.table_name, wrong.epoch, wrong.network
      using errcode = 'integrity_constraint_violation', hint = 'write the archive again';
  end if;
  select max(c.position) into newest from chain_entry c where c.epoch between of_low and of_low + 255;
  number := coalesce((select max(a.archive_no) from partition_archive a where a.low = of_low), 0) + 1;
  insert into partition_archive (low, archive_no, manifest_hash, manifest, written_to, archived_by, reason, request_id)
    values (of_low, number, encode(sha256(convert_to(manifest, 'UTF8')), 'hex'), manifest, written_to, actor, reason, request_id);
  perform settle.carry_archive(of_low, number);

  perform settle.lock_for_archiving();
  select o.* into wrong from settle.archive_obstacles(of_low) o limit 1;
  if found then
    raise exception 'epoch % of network % is %', wrong.epoch, wrong.network, wrong.obstacle
      using errcode = 'object_not_in_prerequisite_state';
  end if;
  if newest is distinct from (select max(c.position) from chain_entry c where c.epoch between of_low and of_low + 255) then
    raise exception 'an epoch from % to % was published meanwhile', of_low, of_low + 255
      using errcode = 'object_not_in_prerequisite_state', hint = 'the same command again goes on from there';
  end if;
  perform settle.fold_entitlements(n.network) from network n;
  select c.network, c.epoch into wrong from chain_entry c
    where c.kind = 'revision' and c.epoch between of_low and of_low + 255
      and c.position > coalesce((select max(f.position) from entitlement_fold f where f.network = c.network), 0) limit 1;
  if found then
    raise exception 'the entitlements of network % are not folded past epoch %', wrong.network, wrong.epoch
      using errcode = 'object_not_in_prerequisite_state';
  end if;
  foreach parent in array array['capacity', 'performance', 'payout'] loop
    execute format('drop table settle.%I', parent || '_' || of_low);
  end loop;
  perform settle.append_audit(n.network, actor, 'partition-archive', format('epochs %s..%s', of_low, of_low + 255), 'done',
    reason, request_id, jsonb_build_object('manifest', encode(sha256(convert_to(manifest, 'UTF8')), 'hex'), 'archive', number,
      'writtenTo', written_to, 'claims', k.claims_digest, 'entitlements', k.entitlements_digest))
    from (select distinct m.network from jsonb_to_recordset(manifest::jsonb -> 'epochs') as m (network text)) n
    left join archive_carry k on (k.low, k.archive_no, k.network) = (of_low, number, n.network);
  return number;
end
$$;

-- What is kept of the payouts of a range, for each network that published in it.
create function settle.carry_archive(of_low integer, number integer) returns void
language plpgsql set search_path = settle, pg_catalog, pg_temp as $$
declare
  published record;
  base bigint;
begin
  for published in
    select c.network, max(c.position) + 1 as after from chain_entry c
    where c.epoch between of_low and of_low + 255 and c.kind = 'claims' group by c.network order by c.network loop
    -- The range's own rows are here still; others may be outside.
    select b into base from (select case when max(c.position) is null then 0 else (
        select min(k.claims_position) from archive_carry k
        where k.network = published.network and k.claims_position > max(c.position) and k.claims_position <= published.after) end as b
      from chain_entry c join settle.archived_ranges() a on c.epoch between a.low and a.low + 255
      where c.network = published.network and c.kind = 'revision' and c.position < published.after and a.low <> of_low) x;
    if base is null then
      raise exception 'claims after epoch % of network % rest on payouts that are archived', of_low + 255, published.network
        using errcode = 'object_not_in_prerequisite_state', hint = 'put back the ranges that were archived, or archive them together';
    end if;
    insert into archived_claim (low, archive_no, network, payee, entitlement, cumulative)
      select of_low, number, published.network, d.payee, d.entitlement, d.cumulative
      from settle.derived_claims(published.network, published.after, base) d;
    insert into archived_entitlement (low, archive_no, network, provider, entitlement)
      select of_low, number, published.network, p.provider, sum(p.amount) from (
        select distinct on (c.epoch) c.epoch, c.revision, c.computation from chain_entry c
        where c.network = published.network and c.kind = 'revision' and c.epoch between of_low and of_low + 255
        order by c.epoch, c.revision desc) n
      join payout p on p.network = published.network and (p.epoch, p.revision, p.computation) = (n.epoch, n.revision, n.computation)
      group by p.provider;
    insert into archive_carry (low, archive_no, network, claims_position, claims_digest, entitlements_digest)
      select of_low, number, published.network, published.after, d.claims_digest, d.entitlements_digest
      from settle.carry_digests(of_low, number, published.network) d;
  end loop;
end
$$;

-- Makes the tables that the rows of an archive come back to. They are no partitions yet, and the operator may fill them
-- until the transaction ends; settle.attach_partition looks at every row before they become some.
create function settle.open_partition_return(of_low integer) returns void
language plpgsql security definer set search_path = settle, pg_catalog, pg_temp as $$
declare
  parent text;
begin
  if not exists (select from settle.archived_ranges() a where a.low = of_low) then
    raise exception 'epochs % to % are not archived', of_low, of_low + 255 using errcode = 'object_not_in_prerequisite_state';
  end if;
  perform pg_advisory_xact_lock(hashtext('settle.ensure_partitions'));
  foreach parent in array array['capacity', 'performance', 'payout'] loop
    execute format('drop table if exists settle.%I', format('returning_%s_%s', parent, of_low));
    execute format('create table settle.%I (like settle.%I including all)', format('returning_%s_%s', parent, of_low), parent);
    execute format('grant insert on settle.%I to settle_operator', format('returning_%s_%s', parent, of_low));
  end loop;
end
$$;

-- Takes the rows that came back if they are, every one, those that left.
create function settle.attach_partition(of_low integer, actor text, reason text, request_id text) returns integer
language plpgsql security definer set search_path = settle, pg_catalog, pg_temp as $$
declare
  parent text;
  wrong record;
  archive record;
begin
  perform pg_advisory_xact_lock(hashtext('settle.ensure_partitions'));
  select p.* into archive from partition_archive p join settle.archived_ranges() a using (low, archive_no) where p.low = of_low;
  if not found then
    raise exception 'epochs % to % are not archived', of_low, of_low + 255 using errcode = 'object_not_in_prerequisite_state';
  end if;
  foreach parent in array array['capacity', 'performance', 'payout'] loop
    execute format('lock table settle.%I in access exclusive mode', format('returning_%s_%s', parent, of_low));
    execute format('revoke insert on settle.%I from settle_operator', format('returning_%s_%s', parent, of_low));
  end loop;
  select d.* into wrong from settle.manifest_differences(of_low, 'returning_', archive.manifest) d limit 1;
  if found then
    raise exception 'the % rows of epoch % of network % are not those that were archived', wrong.table_name, wrong.epoch, wrong.network
      using errcode = 'integrity_constraint_violation';
  end if;
  foreach parent in array array['capacity', 'performance', 'payout'] loop
    execute format('alter table settle.%I rename to %I', format('returning_%s_%s', parent, of_low), parent || '_' || of_low);
    perform settle.guard_partition(parent, parent || '_' || of_low);
    execute format('alter table settle.%I attach partition settle.%I for values from (%s) to (%s)', parent, parent || '_' || of_low,
      of_low, case when of_low > 2147483647 - 256 then 'maxvalue' else (of_low + 256)::text end);
  end loop;
  insert into partition_return (low, archive_no, returned_by, reason, request_id)
    values (of_low, archive.archive_no, actor, reason, request_id);
  delete from archived_claim c where c.low = of_low and c.archive_no = archive.archive_no;
  delete from archived_entitlement e where e.low = of_low and e.archive_no = archive.archive_no;
  delete from archive_carry k where k.low = of_low and k.archive_no = archive.archive_no;
  perform settle.append_audit(n.network, actor, 'partition-return', format('epochs %s..%s', of_low, of_low + 255), 'done',
    reason, request_id, jsonb_build_object('manifest', archive.manifest_hash, 'archive', archive.archive_no))
    from (select distinct m.network from jsonb_to_recordset(archive.manifest::jsonb -> 'epochs') as m (network text)) n;
  return archive.archive_no;
end
$$;

-- By the names that the session knows the tables by: with archives brought along, views that have their rows too.
set local check_function_bodies = off;
create or replace function settle.corrected_capacity(of_network text, of_epoch integer, of_dispute integer)
returns table (epoch settle.epoch_number, provider settle.identifier, market settle.identifier, offered settle.exact,
  served settle.exact)
language sql stable as $$
  select c.epoch, c.provider, c.market, c.offered, c.served from capacity c
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

create or replace function settle.corrected_performance(of_network text, of_epoch integer, of_dispute integer)
returns table (epoch settle.epoch_number, provider settle.identifier, uptime settle.exact, response_ms settle.exact,
  error_rate settle.exact, rating settle.exact)
language sql stable as $$
  select p.epoch, p.provider, p.uptime, p.response_ms, p.error_rate, p.rating from performance p
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
set local check_function_bodies = on;

-- A table of the session's own could stand in for one of ours where pg_temp is not named last.
alter function settle.fold_entitlements set search_path = settle, pg_catalog, pg_temp;
alter function settle.entitlements set search_path = settle, pg_catalog, pg_temp;
alter function settle.append_audit set search_path = pg_catalog, settle, pg_temp;
alter function settle.guard_partition set search_path = pg_catalog, settle, pg_temp;

revoke all on function settle.archive_partition, settle.carry_archive, settle.lock_for_archiving,
  settle.open_partition_return, settle.attach_partition from public;
grant execute on function settle.archive_partition, settle.open_partition_return, settle.attach_partition to settle_operator;

-- Down Migration
do $$
begin
  if exists (select from settle.archived_ranges()) then
    raise exception 'ranges of epochs are archived: put them back before the schema goes back' using errcode = 'ST001';
  end if;
end
$$;
drop function settle.attach_partition, settle.open_partition_return, settle.archive_partition, settle.carry_archive,
  settle.lock_for_archiving, settle.carry_digests, settle.derived_claims, settle.claims_base, settle.manifest_differences,
  settle.partition_digests, settle.archive_obstacles;
drop function settle.refuse_archived cascade;
create or replace function settle.ensure_partitions(epochs integer[]) returns void
language plpgsql security definer set search_path = pg_catalog, settle as $$
declare
  parent text;
  low integer;
  child text;
begin
  foreach parent in array array['capacity', 'performance', 'payout'] loop
    for low in select distinct e / 256 * 256 from unnest(epochs) e order by 1 loop
      child := format('%s_%s', parent, low);
      continue when to_regclass('settle.' || child) is not null;
      perform pg_advisory_xact_lock(hashtext('settle.ensure_partitions'));
      continue when exists (select from pg_class c where c.relnamespace = 'settle'::regnamespace and c.relname = child);
      execute format('create table settle.%I (like settle.%I including all)', child, parent);
      perform settle.guard_partition(parent, child);
      execute format('alter table settle.%I attach partition settle.%I for values from (%s) to (%s)', parent, child, low,
        case when low > 2147483647 - 256 then 'maxvalue' else (low + 256)::text end);
    end loop;
  end loop;
end
$$;
create or replace function settle.corrected_capacity(of_network text, of_epoch integer, of_dispute integer)
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

create or replace function settle.corrected_performance(of_network text, of_epoch integer, of_dispute integer)
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
drop function settle.absent_ranges, settle.archived_ranges;
drop table settle.archived_claim, settle.archived_entitlement, settle.archive_carry, settle.partition_return,
  settle.partition_archive;
alter function settle.fold_entitlements set search_path = settle, pg_catalog;
alter function settle.entitlements set search_path = settle, pg_catalog;
alter function settle.append_audit set search_path = pg_catalog, settle;
alter function settle.guard_partition set search_path = pg_catalog, settle;
