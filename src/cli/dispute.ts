import { type Command, Option } from 'commander';
import type { DisputeRecord } from '../commands/open-dispute';
import type { DerivationKind, Dispute } from '../store/disputes';
import type { PayoutChange } from '../store/payout-changes';
import { countArgument, epochArgument, type RevisionArgument, reasonArgument, revisionArgument } from './arguments';
import { CommandEnds, UsageError } from './errors';
import { EXIT } from './exit-codes';
import { counted } from './figures';
import { group, networkOption, requestIdOption } from './groups';
import type { Io } from './io';
import { withDatabase, withWorkflows } from './open';
import { type Column, safeText } from './output';
import { snakeKeys } from './read/json-keys';
import {
  changeColumns,
  correctionLines,
  disputeFacts,
  disputeTitle,
  previewText,
  stateText,
  type TokenUnit,
} from './revision-text';
import type { WorkflowSession } from './session';

/** `settle dispute open|list|show|preview|approve|reject`. */
export function register(program: Command, io: Io): void {
  const disputes = group(program, 'dispute');
  registerOpen(disputes, io);
  disputes
    .command('list')
    .description('disputes of the network, or of one epoch')
    .argument('[epoch]', 'only of this epoch', epochArgument)
    .option('--open', 'only those that are not closed')
    .addOption(networkOption())
    .action((epoch: number | undefined, options: ListOptions) => list(io, epoch ?? null, options));
  for (const [name, what] of LOOKS) {
    disputes
      .command(name)
      .description(what)
      .argument('<epoch>', 'the disputed epoch', epochArgument)
      .argument('<dispute>', 'its number, as `settle dispute list` says', countArgument)
      .addOption(networkOption())
      .action((epoch: number, dispute: number, { network }: { network: string }) =>
        (name === 'show' ? show : preview)(io, { network, epoch, dispute }),
      );
  }
  for (const [verb, outcome, what] of VERBS) {
    disputes
      .command(verb)
      .description(what)
      .argument('<epoch>', 'the disputed epoch', epochArgument)
      .argument('<dispute>', 'its number', countArgument)
      .requiredOption('--reason <text>', 'for the record', reasonArgument)
      .option('--digest <hex>', 'the content digest that you looked at: refused if another one is proposed')
      .addOption(requestIdOption())
      .addOption(networkOption())
      .action((epoch: number, dispute: number, options: DecideOptions) =>
        decide(io, { epoch, dispute, outcome }, options),
      );
  }
}

function registerOpen(disputes: Command, io: Io): void {
  disputes
    .command('open')
    .description('correct rows of a published epoch: a second person approves the revision that they make')
    .argument('<epoch>', 'like 42, or 42@1 for the revision that you mean', revisionArgument)
    .requiredOption('--reason <text>', 'for the record', reasonArgument)
    .option('--corrections <dir>', 'bundle files with the rows to replace or add; withdraw/ with the keys to take away')
    .option('--late', 'also the rows of the epoch that arrived after it was sealed')
    .addOption(
      new Option('--derive <kind>', 'pinned keeps the prices, full derives them anew')
        .choices(['pinned', 'full'])
        .default('pinned'),
    )
    .addOption(requestIdOption())
    .addOption(networkOption())
    .action((epoch: RevisionArgument, options: OpenOptions) => open(io, epoch, options));
}

const LOOKS = [
  ['show', 'a dispute and the rows that it corrects'],
  ['preview', 'all that it would change: payouts, totals, guards, and what is built on the disputed revision'],
] as const;

const VERBS = [
  ['approve', 'approved', 'publish the revision that a dispute made'],
  ['reject', 'rejected', 'close a dispute: nothing is published'],
] as const;

interface ListOptions {
  readonly network: string;
  readonly open?: boolean;
}

interface OpenOptions {
  readonly network: string;
  readonly reason: string;
  readonly corrections?: string;
  readonly late?: boolean;
  readonly derive: DerivationKind;
  readonly requestId?: string;
}

interface DecideOptions {
  readonly network: string;
  readonly reason: string;
  readonly digest?: string;
  readonly requestId?: string;
}

interface Key {
  readonly network: string;
  readonly epoch: number;
  readonly dispute: number;
}

async function open(io: Io, { epoch, revision }: RevisionArgument, options: OpenOptions): Promise<void> {
  const { network, reason, derive } = options;
  if (options.corrections === undefined && !options.late) {
    throw new UsageError('A dispute needs rows: --corrections DIR, --late, or both.');
  }
  const { openDispute } = await import('../commands/run-dispute.js');
  await withWorkflows(io, async (session) => {
    const record = await openDispute(session, {
      network,
      epoch,
      revision,
      reason,
      derive,
      corrections: options.corrections ?? null,
      late: options.late === true,
      requestId: options.requestId ?? null,
    });
    sayOpened(io, record);
    await tell(io, session, record.key);
    if (record.dispute.state === 'failed') throw new CommandEnds(EXIT.guard);
  });
}

function sayOpened(io: Io, { key, already, unchanged, late, ignored }: DisputeRecord): void {
  io.say(already ? `Dispute ${key.dispute} was opened by this request before.` : `Dispute ${key.dispute} is open.`);
  if (unchanged) io.say(`${counted(unchanged, 'row is', 'rows are')} so already and left out.`);
  if (late !== null && late.taken > 0) io.say(`${counted(late.taken, 'late row')} taken along.`);
  if (late !== null && late.leftOut > 0) {
    io.say(`${counted(late.leftOut, 'late row')} of other tables left out: they need --derive full.`);
  }
  for (const name of ignored) io.say(`${safeText(name)} is no part of it and was not read.`);
}

