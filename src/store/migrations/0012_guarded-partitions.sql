-- Up Migration

-- A statement fires the triggers of the table that it names and of no other, so a statement that named a partition
-- would pass by those of its table. Nobody but the owner may name one; these stop the owner too.
create function settle.guard_partition(parent text, child text) returns void
language plpgsql set search_path = pg_catalog, settle as $$
begin
  if parent = 'payout' then
    execute format('create trigger refuse_change before update or truncate on settle.%I
                      for each statement execute function settle.refuse_change()', child);
    execute format('create trigger refuse_checked_payouts after delete on settle.%I
                      referencing old table as removed for each statement execute function settle.refuse_checked_payouts()', child);
    execute format('create trigger refuse_late_payouts after insert on settle.%I
                      referencing new table as added for each statement execute function settle.refuse_late_payouts()', child);
  else
    execute format('create trigger refuse_change before update or delete or truncate on settle.%I
                      for each statement execute function settle.refuse_change()', child);
    execute format('create trigger refuse_sealed_epoch after insert on settle.%I
                      referencing new table as added for each statement execute function settle.refuse_sealed_epoch()', child);
  end if;
end
$$;
revoke all on function settle.guard_partition from public;

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
      -- Two sessions may want the same partition; the second waits here and then finds it.
      perform pg_advisory_xact_lock(hashtext('settle.ensure_partitions'));
      -- Asked of the catalogue's rows: to_regclass would answer from what this session remembers of before the wait.
      continue when exists (select from pg_class c where c.relnamespace = 'settle'::regnamespace and c.relname = child);
      execute format('create table settle.%I (like settle.%I including all)', child, parent);
      perform settle.guard_partition(parent, child);
      execute format('alter table settle.%I attach partition settle.%I for values from (%s) to (%s)', parent, child, low,
        case when low > 2147483647 - 256 then 'maxvalue' else (low + 256)::text end);
    end loop;
  end loop;
end
$$;

-- Those that are there already.
do $$
declare
  made record;
begin
  for made in
    select p.relname as parent, c.relname as child from pg_inherits i
      join pg_class p on p.oid = i.inhparent join pg_class c on c.oid = i.inhrelid
      where p.relnamespace = 'settle'::regnamespace and p.relname in ('capacity', 'performance', 'payout')
        and p.relkind = 'p' and c.relkind = 'r' loop
    perform settle.guard_partition(made.parent, made.child);
  end loop;
end
$$;

-- Down Migration
do $$
declare
  made record;
begin
  for made in
    select c.relname as child, t.tgname from pg_inherits i
      join pg_class p on p.oid = i.inhparent join pg_class c on c.oid = i.inhrelid
      join pg_trigger t on t.tgrelid = c.oid and not t.tgisinternal
      where p.relnamespace = 'settle'::regnamespace and p.relname in ('capacity', 'performance', 'payout')
        and p.relkind = 'p' and t.tgname in ('refuse_change', 'refuse_sealed_epoch', 'refuse_checked_payouts', 'refuse_late_payouts') loop
    execute format('drop trigger %I on settle.%I', made.tgname, made.child);
  end loop;
end
$$;
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
      -- Asked of the catalogue's rows: to_regclass would answer from what this session remembers of before the wait.
      continue when exists (select from pg_class c where c.relnamespace = 'settle'::regnamespace and c.relname = child);
      execute format('create table settle.%I (like settle.%I including all)', child, parent);
      execute format('alter table settle.%I attach partition settle.%I for values from (%s) to (%s)', parent, child, low,
        case when low > 2147483647 - 256 then 'maxvalue' else (low + 256)::text end);
    end loop;
  end loop;
end
$$;
drop function settle.guard_partition;
