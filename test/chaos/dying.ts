import type { Client } from '@temporalio/client';
import type { Pool, PoolClient } from 'pg';
import { statementName } from './failpoints';

/** For a child of the chaos run: names the places that it comes to, and dies where it was told to. */

/** Faults of the plan by the failpoint that each waits at. */
export interface Trap {
  readonly fault: number;
  readonly failpoint: string;
  readonly signal: 'SIGKILL' | 'SIGTERM';
}

export type ToChild =
  | { readonly order: 'set traps'; readonly traps: readonly Trap[] }
  | { readonly order: 'say points' };

export type FromChild =
  | { readonly said: 'ready' }
  | { readonly said: 'sprung'; readonly fault: number }
  | { readonly said: 'points'; readonly points: readonly string[] };

export class Traps {
  private set: Trap[] = [];
  private readonly visited = new Set<string>();

  /** Listens to the parent; a child whose parent is gone ends at once. */
  constructor() {
    process.on('message', (message: ToChild) => {
      if (message.order === 'set traps') this.set = [...message.traps];
      if (message.order === 'say points') tell({ said: 'points', points: [...this.visited] });
    });
    process.on('disconnect', () => process.kill(process.pid, 'SIGKILL'));
  }

  /** Dies here if it was told to: SIGKILL never returns, SIGTERM lets the process end as it does in a deploy. */
  readonly visit = (point: string): void => {
    this.visited.add(point);
    const trap = this.set.find(({ failpoint }) => failpoint === point);
    if (trap === undefined) return;
    this.set = this.set.filter((other) => other !== trap);
    const die = () => process.kill(process.pid, trap.signal);
    if (trap.signal === 'SIGTERM') {
      tell({ said: 'sprung', fault: trap.fault });
      die();
      return;
    }
    // The parent learns of it before the kernel ends this process; nothing else runs in between.
    process.send?.({ said: 'sprung', fault: trap.fault } satisfies FromChild, die);
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 200);
    die();
  };
}

export function tell(message: object): void {
  process.send?.(message);
}

/** Every named statement of the pool's connections is a point before and after it. `act`: what it is done for. */
export function watchStatements(pool: Pool, act: () => string | null, visit: (point: string) => void): void {
  pool.on('connect', (client: PoolClient) => {
    const query = client.query.bind(client) as (...args: unknown[]) => unknown;
    const watched = (...args: unknown[]): unknown => {
      const name = statementName(textOf(args[0]));
      const doing = act();
      if (name === null || doing === null) return query(...args);
      visit(`${doing}: before ${name}`);
      const after = () => visit(`${doing}: after ${name}`);
      const afterwards = (result: unknown) => {
        after();
        return result;
      };
      const last = args.at(-1);
      if (typeof last === 'function') {
        const told = (error: unknown, result: unknown) => {
          if (!error) after();
          last(error, result);
        };
        return query(...args.slice(0, -1), told);
      }
      const answer = query(...args);
      return answer instanceof Promise ? answer.then(afterwards) : answer;
    };
    client.query = watched as never;
  });
}

function textOf(query: unknown): string {
  if (typeof query === 'string') return query;
  const text = (query as { text?: unknown } | null)?.text;
  if (typeof text === 'string') return text;
  // A COPY stream carries its statement inside.
  const copied = (query as { cursor?: { text?: unknown } } | null)?.cursor?.text;
  return typeof copied === 'string' ? copied : '';
}

/** Starts and updates of workflows are points before and after them. */
export function watchCalls(temporal: Client, act: () => string | null, visit: (point: string) => void): void {
  const around = async <T>(name: string, call: () => Promise<T>): Promise<T> => {
    const doing = act();
    if (doing !== null) visit(`${doing}: before ${name}`);
    try {
      return await call();
    } finally {
      // However it ended: the run may have found the rows by itself and be gone.
      if (doing !== null) visit(`${doing}: after ${name}`);
    }
  };
  const { workflow } = temporal;
  const start = workflow.start.bind(workflow) as (...args: unknown[]) => Promise<unknown>;
  workflow.start = ((...args: unknown[]) => around('start', () => start(...args))) as never;
  const getHandle = workflow.getHandle.bind(workflow) as (...args: unknown[]) => { executeUpdate: unknown };
  workflow.getHandle = ((...args: unknown[]) => {
    const handle = getHandle(...args);
    const update = (handle.executeUpdate as (...given: unknown[]) => Promise<unknown>).bind(handle);
    handle.executeUpdate = (...given: unknown[]) => around('update', () => update(...given));
    return handle;
  }) as never;
}
