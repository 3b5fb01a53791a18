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

-- A load's number comes from its sequence: with one of its own, far ahead, every later seal would cover whatever comes
-- after it. And the newest approval decides which policy holds, so neither has that a number of its own.
revoke insert on settle.load from settle_operator;
grant insert (network, source, actor, counts) on settle.load to settle_operator;
revoke insert on settle.policy_effective from settle_policy_admin;
grant insert (network, from_epoch, policy_hash, approved_by, reason, proposal) on settle.policy_effective to settle_policy_admin;

-- A seal names the newest load that its registry has. So registry rows come with their load, in its transaction, and none
-- come that a seal covers already. Under the lock that every import has by now, so that no seal comes between.
create or replace function settle.refuse_unknown_load() returns trigger
language plpgsql set search_path = pg_catalog, settle, pg_temp as $$
declare
  networks text[];
  loads bigint[];
  wrong record;
begin
  perform settle.require_newest_rows();
  -- One look at the rows, of which there may be millions.
  select array_agg(n.network), array_agg(n.load_id) into networks, loads from (select distinct network, load_id from added) n;
  perform pg_advisory_xact_lock_shared(hashtext('settle.inputs'), hashtext(n.network))
    from (select distinct u.network from unnest(networks) u(network) order by 1) n;
  select n.network, n.load_id into wrong from unnest(networks, loads) n(network, load_id)
    where not exists (
      select from settle.load l where (l.load_id, l.network) = (n.load_id, n.network)
        and l.xmin = pg_current_xact_id()::xid
        and l.load_id > coalesce((select max(s.registry_load) from settle.seal s where s.network = n.network), 0))
    limit 1;
  if found then
    raise exception 'registry rows name load %, which is no load of network % that this transaction makes, or is sealed',
      wrong.load_id, wrong.network using errcode = 'foreign_key_violation';
  end if;
  return null;
end
$$;

-- Which epochs' rows a transaction added, from the statement until the commit. Always empty for everybody else.
create unlogged table settle.joining (
  statement bigint generated always as identity primary key,
  network text not null,
  table_name text not null,
  epochs integer[] not null
);

-- As before, what joins an epoch that is sealed is refused at once. An epoch that is sealed between the statement and the
-- commit is looked for at the commit, under the inputs' lock: a lock that is held from the first row on would keep the
-- network from sealing as long as a long load takes. As its owner, since nobody may write to settle.joining.
create or replace function settle.refuse_sealed_epoch() returns trigger
language plpgsql security definer set search_path = pg_catalog, settle, pg_temp as $$
declare
  networks text[];
  epochs integer[];
  sealed record;
begin
  perform settle.require_newest_rows();
  select array_agg(n.network), array_agg(n.epoch) into networks, epochs from (select distinct network, epoch from added) n;
  select s.network, s.epoch into sealed
    from unnest(networks, epochs) n(network, epoch) join settle.seal s using (network, epoch) limit 1;
  if found then
    raise exception 'epoch % of network % is sealed: its % rows can no longer be added to', sealed.epoch, sealed.network, tg_table_name
      using errcode = 'object_not_in_prerequisite_state',
            hint = 'rows that arrive late are kept in settle.late_row and enter through a dispute';
  end if;
  insert into settle.joining (network, table_name, epochs)
    select n.network, tg_table_name, array_agg(n.epoch) from unnest(networks, epochs) n(network, epoch) group by n.network;
  return null;
end
$$;

create function settle.refuse_sealed_meanwhile() returns trigger
language plpgsql security definer set search_path = pg_catalog, settle, pg_temp as $$
declare
  sealed integer;
begin
  -- Held until the transaction has ended, so a seal that comes later has these rows.
  perform pg_advisory_xact_lock_shared(hashtext('settle.inputs'), hashtext(new.network));
  select s.epoch into sealed from settle.seal s where s.network = new.network and s.epoch = any (new.epochs) limit 1;
  if found then
    raise exception 'epoch % of network % was sealed meanwhile: its % rows can no longer be added to', sealed, new.network, new.table_name
      using errcode = 'object_not_in_prerequisite_state',
            hint = 'import them again: rows that arrive late are kept in settle.late_row and enter through a dispute';
  end if;
  delete from settle.joining j where j.statement = new.statement;
  return null;
end
$$;
create constraint trigger refuse_sealed_meanwhile after insert on settle.joining
  deferrable initially deferred for each row execute function settle.refuse_sealed_meanwhile();

