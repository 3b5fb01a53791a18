-- Up Migration

-- That a registry row's load exists was asked once a row, which took a third of the time that the registry of a large
-- bundle took; it is asked once a statement instead. A load's row can neither change nor go (refuse_change), so asking
-- when rows are added is enough.
alter table settle.provider_version drop constraint provider_version_load_id_fkey;

create function settle.refuse_unknown_load() returns trigger language plpgsql as $$
declare
  unknown bigint;
begin
  select n.load_id into unknown from (select distinct load_id from added) n
    where not exists (select from settle.load l where l.load_id = n.load_id) limit 1;
  if found then
    raise exception 'registry rows name load %, which does not exist', unknown using errcode = 'foreign_key_violation';
  end if;
  return null;
end
$$;
create trigger refuse_unknown_load after insert on settle.provider_version
  referencing new table as added for each statement execute function settle.refuse_unknown_load();

-- Down Migration
drop trigger refuse_unknown_load on settle.provider_version;
drop function settle.refuse_unknown_load;
alter table settle.provider_version add constraint provider_version_load_id_fkey
  foreign key (load_id) references settle.load (load_id);
