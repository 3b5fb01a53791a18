import { join } from 'node:path';
import type { LoopAnswer } from '../../../workflows/messages';
import { readPolicyFile } from '../../commands/create-network';
import { exportEpochs } from '../../commands/export-epochs';
import { type ImportReport, importBundle } from '../../commands/import-bundle';
import { endLeftRuns, settleBehind } from '../../commands/run-epochs';
import { SPECIFIED_EXPORTS } from '../../exports/tables';
import { networkSummary } from '../../queries/network-summary';
import { projectRoot } from '../../stack/home';
import { temporaryHome } from '../../stack/temporary-home';
import { getNetwork, type Network } from '../../store/networks';
import { networkStanding } from '../../store/standing';
import { endOf } from '../epoch';
import { counted, rangeText } from '../figures';
import type { Io } from '../io';
import { lossOfServers, sessionOptions, unlessAborted, untilAborted } from '../open';
import { watched } from '../progress';
import { openWorkflowSession, type SessionOptions, type WorkflowSession } from '../session';
import type { StartPlan } from '../start';
import { outcomeText, summaryAccount } from '../summary';

/** The sample of the project, settled where nothing else is asked for. */
const SAMPLE = { folder: join('samples', 'swarm-week'), policyFile: join('policies', 'swarm-default.yaml') };

/** Opens a stack of its own, loads the bundle, settles what is due, reports, and stays up unless told otherwise. */
export async function startAndSettle(io: Io, plan: StartPlan): Promise<void> {
  // Read before anything is started: a policy with a mistake should not cost a start.
  const source = plan.bundle ?? sampleIn(projectRoot());
  const policy = await readPolicyFile(source.policyFile);
  const home = plan.bundle === null ? null : await temporaryHome({ log: io.log });
  const loss = lossOfServers();
  try {
    const session = await openWorkflowSession({ ...startOptions(io, home?.folder ?? null), onLost: loss.report });
    try {
      const work = settle(io, session, plan, source.folder, policy);
      await unlessAborted(io.signal, Promise.race([work, loss.promise]));
      if (!plan.once) await stayUp(io, session, home?.folder ?? null, loss.promise);
    } finally {
      await session.close();
    }
  } finally {
    await home?.remove();
  }
}

function sampleIn(root: string): { readonly folder: string; readonly policyFile: string } {
  return { folder: join(root, SAMPLE.folder), policyFile: join(root, SAMPLE.policyFile) };
}

function startOptions(io: Io, throwAway: string | null): SessionOptions {
  const options = { ...sessionOptions(io), join: false };
  if (throwAway === null) return { ...options, env: io.env };
  // A trial must never reach the services that the environment names.
  const external = /^(DATABASE_URL|TEMPORAL_)/;
  const env = Object.fromEntries(Object.entries(io.env).filter(([name]) => !external.test(name)));
  return { ...options, home: throwAway, durable: false, env };
}

async function settle(
  io: Io,
  session: WorkflowSession,
  plan: StartPlan,
  folder: string,
  policy: Awaited<ReturnType<typeof readPolicyFile>>,
): Promise<void> {
  const report = await importBundle(session, folder, {
    network: plan.network,
    dryRun: false,
    outsideCalendar: plan.epochs === null ? 'refuse' : 'skip',
    signal: io.signal,
    create: { policy, epochs: plan.epochs, holds: plan.holds },
  });
  const network = await getNetwork(session.pool, plan.network);
  io.log(`loaded ${folder}`);
  tellImport(io, report, network);
  await tellClosed(io, session, network);
  const last = network.lastEpoch ?? network.firstEpoch;
  const range = { network: plan.network, first: network.firstEpoch, last };
  // A range, not "whatever is due": epochs without inputs are no reason to stop where all inputs are there.
  if (session.alone) await endLeftRuns(session, plan.network);
  const settled = settleBehind(session, { network: plan.network, range, askedBy: 'system' });
  const answer = await watched(io, session.pool, range, settled);
  if (plan.out !== null) await writeOut(io, session, plan);
  await tell(io, session, plan, answer);
}