-- The corrections of a dispute are those that it was opened with, so they come in the transaction that opened it: nobody
-- adds to the dispute of somebody else, or to one whose snapshot may be taken already. What a dispute takes over from the
-- one behind the disputed revision is shown to nobody (`kept`), so it is taken over as it stands.
create or replace function settle.refuse_taken_dispute() returns trigger
language plpgsql set search_path = pg_catalog, settle, pg_temp as $$
declare
  wrong record;
begin
  select n.network, n.epoch, n.dispute into wrong from (select distinct network, epoch, dispute from added) n
    where not exists (
      select from settle.dispute d where (d.network, d.epoch, d.dispute) = (n.network, n.epoch, n.dispute)
        and d.xmin = pg_current_xact_id()::xid) limit 1;
  if found then
    raise exception 'dispute % of epoch % was opened before: its corrections can no longer be added to', wrong.dispute, wrong.epoch
      using errcode = 'object_not_in_prerequisite_state', hint = 'open another dispute';
  end if;
  select a.table_name, a.key into wrong from added a
    join settle.dispute d on (d.network, d.epoch, d.dispute) = (a.network, a.epoch, a.dispute)
    join settle.computation c on (c.network, c.epoch, c.revision, c.computation)
      = (d.network, d.epoch, d.base_revision, d.base_computation)
    left join settle.correction b on (b.network, b.epoch, b.dispute, b.table_name, b.key)
      = (a.network, a.epoch, c.dispute, a.table_name, a.key)
    where a.origin = 'kept' and (b.key is null or b.line is distinct from a.line) limit 1;
  if found then
    raise exception 'the % row % is kept of no correction behind the disputed revision', wrong.table_name, wrong.key
      using errcode = 'object_not_in_prerequisite_state', hint = 'say what is new as given';
  end if;
  return null;
end
$$;

-- And all of it is taken over: a correction that was left out would be undone, and nobody be shown that. Asked when the
-- transaction commits, since the rows come after their dispute.
create function settle.check_kept() returns trigger
language plpgsql set search_path = pg_catalog, settle, pg_temp set enable_nestloop = off as $$
declare
  left_out record;
begin
  select b.table_name, b.key into left_out from settle.computation c
    join settle.correction b on (b.network, b.epoch, b.dispute) = (c.network, c.epoch, c.dispute)
    where (c.network, c.epoch, c.revision, c.computation) = (new.network, new.epoch, new.base_revision, new.base_computation)
      and not exists (
        select from settle.correction k where (k.network, k.epoch, k.dispute) = (new.network, new.epoch, new.dispute)
          and (k.table_name, k.key) = (b.table_name, b.key)) limit 1;
  if found then
    raise exception 'dispute % of epoch % leaves out the % row % that the disputed revision has corrected', new.dispute, new.epoch,
      left_out.table_name, left_out.key using errcode = 'object_not_in_prerequisite_state';
  end if;
  return null;
end
$$;
create constraint trigger check_kept after insert on settle.dispute
  deferrable initially deferred for each row execute function settle.check_kept();

-- When something was written is what the clock says, and not whoever writes it: a decision of before its deadline is
-- recognised by nothing else.
create function settle.set_time() returns trigger
language plpgsql set search_path = pg_catalog, settle, pg_temp as $$
begin
  return jsonb_populate_record(new, jsonb_build_object(tg_argv[0], clock_timestamp()));
end
$$;

do $$
declare
  pair text[];
begin
  -- By its name before the rules, which may then ask for the time.
  foreach pair slice 1 in array array[
    ['network', 'created_at'], ['policy', 'stored_at'], ['policy_effective', 'approved_at'], ['policy_proposal', 'proposed_at'],
    ['policy_decision', 'decided_at'], ['load', 'loaded_at'], ['request', 'requested_at'], ['hold_decision', 'decided_at'],
    ['epoch_failure', 'failed_at'], ['dispute', 'opened_at'], ['dispute_decision', 'decided_at'], ['ledger_posting', 'booked_at'],
    ['payment_batch', 'created_at'], ['payment_decision', 'decided_at'], ['payment_confirmation', 'confirmed_at'],
    ['payment_failure', 'failed_at']] loop
    execute format('create trigger at_its_time before insert on settle.%I for each row execute function settle.set_time(%L)',
      pair[1], pair[2]);
  end loop;
end
$$;

-- As before; and a person decides until the deadline and never after it. What then ends a hold is its expiry, or the
-- epoch's being closed on purpose, of which its rejection is a part (below).
create or replace function settle.check_hold_decision() returns trigger
language plpgsql set search_path = pg_catalog, settle, pg_temp as $$
declare
  held record;
