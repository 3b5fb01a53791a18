-- Up Migration

-- A decision on a batch is bound to the lines that were decided on: SHA-256 over `provider,payee,amount\n` by provider
-- (src/ledger/lines-digest.ts). The wallet gets no others.
alter table settle.payment_decision add column lines_digest settle.sha256_hex;

-- Decisions of before this migration are bound to the lines that are there now.
alter table settle.payment_decision disable trigger refuse_change;
update settle.payment_decision d set lines_digest = (
  select encode(sha256(convert_to(coalesce(string_agg(
    l.provider || ',' || l.payee || ',' || l.amount::text || E'\n', '' order by l.provider), ''), 'UTF8')), 'hex')
  from settle.payment_line l where (l.network, l.batch) = (d.network, d.batch));
alter table settle.payment_decision enable trigger refuse_change;
alter table settle.payment_decision alter column lines_digest set not null;

-- Down Migration
alter table settle.payment_decision drop column lines_digest;