function tellImport(io: Io, report: ImportReport, network: Network): void {
  const counts = Object.values(report.counts);
  const added = counts.reduce((sum, one) => sum + one.added, 0);
  const outside = counts.reduce((sum, one) => sum + one.outside, 0);
  const span = rangeText(network.firstEpoch, network.lastEpoch ?? network.firstEpoch);
  const what = added === 0 ? 'every row was loaded before' : `${counted(added, 'row')} loaded`;
  io.say(`Network ${network.network}, epochs ${span}: ${what}.`);
  if (outside > 0) io.say(`${counted(outside, 'row')} of other epochs were skipped.`);
  if (report.ignored.length > 0) io.say(`Not part of a bundle, and not read: ${report.ignored.join(', ')}.`);
}

/** A second start goes on where the first one was. */
async function tellClosed(io: Io, session: WorkflowSession, network: Network): Promise<void> {
  const { lastClosed } = await networkStanding(session.pool, network.network);
  if (lastClosed === null) return;
  const skipped = rangeText(network.firstEpoch, lastClosed);
  const next = lastClosed === network.lastEpoch ? 'nothing is left to settle' : `going on with ${lastClosed + 1}`;
  io.say(`Epochs ${skipped} are closed already and are skipped; ${next}.`);
}

async function writeOut(io: Io, session: WorkflowSession, plan: StartPlan): Promise<void> {
  const options = { format: 'csv', force: plan.force } as const;
  for (const { path, rows } of await exportEpochs(
    session,
    plan.network,
    null,
    plan.out ?? '',
    options,
    SPECIFIED_EXPORTS,
  )) {
    io.say(`Wrote ${path} (${counted(rows, 'row')}).`);
  }
}

async function tell(io: Io, session: WorkflowSession, plan: StartPlan, answer: LoopAnswer): Promise<void> {
  const summary = await networkSummary(session.pool, plan.network);
  const { wordColors } = io;
  const account = summaryAccount(summary, io.width);
  io.account(account);
  // Where the data goes to a file or a pipe that nobody formatted for, a person still reads along.
  if (io.format !== 'table' && !io.formatNamed) io.say(`\n${account.human(wordColors)}\n`);
  const words = wordsAfter(plan, answer, summary.open !== 0);
  for (const sentence of words) io.say(wordColors.yellow(sentence));
  // It is the last line of the report, and the last one of all where there are words after that or no report.
  if (words.length > 0 || (io.format !== 'table' && io.formatNamed)) io.say(outcomeText(summary, wordColors));
}

/** What a person has to know beside the report. */
function wordsAfter(plan: StartPlan, answer: LoopAnswer, moreIsOpen: boolean): readonly string[] {
  const { reason } = answer;
  const stopped = reason === 'finished' || (reason === 'held' && !moreIsOpen) ? null : endOf(answer, plan.network);
  const thrownAway =
    reason === 'held' && plan.bundle !== null && plan.once
      ? 'This home is thrown away now, and its hold with it: start without --once to decide, or with --holds release.'
      : null;
  return [stopped, thrownAway].filter((sentence) => sentence !== null);
}

/** Keeps worker and servers up until Ctrl-C. That is the orderly end of a server, so it is no interruption. */
async function stayUp(io: Io, session: WorkflowSession, throwAway: string | null, loss: Promise<never>): Promise<void> {
  const { bold } = io.wordColors;
  const { uiUrl } = session.temporalAddress;
  io.say('');
  if (uiUrl !== null) io.say(`Temporal UI  ${bold(uiUrl)}`);
  if (throwAway !== null) io.say(`Other terminals reach this home with  ${bold(`SETTLE_HOME=${throwAway}`)}`);
  io.say('Staying up. Ctrl-C stops what was started here, and nothing else.');
  await Promise.race([untilAborted(io.signal), loss]);
  io.say('Stopping …');
}
