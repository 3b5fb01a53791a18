import { randomUUID } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { Pool, PoolClient } from 'pg';
import { ArchiveError } from '../archives/errors';
import { isArchive, type ReadManifest, readManifest } from '../archives/manifest';
import { archiveLines, requireManifest } from '../archives/read-archive';
import { ARCHIVE_TABLES, type ArchiveTable } from '../archives/tables';
import { closeBrought, copyRange, type Destination, openBrought } from '../store/archive-rows';
import { archiveOf, attachPartition, openPartitionReturn } from '../store/archives';
import { StoreError } from '../store/errors';
import type { Queryable } from '../store/pool';
import { requireRole, transactionAs } from '../store/rights';
import { alone, requirePublished } from './archive-epochs';
import type { CommandContext } from './context';
import { refusedOnRecord } from './refusals';

export interface AttachWish {
  readonly folder: string;
  readonly reason: string;
  readonly requestId: string | null;
}

export interface AttachedRange {
  readonly first: number;
  readonly last: number;
  readonly rows: number;
  /** The rows were here already. */
  readonly already: boolean;
}

/**
 * Puts the rows of an archive back, every one of them or none. The files are held against the manifest that the database
 * kept and against what was published; the database does so again with the rows that arrived.
 *
 * @throws ArchiveError; StoreError `ArchiveRefused`, `RightMissing`, `TamperedRows`; CommandError `AlreadyRunning`
 */
export async function attachArchive(context: CommandContext, wish: AttachWish): Promise<AttachedRange> {
  const asked = { action: 'partition-return', requestId: wish.requestId };
  // By its folder as long as nobody knows what is in it.
  const read = await refusedOnRecord(context, { ...asked, network: null, subject: wish.folder }, async () => {
    await requireRole(context.pool, 'settle_operator');
    return readManifest(wish.folder);
  });
  const { first, last, epochs } = read.manifest;
  const [network = null] = epochs.map((epoch) => epoch.network);
  return alone(context, first, () =>
    refusedOnRecord(context, { ...asked, network, subject: `epochs ${first}..${last}` }, async () => {
      const rows = epochs.reduce((sum, epoch) => sum + epoch.rows, 0);
      if ((await archiveOf(context.pool, first)) === null) return { first, last, rows, already: true };
      await requireKnown(context.pool, read, wish.folder);
      await requirePublished(context.pool, read.manifest, wish.folder);
      await transactionAs(context.pool, 'settle_operator', async (client) => {
        await openPartitionReturn(client, first);
        await copyArchive(client, wish.folder, read, { kind: 'return', first }, () => true);
        const { reason, requestId } = wish;
        await attachPartition(client, { first, actor: context.actor, reason, requestId: requestId ?? randomUUID() });
      });
      return { first, last, rows, already: false };
    }),
  );
}

/** The manifest is the one that the rows left with. @throws ArchiveError `archive-altered`; StoreError `ArchiveRefused` */
async function requireKnown(db: Queryable, { manifest, hash }: ReadManifest, folder: string): Promise<void> {
  const archive = await archiveOf(db, manifest.first);
  if (archive === null) {
    throw new StoreError(
      'ArchiveRefused',
      `epochs ${manifest.first} to ${manifest.last} are not archived: their rows are in the database\n  where: ${folder}\n  next:  leave the archive away`,
    );
  }
  if (archive.manifestHash === hash) return;
  throw new ArchiveError('archive-altered', {
    what: `The manifest is not the one that epochs ${manifest.first} to ${manifest.last} left with: its SHA-256 is ${hash}, on record is ${archive.manifestHash}.`,
    where: join(folder, 'manifest.json'),
    todo: 'bring the folder as it was written: `settle archive list` says where that was.',
  });
}

type Chosen = (table: ArchiveTable, line: string) => boolean;

/** Copies the lines that are chosen; every one is read and checked. @throws ArchiveError */
async function copyArchive(
  client: PoolClient,
  folder: string,
  { manifest }: ReadManifest,
  to: Destination,
  chosen: Chosen,
): Promise<void> {
  for (const table of ARCHIVE_TABLES) {
    const lines = archiveLines(folder, table, (found) => requireManifest(folder, manifest, table, found));
    await copyRange(
      client,
      table,
      to,
      filtered(lines, (line) => chosen(table, line)),
    );
  }
}

async function* filtered(
  pieces: AsyncIterable<readonly string[]>,
  chosen: (line: string) => boolean,
): AsyncGenerator<readonly string[]> {
  for await (const piece of pieces) yield piece.filter(chosen);
}

/** Which rows of archives a reader needs. */
export interface BroughtScope {
  readonly network: string;
  readonly first: number;
  readonly last: number;
  /** true: the network's payouts of all epochs in the archives: claims and the ledger start before the epoch. */
  readonly allPayouts: boolean;
}

/**
 * Brings archives along for what is asked on this pool, which must have one connection: its rows are there until the
 * connection ends, and for nobody else. `folders` are archives, or folders with archives in them.
 *
 * @throws ArchiveError; StoreError `ArchiveRefused`, `TamperedRows`
 */
export async function bringArchives(pool: Pool, folders: readonly string[], scope: BroughtScope): Promise<void> {
  const firsts: number[] = [];
  const client = await pool.connect();
  try {
    await client.query('begin');
    await client.query('set local statement_timeout = 0');
    await openBrought(client);
    for (const folder of await archivesIn(folders)) {
      const read = await readManifest(folder);
      const { first, last } = read.manifest;
      if (firsts.includes(first)) continue;
      if (!scope.allPayouts && (first > scope.last || last < scope.first)) continue;
      await requireKnown(client, read, folder);
      await requirePublished(client, read.manifest, folder);
      await copyArchive(client, folder, read, { kind: 'session' }, chosenBy(scope));
      firsts.push(first);
    }
    await closeBrought(client, firsts);
    await client.query('commit');
  } catch (error) {
    await client.query('rollback').catch(() => undefined);
    throw error;
  } finally {
    client.release();
  }
}

function chosenBy({ network, first, last, allPayouts }: BroughtScope): Chosen {
  const start = `${network},`;
  return (table, line) => {
    if (!line.startsWith(start)) return false;
    if (table === 'payout' && allPayouts) return true;
    const epoch = Number(line.slice(start.length, line.indexOf(',', start.length)));
    return epoch >= first && epoch <= last;
  };
}

async function archivesIn(folders: readonly string[]): Promise<readonly string[]> {
  const found: string[] = [];
  for (const folder of folders.map((one) => resolve(one))) {
    if (await isArchive(folder)) found.push(folder);
    else found.push(...(await archivesBelow(folder)));
  }
  return found;
}

async function archivesBelow(folder: string): Promise<readonly string[]> {
  const entries = await readdir(folder, { withFileTypes: true });
  const names = entries.filter((entry) => entry.isDirectory() && /^epochs-[0-9]+-[0-9]+$/.test(entry.name));
  const found: string[] = [];
  for (const { name } of names) if (await isArchive(join(folder, name))) found.push(join(folder, name));
  if (found.length > 0) return found;
  throw new ArchiveError('archive-missing', {
    what: 'There is no archive in this folder.',
    where: folder,
    todo: 'name the folder of an archive, like epochs-0-255, or one that has such folders.',
  });
}
