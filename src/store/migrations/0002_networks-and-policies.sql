-- Up Migration

-- One calendar for each network (spec §2). Its row exists as long as the network and is what publishing locks:
-- FOR UPDATE on a row that does not exist would lock nothing.
create table settle.network (
  network settle.identifier primary key,
  genesis timestamptz not null,
  length_seconds bigint not null check (length_seconds >= 1),
  grace_seconds bigint not null check (grace_seconds >= 0),
  first_epoch settle.epoch_number not null,
  last_epoch settle.epoch_number check (last_epoch >= first_epoch),
  -- What a tripped breaker does: wait for a person, or let the epoch through at once with the breaker on record.
  -- Only a network in a throw-away home is made with `release`; it cannot be changed afterwards.
  holds text collate "C" not null default 'wait' check (holds in ('wait', 'release')),
  created_at timestamptz not null default clock_timestamp()
);

-- A policy is stored under the hash of its canonical JSON; the database recomputes the hash itself, so that a row
-- cannot claim another document's name.
create table settle.policy (
  policy_hash settle.sha256_hex primary key,
  canonical text not null,
  source text not null, -- the YAML as it was given, comments included
  stored_at timestamptz not null default clock_timestamp(),
  check (policy_hash = encode(sha256(convert_to(canonical, 'UTF8')), 'hex'))
);

-- From which epoch a policy is effective. The newest approval whose from_epoch is not after the epoch settles it.
create table settle.policy_effective (
  network settle.identifier not null references settle.network,
  approval bigint generated always as identity,
  from_epoch settle.epoch_number not null,
  policy_hash settle.sha256_hex not null references settle.policy,
  approved_by text not null,
  reason text not null,
  approved_at timestamptz not null default clock_timestamp(),
  primary key (network, approval)
);

-- Down Migration
drop table settle.policy_effective, settle.policy, settle.network;
