import type { Command } from 'commander';
import type { ScheduleStanding } from '../commands/schedule';
import { reasonArgument } from './arguments';
import { duration } from './figures';
import { group, networkOption } from './groups';
import type { Io } from './io';
import { withWorkflows } from './open';
import type { Account } from './output';
import type { WorkflowSession } from './session';

/** `settle schedule apply|pause|resume|status`. */
export function register(program: Command, io: Io): void {
  const schedule = group(program, 'schedule');
  schedule
    .command('apply')
    .description('create the schedule, or bring it in line with the calendar')
    .addOption(networkOption())
    .action(({ network }: { network: string }) => apply(io, network));
  for (const [verb, paused, what] of [
    ['pause', true, 'stop the ticks; a person can still settle epochs'],
    ['resume', false, 'let the ticks go on; what was missed is settled at the next one'],
  ] as const) {
    schedule
      .command(verb)
      .description(what)
      .requiredOption('--reason <text>', 'for the record', reasonArgument)
      .addOption(networkOption())
      .action((options: { network: string; reason: string }) => pause(io, options, paused));
  }
  schedule
    .command('status')
    .description('whether it runs, when it fired and when it will')
    .addOption(networkOption())
    .action(({ network }: { network: string }) => status(io, network));
}

const withoutWorker = (io: Io, work: (session: WorkflowSession) => Promise<void>) =>
  withWorkflows(io, work, { works: false });

async function apply(io: Io, network: string): Promise<void> {
  const { applySchedule, scheduleStanding } = await import('../commands/schedule.js');
  await withoutWorker(io, async (session) => {
    const outcome = await applySchedule(session, network);
    io.account(standingAccount(await scheduleStanding(session, network)));
    io.say(`The schedule of ${network} was ${outcome === 'unchanged' ? 'so already' : outcome}.`);
    if (session.alone) io.say('Nothing is up to act on it: keep `settle start` or `settle worker` running.');
  });
}

async function pause(io: Io, options: { network: string; reason: string }, paused: boolean): Promise<void> {
  const { pauseSchedule, scheduleStanding } = await import('../commands/schedule.js');
  await withoutWorker(io, async (session) => {
    const outcome = await pauseSchedule(session, options.network, paused, options.reason);
    io.account(standingAccount(await scheduleStanding(session, options.network)));
    const words = paused ? 'paused' : 'running';
    io.say(`The schedule of ${options.network} is ${words}${outcome === 'unchanged' ? ', as it was' : ''}.`);
  });
}

async function status(io: Io, network: string): Promise<void> {
  const { scheduleStanding } = await import('../commands/schedule.js');
  await withoutWorker(io, async (session) => {
    const standing = await scheduleStanding(session, network);
    io.account(standingAccount(standing));
    if (standing.differs.length > 0) io.say(`\`settle schedule apply --network ${network}\` brings it in line.`);
  });
}

function standingAccount({ id, found, differs }: ScheduleStanding): Account {
  return {
    value: {
      id,
      exists: found !== null,
      paused: found?.paused ?? null,
      note: found?.note ?? null,
      every_seconds: found?.everySeconds ?? null,
      offsets_seconds: found?.offsetsSeconds ?? [],
      next: found?.next.slice(0, 5) ?? [],
      last: found?.last ?? null,
      ticks: found?.ticks ?? 0,
      missed: found?.missed ?? 0,
      differs,
    },
    human: (colors) => {
      if (found === null) return `${colors.bold(id)}  ${colors.yellow('there is no schedule')}`;
      const state = found.paused ? colors.yellow('paused') : colors.green('running');
      return [
        `${colors.bold(id)}  ${state}`,
        `  fires   every ${duration(found.everySeconds)}, ${found.offsetsSeconds.join(' s and ')} s after the full interval since 1970`,
        `  next    ${found.paused ? colors.dim('none while paused') : (found.next[0] ?? colors.dim('none'))}`,
        `  last    ${found.last ?? colors.dim('never')}  ${colors.dim(`${found.ticks} ticks, ${found.missed} missed`)}`,
        ...(found.note === null ? [] : [`  note    ${found.note}`]),
        ...differs.map((difference) => `  ${colors.yellow('!')} ${difference}`),
      ].join('\n');
    },
  };
}
