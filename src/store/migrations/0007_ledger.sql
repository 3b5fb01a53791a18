-- Up Migration

-- The general ledger: double entry, append-only. The accounts are `emission` (what the network owes itself to have
-- issued: minus every pool), `treasury`, `providers` (the control account of all providers) and `paid` (what left by
-- confirmed payments). A provider's own postings are not copied here: they are its payout rows of published revisions
-- and its payment confirmations, and the control account must equal their sum (settle ledger check).
create table settle.ledger_posting (
  network settle.identifier not null references settle.network,
  journal text collate "C" not null, -- what was booked: publication/EPOCH/REVISION or confirmation/BATCH/NUMBER
  account text collate "C" not null check (account in ('emission', 'treasury', 'providers', 'paid')),
  amount settle.base_units not null, -- credit above zero, debit below
  booked_at timestamptz not null default clock_timestamp(),
  primary key (network, journal, account)
);

-- A journal that does not sum to zero cannot be booked, by whatever road it comes.
create function settle.refuse_unbalanced() returns trigger language plpgsql as $$
declare
  unbalanced record;
begin
  select p.network, p.journal, sum(p.amount) as rest into unbalanced
    from settle.ledger_posting p
    where (p.network, p.journal) in (select network, journal from added)
    group by p.network, p.journal having sum(p.amount) <> 0 limit 1;
  if found then
    raise exception 'journal % of network % does not balance: % is left over', unbalanced.journal, unbalanced.network, unbalanced.rest
      using errcode = 'integrity_constraint_violation';
  end if;
  return null;
end
$$;
create trigger refuse_unbalanced after insert on settle.ledger_posting
  referencing new table as added for each statement execute function settle.refuse_unbalanced();

-- Entitlements folded up to a chain position: what a provider was ever credited. Derivable from the payout rows; a
-- newer fold starts from an older one, so that reading balances never costs the whole past.
create table settle.entitlement_fold (
  network settle.identifier not null,
  position bigint not null,
  provider settle.identifier not null,
  entitlement settle.base_units not null,
  primary key (network, position, provider)
);

-- A batch of payments: what was due at a chain position, to whom. Paid only after a second person's approval.
create table settle.payment_batch (
  network settle.identifier not null references settle.network,
  batch integer not null check (batch >= 1),
  position bigint not null,
  minimum settle.base_units not null check (minimum >= 1),
  created_by text not null,
  request_id text collate "C" not null,
  created_at timestamptz not null default clock_timestamp(),
  primary key (network, batch),
  unique (request_id)
);

create table settle.payment_line (
  network settle.identifier not null,
  batch integer not null,
  provider settle.identifier not null,
  payee text collate "C" not null check (payee ~ '^0x[0-9a-f]+$' and octet_length(payee) = 42),
  amount settle.base_units not null check (amount > 0),
  primary key (network, batch, provider),
  foreign key (network, batch) references settle.payment_batch
);

create table settle.payment_decision (
  network settle.identifier not null,
  batch integer not null,
  decision text collate "C" not null check (decision in ('approved', 'rejected')),
  actor text not null,
  reason text not null,
  decided_at timestamptz not null default clock_timestamp(),
  primary key (network, batch),
  foreign key (network, batch) references settle.payment_batch
);

-- What a wallet did: one row for each (batch, provider, transaction reference). The row is the provider's posting.
create table settle.payment_confirmation (
  network settle.identifier not null,
  batch integer not null,
  provider settle.identifier not null,
  reference text collate "C" not null check (reference ~ '^[A-Za-z0-9._:-]{1,128}$'),
  amount settle.base_units not null check (amount > 0),
  journal text collate "C" not null,
  actor text not null,
  confirmed_at timestamptz not null default clock_timestamp(),
  primary key (network, batch, provider, reference),
  foreign key (network, batch, provider) references settle.payment_line
);

-- A line that will not be paid (any more): what of it is unconfirmed is due again.
create table settle.payment_failure (
  network settle.identifier not null,
  batch integer not null,
  provider settle.identifier not null,
  actor text not null,
  reason text not null,
  failed_at timestamptz not null default clock_timestamp(),
  primary key (network, batch, provider),
  foreign key (network, batch, provider) references settle.payment_line
);

do $$
declare
  t text;
begin
  foreach t in array array['ledger_posting', 'payment_batch', 'payment_line', 'payment_decision', 'payment_confirmation', 'payment_failure'] loop
    execute format('create trigger refuse_change before update or delete or truncate on settle.%I
                      for each statement execute function settle.refuse_change()', t);
  end loop;
end
$$;

grant select on settle.ledger_posting, settle.entitlement_fold, settle.payment_batch, settle.payment_line,
  settle.payment_decision, settle.payment_confirmation, settle.payment_failure to settle_worker, settle_operator, settle_viewer;
-- Publishing books; a person books confirmations. Neither can take a posting back.
grant insert on settle.ledger_posting to settle_worker, settle_operator;
grant insert on settle.entitlement_fold, settle.payment_batch, settle.payment_line, settle.payment_decision,
  settle.payment_confirmation, settle.payment_failure to settle_operator;
grant delete on settle.entitlement_fold to settle_operator;

-- Publications of before this migration are booked by it, so that the ledger is whole from the first entry.
insert into settle.ledger_posting (network, journal, account, amount)
select c.network, format('publication/%s/%s', c.epoch, c.revision), p.account, p.amount
from settle.chain_entry c
cross join lateral (values
  ('emission', -(c.entry::jsonb ->> 'pool')::numeric),
  ('treasury', (c.entry::jsonb ->> 'unallocated')::numeric),
  ('providers', (c.entry::jsonb ->> 'sum')::numeric)) p(account, amount)
where c.kind = 'revision' and c.revision = 1;

-- Down Migration
drop table settle.payment_failure, settle.payment_confirmation, settle.payment_decision, settle.payment_line,
  settle.payment_batch, settle.entitlement_fold, settle.ledger_posting;
drop function settle.refuse_unbalanced;
