import { type Command, Help } from 'commander';
import type { RangeReport } from '../commands/archive-epochs';
import type { ArchivedRange } from '../store/archives';
import { type EpochRange, rangeArgument, reasonArgument, requestIdArgument } from './arguments';
import { UsageError } from './errors';
import type { Io } from './io';
import { withDatabase } from './open';
import type { Column } from './output';

interface ArchiveOptions {
  readonly out?: string;
  readonly reason?: string;
  readonly detach?: boolean;
  readonly requestId?: string;
}

/** `settle archive A..B|list|attach`: the rows of old epochs leave the database for files, and come back. */
export function register(program: Command, io: Io): void {
  const archive = program
    .command('archive')
    .description('move the rows of old epochs to files: look, write them with --out, free the space with --detach')
    .argument('<A..B>', 'whole ranges of 256 epochs, like 0..255', rangeArgument)
    .option('--out <dir>', 'write the archives below this folder; without it nothing is done but looked')
    .option('--reason <text>', 'why, for the record', reasonArgument)
    .option('--detach', 'once an archive is complete, drop its rows from the database')
    .option('--request-id <id>', 'under which id it goes on record', requestIdArgument)
    .action((range: EpochRange, options: ArchiveOptions) => run(io, range, options));
  const list = archive
    .command('list')
    .description('which epochs are archived, in which files')
    .action((_, command: Command) => listed(io, command.optsWithGlobals()));
  const attach = archive
    .command('attach')
    .description('put the rows of an archive back, for disputes and everything else; exit 5 if a file was altered')
    .argument('<dir>', 'the archive, like DIR/epochs-0-255')
    .action((folder: string, _, command: Command) => attached(io, folder, command.optsWithGlobals()));
  // The options of `archive` may stand after the words that follow it, so they are the same for all three; each shows
  // those that it has a use for.
  showOnly(list, program, []);
  showOnly(attach, program, ['--reason', '--request-id']);

  function showOnly(command: Command, root: Command, used: readonly string[]): void {
    const own = archive.options.filter(({ long }) => used.includes(long ?? ''));
    command.configureHelp({
      ...command.configureHelp(),
      visibleOptions: (one) => [...own, ...new Help().visibleOptions(one)],
      visibleGlobalOptions: () => [...root.options],
    });
  }
}

async function listed(io: Io, options: ArchiveOptions): Promise<void> {
  requireUnused(options, ['out', 'reason', 'detach', 'requestId']);
  await withDatabase(io, async ({ pool }) => {
    const { listArchives } = await import('../store/archives.js');
    io.sheet({ columns: LIST_COLUMNS, rows: await listArchives(pool), empty: 'Nothing is archived.' });
  });
}

async function attached(io: Io, folder: string, options: ArchiveOptions): Promise<void> {
  requireUnused(options, ['out', 'detach']);
  const { reason, requestId } = options;
  if (reason === undefined) throw new UsageError('--reason TEXT is missing: who reads the record later wants to know.');
  const { attachArchive } = await import('../commands/attach-archive.js');
  await withDatabase(io, async (session) => {
    const value = await attachArchive(session, { folder, reason, requestId: requestId ?? null });
    const { first, last, rows, already } = value;
    io.account({
      value,
      human: () =>
        already
          ? `Epochs ${first} to ${last} are in the database already; nothing was changed.`
          : `Epochs ${first} to ${last} are back: ${rows} rows, those that left.`,
    });
  });
}

function requireUnused(options: ArchiveOptions, names: readonly (keyof ArchiveOptions)[]): void {
  const used = names.find((name) => options[name] !== undefined);
  if (used === undefined) return;
  throw new UsageError(`--${used === 'requestId' ? 'request-id' : used} belongs to \`settle archive A..B\` alone.`);
}

