import { createHash } from 'node:crypto';
import type { PoolClient } from 'pg';
import type { Dossier } from '../../src/audit/dossier';
import { SEALED_TABLES } from '../../src/audit/sealed-tables';
import { canonicalJson } from '../../src/proofs/canonical-json';
import { SNAPSHOT_TABLES } from '../../src/proofs/digests';
import { PAYOUTS_COLUMNS, PRICES_COLUMNS } from '../../src/rulesets/1/tables';
import type { Forged } from './forge';

/**
 * What adversaries 2 and 3 made of a dossier is written into the database, by a superuser whom neither trigger nor
 * check stops: rows, digests, and where they were written anew the chain's entries, the claims and the audit log.
 */
export async function writeForged(client: PoolClient, before: Dossier, forged: Forged): Promise<void> {
  const { network, epoch, revision, computation } = before;
  const ofEpoch = { network, epoch: String(epoch) };
  const ofRevision = { ...ofEpoch, revision: String(revision), computation: String(computation) };
  for (const table of SNAPSHOT_TABLES) {
    const { name, columns } = SEALED_TABLES[table];
    const where = table === 'providers' ? { network } : ofEpoch;
    await rewriteLines(client, name, columns, where, before.rows[table], forged.rows[table]);
  }
  await rewriteLines(client, 'price', PRICES_COLUMNS, ofRevision, before.prices, forged.prices);
  const payoutColumns = [...PAYOUTS_COLUMNS, 'multiplier'];
  await rewriteLines(client, 'payout', payoutColumns, ofRevision, before.payouts, forged.payouts);
  const { snapshot, header, result, approval } = forged;
  await set(client, 'snapshot', ofEpoch, {
    snapshot_digest: snapshot.snapshotDigest,
    table_digests: JSON.stringify(snapshot.tableDigests),
    row_counts: JSON.stringify(snapshot.rowCounts),
    facts: JSON.stringify(snapshot.facts),
    chunks: JSON.stringify(snapshot.chunks),
  });
  await set(client, 'computation', ofRevision, {
    snapshot_digest: header.snapshotDigest,
    history: JSON.stringify(header.history),
    history_digest: header.historyDigest,
    derivation: JSON.stringify(header.derivation),
  });
  await set(client, 'result', ofRevision, {
    content: result.content,
    content_digest: result.contentDigest,
    breakers: JSON.stringify(result.breakers),
    unallocated_reason: result.unallocatedReason,
  });
  await writeHold(client, ofRevision, approval.hold);
  await writeChain(client, before, forged);
  for (const { account, amount } of forged.postings) {
    await set(client, 'ledger_posting', { network, journal: `publication/${epoch}/${revision}`, account }, { amount });
  }
}

async function writeHold(client: PoolClient, of: Where, hold: Forged['approval']['hold']): Promise<void> {
  const key = Object.values(of);
  await client.query(
    'delete from settle.hold_decision where (network, epoch, revision, computation) = ($1, $2, $3, $4)',
    key,
  );
  await client.query('delete from settle.hold where (network, epoch, revision, computation) = ($1, $2, $3, $4)', key);
  if (hold === null) return;
  await client.query(
    `insert into settle.hold (network, epoch, revision, computation, content_digest, asked_by, deadline)
     values ($1, $2, $3, $4, $5, $6, now())`,
    [...key, hold.contentDigest, hold.askedBy],
  );
  await client.query('insert into settle.hold_decision values ($1, $2, $3, $4, $5, $6, $7, $8)', [
    ...key,
    ...[hold.decision, hold.decidedDigest, hold.decidedBy, hold.reason ?? ''],
  ]);
}

/** Entries that were written anew, the claims kept after them, and the audit log's word for their head. */
async function writeChain(client: PoolClient, before: Dossier, forged: Forged): Promise<void> {
  const { network, epoch, revision } = before;
  const last = forged.entries.at(-1);
  for (const [index, link] of forged.entries.entries()) {
    if (link.entry === before.entries[index]!.entry) continue;
    const { previousHead, ...content } = JSON.parse(link.entry) as Record<string, string>;
    await set(
      client,
      'chain_entry',
      { network, position: String(link.position) },
      {
        entry: link.entry,
        head: link.head,
        previous_head: previousHead,
        content_digest: createHash('sha256').update(canonicalJson(content)).digest('hex'),
      },
    );
  }
  if (last.head === before.entries.at(-1)!.head) return;
  await client.query('delete from settle.claim where network = $1 and position = $2', [network, last.position]);
  for (const [payee, entitlement, cumulative] of forged.claims.stored ?? []) {
    await client.query('insert into settle.claim values ($1, $2, $3, $4, $5)', [
      ...[network, last.position, payee, entitlement, cumulative],
    ]);
  }
  await client.query(
    `update settle.audit_log set detail = jsonb_set(detail, '{head}', to_jsonb($3::text))
     where network = $1 and action = 'publish' and subject = $2`,
    [network, `epoch ${epoch} revision ${revision}`, last.head],
  );
  await chainAuditLogAnew(client);
}

