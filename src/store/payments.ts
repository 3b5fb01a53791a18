import { StoreError } from './errors';
import type { Queryable } from './pool';

export interface PaymentBatch {
  readonly batch: number;
  readonly position: number;
  readonly minimum: string;
  readonly createdBy: string;
  readonly createdAt: string;
  readonly requestId: string;
  readonly decision: 'approved' | 'rejected' | null;
  readonly decidedBy: string | null;
  /** Digest of the lines that were decided on (src/ledger/lines-digest.ts). */
  readonly decidedDigest: string | null;
  readonly lines: number;
  /** Base units. */
  readonly total: string;
  readonly confirmed: string;
  readonly failedLines: number;
}

export interface PaymentLine {
  readonly provider: string;
  readonly payee: string;
  /** Base units. */
  readonly amount: string;
  readonly confirmed: string;
  readonly failed: boolean;
}

const BATCHES = `
  select b.batch, b.position, b.minimum::text, b.created_by as "createdBy",
    to_char(b.created_at, 'YYYY-MM-DD"T"HH24:MI:SS"Z"') as "createdAt", b.request_id as "requestId",
    d.decision, d.actor as "decidedBy", d.lines_digest as "decidedDigest",
    (select count(*) from payment_line l where l.network = b.network and l.batch = b.batch) as lines,
    (select coalesce(sum(amount), 0)::text from payment_line l where l.network = b.network and l.batch = b.batch) as total,
    (select coalesce(sum(amount), 0)::text from payment_confirmation c where c.network = b.network and c.batch = b.batch) as confirmed,
    (select count(*) from payment_failure f where f.network = b.network and f.batch = b.batch) as "failedLines"
  from payment_batch b left join payment_decision d using (network, batch)`;

export async function listBatches(db: Queryable, network: string): Promise<readonly PaymentBatch[]> {
  return (await db.query<PaymentBatch>(`${BATCHES} where b.network = $1 order by b.batch`, [network])).rows;
}

/** @throws StoreError BatchUnknown */
export async function getBatch(db: Queryable, network: string, batch: number): Promise<PaymentBatch> {
  const found = await db.query<PaymentBatch>(`${BATCHES} where b.network = $1 and b.batch = $2`, [network, batch]);
  if (found.rows[0] !== undefined) return found.rows[0];
  throw new StoreError('BatchUnknown', `network ${network} has no payment batch ${batch}: see \`settle payment list\``);
}

export async function findBatchOfRequest(db: Queryable, requestId: string): Promise<number | null> {
  const found = await db.query<{ batch: number }>('select batch from payment_batch where request_id = $1', [requestId]);
  return found.rows[0]?.batch ?? null;
}

/** Writes a batch with its lines, numbered after the last one. Under the network's lock. */
export async function insertBatch(
  db: Queryable,
  network: string,
  batch: {
    readonly position: number;
    readonly minimum: string;
    readonly createdBy: string;
    readonly requestId: string;
  },
  lines: readonly { readonly provider: string; readonly payee: string; readonly amount: string }[],
): Promise<number> {
  const inserted = await db.query<{ batch: number }>(
    `insert into payment_batch (network, batch, position, minimum, created_by, request_id)
     select $1::text, coalesce(max(batch), 0) + 1, $2::bigint, $3::numeric, $4::text, $5::text
     from payment_batch where network = $1::text
     returning batch`,
    [network, batch.position, batch.minimum, batch.createdBy, batch.requestId],
  );
  const number = inserted.rows[0]!.batch;
  await db.query(
    `insert into payment_line (network, batch, provider, payee, amount)
     select $1::text, $2::integer, l.* from unnest($3::text[], $4::text[], $5::numeric[]) l`,
    [network, number, lines.map((l) => l.provider), lines.map((l) => l.payee), lines.map((l) => l.amount)],
  );
  return number;
}

