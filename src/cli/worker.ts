import type { Command } from 'commander';
import { UsageError } from './errors';
import type { Io } from './io';
import { lossOfServers, sessionOptions, untilAborted } from './open';

/** `settle worker`: the worker alone, beside a database and a Temporal that others run. For containers. */
export function register(program: Command, io: Io): void {
  program
    .command('worker')
    .description('run a worker beside your own PostgreSQL and Temporal (DATABASE_URL, TEMPORAL_ADDRESS)')
    .action(() => work(io));
}

const TEMPORAL = ['TEMPORAL_ADDRESS', 'TEMPORAL_PROFILE', 'TEMPORAL_CONFIG_FILE'];

async function work(io: Io): Promise<void> {
  if (!io.env.DATABASE_URL || !TEMPORAL.some((name) => io.env[name])) {
    throw new UsageError(
      'A worker needs DATABASE_URL and TEMPORAL_ADDRESS (or TEMPORAL_PROFILE). With the embedded servers, `settle start` is the worker.',
    );
  }
  const { openWorkerSession } = await import('./session.js');
  const loss = lossOfServers();
  const session = await openWorkerSession({
    ...sessionOptions(io),
    onLost: loss.report,
    // A worker has no other data to say.
    witnessLine: (text) => io.data(text),
  });
  try {
    io.say(`Working for ${session.temporalAddress.address}, namespace ${session.temporalAddress.namespace}.`);
    await Promise.race([untilAborted(io.signal), loss.promise]);
    io.say('Stopping: what is under way is ended first …');
  } finally {
    await session.close();
  }
}
