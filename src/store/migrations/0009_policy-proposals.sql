-- Up Migration

-- A policy that somebody wants effective from a named epoch on; it is so once another person approves.
create table settle.policy_proposal (
  network settle.identifier not null references settle.network,
  proposal integer not null check (proposal >= 1),
  from_epoch settle.epoch_number not null,
  policy_hash settle.sha256_hex not null references settle.policy,
  proposed_by text not null,
  reason text not null,
  request_id text collate "C" not null unique references settle.request,
  proposed_at timestamptz not null default clock_timestamp(),
  primary key (network, proposal)
);

create table settle.policy_decision (
  network settle.identifier not null,
  proposal integer not null,
  decision text collate "C" not null check (decision in ('approved', 'rejected')),
  actor text not null,
  reason text not null,
  decided_at timestamptz not null default clock_timestamp(),
  primary key (network, proposal),
  foreign key (network, proposal) references settle.policy_proposal
);

-- Which proposal made a policy effective; null: it is the network's first.
alter table settle.policy_effective add column proposal integer;
alter table settle.policy_effective add constraint policy_effective_proposal
  foreign key (network, proposal) references settle.policy_proposal;
create unique index policy_effective_once on settle.policy_effective (network, proposal);

-- The rules of spec §2, whoever writes: two people, the network's calendar and base units kept, and no epoch that is
-- sealed or closed settled by another policy than the one it was settled by.
create function settle.check_policy_effective() returns trigger language plpgsql as $$
declare
  newest integer;
begin
  perform from settle.network n join settle.policy p on p.policy_hash = new.policy_hash
    where n.network = new.network
      and (p.canonical::jsonb #>> '{epoch,genesis}')::timestamptz = n.genesis
      and (p.canonical::jsonb #>> '{epoch,lengthSeconds}')::bigint = n.length_seconds;
  if not found then
    raise exception 'policy % has another calendar than network %', new.policy_hash, new.network
      using errcode = 'object_not_in_prerequisite_state';
  end if;
  if not exists (select from settle.policy_effective e where e.network = new.network) then
    return new;
  end if;
  perform from settle.policy_proposal p join settle.policy_decision d using (network, proposal)
    where (p.network, p.proposal, p.from_epoch, p.policy_hash) = (new.network, new.proposal, new.from_epoch, new.policy_hash)
      and d.decision = 'approved' and d.actor = new.approved_by and d.actor <> p.proposed_by;
  if not found then
    raise exception 'no second person approved this policy for network % from epoch %', new.network, new.from_epoch
      using errcode = 'insufficient_privilege';
  end if;
  if exists (select from settle.policy_effective e join settle.policy o using (policy_hash), settle.policy p
      where e.network = new.network and p.policy_hash = new.policy_hash
        and o.canonical::jsonb #>> '{token,decimals}' <> p.canonical::jsonb #>> '{token,decimals}') then
    raise exception 'the token of network % keeps its decimals: every published amount counts in them', new.network
      using errcode = 'object_not_in_prerequisite_state';
  end if;
  select greatest((select max(epoch) from settle.seal s where s.network = new.network),
      (select max(epoch) from settle.chain_entry c where c.network = new.network),
      (select max(epoch) from settle.epoch_failure f where f.network = new.network)) into newest;
  if new.from_epoch <= newest then
    raise exception 'epoch % of network % is sealed or closed: it keeps its policy', newest, new.network
      using errcode = 'object_not_in_prerequisite_state';
  end if;
  return new;
end
$$;
create trigger check_policy_effective before insert on settle.policy_effective
  for each row execute function settle.check_policy_effective();

create trigger refuse_change before update or delete or truncate on settle.policy_proposal
  for each statement execute function settle.refuse_change();
create trigger refuse_change before update or delete or truncate on settle.policy_decision
  for each statement execute function settle.refuse_change();

-- Down Migration
drop trigger check_policy_effective on settle.policy_effective;
drop function settle.check_policy_effective;
alter table settle.policy_effective drop column proposal;
drop table settle.policy_decision, settle.policy_proposal;
