import type { Command } from 'commander';
import type { LoopAnswer } from '../../workflows/messages';
import { type EpochRange, rangeArgument, reasonArgument } from './arguments';
import { CommandEnds, UsageError } from './errors';
import { EXIT } from './exit-codes';
import { counted, rangeText } from './figures';
import { group, networkOption, requestIdOption } from './groups';
import type { Io } from './io';
import { requireHeadsOf, withWorkflows } from './open';
import { watched } from './progress';
import type { WorkflowSession } from './session';
import { networkWords } from './summary';

/** `settle epoch run|fail`: what changes epochs; looking at them is in `read/`. */
export function register(program: Command, io: Io): void {
  const epochs = group(program, 'epoch');
  epochs
    .command('run')
    .description('settle a range of epochs in order; what is closed already is skipped')
    .argument('<epochs>', 'like 42 or 10..42', rangeArgument)
    .option('--again', 'settle one epoch again that failed: later ones keep what they were settled on, and are marked')
    .option('--reason <text>', 'for the record', reasonArgument)
    .addOption(requestIdOption())
    .addOption(networkOption())
    .action((range: EpochRange, options: RunOptions) =>
      withWorkflows(io, (session) =>
        options.again ? again(io, session, range, options) : run(io, session, range, options),
      ),
    );
  epochs
    .command('fail')
    .description('close open epochs on purpose, as failed(rejected): nobody is paid for them')
    .argument('<epochs>', 'like 42 or 10..42', rangeArgument)
    .requiredOption('--reason <text>', 'for the record', reasonArgument)
    .addOption(requestIdOption())
    .addOption(networkOption())
    .action((range: EpochRange, options: FailOptions) =>
      withWorkflows(io, (session) => fail(io, session, range, options)),
    );
}

interface RunOptions {
  readonly network: string;
  readonly again?: boolean;
  readonly reason?: string;
  readonly requestId?: string;
}

interface FailOptions {
  readonly network: string;
  readonly reason: string;
  readonly requestId?: string;
}

/** The reason on record where none was given. */
const UNASKED = 'asked for on the command line';

async function again(io: Io, session: WorkflowSession, range: EpochRange, options: RunOptions): Promise<void> {
  const { network, reason = UNASKED, requestId = null } = options;
  if (range.first !== range.last) throw new UsageError('One epoch at a time is settled again.');
  const { settleAgain } = await import('../commands/settle-again.js');
  const answer = await settleAgain(session, { network, epoch: range.first, reason, requestId });
  await tellRange(io, session, network, range);
  if (answer.kind === 'held') {
    io.say(`Epoch ${range.first} waits for a person: see \`settle hold list${networkWords(network)}\`.`);
    throw new CommandEnds(EXIT.approval);
  }
  if (answer.kind === 'failed')
    throw new CommandEnds(GUARDS.has(`failed(${answer.failure})`) ? EXIT.guard : EXIT.failed);
}

async function run(io: Io, session: WorkflowSession, range: EpochRange, options: RunOptions): Promise<void> {
  const { network, reason = UNASKED, requestId = null } = options;
  const { endLeftRuns } = await import('../commands/run-epochs.js');
  const { startRange } = await import('../commands/run-range.js');
  if (session.alone) await endLeftRuns(session, network);
  const { firstOpen: next, answer: end } = await startRange(session, { network, range, reason, requestId });
  const answer = await watched(io, session.pool, { network, ...range }, end());
  if (next > range.first) {
    const skipped = { first: range.first, last: Math.min(range.last, next - 1) };
    io.say(`Skipped ${rangeText(skipped.first, skipped.last)}: closed already.`);
  }
  const outcomes = await tellRange(io, session, network, range);
  const words = endOf(answer, network);
  if (words !== null) io.say(io.wordColors.yellow(words));
  const guard = outcomes.filter(({ epoch, outcome }) => epoch >= next && GUARDS.has(outcome));
  if (guard.length > 0) throw new CommandEnds(EXIT.guard);
  if (answer.reason === 'held') throw new CommandEnds(EXIT.approval);
  if (answer.reason !== 'finished') throw new CommandEnds(EXIT.failed);
}

const GUARDS: ReadonlySet<string> = new Set(
  ['conservation', 'price-bounds', 'multiplier-bounds', 'payees', 'snapshot', 'chain'].map((id) => `failed(${id})`),
);

interface Outcome {
  readonly epoch: number;
  readonly outcome: string;
}

/** What became of the epochs of a range. */
async function tellRange(
  io: Io,
  session: WorkflowSession,
  network: string,
  range: EpochRange,
): Promise<readonly Outcome[]> {
  const { epochOutcomes } = await import('../store/standing.js');
  const rows = await epochOutcomes(session.pool, network, range.first, range.last);
  io.sheet({
    columns: [
      { key: 'epoch', title: 'Epoch', type: 'count', value: (row) => row.epoch },
      { key: 'outcome', title: 'Outcome', type: 'id', value: (row) => row.outcome },
      { key: 'revision', title: 'Revision', type: 'count', value: (row) => row.revision },
      { key: 'sum', title: 'Paid (base units)', type: 'amount', value: (row) => row.sum },
      { key: 'content_digest', type: 'id', value: (row) => row.contentDigest },
      { key: 'head', title: 'Head', type: 'id', value: (row) => row.head, show: (row) => row.head?.slice(0, 16) ?? '' },
    ],
    rows,
    empty: 'No epoch of the range is closed or held.',
  });
  return rows;
}

/** What is left to say and to do where the loop did not come to the end of what was asked for. */
export function endOf({ reason, epoch }: LoopAnswer, network: string): string | null {
  const which = networkWords(network);
  if (reason === 'held') {
    return `Epoch ${epoch} waits for a person, and those after it wait for that: see \`settle hold list${which}\`.`;
  }
  if (reason === 'waiting') {
    return `Epoch ${epoch} waits for its inputs: load them with \`settle import DIR${which}\`, and it goes on by itself.`;
  }
  if (reason === 'not-yet') return `Epoch ${epoch} is not over yet: run it again when it is.`;
  if (reason === 'stalled') {
    return `Many epochs in a row had no inputs, so no more are closed unasked. Load them, or run \`settle epoch run ${epoch}${which}\`.`;
  }
  return reason === 'running' ? `Epoch ${epoch} is being settled by another run: ask again when it is through.` : null;
}

async function fail(
  io: Io,
  session: WorkflowSession,
  range: EpochRange,
  { network, reason, requestId }: FailOptions,
): Promise<void> {
  const { failEpochs } = await import('../commands/fail-epochs.js');
  await requireHeadsOf(session);
  const { closed, skipped } = await failEpochs(session, { network, range, reason, requestId: requestId ?? null });
  await tellRange(io, session, network, range);
  if (skipped > 0) io.say(`${counted(skipped, 'epoch was', 'epochs were')} closed already and stay as they are.`);
  if (closed !== null) io.say(`Closed ${rangeText(closed.first, closed.last)} as failed(rejected).`);
}