begin
  select h.deadline into held from settle.hold h where (h.network, h.epoch, h.revision, h.computation, h.content_digest)
    = (new.network, new.epoch, new.revision, new.computation, new.content_digest);
  if not found then
    raise exception 'the decision names content digest %, which is not the one that was held', new.content_digest
      using errcode = 'object_not_in_prerequisite_state';
  end if;
  if current_user <> (case when new.decision in ('approved', 'rejected') then 'settle_approver' else 'settle_worker' end) then
    raise exception '% cannot decide that a hold is %', current_user, new.decision using errcode = 'insufficient_privilege';
  end if;
  if new.decision = 'approved' and new.decided_at >= held.deadline then
    raise exception 'the hold of epoch % expired at %: it can no longer be approved', new.epoch, held.deadline
      using errcode = 'object_not_in_prerequisite_state';
  end if;
  if new.decision = 'expired' and new.decided_at < held.deadline then
    raise exception 'the hold of epoch % expires at % and not before', new.epoch, held.deadline
      using errcode = 'object_not_in_prerequisite_state';
  end if;
  if new.decision = 'released' and not exists (
      select from settle.network n where n.network = new.network and n.holds = 'release') then
    raise exception 'network % keeps its holds until a person decides', new.network using errcode = 'insufficient_privilege';
  end if;
  return new;
end
$$;

create function settle.check_late_rejection() returns trigger
language plpgsql set search_path = pg_catalog, settle, pg_temp as $$
begin
  if exists (select from settle.hold h where (h.network, h.epoch, h.revision, h.computation)
        = (new.network, new.epoch, new.revision, new.computation) and h.deadline <= new.decided_at)
      and not exists (select from settle.epoch_failure f where (f.network, f.epoch, f.failure) = (new.network, new.epoch, 'rejected')
        and f.xmin = pg_current_xact_id()::xid) then
    raise exception 'the hold of epoch % has expired: it can no longer be rejected', new.epoch
      using errcode = 'object_not_in_prerequisite_state', hint = 'close the epoch: settle epoch fail';
  end if;
  return null;
end
$$;
create constraint trigger check_late_rejection after insert on settle.hold_decision
  deferrable initially deferred for each row when (new.decision = 'rejected') execute function settle.check_late_rejection();

-- A rule that names the role which may not is passed by a login that inherits its rights and takes no role: it is itself,
-- and nobody whom the rule names. So each rule says which role an act belongs to, and whoever is not exactly that is
-- refused; that of holds is above.
create or replace function settle.check_dispute_decision() returns trigger
language plpgsql set search_path = pg_catalog, settle, pg_temp as $$
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
  if current_user <> (case when new.decision in ('approved', 'rejected') then 'settle_approver' else 'settle_worker' end) then
    raise exception '% cannot decide that a dispute is %', current_user, new.decision using errcode = 'insufficient_privilege';
  end if;
  if new.decision in ('approved', 'rejected') and new.actor = opener then
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

create or replace function settle.check_journal() returns trigger
language plpgsql set search_path = pg_catalog, settle, pg_temp as $$
begin
  if not (current_user = 'settle_worker' and new.journal like 'publication/%'
      or current_user = 'settle_operator' and new.journal like 'confirmation/%') then
    raise exception '% cannot book journal %', current_user, new.journal using errcode = 'insufficient_privilege';
  end if;
  return new;
end
$$;

create or replace function settle.check_failure() returns trigger
language plpgsql set search_path = pg_catalog, settle, pg_temp as $$
begin
  if not (current_user = 'settle_worker' or current_user = 'settle_approver' and new.failure = 'rejected') then
    raise exception '% cannot close an epoch as %: a person closes it as rejected', current_user, new.failure
      using errcode = 'insufficient_privilege';
  end if;
  return new;
end
$$;

-- Which role does what the audit log says was done. An act that is not here is done by nobody.
create function settle.role_of_act(action text) returns text
language sql immutable set search_path = pg_catalog as $$
  select case
    when action in ('publish', 'fail', 'archive', 'hold-expired', 'hold-superseded', 'hold-released', 'dispute-stale',
      'dispute-failed', 'dispute-superseded') then 'settle_worker'
    when action in ('hold-approved', 'hold-rejected', 'dispute-approved', 'dispute-rejected', 'payment-approved',
      'payment-rejected', 'epoch-fail') then 'settle_approver'
    when action in ('network-create', 'policy-propose', 'policy-approved', 'policy-rejected') then 'settle_policy_admin'
    when action in ('import', 'epoch-run', 'epoch-again', 'dispute-open', 'schedule-apply', 'schedule-pause', 'schedule-resume',
      'payment-create', 'payment-confirm', 'payment-confirm-late', 'payment-fail', 'partition-export', 'partition-archive',
      'partition-return') then 'settle_operator'
  end
