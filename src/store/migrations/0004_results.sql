-- Up Migration

-- One derivation of prices and multipliers from a snapshot, a policy and a history. A retry finds it again by those
-- three; a different history (a dispute below was published meanwhile), or settling an epoch again whose hold was
-- rejected, is another computation of the same revision.
create table settle.computation (
  network settle.identifier not null,
  epoch settle.epoch_number not null,
  revision integer not null check (revision >= 1),
  computation integer not null check (computation >= 1),
  ruleset integer not null,
  policy_hash settle.sha256_hex not null references settle.policy,
  snapshot_digest settle.sha256_hex not null,
  history_digest settle.sha256_hex not null,
  history jsonb not null, -- [epoch, revision, content digest] of every published epoch that was read
  previous_epoch settle.epoch_number, -- the last published epoch below this one; null: none
  derivation jsonb not null, -- what of the Derivation record is not a row of settle.price, as decimal text
  workflow_id text not null,
  run_id text not null,
  computed_at timestamptz not null default clock_timestamp(),
  primary key (network, epoch, revision, computation),
  foreign key (network, epoch) references settle.snapshot
);

-- The prices table of spec §9, column for column; previousBase + contributions + differences = price is checked
-- here too, so that a row which does not add up cannot exist.
create table settle.price (
  network settle.identifier not null,
  epoch settle.epoch_number not null,
  revision integer not null,
  computation integer not null,
  market settle.identifier not null,
  supply settle.exact not null check (supply >= 0),
  used settle.exact not null check (used >= 0 and used <= supply),
  demand settle.exact not null check (demand >= 0),
  supply_mean settle.exact not null check (supply_mean >= 0),
  demand_mean settle.exact not null check (demand_mean >= 0),
  family_fast settle.exact not null check (family_fast >= 0),
  family_slow settle.exact not null check (family_slow >= 0),
  forecast settle.exact not null check (forecast >= 0),
  competitor settle.exact check (competitor > 0),
  competitor_epoch settle.epoch_number check ((competitor_epoch is null) = (competitor is null)),
  prev settle.exact not null check (prev > 0),
  base settle.exact not null check (base > 0),
  price settle.exact not null check (price >= base),
  s_supply settle.exact not null check (s_supply between -1 and 1),
  s_demand settle.exact not null check (s_demand between -1 and 1),
  s_market_conditions settle.exact not null check (s_market_conditions between -1 and 1),
  s_available_capacity settle.exact not null check (s_available_capacity between -1 and 1),
  s_provider_growth settle.exact not null check (s_provider_growth between -1 and 1),
  s_usage_patterns settle.exact not null check (s_usage_patterns between -1 and 1),
  s_peak_demand settle.exact not null check (s_peak_demand between 0 and 1),
  s_competition settle.exact not null check (s_competition between -1 and 1),
  s_market_trends settle.exact not null check (s_market_trends between -1 and 1),
  c_supply settle.exact not null,
  c_demand settle.exact not null,
  c_market_conditions settle.exact not null,
  c_available_capacity settle.exact not null,
  c_provider_growth settle.exact not null,
  c_usage_patterns settle.exact not null,
  c_competition settle.exact not null,
  c_market_trends settle.exact not null,
  d_band settle.exact not null,
  d_step settle.exact not null,
  d_bounds settle.exact not null,
  d_premium settle.exact not null check (d_premium >= 0),
  d_ceiling settle.exact not null check (d_ceiling <= 0),
  m_market_conditions settle.exact not null,
  m_network_demand settle.exact not null,
  m_resource_availability settle.exact not null,
  m_growth settle.exact not null check (m_growth >= 0),
  m_network settle.exact not null check (m_network >= 0),
  rate settle.base_units not null check (rate >= 0),
  primary key (network, epoch, revision, computation, market),
  foreign key (network, epoch, revision, computation) references settle.computation on delete cascade,
  check (prev + c_supply + c_demand + c_market_conditions + c_available_capacity + c_provider_growth
    + c_usage_patterns + c_competition + c_market_trends + d_band + d_step + d_bounds + d_premium + d_ceiling = price)
);

-- The last epoch that priced a market may lie far back (a policy can drop a market and take it up again).
create index price_by_market on settle.price (network, market, epoch desc);

