import { randomUUID } from 'node:crypto';
import { join, resolve } from 'node:path';
import type { PoolClient } from 'pg';
import { ArchiveError } from '../archives/errors';
import { isArchive, type Manifest, type ReadManifest, readManifest } from '../archives/manifest';
import { archiveLines, requireManifest } from '../archives/read-archive';
import { ARCHIVE_TABLES, archiveName, RANGE_EPOCHS } from '../archives/tables';
import { writeArchive } from '../archives/write-archive';
import { rangeLines } from '../store/archive-rows';
import {
  archiveObstacles,
  archiveOf,
  archivePartition,
  networksOfRange,
  type Obstacle,
  publishedDigests,
  rangeBytes,
  releaseRangeLock,
  tryRangeLock,
} from '../store/archives';
import { appendAudit } from '../store/audit-log';
import { StoreError } from '../store/errors';
import { type Queryable, unchangingView, withClient } from '../store/pool';
import { requireRole, transactionAs } from '../store/rights';
import type { CommandContext } from './context';
import { CommandError } from './errors';
import { refusedOnRecord } from './refusals';
import type { EpochRange } from './run-epochs';

/** How a range of 256 epochs stands, and what was done with it. */
export interface RangeReport {
  readonly first: number;
  readonly last: number;
  /** `here`: nothing was done; `written`: the archive is complete, and the rows are here; `archived`: they are gone. */
  readonly state: 'here' | 'written' | 'archived' | 'empty';
  readonly networks: readonly string[];
  /** Of the partitions with their indexes; null: there are none. */
  readonly bytes: number | null;
  readonly obstacles: readonly Obstacle[];
  /** Where the archive is; null: it is not written, or was by another command. */
  readonly folder: string | null;
  readonly manifestHash: string | null;
}

export interface ArchiveWish {
  readonly range: EpochRange;
  readonly out: string;
  readonly reason: string;
  /** true: drop the rows once the archive is complete. */
  readonly detach: boolean;
  readonly requestId: string | null;
  /** Told before each range. */
  readonly progress?: (sentence: string) => void;
}

/**
 * First epochs of the ranges of 256 epochs that make up a range exactly.
 * @throws StoreError `ArchiveRefused`: it cuts one
 */
export function wholeRanges({ first, last }: EpochRange): readonly number[] {
  const low = first - (first % RANGE_EPOCHS);
  const high = last - (last % RANGE_EPOCHS) + RANGE_EPOCHS - 1;
  if (low !== first || high !== last) {
    throw new StoreError(
      'ArchiveRefused',
      `epochs are archived in whole ranges of ${RANGE_EPOCHS}, and ${first}..${last} cuts one\n  where: the ranges that it touches are ${low}..${high}\n  next:  ask for \`settle archive ${low}..${high}\``,
    );
  }
  return Array.from({ length: (high - low + 1) / RANGE_EPOCHS }, (_, index) => low + index * RANGE_EPOCHS);
}

/** How ranges stand and what keeps them from being archived. Changes nothing. */
export async function archivePlan(
  context: Pick<CommandContext, 'pool'>,
  range: EpochRange,
): Promise<readonly RangeReport[]> {
  const reports: RangeReport[] = [];
  for (const first of wholeRanges(range)) reports.push(await reportOf(context, first));
  return reports;
}

async function reportOf({ pool }: Pick<CommandContext, 'pool'>, first: number): Promise<RangeReport> {
  const archive = await archiveOf(pool, first);
  const bytes = await rangeBytes(pool, first);
  return {
    first,
    last: first + RANGE_EPOCHS - 1,
    state: archive !== null ? 'archived' : bytes === null ? 'empty' : 'here',
    networks: await networksOfRange(pool, first),
    bytes,
    obstacles: archive === null ? await archiveObstacles(pool, first) : [],
    folder: archive?.writtenTo ?? null,
    manifestHash: archive?.manifestHash ?? null,
  };
}

/**
 * Writes the archives of ranges of epochs and, if wanted, drops their rows. A range that is archived already is left as
 * it is, and an archive that is complete is not written again, so that the same command goes on where it ended.
 *
 * @throws StoreError `ArchiveRefused`, `RightMissing`, `TamperedRows`; ArchiveError
 * @throws CommandError `AlreadyRunning`
 */
export async function archiveEpochs(context: CommandContext, wish: ArchiveWish): Promise<readonly RangeReport[]> {
  await requireRole(context.pool, 'settle_operator');
  const requestId = wish.requestId ?? randomUUID();
  const reports: RangeReport[] = [];
  for (const first of wholeRanges(wish.range)) {
    reports.push(await alone(context, first, () => archiveRange(context, { ...wish, requestId }, first)));
  }
  return reports;
}

/** Runs `work` unless somebody else archives or brings back the same range. @throws CommandError `AlreadyRunning` */
export function alone<T>({ pool }: Pick<CommandContext, 'pool'>, first: number, work: () => Promise<T>): Promise<T> {
  return withClient(pool, async (client) => {
    if (!(await tryRangeLock(client, first))) {
      throw new CommandError(
        'AlreadyRunning',
        `epochs ${first} to ${first + RANGE_EPOCHS - 1} are being archived or brought back by somebody else: wait for that to end`,
      );
    }
    try {
      return await work();
    } finally {
      await releaseRangeLock(client, first).catch(() => undefined);
    }
  });
}