async function run(io: Io, range: EpochRange, { out, reason, detach, requestId }: ArchiveOptions): Promise<void> {
  if (out === undefined && (reason !== undefined || detach === true))
    throw new UsageError('nothing is written without --out DIR; leave --reason and --detach away to look.');
  if (out !== undefined && reason === undefined)
    throw new UsageError('--out needs --reason TEXT: who reads the record later wants to know why.');
  const { archiveEpochs, archivePlan } = await import('../commands/archive-epochs.js');
  await withDatabase(io, async (session) => {
    const reports =
      out === undefined || reason === undefined
        ? await archivePlan(session, range)
        : await archiveEpochs(session, {
            range,
            out,
            reason,
            detach: detach === true,
            requestId: requestId ?? null,
            progress: (sentence) => io.say(io.wordColors.dim(sentence)),
          });
    io.sheet({ columns: REPORT_COLUMNS, rows: reports, empty: '' });
    sayNext(io, range, reports, out !== undefined);
  });
}

/** What a person would do next; the data has it all already. */
function sayNext(io: Io, { first, last }: EpochRange, reports: readonly RangeReport[], wrote: boolean): void {
  const say = (sentence: string) => io.say(io.wordColors.dim(sentence));
  if (reports.some(({ state }) => state === 'written'))
    say('The rows are in the database, too. The same command with --detach drops them.');
  else if (!wrote && reports.some(({ state, obstacles }) => state === 'here' && obstacles.length === 0))
    say(`Nothing was done. To archive: settle archive ${first}..${last} --out DIR --reason TEXT [--detach]`);
  else if (wrote && reports.some(({ state }) => state === 'archived'))
    say('Keep the folders in two places: without them these epochs cannot be audited or disputed again.');
}

function obstacleCell({ state, obstacles }: RangeReport): string | null {
  const [first] = obstacles;
  if (first === undefined || state === 'archived') return null;
  const more = obstacles.length === 1 ? '' : ` and ${obstacles.length - 1} more`;
  return `${first.network} ${first.epoch} ${first.obstacle}${more}`;
}

const REPORT_COLUMNS: readonly Column<RangeReport>[] = [
  { key: 'first', title: 'First', type: 'count', value: (r) => r.first },
  { key: 'last', title: 'Last', type: 'count', value: (r) => r.last },
  { key: 'state', title: 'State', type: 'id', value: (r) => r.state },
  { key: 'networks', title: 'Networks', type: 'text', value: (r) => r.networks.join(' ') },
  { key: 'bytes', title: 'Bytes', type: 'count', value: (r) => r.bytes },
  { key: 'obstacle', title: 'In the way', type: 'text', value: obstacleCell },
  { key: 'folder', title: 'Archive', type: 'text', value: (r) => r.folder },
  { key: 'manifest_sha256', type: 'id', value: (r) => r.manifestHash },
];

const LIST_COLUMNS: readonly Column<ArchivedRange>[] = [
  { key: 'first', title: 'First', type: 'count', value: (r) => r.first },
  { key: 'last', title: 'Last', type: 'count', value: (r) => r.last },
  { key: 'state', title: 'Rows', type: 'id', value: (r) => (r.returnedAt === null ? 'outside' : 'back') },
  { key: 'archived_at', title: 'Archived', type: 'id', value: (r) => r.archivedAt },
  { key: 'archived_by', title: 'By', type: 'text', value: (r) => r.archivedBy },
  { key: 'written_to', title: 'Written to', type: 'text', value: (r) => r.writtenTo },
  {
    key: 'manifest_sha256',
    title: 'SHA-256 of manifest.json',
    type: 'id',
    value: (r) => r.manifestHash,
    show: (r) => `${r.manifestHash.slice(0, 16)}…`,
  },
  { key: 'returned_at', type: 'id', value: (r) => r.returnedAt },
  { key: 'reason', title: 'Reason', type: 'text', value: (r) => r.reason },
  { key: 'manifest', type: 'text', value: (r) => r.manifest },
];
