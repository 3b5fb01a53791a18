-- Up Migration

-- A transfer to a provider settles one line: the same reference under two batches would book money twice that left once.
-- One transfer may pay many providers, and another network's wallet may count its references as it likes.
create unique index payment_confirmation_one_transfer on settle.payment_confirmation (network, provider, reference);

-- Down Migration
drop index settle.payment_confirmation_one_transfer;
