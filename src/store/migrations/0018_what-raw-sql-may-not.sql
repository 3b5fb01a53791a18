-- Up Migration

-- What a login with one role can do with statements of its own, past every command: the rules of this file are for those.
-- They hold whoever writes, as those before them do.

-- A rule asks what is there now. A transaction that looks all the way with the view that it began with is not told of what
-- was sealed, published or closed since, and is refused.
create function settle.require_newest_rows() returns void
language plpgsql set search_path = pg_catalog, settle, pg_temp as $$
begin
  if current_setting('transaction_isolation') in ('repeatable read', 'serializable') then
    raise exception 'a transaction that is % does not see what others did since it began', current_setting('transaction_isolation')
      using errcode = 'object_not_in_prerequisite_state', hint = 'write with read committed';
  end if;
end
$$;

-- Epochs close in order, and the highest that is closed tells which is next. A row for an epoch far ahead would skip all
-- before it for ever, one for a published epoch would say that nobody is paid for it. So what is closed as failed is over,
-- has no revision (also none that waits for its claims), and is the next epoch that is open, or has failed before and
-- somebody asked for settling it again. A person closes a range in one statement, which is asked about as a whole.
create function settle.check_closings() returns trigger
language plpgsql set search_path = pg_catalog, settle, pg_temp as $$
declare
  calendar record;
  closed integer;
  wrong record;
begin
  perform settle.require_newest_rows();
  -- Under the lock of the network's row, which publishing holds as well.
  for calendar in
    select n.network, n.genesis, n.length_seconds, n.first_epoch, n.last_epoch from settle.network n
    where n.network in (select a.network from added a) order by n.network for update
  loop
    select greatest(calendar.first_epoch - 1,
        (select max(c.epoch) from settle.chain_entry c where c.network = calendar.network and c.kind = 'claims'),
        (select max(f.epoch) from settle.epoch_failure f where f.network = calendar.network and not exists (
          select from added a where (a.network, a.epoch, a.failure_no) = (f.network, f.epoch, f.failure_no)))) into closed;
    select a.epoch into wrong from (
        select a.network, a.epoch, a.failure_no, row_number() over (partition by a.epoch > closed order by a.epoch) as place,
          (select count(*) from settle.epoch_failure f
           where (f.network, f.epoch) = (a.network, a.epoch) and f.failure_no < a.failure_no) as before
        from added a where a.network = calendar.network) a
      where a.failure_no <> a.before + 1
        or a.epoch > calendar.last_epoch
        or extract(epoch from calendar.genesis) + (a.epoch::bigint + 1) * calendar.length_seconds
          > extract(epoch from clock_timestamp())
        or a.epoch > closed and a.epoch <> closed + a.place
        or a.epoch <= closed and (a.before = 0 or not exists (
          select from settle.request r where r.network = a.network and r.action = 'epoch-again'
            and r.body ->> 'epoch' = a.epoch::text and r.body ->> 'failureNo' = a.before::text))
        or exists (select from settle.chain_entry c where (c.network, c.epoch) = (a.network, a.epoch) and c.kind = 'revision')
      order by a.epoch limit 1;
    if found then
      raise exception 'epoch % of network % cannot be closed as failed: it is published, not over, or not the next one that is open (%)',
        wrong.epoch, calendar.network, closed + 1 using errcode = 'object_not_in_prerequisite_state';
    end if;
  end loop;
  return null;
end
$$;
create trigger check_closings after insert on settle.epoch_failure
  referencing new table as added for each statement execute function settle.check_closings();

-- Down Migration
drop function settle.check_closings cascade;
drop function settle.require_newest_rows;