async function list(io: Io, epoch: number | null, { network, open: openOnly }: ListOptions): Promise<void> {
  const { listDisputes } = await import('../store/disputes.js');
  const { getNetwork } = await import('../store/networks.js');
  await withDatabase(io, async ({ pool }) => {
    await getNetwork(pool, network);
    const rows = await listDisputes(pool, network, epoch, openOnly === true);
    io.sheet({
      columns: COLUMNS,
      rows,
      empty: `No dispute of ${network}${epoch === null ? '' : ` in epoch ${epoch}`}.`,
    });
  });
}

const COLUMNS: readonly Column<Dispute>[] = [
  { key: 'epoch', title: 'Epoch', type: 'count', value: (row) => row.epoch },
  { key: 'dispute', title: 'Dispute', type: 'count', value: (row) => row.dispute },
  { key: 'base_revision', title: 'On revision', type: 'count', value: (row) => row.baseRevision },
  { key: 'derive', title: 'Derive', type: 'id', value: (row) => row.derive },
  {
    key: 'state',
    title: 'State',
    type: 'id',
    value: (row) => row.state,
    show: (row, colors) => stateText(row.state, colors),
  },
  { key: 'revision', title: 'Made', type: 'count', value: (row) => row.revision },
  { key: 'opened_by', title: 'Opened by', type: 'text', value: (row) => row.openedBy },
  { key: 'opened_at', title: 'At', type: 'id', value: (row) => row.openedAt },
  { key: 'reason', title: 'Reason', type: 'text', value: (row) => row.reason },
  { key: 'decided_by', type: 'text', value: (row) => row.decidedBy },
  { key: 'decided_at', type: 'id', value: (row) => row.decidedAt },
  { key: 'decided_reason', type: 'text', value: (row) => row.decidedReason },
  { key: 'request_id', type: 'text', value: (row) => row.requestId },
];

async function show(io: Io, key: Key): Promise<void> {
  const { previewDispute } = await import('../queries/revision-changes.js');
  await withDatabase(io, async ({ pool }) => {
    const { dispute, counts, corrections, contentDigest } = await previewDispute(pool, key);
    const grounds = { dispute, counts, corrections };
    io.account({
      value: snakeKeys({ ...dispute, contentDigest, counts, corrections }),
      human: (colors) =>
        [disputeTitle(dispute, colors), ...disputeFacts(dispute), ...correctionLines(grounds, colors)].join('\n'),
    });
  });
}

/** Starts the run again where it was lost before anything was computed, or before the claims were there. */
async function preview(io: Io, key: Key): Promise<void> {
  const { computeDispute, isComputed } = await import('../commands/run-dispute.js');
  const { getDispute } = await import('../store/disputes.js');
  const told = await withDatabase(io, async (session) => {
    if (!(await isComputed(session, await getDispute(session.pool, key)))) return false;
    await tell(io, session, key);
    return true;
  });
  if (told) return;
  await withWorkflows(io, async (session) => {
    await computeDispute(session, key);
    await tell(io, session, key);
  });
}

/** The whole preview: for people the largest changes, as data every changed payout. */
async function tell(io: Io, { pool }: Pick<WorkflowSession, 'pool'>, key: Key): Promise<void> {
  const { eachPayoutChange, previewDispute } = await import('../queries/revision-changes.js');
  const { readPolicy } = await import('../queries/policies.js');
  const found = await previewDispute(pool, key);
  const { changes } = found;
  const token: TokenUnit =
    changes === null ? { symbol: '', decimals: 0 } : (await readPolicy(pool, changes.contentAfter.policyHash)).token;
  const payouts: PayoutChange[] = [];
  if (io.format !== 'table' && changes !== null) {
    for await (const one of eachPayoutChange({ db: pool, ...changes })) payouts.push(one);
  }
  if (io.format === 'csv' || io.format === 'jsonl') {
    io.sheet({ columns: changeColumns(token), rows: payouts, empty: '' });
    return;
  }
  io.account({
    value: snakeKeys({ ...found, changes: changes === null ? null : { ...changes, payouts } }),
    human: (colors) => previewText(found, token, io.width, colors),
  });
}

async function decide(
  io: Io,
  which: { readonly epoch: number; readonly dispute: number; readonly outcome: 'approved' | 'rejected' },
  { network, reason, digest, requestId }: DecideOptions,
): Promise<void> {
  const { decideOnDispute } = await import('../commands/run-dispute.js');
  const { findEntry } = await import('../store/chain.js');
  await withWorkflows(io, async (session) => {
    const asked = { network, reason, contentDigest: digest ?? null, requestId: requestId ?? null };
    const dispute = await decideOnDispute(session, { ...which, ...asked });
    const { revision } = dispute;
    const claims = revision === null ? null : await findEntry(session.pool, network, which.epoch, revision, 'claims');
    io.account({
      value: {
        network,
        epoch: dispute.epoch,
        dispute: dispute.dispute,
        decision: which.outcome,
        state: dispute.state,
        revision,
        content_digest: dispute.decidedDigest,
        actor: session.actor,
        head: claims?.head ?? null,
      },
      human: (colors) =>
        `${disputeTitle(dispute, colors)}${revision === null ? '' : `, revision ${revision}, head ${claims?.head}`}.`,
    });
    if (dispute.state === 'open') {
      io.say(`${safeText(dispute.decidedReason ?? '')}: look at its preview again, and approve that.`);
      throw new CommandEnds(EXIT.approval);
    }
    if (dispute.state === 'failed') throw new CommandEnds(EXIT.guard);
    if (dispute.state === 'stale') throw new CommandEnds(EXIT.already);
  });
}
