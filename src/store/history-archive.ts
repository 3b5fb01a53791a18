import { createHash } from 'node:crypto';
import { promisify } from 'node:util';
import { gunzip, gzip } from 'node:zlib';
import { appendAudit } from './audit-log';
import { StoreError } from './errors';
import type { Queryable } from './pool';

/** A workflow run that closed an epoch and whose history is not archived yet. */
export interface UnarchivedRun {
  readonly epoch: number;
  readonly workflowId: string;
  readonly runId: string;
}

/** The history of a run as JSON, and the workflow bundle that it names. */
export interface ArchivedRun {
  readonly workflowId: string;
  readonly runId: string;
  readonly sha256: string;
  readonly json: string;
  readonly bundleHash: string | null;
}

const zip = promisify(gzip);
const unzip = promisify(gunzip);

const sha256 = (text: string): string => createHash('sha256').update(text, 'utf8').digest('hex');

/** Runs that published a revision, by the audit log, newest first, and are not archived. */
export async function unarchivedRuns(db: Queryable, network: string, limit: number): Promise<readonly UnarchivedRun[]> {
  const found = await db.query<UnarchivedRun>(
    `select * from (
       select distinct on (a.detail ->> 'runId') substring(a.subject from '^epoch ([0-9]+)')::integer as epoch,
         a.detail ->> 'workflowId' as "workflowId", a.detail ->> 'runId' as "runId"
       from audit_log a
       where a.network = $1 and a.action = 'publish' and a.outcome = 'done' and a.actor = 'system' and not exists (
         select from history_archive h where h.network = $1 and h.run_id = a.detail ->> 'runId')
       order by a.detail ->> 'runId', a.entry desc) n
     order by epoch desc limit $2`,
    [network, limit],
  );
  return found.rows;
}

/** Keeps a history, and its hash in the audit log, in the caller's transaction. The same again changes nothing. */
export async function insertHistory(
  db: Queryable,
  network: string,
  run: UnarchivedRun,
  json: string,
  bundleHash: string | null,
): Promise<void> {
  const hash = sha256(json);
  const inserted = await db.query(
    `insert into history_archive (network, workflow_id, run_id, epoch, history_hash, history, bundle_hash)
     values ($1, $2, $3, $4, $5, $6, $7) on conflict do nothing`,
    [network, run.workflowId, run.runId, run.epoch, hash, await zip(json), bundleHash],
  );
  if (inserted.rowCount === 0) return;
  await appendAudit(db, {
    network,
    actor: 'system',
    action: 'archive',
    subject: `epoch ${run.epoch}`,
    outcome: 'done',
    reason: 'the run has ended',
    detail: { workflowId: run.workflowId, runId: run.runId, historyHash: hash, bundleHash },
  });
}

interface ArchiveRow {
  readonly workflowId: string;
  readonly runId: string;
  readonly sha256: string;
  readonly history: Buffer;
  readonly bundleHash: string | null;
}

/** The archived history of the run that published a revision, by the audit log; null: none is archived. */
export async function archivedRun(
  db: Queryable,
  network: string,
  epoch: number,
  revision: number,
): Promise<ArchivedRun | null> {
  const found = await db.query<ArchiveRow>(
    `select h.workflow_id as "workflowId", h.run_id as "runId", h.history_hash as sha256, h.history,
       h.bundle_hash as "bundleHash"
     from audit_log a join history_archive h on h.network = $1 and h.run_id = a.detail ->> 'runId'
     where a.network = $1 and a.action = 'publish' and a.outcome = 'done' and a.actor = 'system' and a.subject = $2
     order by a.entry desc limit 1`,
    [network, `epoch ${epoch} revision ${revision}`],
  );
  const row = found.rows[0];
  if (row === undefined) return null;
  const { history, ...named } = row;
  // What cannot be unpacked has no such hash either; the audit says so, with the row's name.
  return { ...named, json: await textOf(history, 'it').catch((error: Error) => error.message) };
}

/**
 * Keeps a workflow bundle under its hash, and that it is kept in the audit log, in the caller's transaction: one that
 * is deleted is missed. Returns the hash.
 */
export async function insertWorkflowBundle(db: Queryable, code: string): Promise<string> {
  const hash = sha256(code);
  const known = await db.query('select from workflow_bundle where bundle_hash = $1', [hash]);
  if (known.rowCount !== 0) return hash;
  const inserted = await db.query(
    'insert into workflow_bundle (bundle_hash, code) values ($1, $2) on conflict do nothing',
    [hash, await zip(code)],
  );
  if (inserted.rowCount === 0) return hash;
  await appendAudit(db, {
    network: null,
    actor: 'system',
    action: 'archive',
    subject: 'workflow bundle',
    outcome: 'done',
    reason: 'a worker runs it',
    detail: { bundleHash: hash },
  });
  return hash;
}

/** A stored workflow bundle; null: it is not here. @throws StoreError `TamperedRows` if it is not what its hash names */
export async function findWorkflowBundle(db: Queryable, bundleHash: string): Promise<string | null> {
  const found = await db.query<{ code: Buffer }>('select code from workflow_bundle where bundle_hash = $1', [
    bundleHash,
  ]);
  const row = found.rows[0];
  if (row === undefined) return null;
  const code = await textOf(row.code, `workflow bundle ${bundleHash}`);
  if (sha256(code) === bundleHash) return code;
  throw new StoreError('TamperedRows', `workflow bundle ${bundleHash} has the hash ${sha256(code)}`);
}

async function textOf(packed: Buffer, what: string): Promise<string> {
  try {
    return (await unzip(packed)).toString('utf8');
  } catch (error) {
    throw new StoreError('TamperedRows', `${what} cannot be unpacked: ${(error as Error).message}`);
  }
}