/** Every hash of the audit log again, from the first row on. */
async function chainAuditLogAnew(client: PoolClient): Promise<void> {
  await client.query(`do $$
    declare
      linked text := repeat('0', 64);
      one record;
    begin
      for one in select * from settle.audit_log order by entry loop
        update settle.audit_log set previous_hash = linked, hash = settle.audit_hash(one.entry, one.at, one.network,
          one.actor, one.action, one.subject, one.outcome, one.reason, one.request_id, one.detail, linked)
        where entry = one.entry returning hash into linked;
      end loop;
    end $$`);
}

type Where = Readonly<Record<string, string>>;

async function set(
  client: PoolClient,
  table: string,
  where: Where,
  values: Readonly<Record<string, unknown>>,
): Promise<void> {
  const types = await typesOf(client, table);
  const cast = (column: string, index: number) => `${column} = $${index}::text::${types.get(column)}`;
  const [columns, keys] = [Object.keys(values), Object.keys(where)];
  await client.query(
    `update settle.${table} set ${columns.map((column, index) => cast(column, index + 1)).join(', ')}
     where ${keys.map((column, index) => cast(column, columns.length + index + 1)).join(' and ')}`,
    [...Object.values(values), ...Object.values(where)],
  );
}

/** Lines that are another one now are updated, and lines that are gone deleted. */
async function rewriteLines(
  client: PoolClient,
  table: string,
  columns: readonly string[],
  where: Where,
  before: readonly string[],
  after: readonly string[],
): Promise<void> {
  const lost = before.filter((line) => !after.includes(line));
  const found = after.filter((line) => !before.includes(line));
  const types = await typesOf(client, table);
  const cells = (line: string) => line.split(',').map((cell) => (cell === '' ? null : cell));
  for (const [index, line] of lost.entries()) {
    const now = found[index];
    const keys = Object.keys(where);
    const matches = [...keys, ...columns].map(
      (column, at) => `${column} is not distinct from $${at + 1}::text::${types.get(column)}`,
    );
    const key = [...Object.values(where), ...cells(line)];
    const assignments = columns.map((column, at) => `${column} = $${key.length + at + 1}::text::${types.get(column)}`);
    const { rowCount } =
      now === undefined
        ? await client.query(`delete from settle.${table} where ${matches.join(' and ')}`, key)
        : await client.query(`update settle.${table} set ${assignments.join(', ')} where ${matches.join(' and ')}`, [
            ...key,
            ...cells(now),
          ]);
    if (rowCount !== 1) throw new Error(`${table} has ${rowCount} rows ${line}`);
  }
}

const types = new Map<string, ReadonlyMap<string, string>>();

async function typesOf(client: PoolClient, table: string): Promise<ReadonlyMap<string, string>> {
  const known = types.get(table);
  if (known !== undefined) return known;
  const { rows } = await client.query<{ column: string; type: string }>(
    `select attname as column, format_type(atttypid, atttypmod) as type from pg_attribute
     where attrelid = $1::regclass and attnum > 0 and not attisdropped`,
    [`settle.${table}`],
  );
  const found = new Map(rows.map(({ column, type }) => [column, type]));
  types.set(table, found);
  return found;
}

/** Checks go, as a superuser lets them: in the transaction that is rolled back. */
export async function dropChecks(client: PoolClient): Promise<void> {
  await client.query(`do $$
    declare one record;
    begin
      for one in select conrelid::regclass as owner, conname from pg_constraint
        where connamespace = 'settle'::regnamespace and contype in ('c', 'f') and conrelid <> 0 and coninhcount = 0 and conparentid = 0 loop
        execute format('alter table %s drop constraint if exists %I cascade', one.owner, one.conname);
      end loop;
    end $$`);
}
