import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

export interface WorkerOrders {
  readonly url: string;
  readonly address: string;
  readonly namespace: string;
  readonly workflows: string;
  /** Its `heads.log`. */
  readonly heads: string;
  /** Point at which it dies by SIGKILL; null: never. */
  readonly diesAt: string | null;
  /** How far its clock is from that of everybody else. */
  readonly clockAheadMs?: number;
  /** Providers in a chunk; default 2. */
  readonly chunkProviders?: number;
  /** Its TZ. */
  readonly zone?: string;
}

export interface WorkerProcess {
  readonly child: ChildProcess;
  /** The signal that ended it, null if none did. */
  readonly ended: Promise<NodeJS.Signals | null>;
  end(signal: NodeJS.Signals): Promise<NodeJS.Signals | null>;
}

const running = new Set<ChildProcess>();

/** Starts a worker in a process of its own and waits until it polls. */
export async function startWorkerProcess(orders: WorkerOrders): Promise<WorkerProcess> {
  const child = spawn(process.execPath, [join(__dirname, 'worker.cjs'), JSON.stringify(orders)], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, ...(orders.zone === undefined ? {} : { TZ: orders.zone }) },
  });
  running.add(child);
  const ended = once(child, 'exit').then(([, signal]) => {
    running.delete(child);
    return signal as NodeJS.Signals | null;
  });
  await Promise.race([once(child.stdout, 'data'), ended]);
  return {
    child,
    ended,
    end(signal) {
      child.kill(signal);
      return ended;
    },
  };
}

/** For `afterAll`: kills what a failed test left. */
export async function killWorkersLeft(): Promise<void> {
  await Promise.all(
    [...running].map((child) => {
      child.kill('SIGKILL');
      return once(child, 'exit');
    }),
  );
}