$$;

-- As before; and that something was done is on record by the role that does it. With a row of its own, an operator could
-- let the log say that another head was published: an audit would find a tampered chain where there is none.
create or replace function settle.append_audit(network text, actor text, action text, subject text, outcome text,
  reason text, request_id text, detail jsonb) returns bigint
language plpgsql security definer set search_path = pg_catalog, settle, pg_temp as $$
declare
  last record;
  number bigint;
  moment timestamptz;
  linked text;
begin
  if not settle.may_act_as(actor) then
    raise exception '% cannot act in the name of %', session_user, actor using errcode = 'insufficient_privilege';
  end if;
  if outcome = 'done' and current_setting('role') is distinct from settle.role_of_act(action) then
    raise exception '% is no act of role %', action, current_setting('role') using errcode = 'insufficient_privilege';
  end if;
  if outcome = 'done' and current_setting('role') = 'settle_worker' and actor <> 'system' then
    raise exception '% is an act of the system, and not of %', action, actor using errcode = 'insufficient_privilege';
  end if;
  perform pg_advisory_xact_lock(hashtext('settle.append_audit'));
  select a.entry, a.hash into last from settle.audit_log a order by a.entry desc limit 1;
  number := coalesce(last.entry, 0) + 1;
  -- Before the first row come zeros.
  linked := coalesce(last.hash, repeat('0', 64));
  moment := clock_timestamp();
  insert into settle.audit_log values (number, moment, network, actor, action, subject, outcome, reason, request_id,
    detail, linked, settle.audit_hash(number, moment, network, actor, action, subject, outcome, reason, request_id, detail, linked));
  return number;
end
$$;

-- Down Migration
create or replace function settle.append_audit(network text, actor text, action text, subject text, outcome text,
  reason text, request_id text, detail jsonb) returns bigint
language plpgsql security definer set search_path = pg_catalog, settle, pg_temp as $$
declare
  last record;
  number bigint;
  moment timestamptz;
  linked text;
begin
  if not settle.may_act_as(actor) then
    raise exception '% cannot act in the name of %', session_user, actor using errcode = 'insufficient_privilege';
  end if;
  if outcome = 'done' and current_setting('role') in ('settle_viewer', 'settle_auditor') then
    raise exception 'role % does nothing that could be done', current_setting('role') using errcode = 'insufficient_privilege';
  end if;
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
drop function settle.role_of_act;
create or replace function settle.check_dispute_decision() returns trigger language plpgsql as $$
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
create or replace function settle.check_journal() returns trigger language plpgsql as $$
begin
  if current_user = 'settle_worker' and new.journal not like 'publication/%'
    or current_user = 'settle_operator' and new.journal not like 'confirmation/%' then
    raise exception '% cannot book journal %', current_user, new.journal using errcode = 'insufficient_privilege';
  end if;
  return new;
end
$$;
create or replace function settle.check_failure() returns trigger language plpgsql as $$
begin
  if current_user = 'settle_approver' and new.failure <> 'rejected' then
    raise exception 'a person closes an epoch as rejected, not as %', new.failure using errcode = 'insufficient_privilege';
  end if;
  return new;
end
$$;
drop function settle.check_late_rejection cascade;
create or replace function settle.check_hold_decision() returns trigger language plpgsql as $$
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
drop function settle.set_time cascade;
drop function settle.check_kept cascade;
create or replace function settle.refuse_taken_dispute() returns trigger language plpgsql as $$
begin
  if exists (select from (select distinct network, epoch, dispute from added) n
               join settle.corrected_snapshot using (network, epoch, dispute)) then
    raise exception 'the corrected snapshot is taken: its corrections can no longer be added to'
      using errcode = 'object_not_in_prerequisite_state', hint = 'open another dispute';
  end if;
  return null;
end
$$;
create or replace function settle.refuse_sealed_epoch() returns trigger
language plpgsql security invoker as $$
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
drop table settle.joining;
drop function settle.refuse_sealed_meanwhile;
create or replace function settle.refuse_unknown_load() returns trigger language plpgsql as $$
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
revoke insert (network, from_epoch, policy_hash, approved_by, reason, proposal) on settle.policy_effective from settle_policy_admin;
grant insert on settle.policy_effective to settle_policy_admin;
revoke insert (network, source, actor, counts) on settle.load from settle_operator;
grant insert on settle.load to settle_operator;
drop function settle.check_closings cascade;
drop function settle.require_newest_rows;
