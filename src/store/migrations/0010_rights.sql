-- Up Migration

-- Who may do what (docs/operations.md, "People and rights"): deny by default, one group of rights for each kind of
-- work. `settle_viewer` looks; `settle_auditor` also reads and verifies the audit log; `settle_operator` brings inputs,
-- asks for runs, opens disputes, makes batches and books what a wallet did; `settle_approver` decides; and
-- `settle_policy_admin` makes networks and their policies. The two-person rules below hold whoever writes.
do $$
declare
  name text;
begin
  foreach name in array array['settle_approver', 'settle_auditor', 'settle_policy_admin'] loop
    continue when exists (select from pg_roles where rolname = name);
    begin
      execute format('create role %I nologin', name);
    exception when duplicate_object or unique_violation then
      null; -- already made by a neighbour
    end;
  end loop;
end
$$;

grant usage on schema settle to settle_approver, settle_auditor, settle_policy_admin;
grant select on all tables in schema settle to settle_worker, settle_operator, settle_viewer, settle_approver,
  settle_auditor, settle_policy_admin;
alter default privileges in schema settle grant select on tables to settle_worker, settle_operator, settle_viewer,
  settle_approver, settle_auditor, settle_policy_admin;

-- What an operator could do before it was divided.
revoke insert on settle.network, settle.policy, settle.policy_effective, settle.hold_decision, settle.dispute_decision,
  settle.payment_decision, settle.epoch_failure, settle.entitlement_fold from settle_operator;
revoke delete on settle.entitlement_fold from settle_operator;

grant insert on settle.hold_decision, settle.dispute_decision, settle.payment_decision, settle.epoch_failure,
  settle.request to settle_approver;
grant insert on settle.network, settle.policy, settle.policy_effective, settle.policy_proposal, settle.policy_decision,
  settle.request to settle_policy_admin;
-- SELECT … FOR UPDATE of the network's row.
grant update (created_at) on settle.network to settle_approver, settle_policy_admin;

-- Reading the audit log is for auditors; the worker looks up which run published what it archives.
revoke select on settle.audit_log from settle_operator, settle_viewer, settle_approver, settle_policy_admin;
revoke execute on function settle.audit_hash from public, settle_worker, settle_operator, settle_viewer;
grant execute on function settle.audit_hash to settle_auditor;

-- Whether the session may write in that name. A person's name is the login, which no option can change. In the
-- embedded default everybody shares `settle_login`, and the commands assert the operating system's user. `system` is
-- the worker, and asks for the runs that nobody in particular asked for.
create function settle.may_act_as(actor text) returns boolean language sql stable set search_path = pg_catalog as $$
  select actor = session_user
    or session_user = 'settle_login'
    or (actor = 'system' and current_setting('role') = 'settle_worker')
    or (select r.rolsuper from pg_roles r where r.rolname = session_user)
$$;

create function settle.check_actor() returns trigger language plpgsql as $$
declare
  actor text := to_jsonb(new) ->> tg_argv[0];
begin
  if not settle.may_act_as(actor) and not (tg_table_name = 'request' and actor = 'system') then
    raise exception '% cannot act in the name of %', session_user, actor using errcode = 'insufficient_privilege';
  end if;
  return new;
end
$$;

do $$
declare
  pair text[];
begin
  foreach pair slice 1 in array array[
    ['load', 'actor'], ['request', 'actor'], ['epoch_failure', 'actor'], ['hold_decision', 'actor'],
    ['dispute', 'opened_by'], ['dispute_decision', 'actor'], ['payment_batch', 'created_by'],
    ['payment_decision', 'actor'], ['payment_confirmation', 'actor'], ['payment_failure', 'actor'],
    ['policy_effective', 'approved_by'], ['policy_proposal', 'proposed_by'], ['policy_decision', 'actor']] loop
    execute format('create trigger check_actor before insert on settle.%I for each row execute function settle.check_actor(%L)',
      pair[1], pair[2]);
  end loop;
end
$$;

-- Everybody's refused attempts go on record; what was done, only by those who can do something.
create or replace function settle.append_audit(network text, actor text, action text, subject text, outcome text,
  reason text, request_id text, detail jsonb) returns bigint
language plpgsql security definer set search_path = pg_catalog, settle as $$
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
grant execute on function settle.append_audit to settle_viewer, settle_auditor, settle_approver, settle_policy_admin;

-- A hold is decided by somebody else than the one who asked for the run.
create function settle.check_hold_second_person() returns trigger language plpgsql as $$
begin
  if new.decision = 'approved' and exists (select from settle.hold h
      where (h.network, h.epoch, h.revision, h.computation) = (new.network, new.epoch, new.revision, new.computation)
        and h.asked_by = new.actor) then
    raise exception '% asked for this run and cannot approve it', new.actor using errcode = 'insufficient_privilege';
  end if;
  return new;
end
$$;
create trigger check_second_person before insert on settle.hold_decision
  for each row execute function settle.check_hold_second_person();

