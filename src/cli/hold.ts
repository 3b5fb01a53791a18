import type { Command } from 'commander';
import type { Hold } from '../store/holds';
import { epochArgument, reasonArgument } from './arguments';
import { group, networkOption, requestIdOption } from './groups';
import type { Io } from './io';
import { withDatabase, withWorkflows } from './open';
import type { Column } from './output';
import { breakerText, decideCommand, holdText } from './summary';

/** `settle hold list|approve|reject`. */
export function register(program: Command, io: Io): void {
  const holds = group(program, 'hold');
  holds
    .command('list')
    .description('epochs that wait for a person: what tripped, and the command that decides')
    .addOption(networkOption())
    .action(({ network }: { network: string }) => list(io, network));
  for (const [verb, outcome, what] of VERBS) {
    holds
      .command(verb)
      .description(what)
      .argument('<epoch>', 'the held epoch', epochArgument)
      .requiredOption('--reason <text>', 'for the record', reasonArgument)
      .option('--digest <hex>', 'the content digest that you looked at: refused if another one is held')
      .addOption(requestIdOption())
      .addOption(networkOption())
      .action((epoch: number, options: DecideOptions) => decide(io, epoch, outcome, options));
  }
}

const VERBS = [
  ['approve', 'approved', 'publish a held epoch as it was computed'],
  ['reject', 'rejected', 'close a held epoch as failed(rejected): nobody is paid for it'],
] as const;

interface DecideOptions {
  readonly network: string;
  readonly reason: string;
  readonly digest?: string;
  readonly requestId?: string;
}

async function list(io: Io, network: string): Promise<void> {
  const { openHolds } = await import('../store/holds.js');
  const { getNetwork } = await import('../store/networks.js');
  await withDatabase(io, async ({ pool }) => {
    await getNetwork(pool, network);
    const rows = await openHolds(pool, network);
    if (io.format === 'table' && rows.length > 0) {
      io.account({ value: rows, human: (colors) => rows.map((hold) => holdText(hold, colors, io.width)).join('\n\n') });
    } else {
      io.sheet({ columns: COLUMNS, rows, empty: `Nothing of ${network} is on hold.` });
    }
  });
}

const COLUMNS: readonly Column<Hold>[] = [
  { key: 'epoch', title: 'Epoch', type: 'count', value: (row) => row.epoch },
  { key: 'revision', title: 'Revision', type: 'count', value: (row) => row.revision },
  { key: 'breakers', title: 'Tripped', type: 'text', value: (row) => row.breakers.map(breakerText).join('; ') },
  { key: 'held_at', title: 'Since', type: 'id', value: (row) => row.heldAt },
  { key: 'deadline', title: 'Until', type: 'id', value: (row) => row.deadline },
  { key: 'asked_by', title: 'Asked by', type: 'text', value: (row) => row.askedBy },
  { key: 'content_digest', title: 'Content digest', type: 'id', value: (row) => row.contentDigest },
  { key: 'decide', type: 'text', value: (row) => decideCommand(row.network, row.epoch) },
];

async function decide(
  io: Io,
  epoch: number,
  outcome: 'approved' | 'rejected',
  { network, reason, digest, requestId }: DecideOptions,
): Promise<void> {
  const { decideHold } = await import('../commands/decide-hold.js');
  const { endLeftRuns } = await import('../commands/run-epochs.js');
  const { epochOutcomes, networkStanding } = await import('../store/standing.js');
  await withWorkflows(io, async (session) => {
    const contentDigest = digest ?? null;
    if (session.alone) await endLeftRuns(session, network);
    const decision = { network, epoch, outcome, reason, contentDigest, requestId: requestId ?? null };
    const hold = await decideHold(session, decision);
    const [found] = await epochOutcomes(session.pool, network, epoch, epoch);
    io.account({
      value: {
        network,
        epoch,
        decision: outcome,
        content_digest: hold.contentDigest,
        actor: session.actor,
        outcome: found?.outcome ?? 'open',
        head: found?.head ?? null,
      },
      human: (colors) =>
        `Epoch ${epoch} is ${colors.bold(found?.outcome ?? 'open')}${found?.head ? `, head ${found.head}` : ''}.`,
    });
    const { lastClosed } = await networkStanding(session.pool, network);
    if ((lastClosed ?? epoch) > epoch) io.say(`The epochs behind it were settled up to ${lastClosed}.`);
  });
}