-- The payouts table of spec §9, and M4. The rows of a published revision are the providers' postings; a row is
-- published if and only if a chain entry names its computation, so publishing touches no payout row.
create table settle.payout (
  network settle.identifier not null,
  epoch settle.epoch_number not null,
  revision integer not null,
  computation integer not null,
  provider settle.identifier not null,
  gross settle.base_units not null,
  cap_cut settle.base_units not null,
  scale_cut settle.base_units not null,
  amount settle.base_units not null,
  reason text collate "C" not null,
  multiplier settle.exact check (multiplier >= 0), -- null: not eligible
  primary key (network, epoch, revision, computation, provider),
  check (amount >= 0 and cap_cut >= 0 and scale_cut >= 0 and gross - cap_cut - scale_cut = amount),
  check (reason in ('paid', 'suspended', 'no-capacity', 'no-performance-data', 'below-minimum-uptime')),
  check (reason = 'paid' or gross = 0),
  check ((reason = 'paid') = (multiplier is not null))
) partition by range (epoch);

-- The outcome of the checks: the content that would be published, and what tripped.
create table settle.result (
  network settle.identifier not null,
  epoch settle.epoch_number not null,
  revision integer not null,
  computation integer not null,
  content text not null, -- canonical JSON (spec §9), without previousHead
  content_digest settle.sha256_hex not null,
  breakers jsonb not null,
  unallocated_reason text collate "C" not null check (unallocated_reason in ('rounding', 'unspent')),
  payout_count bigint not null check (payout_count >= 0),
  checked_at timestamptz not null default clock_timestamp(),
  primary key (network, epoch, revision, computation),
  foreign key (network, epoch, revision, computation) references settle.computation,
  check (content_digest = encode(sha256(convert_to(content, 'UTF8')), 'hex'))
);

-- A hold waits for a person, and is bound to the content digest that was held (spec §8).
create table settle.hold (
  network settle.identifier not null,
  epoch settle.epoch_number not null,
  revision integer not null,
  computation integer not null,
  content_digest settle.sha256_hex not null,
  asked_by text not null,
  held_at timestamptz not null default clock_timestamp(),
  deadline timestamptz not null,
  primary key (network, epoch, revision, computation),
  foreign key (network, epoch, revision, computation) references settle.result
);

-- At most one decision a hold: the primary key settles a race between two people and the clock.
create table settle.hold_decision (
  network settle.identifier not null,
  epoch settle.epoch_number not null,
  revision integer not null,
  computation integer not null,
  decision text collate "C" not null check (decision in ('approved', 'rejected', 'expired', 'superseded', 'released')),
  content_digest settle.sha256_hex not null,
  actor text not null,
  reason text not null,
  decided_at timestamptz not null default clock_timestamp(),
  primary key (network, epoch, revision, computation),
  foreign key (network, epoch, revision, computation) references settle.hold
);

-- A failed epoch is a recorded decision (spec §3, §8); nothing else can close an epoch. It may be settled later on
-- purpose, so one epoch can have several.
create table settle.epoch_failure (
  network settle.identifier not null references settle.network,
  epoch settle.epoch_number not null,
  failure_no integer not null check (failure_no >= 1),
  failure text collate "C" not null check (failure in ('incomplete-inputs', 'conservation', 'price-bounds',
    'multiplier-bounds', 'payees', 'snapshot', 'chain', 'rejected', 'expired')),
  detail jsonb not null,
  actor text not null,
  reason text not null,
  run_id text, -- the workflow run that recorded it, so that a retry does not record it twice; null: a command did
  failed_at timestamptz not null default clock_timestamp(),
  primary key (network, epoch, failure_no),
  unique (network, epoch, run_id)
);

-- The chain of publications (spec §9). The database recomputes the head of each entry and holds the linkage:
-- a head is followed at most once, and a revision is published at most once.
create table settle.chain_entry (
  network settle.identifier not null references settle.network,
  position bigint not null check (position >= 1),
  kind text collate "C" not null check (kind in ('revision', 'claims')),
  epoch settle.epoch_number not null,
  revision integer not null,
  computation integer not null,
  content_digest settle.sha256_hex not null, -- of the content without previousHead
  entry text not null, -- canonical JSON with previousHead
  previous_head settle.sha256_hex not null,
  head settle.sha256_hex not null,
  published_at timestamptz not null default clock_timestamp(),
  primary key (network, position),
  unique (network, epoch, revision, kind),
  unique (network, previous_head),
  unique (network, head),
  foreign key (network, epoch, revision, computation) references settle.result,
  check (head = encode(sha256(convert_to(entry, 'UTF8')), 'hex')),
  check (entry::jsonb ->> 'previousHead' = previous_head and entry::jsonb ->> 'kind' = kind
    and (entry::jsonb ->> 'epoch')::integer = epoch and (entry::jsonb ->> 'revision')::integer = revision)
);