-- A batch too, and nobody decides twice: the primary key.
create function settle.check_payment_decision() returns trigger language plpgsql as $$
begin
  if new.decision = 'approved' and exists (select from settle.payment_batch b
      where (b.network, b.batch, b.created_by) = (new.network, new.batch, new.actor)) then
    raise exception '% made batch % and cannot approve it', new.actor, new.batch using errcode = 'insufficient_privilege';
  end if;
  return new;
end
$$;
create trigger check_payment_decision before insert on settle.payment_decision
  for each row execute function settle.check_payment_decision();

-- The lines of a batch stand once it is decided.
create function settle.check_payment_line() returns trigger language plpgsql as $$
begin
  if exists (select from settle.payment_decision d where (d.network, d.batch) = (new.network, new.batch)) then
    raise exception 'batch % is decided: its lines can no longer be added to', new.batch
      using errcode = 'object_not_in_prerequisite_state';
  end if;
  return new;
end
$$;
create trigger check_payment_line before insert on settle.payment_line
  for each row execute function settle.check_payment_line();

-- Whose request booked it, so that the same request again can be told what it booked.
alter table settle.payment_confirmation add column request_id text collate "C" references settle.request;

-- What a wallet paid is of an approved batch and never more than its line.
create function settle.check_confirmations() returns trigger language plpgsql as $$
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
create trigger check_confirmations after insert on settle.payment_confirmation
  referencing new table as added for each statement execute function settle.check_confirmations();

-- Publishing books publications, a person books confirmations; neither books the other's.
create function settle.check_journal() returns trigger language plpgsql as $$
begin
  if current_user = 'settle_worker' and new.journal not like 'publication/%'
    or current_user = 'settle_operator' and new.journal not like 'confirmation/%' then
    raise exception '% cannot book journal %', current_user, new.journal using errcode = 'insufficient_privilege';
  end if;
  return new;
end
$$;
create trigger check_journal before insert on settle.ledger_posting
  for each row execute function settle.check_journal();

-- An epoch is closed on purpose by an approver, as rejected and by no other name.
create function settle.check_failure() returns trigger language plpgsql as $$
begin
  if current_user = 'settle_approver' and new.failure <> 'rejected' then
    raise exception 'a person closes an epoch as rejected, not as %', new.failure using errcode = 'insufficient_privilege';
  end if;
  return new;
end
$$;
create trigger check_failure before insert on settle.epoch_failure
  for each row execute function settle.check_failure();

-- What every provider was ever credited: the newest fold, and for every epoch with a revision published since, the
-- newest revision's amounts less those of the revision that the fold has already. A provider that a dispute took out
-- of every epoch is 0.
create function settle.entitlements(of_network text)
returns table (provider settle.identifier, entitlement numeric)
language sql stable set search_path = settle, pg_catalog as $$
  with fold as (select coalesce(max(f.position), 0) as position from entitlement_fold f where f.network = $1),
  newest as (
    select distinct on (c.epoch) c.epoch, c.revision, c.computation, c.position from chain_entry c
    where c.network = $1 and c.kind = 'revision' order by c.epoch, c.revision desc),
  folded as (
    select distinct on (c.epoch) c.epoch, c.revision, c.computation from chain_entry c, fold
    where c.network = $1 and c.kind = 'revision' and c.position <= fold.position order by c.epoch, c.revision desc)
  select e.provider, sum(e.amount) from (
    select f.provider, f.entitlement::numeric as amount from entitlement_fold f, fold
    where f.network = $1 and f.position = fold.position
    union all
    select p.provider, p.amount from newest n join payout p on p.network = $1 and p.epoch = n.epoch
      and p.revision = n.revision and p.computation = n.computation
    where n.position > (select position from fold)
    union all
    select p.provider, -p.amount from newest n join folded f on f.epoch = n.epoch
    join payout p on p.network = $1 and p.epoch = f.epoch and p.revision = f.revision and p.computation = f.computation
    where n.position > (select position from fold)) e
  group by e.provider
$$;

-- Folds up to the chain's last entry and drops the fold before. As its owner, so that nobody can write a fold that the
-- payout rows do not say.
create function settle.fold_entitlements(of_network text) returns bigint
language plpgsql security definer set search_path = settle, pg_catalog as $$
declare
  at_position bigint;
begin
  perform from network n where n.network = of_network for update;
  select coalesce(max(c.position), 0) into at_position from chain_entry c where c.network = of_network;
  if at_position = coalesce((select max(f.position) from entitlement_fold f where f.network = of_network), 0) then
    return at_position;
  end if;
  insert into entitlement_fold (network, position, provider, entitlement)
    select of_network, at_position, e.provider, e.entitlement from entitlements(of_network) e;
  delete from entitlement_fold f where f.network = of_network and f.position < at_position;
  return at_position;
end
$$;
revoke all on function settle.fold_entitlements from public;
grant execute on function settle.fold_entitlements to settle_operator;

-- Down Migration
drop function settle.fold_entitlements, settle.entitlements;
drop function settle.check_failure, settle.check_journal, settle.check_confirmations, settle.check_payment_line,
  settle.check_payment_decision, settle.check_hold_second_person, settle.check_actor cascade;
alter table settle.payment_confirmation drop column request_id;