export async function paymentLines(db: Queryable, network: string, batch: number): Promise<readonly PaymentLine[]> {
  const found = await db.query<PaymentLine>(
    `select l.provider, l.payee, l.amount::text, coalesce(c.amount, 0)::text as confirmed, f.provider is not null as failed
     from payment_line l
     left join (select batch, provider, sum(amount) as amount from payment_confirmation
                where network = $1 and batch = $2 group by batch, provider) c using (batch, provider)
     left join payment_failure f on f.network = l.network and f.batch = l.batch and f.provider = l.provider
     where l.network = $1 and l.batch = $2 order by l.provider`,
    [network, batch],
  );
  return found.rows;
}

/** Records the decision on a batch; false if there is one already: the first one stands. */
export async function insertPaymentDecision(
  db: Queryable,
  network: string,
  batch: number,
  decision: {
    readonly outcome: 'approved' | 'rejected';
    readonly actor: string;
    readonly reason: string;
    readonly linesDigest: string;
  },
): Promise<boolean> {
  const inserted = await db.query(
    `insert into payment_decision (network, batch, decision, actor, reason, lines_digest) values ($1, $2, $3, $4, $5, $6)
     on conflict do nothing`,
    [network, batch, decision.outcome, decision.actor, decision.reason, decision.linesDigest],
  );
  return inserted.rowCount === 1;
}

export interface Confirmation {
  readonly provider: string;
  readonly reference: string;
  /** Base units. */
  readonly amount: string;
}

/** What is booked of a batch. */
export async function batchConfirmations(
  db: Queryable,
  network: string,
  batch: number,
): Promise<readonly Confirmation[]> {
  const found = await db.query<Confirmation>(
    `select provider, reference, amount::text from payment_confirmation where network = $1 and batch = $2
     order by provider, reference`,
    [network, batch],
  );
  return found.rows;
}

/** A confirmation that another request booked for the same provider under one of these references, if any. */
export async function bookedElsewhere(
  db: Queryable,
  network: string,
  requestId: string,
  confirmations: readonly Confirmation[],
): Promise<(Confirmation & { readonly batch: number }) | null> {
  const found = await db.query<Confirmation & { readonly batch: number }>(
    `select c.batch, c.provider, c.reference, c.amount::text from payment_confirmation c
     join unnest($3::text[], $4::text[]) said(provider, reference)
       on said.provider = c.provider and said.reference = c.reference
     where c.network = $1 and c.request_id is distinct from $2 order by c.batch, c.provider, c.reference limit 1`,
    [network, requestId, confirmations.map((one) => one.provider), confirmations.map((one) => one.reference)],
  );
  return found.rows[0] ?? null;
}

/** What a request booked: how many confirmations, and their sum in base units. */
export async function bookedByRequest(
  db: Queryable,
  requestId: string,
): Promise<{ readonly booked: number; readonly amount: string }> {
  const found = await db.query<{ booked: number; amount: string }>(
    `select count(*) as booked, coalesce(sum(amount), 0)::text as amount from payment_confirmation where request_id = $1`,
    [requestId],
  );
  return found.rows[0]!;
}

/**
 * Writes confirmations, but for those whose reference is booked for the same provider already, in whatever batch and by
 * whoever commits first; returns how many it wrote.
 */
export async function insertConfirmations(
  db: Queryable,
  network: string,
  batch: number,
  by: {
    readonly journal: string;
    readonly actor: string;
    readonly requestId: string;
    readonly lateReason: string | null;
  },
  confirmations: readonly Confirmation[],
): Promise<number> {
  const inserted = await db.query(
    `insert into payment_confirmation (network, batch, journal, actor, request_id, late_reason, provider, reference, amount)
     select $1::text, $2::integer, $3::text, $4::text, $5::text, $6::text, c.*
     from unnest($7::text[], $8::text[], $9::numeric[]) c
     on conflict (network, provider, reference) do nothing`,
    [
      network,
      batch,
      by.journal,
      by.actor,
      by.requestId,
      by.lateReason,
      confirmations.map((one) => one.provider),
      confirmations.map((one) => one.reference),
      confirmations.map((one) => one.amount),
    ],
  );
  return inserted.rowCount ?? 0;
}

