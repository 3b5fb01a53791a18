-- Up Migration

-- Partitions of 256 epochs. Made with CREATE and ATTACH, since CREATE … PARTITION OF would lock out every reader of
-- the parent. Runs as its owner, so that the worker needs no right to create anything.
create function settle.ensure_partitions(epochs integer[]) returns void
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
      continue when to_regclass('settle.' || child) is not null;
      execute format('create table settle.%I (like settle.%I including all)', child, parent);
      execute format('alter table settle.%I attach partition settle.%I for values from (%s) to (%s)', parent, child, low,
        case when low > 2147483647 - 256 then 'maxvalue' else (low + 256)::text end);
    end loop;
  end loop;
end
$$;

-- The audit log's rows are chained by hash; one writer at a time, so that the chain has no forks.
create function settle.append_audit(network text, actor text, action text, subject text, outcome text, reason text,
  request_id text, detail jsonb) returns bigint
language plpgsql security definer set search_path = pg_catalog, settle as $$
declare
  last record;
  number bigint;
  moment timestamptz;
  linked text;
begin
  perform pg_advisory_xact_lock(hashtext('settle.append_audit'));
  select a.entry, a.hash into last from settle.audit_log a order by a.entry desc limit 1;
  number := coalesce(last.entry, 0) + 1;
  linked := coalesce(last.hash, repeat('0', 64));
  moment := clock_timestamp();
  insert into settle.audit_log values (number, moment, network, actor, action, subject, outcome, reason, request_id,
    detail, linked, settle.audit_hash(number, moment, network, actor, action, subject, outcome, reason, request_id, detail, linked));
  return number;
end
$$;

create function settle.audit_hash(number bigint, moment timestamptz, network text, actor text, action text,
  subject text, outcome text, reason text, request_id text, detail jsonb, previous_hash text) returns text
language sql stable set search_path = pg_catalog set timezone = 'UTC' as $$
  select encode(sha256(convert_to(jsonb_build_array(number, to_char(moment, 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), network,
    actor, action, subject, outcome, reason, request_id, detail, previous_hash)::text, 'UTF8')), 'hex')
$$;

revoke all on function settle.ensure_partitions, settle.append_audit from public;
grant execute on function settle.ensure_partitions, settle.append_audit to settle_worker, settle_operator;
grant execute on function settle.audit_hash to settle_worker, settle_operator, settle_viewer;

grant select on all tables in schema settle to settle_worker, settle_operator, settle_viewer;

-- The worker computes and publishes; it cannot load inputs, change policies or decide a hold on its own.
grant insert on settle.seal, settle.snapshot, settle.computation, settle.price, settle.payout, settle.result,
  settle.hold, settle.epoch_failure, settle.chain_entry, settle.claim to settle_worker;
grant insert on settle.hold_decision to settle_worker; -- expiry and supersession only: checked below
grant delete on settle.payout, settle.claim to settle_worker;
-- SELECT … FOR UPDATE needs UPDATE on one column; the row's calendar is held by the trigger below.
grant update (created_at) on settle.network to settle_worker, settle_operator;

-- The operator loads, asks and decides; it cannot write a result.
grant insert on settle.network, settle.policy, settle.policy_effective, settle.load, settle.provider_version,
  settle.capacity, settle.performance, settle.demand, settle.quote, settle.token_observation, settle.macro,
  settle.late_row, settle.request, settle.hold_decision, settle.epoch_failure to settle_operator;

create function settle.check_hold_decision() returns trigger language plpgsql as $$
begin
  if not exists (select from settle.hold h where (h.network, h.epoch, h.revision, h.computation, h.content_digest)
                   = (new.network, new.epoch, new.revision, new.computation, new.content_digest)) then
    raise exception 'the decision names content digest %, which is not the one that was held', new.content_digest
      using errcode = 'object_not_in_prerequisite_state';
  end if;
  if new.decision in ('approved', 'rejected') and current_user = 'settle_worker' then
    raise exception 'a worker cannot decide a hold' using errcode = 'insufficient_privilege';
  end if;
  if new.decision = 'released' and not exists (
      select from settle.network n where n.network = new.network and n.holds = 'release') then
    raise exception 'network % keeps its holds until a person decides', new.network using errcode = 'insufficient_privilege';
  end if;
  return new;
end
$$;
create trigger check_hold_decision before insert on settle.hold_decision
  for each row execute function settle.check_hold_decision();

create trigger refuse_change before update or delete or truncate on settle.network
  for each statement execute function settle.refuse_change();

-- Down Migration
drop trigger refuse_change on settle.network;
drop function settle.check_hold_decision cascade;
drop function settle.append_audit, settle.audit_hash, settle.ensure_partitions;
