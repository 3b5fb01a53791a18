import { join } from 'node:path';
import type { BroughtScope } from '../commands/attach-archive';
import type { CommandContext } from '../commands/context';
import { Interrupted } from './errors';
import type { Io } from './io';
import type { Session, SessionOptions, WorkflowSession } from './session';

/** What every session of a command tells the log and the user. */
export function sessionOptions(io: Io): SessionOptions {
  return { log: io.log, progress: (sentence) => io.say(io.wordColors.dim(sentence)), signal: io.signal };
}

/** Options of a session that brings archives along; none: no folder was named. */
export function broughtFor(
  folders: readonly string[] | undefined,
  scope: BroughtScope,
): Pick<SessionOptions, 'archives'> {
  return folders === undefined ? {} : { archives: { folders, scope } };
}

/** Works with the database alone, and closes it whatever happens. Loads the drivers only when they are needed. */
export async function withDatabase<T>(
  io: Io,
  work: (session: Session & CommandContext) => Promise<T>,
  options: Partial<SessionOptions> = {},
): Promise<T> {
  const { openDatabaseSession } = await import('./session.js');
  return closing(io, await openDatabaseSession({ ...sessionOptions(io), ...options }), work);
}

/**
 * Nobody is paid, and nothing is closed, on what a database has that lost what was published.
 * @throws StoreError `DatabaseBehind` if a head of the home's `heads.log` is in no chain of the database
 */
export async function requireHeadsOf({
  pool,
  home,
}: Pick<Session, 'home'> & Pick<CommandContext, 'pool'>): Promise<void> {
  const { requireHeads } = await import('../diagnosis/heads-log.js');
  await requireHeads(pool, join(home, 'heads.log'));
}

/** The same for work that minds the signal itself, and says how it ended. */
export async function withDatabaseToTheEnd<T>(
  io: Io,
  work: (session: Session & CommandContext) => Promise<T>,
): Promise<T> {
  const { openDatabaseSession } = await import('./session.js');
  const session = await openDatabaseSession(sessionOptions(io));
  try {
    return await work(session);
  } finally {
    await session.close();
  }
}

/** Works with the database and Temporal: those of a running stack, or its own for the time of the command. */
export async function withWorkflows<T>(
  io: Io,
  work: (session: WorkflowSession) => Promise<T>,
  options: Partial<SessionOptions> = {},
): Promise<T> {
  const { openWorkflowSession } = await import('./session.js');
  const loss = lossOfServers();
  const session = await openWorkflowSession({ ...sessionOptions(io), onLost: loss.report, ...options });
  return closing(io, session, (opened) => Promise.race([work(opened), loss.promise]));
}

/** Rejects when a server or the worker is lost: what waits for them would wait for ever. */
export function lossOfServers(): { readonly promise: Promise<never>; readonly report: (error: Error) => void } {
  let report: (error: Error) => void = () => undefined;
  const promise = new Promise<never>((_, reject) => {
    report = reject;
  });
  promise.catch(() => undefined);
  return { promise, report };
}

/** Ends the wait, not the work: what runs in a worker elsewhere goes on, what runs here is closed in order. */
async function closing<S extends Session, T>(io: Io, session: S, work: (session: S) => Promise<T>): Promise<T> {
  try {
    return await unlessAborted(io.signal, work(session));
  } finally {
    await session.close();
  }
}

/** Rejects with Interrupted as soon as the signal is aborted. */
export function unlessAborted<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const stop = () => reject(new Interrupted());
    if (signal.aborted) stop();
    signal.addEventListener('abort', stop, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', stop));
  });
}

/** Resolves as soon as the signal is aborted. */
export function untilAborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