/** How many journals of confirmations a batch has: the next one's number is one more. */
export async function confirmationJournals(db: Queryable, network: string, batch: number): Promise<number> {
  const found = await db.query<{ n: number }>(
    'select count(distinct journal) as n from payment_confirmation where network = $1 and batch = $2',
    [network, batch],
  );
  return found.rows[0]!.n;
}

export async function insertPaymentFailure(
  db: Queryable,
  network: string,
  batch: number,
  failure: { readonly provider: string; readonly actor: string; readonly reason: string },
): Promise<boolean> {
  const inserted = await db.query(
    `insert into payment_failure (network, batch, provider, actor, reason) values ($1, $2, $3, $4, $5)
     on conflict do nothing`,
    [network, batch, failure.provider, failure.actor, failure.reason],
  );
  return inserted.rowCount === 1;
}

/** A line of which something is still to be paid. */
export interface OpenLine {
  readonly batch: number;
  readonly provider: string;
  /** What is unconfirmed of it, in base units. */
  readonly open: string;
  /** Whether its batch is approved; false: it waits for a decision. */
  readonly approved: boolean;
}

/** Lines of these providers that are neither rejected, given up nor confirmed in full, by provider and batch. */
export async function openLines(
  db: Queryable,
  network: string,
  providers: readonly string[],
): Promise<readonly OpenLine[]> {
  const found = await db.query<OpenLine>(
    `select l.batch, l.provider, (l.amount - coalesce(c.amount, 0))::text as open, d.decision is not null as approved
     from payment_line l
     left join (select batch, provider, sum(amount) as amount from payment_confirmation
                where network = $1 and provider = any($2::text[]) group by batch, provider) c using (batch, provider)
     left join payment_decision d on d.network = l.network and d.batch = l.batch
     where l.network = $1 and l.provider = any($2::text[]) and l.amount > coalesce(c.amount, 0)
       and d.decision is distinct from 'rejected'
       and not exists (select from payment_failure f where (f.network, f.batch, f.provider) = (l.network, l.batch, l.provider))
     order by l.provider, l.batch`,
    [network, providers],
  );
  return found.rows;
}

/** What is confirmed of the lines of a network, for the ledger's check. Sums in base units. */
export interface ConfirmedLines {
  readonly lines: number;
  /** Confirmations of lines that were given up before. */
  readonly late: number;
  readonly lateAmount: string;
  /** The first line that is confirmed and not approved, confirmed beyond its amount, or late without being given up. */
  readonly wrong: { readonly batch: number; readonly provider: string } | null;
}

export async function confirmedLines(db: Queryable, network: string): Promise<ConfirmedLines> {
  const found = await db.query<ConfirmedLines>(
    `with confirmed as (
       select batch, provider, sum(amount) as amount, count(late_reason) as late,
         sum(amount) filter (where late_reason is not null) as late_amount
       from payment_confirmation where network = $1 group by batch, provider),
     lines as (
       select l.batch, l.provider, c.late, c.late_amount, c.amount is not null and (c.amount > l.amount
         or not exists (select from payment_decision d where d.network = $1 and d.batch = l.batch and d.decision = 'approved')
         or c.late > 0 and not exists (
           select from payment_failure f where f.network = $1 and f.batch = l.batch and f.provider = l.provider)) as wrong
       from payment_line l left join confirmed c using (batch, provider) where l.network = $1)
     select count(*)::integer as lines, coalesce(sum(late), 0)::integer as late,
       coalesce(sum(late_amount), 0)::text as "lateAmount",
       (select json_build_object('batch', batch, 'provider', provider) from lines where wrong
        order by batch, provider limit 1) as wrong
     from lines`,
    [network],
  );
  return found.rows[0]!;
}

/** Sum of all confirmations of a network, for the control account's check. */
export async function confirmedTotal(db: Queryable, network: string): Promise<string> {
  const found = await db.query<{ total: string }>(
    'select coalesce(sum(amount), 0)::text as total from payment_confirmation where network = $1',
    [network],
  );
  return found.rows[0]!.total;
}
