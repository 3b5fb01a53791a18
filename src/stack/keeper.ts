import { rmSync } from 'node:fs';
import { StackError } from './errors';
import { type HomePaths } from './home';
import { type HomeLock } from './home-lock';
import { isRunning, type ProcessIdentity, signalTo } from './processes';

/** One server that this process answers for. */
export interface Kept {
  readonly name: string;
  readonly process: ProcessIdentity;
  stop(): Promise<void>;
}

/** Watches the servers, stops them, and stops them in haste when the process ends without having closed the stack. */
export class Keeper {
  readonly kept: Kept[] = [];
  private closing: Promise<void> | null = null;
  private watch: NodeJS.Timeout | undefined;
  private readonly onExit = () => {
    for (const { process: server } of this.kept) signalTo(server, 'SIGINT');
    this.leaveHome();
  };

  constructor(
    private readonly paths: HomePaths,
    private readonly lock: HomeLock | null,
  ) {
    process.once('exit', this.onExit);
  }

  /** Looks after the servers. The timer also keeps this process alive for as long as the stack is open. */
  watchFor(onLost: (error: StackError) => void): void {
    if (this.kept.length === 0) return;
    let told = false;
    this.watch = setInterval(() => {
      const lost = told ? undefined : this.kept.find(({ process: server }) => !isRunning(server));
      if (lost === undefined) return;
      told = true;
      onLost(
        new StackError(lost.name === 'PostgreSQL' ? 'PostgresNotStarted' : 'TemporalNotStarted', {
          what: `${lost.name} (process ${lost.process.pid}) ended although nobody here stopped it.`,
          where: this.paths.logs,
          todo: 'read its log there and start again: what was committed is kept.',
        }),
      );
    }, 1_000);
  }

  close(): Promise<void> {
    this.closing ??= this.stopAll();
    return this.closing;
  }

  private async stopAll(): Promise<void> {
    clearInterval(this.watch);
    rmSync(this.paths.state, { force: true });
    // At the same time: the two servers do not know each other, and the worker that knows both has stopped by now.
    const results = await Promise.allSettled(this.kept.map((server) => server.stop()));
    process.removeListener('exit', this.onExit);
    this.leaveHome();
    const failed = results.find((result) => result.status === 'rejected');
    if (failed) throw failed.reason;
  }

  private leaveHome(): void {
    if (this.lock === null) return;
    rmSync(this.paths.state, { force: true });
    this.lock.release();
  }
}
