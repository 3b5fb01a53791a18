-- Up Migration

-- A line that was given up may have been paid after all. The money left, so it is booked against the provider, and only
-- with the reason of whoever says so. null: the confirmation is of a line that was open.
alter table settle.payment_confirmation add column late_reason text check (late_reason ~ '\S');

-- As before; and what is of a line that was given up says that it is late, and nothing else does.
create or replace function settle.check_confirmations() returns trigger language plpgsql as $$
declare
  wrong record;
begin
  select l.batch, l.provider into wrong
    from (select distinct network, batch, provider, late_reason is not null as late from added) a
    join settle.payment_line l using (network, batch, provider)
    left join settle.payment_decision d using (network, batch)
    where d.decision is distinct from 'approved'
      or a.late <> exists (select from settle.payment_failure f where (f.network, f.batch, f.provider) = (l.network, l.batch, l.provider))
      or l.amount < (select sum(c.amount) from settle.payment_confirmation c
                     where (c.network, c.batch, c.provider) = (l.network, l.batch, l.provider))
    limit 1;
  if found then
    raise exception 'batch %, provider %: not approved, given up and not late, late and not given up, or more than its line',
      wrong.batch, wrong.provider using errcode = 'integrity_constraint_violation';
  end if;
  return null;
end
$$;

-- Down Migration
create or replace function settle.check_confirmations() returns trigger language plpgsql as $$
declare
  wrong record;
begin
  select l.batch, l.provider into wrong
    from (select distinct network, batch, provider from added) a
    join settle.payment_line l using (network, batch, provider)
    left join settle.payment_decision d using (network, batch)
    where d.decision is distinct from 'approved'
      or exists (select from settle.payment_failure f where (f.network, f.batch, f.provider) = (l.network, l.batch, l.provider))
      or l.amount < (select sum(c.amount) from settle.payment_confirmation c
                     where (c.network, c.batch, c.provider) = (l.network, l.batch, l.provider))
    limit 1;
  if found then
    raise exception 'batch %, provider %: not approved, given up, or more than its line', wrong.batch, wrong.provider
      using errcode = 'integrity_constraint_violation';
  end if;
  return null;
end
$$;
alter table settle.payment_confirmation drop column late_reason;
