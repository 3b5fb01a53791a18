import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Pool } from 'pg';
import type { Activities } from '../../activities';
import type { Checked, ComputationRef, DisputePublished } from '../../activities/contracts';
import { type DisputeRecord, type NewDispute, recordDispute } from '../../src/commands/open-dispute';
import { recordDisputeDecision } from '../../src/commands/run-dispute';
import type { DisputeKey } from '../../src/store/disputes';
import type { TestDatabase } from '../harness/databases';
import { rewardAll } from '../harness/in-process';

/** Files of a corrections folder by name; `withdraw/capacity.csv` for rows to take away. */
export type CorrectionFiles = Readonly<Record<string, string>>;

export const HEADERS = {
  providers: 'provider,joined_epoch,status,payee',
  capacity: 'epoch,provider,market,offered,served',
  performance: 'epoch,provider,uptime,response_ms,error_rate,rating',
  demand: 'epoch,market,requested',
  quotes: 'epoch,market,source,usd_per_unit',
  token: 'epoch,source,observed_at,price_usd,volume_usd',
  macro: 'epoch,index',
} as const;

export const WITHDRAWN = {
  capacity: 'epoch,provider,market',
  performance: 'epoch,provider',
  demand: 'epoch,market',
  quotes: 'epoch,market,source,usd_per_unit',
  token: 'epoch,source,observed_at',
  macro: 'epoch',
} as const;

/** A corrections file with its header: `rows('capacity', '1,p0,gpu,10,9')`. */
export function rows(table: keyof typeof HEADERS, ...lines: readonly string[]): CorrectionFiles {
  return { [`${table}.csv`]: [HEADERS[table], ...lines].map((line) => `${line}\n`).join('') };
}

export function withdrawn(table: keyof typeof WITHDRAWN, ...lines: readonly string[]): CorrectionFiles {
  return { [`withdraw/${table}.csv`]: [WITHDRAWN[table], ...lines].map((line) => `${line}\n`).join('') };
}

/** Writes a corrections folder, lends it to `work`, and removes it. */
export async function withCorrections<T>(files: CorrectionFiles, work: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'settle-test-corrections-'));
  try {
    if (Object.keys(files).some((name) => name.startsWith('withdraw/'))) await mkdir(join(folder, 'withdraw'));
    await Promise.all(Object.entries(files).map(([name, text]) => writeFile(join(folder, name), text)));
    return await work(folder);
  } finally {
    await rm(folder, { recursive: true });
  }
}

export type DisputeKnobs = Partial<Omit<NewDispute, 'network' | 'epoch' | 'corrections'>> & { readonly actor?: string };

/** Records a dispute of those files; `null`: of the late rows alone. Nothing is computed yet. */
export async function opened(
  database: TestDatabase,
  network: string,
  epoch: number,
  files: CorrectionFiles | null,
  knobs: DisputeKnobs = {},
): Promise<DisputeRecord> {
  const { actor = 'olivia', ...wanted } = knobs;
  const record = (corrections: string | null) =>
    recordDispute(
      { pool: database.operator, actor },
      {
        network,
        epoch,
        corrections,
        revision: null,
        reason: 'a recording error',
        late: false,
        derive: 'pinned',
        requestId: null,
        ...wanted,
      },
    );
  return files === null ? record(null) : withCorrections(files, record);
}

export interface Computed {
  readonly key: ComputationRef;
  readonly checked: Checked;
}

/** The steps of a dispute's workflow up to the review. */
export async function computed(activities: Activities, ref: DisputeKey): Promise<Computed> {
  const corrected = await activities.correctSnapshot(ref);
  const derived = await activities.deriveDispute(ref, 'test');
  const sealed = { ...corrected, policyHash: '' };
  const cappedSum = derived.checked ? null : await rewardAll(activities, derived, sealed);
  return { key: derived.key, checked: await activities.check(derived.key, cappedSum, 'test') };
}

const approvers = new WeakMap<TestDatabase, Pool>();

/** A pool with the rights of those who decide. */
export function approver(database: TestDatabase): Pool {
  const known = approvers.get(database) ?? database.open('settle_approver' as never, 2);
  approvers.set(database, known);
  return known;
}

export function approved(database: TestDatabase, key: DisputeKey, actor = 'anton'): Promise<string | null> {
  const decision = { ...key, outcome: 'approved' as const, reason: 'looked at it', contentDigest: null };
  return recordDisputeDecision({ pool: approver(database), actor }, decision);
}

/** Publishes what was computed for an approved dispute, and its claims. */
export async function published(
  activities: Activities,
  ref: DisputeKey,
  { key, checked }: Computed,
): Promise<DisputePublished> {
  const answer = await activities.publishDispute(ref, key, checked.contentDigest);
  if (answer.kind === 'published') await activities.prove(key, 'test');
  return answer;
}

/** A whole dispute: opened, computed, approved by somebody else, published. Returns its computation. */
export async function corrected(
  database: TestDatabase,
  activities: Activities,
  network: string,
  epoch: number,
  files: CorrectionFiles | null,
  knobs: DisputeKnobs = {},
): Promise<Computed & { readonly dispute: DisputeKey }> {
  const { key } = await opened(database, network, epoch, files, knobs);
  const made = await computed(activities, key);
  await approved(database, key);
  const answer = await published(activities, key, made);
  if (answer.kind !== 'published') throw new Error(`the dispute is ${answer.kind}`);
  return { ...made, dispute: key };
}

export interface PayoutLine {
  readonly provider: string;
  readonly gross: string;
  readonly amount: string;
  readonly reason: string;
}

/** Payouts of a published revision by provider. */
export async function payoutsOf(
  database: TestDatabase,
  network: string,
  epoch: number,
  revision: number,
): Promise<readonly PayoutLine[]> {
  const found = await database.viewer.query<PayoutLine>(
    `select p.provider, p.gross::text, p.amount::text, p.reason from payout p
     join chain_entry c using (network, epoch, revision, computation)
     where c.kind = 'revision' and network = $1 and epoch = $2 and revision = $3 order by provider`,
    [network, epoch, revision],
  );
  return found.rows;
}

/** The published content of a revision. */
export async function contentOf(database: TestDatabase, network: string, epoch: number, revision: number) {
  const found = await database.viewer.query<{ content: string }>(
    `select r.content from result r join chain_entry c using (network, epoch, revision, computation)
     where c.kind = 'revision' and network = $1 and epoch = $2 and revision = $3`,
    [network, epoch, revision],
  );
  return JSON.parse(found.rows[0]!.content) as Record<string, string | number>;
}