async function archiveRange(
  context: CommandContext,
  wish: ArchiveWish & { readonly requestId: string },
  first: number,
): Promise<RangeReport> {
  const before = await reportOf(context, first);
  if (before.state === 'archived') return before;
  const range = `epochs ${before.first}..${before.last}`;
  // The first stands for all: a refused attempt is one row.
  const [network = null] = before.networks;
  return refusedOnRecord(
    context,
    { network, action: 'partition-archive', subject: range, requestId: wish.requestId },
    async () => {
      requireNothingInTheWay(before);
      const folder = join(resolve(wish.out), archiveName(first));
      if (!(await isArchive(folder))) {
        wish.progress?.(`Writing ${folder} …`);
        await unchangingView(context.pool, (client) => written(client, resolve(wish.out), first));
      }
      wish.progress?.(`Reading ${folder} back …`);
      const read = await readBack(folder, first);
      await requirePublished(context.pool, read.manifest, folder);
      const done = { ...before, folder, manifestHash: read.hash };
      if (wish.detach) {
        wish.progress?.(`Dropping the rows of ${range} …`);
        await detach(context, wish, first, read.text, folder);
        return { ...done, state: 'archived', bytes: null };
      }
      await recordWritten(context, wish, before, read.hash, folder);
      return { ...done, state: 'written' };
    },
  );
}

function requireNothingInTheWay({ first, last, state, obstacles }: RangeReport): void {
  if (state === 'empty') {
    throw new StoreError('ArchiveRefused', `epochs ${first} to ${last} have no rows: there is nothing to archive`);
  }
  const [obstacle] = obstacles;
  if (obstacle === undefined) return;
  throw new StoreError(
    'ArchiveRefused',
    `epochs ${first} to ${last} cannot be archived: ${obstacleWords(obstacle)}\n  where: network ${obstacle.network}, epoch ${obstacle.epoch}; a range leaves for all networks of the database\n  next:  ${REMEDY[obstacle.obstacle](obstacle)}`,
  );
}

const WORDS: Readonly<Record<Obstacle['obstacle'], string>> = {
  open: 'is not closed yet',
  unproved: 'is published without its claims',
  held: 'is on hold',
  disputed: 'has an open dispute',
};

/** An obstacle as a clause. */
export const obstacleWords = ({ network, epoch, obstacle }: Obstacle): string =>
  `epoch ${epoch} of ${network} ${WORDS[obstacle]}`;

const REMEDY: Readonly<Record<Obstacle['obstacle'], (obstacle: Obstacle) => string>> = {
  open: ({ network, epoch }) =>
    `settle it (\`settle epoch run --network ${network}\`) or close it (\`settle epoch fail ${epoch} --network ${network}\`).`,
  unproved: ({ network, epoch }) => `\`settle epoch run ${epoch} --network ${network}\` makes them.`,
  held: ({ network, epoch }) => `decide with \`settle hold approve ${epoch} --network ${network}\`, or reject.`,
  disputed: ({ network }) => `\`settle dispute list --network ${network}\` has it: approve or reject it.`,
};

function written(client: PoolClient, out: string, first: number): Promise<string> {
  return writeArchive(out, first, (table) => rangeLines(client, table, first));
}

/** Everything in the files, against their manifest. @throws ArchiveError */
async function readBack(folder: string, first: number): Promise<ReadManifest> {
  const read = await readManifest(folder);
  if (read.manifest.first !== first) {
    throw new ArchiveError('archive-exists', {
      what: `The folder has the archive of epochs ${read.manifest.first} to ${read.manifest.last}.`,
      where: folder,
      todo: 'choose another folder with --out, or move it away.',
    });
  }
  for (const table of ARCHIVE_TABLES) {
    for await (const _ of archiveLines(folder, table, (found) => requireManifest(folder, read.manifest, table, found)));
  }
  return read;
}

/**
 * What was published of a range has the digests that its archive has.
 * @throws StoreError `TamperedRows`
 */
export async function requirePublished(db: Queryable, manifest: Manifest, folder: string): Promise<void> {
  const own = new Map<string, string>();
  for (const { table, network, epoch, published } of manifest.epochs) {
    for (const [part, digest] of Object.entries(published)) own.set(`${table} ${network} ${epoch} ${part}`, digest);
  }
  for (const { table, network, epoch, part, digest } of await publishedDigests(db, manifest.first)) {
    const found = own.get(`${table} ${network} ${epoch} ${part}`) ?? DIGEST_OF_NOTHING;
    if (found === digest) continue;
    throw new StoreError(
      'TamperedRows',
      `the ${table} rows of epoch ${epoch} of network ${network} (${part}) have the digest ${found}, published is ${digest}\n  where: ${folder}\n  next:  find out with \`settle audit ${epoch} --network ${network}\` before anything else; nothing was changed.`,
    );
  }
}

const DIGEST_OF_NOTHING = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';

async function detach(
  context: CommandContext,
  { reason, requestId }: ArchiveWish & { readonly requestId: string },
  first: number,
  manifest: string,
  folder: string,
): Promise<void> {
  await transactionAs(context.pool, 'settle_operator', (client) =>
    archivePartition(client, { first, actor: context.actor, reason, requestId }, manifest, folder),
  );
}

function recordWritten(
  context: CommandContext,
  { reason, requestId }: ArchiveWish & { readonly requestId: string },
  { first, last, networks }: RangeReport,
  manifestHash: string,
  folder: string,
): Promise<void> {
  return transactionAs(context.pool, 'settle_operator', async (client) => {
    for (const network of networks) {
      await appendAudit(client, {
        network,
        actor: context.actor,
        action: 'partition-export',
        subject: `epochs ${first}..${last}`,
        outcome: 'done',
        reason,
        requestId,
        detail: { manifest: manifestHash, writtenTo: folder },
      });
    }
  });
}
