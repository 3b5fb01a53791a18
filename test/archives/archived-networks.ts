import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { archiveEpochs, type RangeReport } from '../../src/commands/archive-epochs';
import type { TestDatabase } from '../harness/databases';
import { activitiesOn, settleEpochInProcess } from '../harness/in-process';
import { type BundleTexts, bundleTexts, makeNetworkOf, type NetworkKnobs } from '../harness/networks';
import { LENGTH_SECONDS, policyDocument } from '../harness/policy';

/** The first epoch of the networks here: their second range of 256 begins with their third epoch. */
export const FIRST = 254;

/** A small network whose epochs begin shortly before the end of a range of 256; nothing is settled yet. */
export async function networkAcross(
  database: TestDatabase,
  knobs: NetworkKnobs = {},
  name?: string,
  first = FIRST,
): Promise<string> {
  const all = { epochs: 6, providers: 4, ...knobs };
  const genesis = new Date(Date.parse('2020-05-01T00:00:00Z') - first * LENGTH_SECONDS * 1000);
  const policy = policyDocument({ ...all, genesis: genesis.toISOString().replace('.000Z', 'Z') });
  return makeNetworkOf(
    { pool: database.operator, actor: 'olivia' },
    shifted(bundleTexts(all), first),
    JSON.stringify(policy),
    { first, last: first + all.epochs - 1, holds: 'release' },
    name,
  );
}

/** The same rows so many epochs later. The genesis lies as much earlier, so that moments stay as they are. */
function shifted(texts: BundleTexts, by: number): BundleTexts {
  const later = (text: string) => text.replace(/^[0-9]+/gm, (epoch) => String(Number(epoch) + by));
  const tables = Object.entries(texts).map(([table, text]) => [
    table,
    table === 'providers' ? text.replace(/,0,active/g, `,${by},active`) : later(text),
  ]);
  return Object.fromEntries(tables) as BundleTexts;
}

export async function settleEpochs(
  database: TestDatabase,
  network: string,
  first: number,
  last: number,
): Promise<void> {
  const activities = await activitiesOn(database.worker);
  for (let epoch = first; epoch <= last; epoch += 1) await settleEpochInProcess(activities, { network, epoch });
}

/** Writes the archive of the first range and drops its rows. */
export async function archived(database: TestDatabase, out: string, first = 0): Promise<RangeReport> {
  const [report] = await archiveEpochs(
    { pool: database.operator, actor: 'olivia' },
    { range: { first, last: first + 255 }, out, reason: 'older than a year', detach: true, requestId: null },
  );
  return report!;
}

export async function withFolder<T>(work: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'settle-test-archive-'));
  try {
    return await work(folder);
  } finally {
    await rm(folder, { recursive: true });
  }
}