-- What payees may have claimed in all after the claims entry at `position` (spec §9). Derivable from payouts and
-- registry, so only the newest entries' rows are kept.
create table settle.claim (
  network settle.identifier not null,
  position bigint not null,
  payee text collate "C" not null check (payee ~ '^0x[0-9a-f]+$' and octet_length(payee) = 42),
  entitlement settle.base_units not null,
  cumulative settle.base_units not null check (cumulative >= entitlement and cumulative > 0),
  primary key (network, position, payee)
);

-- Every mutation and every refusal, each row hashed with the one before it.
create table settle.audit_log (
  entry bigint primary key,
  at timestamptz not null,
  network text,
  actor text not null,
  action text not null,
  subject text not null,
  outcome text not null check (outcome in ('done', 'refused')),
  reason text not null,
  request_id text,
  detail jsonb not null,
  previous_hash settle.sha256_hex not null,
  hash settle.sha256_hex not null
);

-- Who asked for a run, written before it starts, so that whoever comes second can be told by whom.
create table settle.request (
  request_id text collate "C" primary key,
  network settle.identifier not null references settle.network,
  action text collate "C" not null,
  body jsonb not null,
  actor text not null,
  requested_at timestamptz not null default clock_timestamp()
);

create trigger refuse_change before update or delete or truncate on settle.chain_entry
  for each statement execute function settle.refuse_change();
create trigger refuse_change before update or delete or truncate on settle.result
  for each statement execute function settle.refuse_change();
create trigger refuse_change before update or delete or truncate on settle.computation
  for each statement execute function settle.refuse_change();
create trigger refuse_change before update or delete or truncate on settle.price
  for each statement execute function settle.refuse_change();
create trigger refuse_change before update or delete or truncate on settle.hold
  for each statement execute function settle.refuse_change();
create trigger refuse_change before update or delete or truncate on settle.hold_decision
  for each statement execute function settle.refuse_change();
create trigger refuse_change before update or delete or truncate on settle.epoch_failure
  for each statement execute function settle.refuse_change();
create trigger refuse_change before update or delete or truncate on settle.audit_log
  for each statement execute function settle.refuse_change();
create trigger refuse_change before update or delete or truncate on settle.request
  for each statement execute function settle.refuse_change();
create trigger refuse_change before update or truncate on settle.payout
  for each statement execute function settle.refuse_change();

-- Draft payouts may be written again by a retry, but never once they are checked: from then on their digest stands
-- in a result, and perhaps in the chain.
create function settle.refuse_checked_payouts() returns trigger language plpgsql as $$
begin
  if exists (select from (select distinct network, epoch, revision, computation from removed) r
               join settle.result using (network, epoch, revision, computation)) then
    raise exception 'payouts of a checked computation are append-only: % is refused', tg_op
      using errcode = 'object_not_in_prerequisite_state',
            hint = 'a published result is corrected by a dispute, which adds a revision';
  end if;
  return null;
end
$$;
create trigger refuse_checked_payouts after delete on settle.payout
  referencing old table as removed for each statement execute function settle.refuse_checked_payouts();

create function settle.refuse_late_payouts() returns trigger language plpgsql as $$
begin
  if exists (select from (select distinct network, epoch, revision, computation from added) r
               join settle.result using (network, epoch, revision, computation)) then
    raise exception 'payouts of a checked computation are append-only: % is refused', tg_op
      using errcode = 'object_not_in_prerequisite_state';
  end if;
  return null;
end
$$;
create trigger refuse_late_payouts after insert on settle.payout
  referencing new table as added for each statement execute function settle.refuse_late_payouts();

-- Down Migration
drop table settle.request, settle.audit_log, settle.claim, settle.chain_entry, settle.epoch_failure,
  settle.hold_decision, settle.hold, settle.result, settle.payout, settle.price, settle.computation;
drop function settle.refuse_checked_payouts, settle.refuse_late_payouts;
