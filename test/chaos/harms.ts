import { setTimeout as sleep } from 'node:timers/promises';
import type { Trap } from './dying';
import type { Fault, Harm } from './plan';
import type { Child } from './processes';
import type { Servers } from './servers';

/** For the last harm to begin. */
const A_MOMENT_MS = 100;

/** Does what the plan says to the processes and the network between them, and remembers what came about. */
export class Harms {
  /** Numbers of the faults that came about in this round. */
  readonly done = new Set<number>();
  private readonly underWay: Promise<void>[] = [];
  private begun = 0;
  private over = false;

  constructor(
    private readonly servers: Servers,
    private readonly workers: readonly Child[],
    private readonly operators: readonly Child[],
  ) {}

  /** Sets the traps of a round and starts the clock of its offsets. */
  begin(faults: readonly Fault[]): void {
    this.done.clear();
    this.begun = Date.now();
    this.over = false;
    this.setTraps(faults);
    for (const fault of faults) {
      if ('offsetMs' in fault.at && isOfTheNetwork(fault.harm))
        this.underWay.push(this.after(fault.at.offsetMs, fault));
    }
  }

  private setTraps(faults: readonly Fault[]): void {
    const trapsOf = (...kinds: readonly Harm['kind'][]): readonly Trap[] =>
      faults.flatMap(({ number, at, harm }) => {
        if (!('failpoint' in at) || !kinds.includes(harm.kind) || this.done.has(number)) return [];
        return [
          { fault: number, failpoint: at.failpoint, signal: harm.kind === 'stop-worker' ? 'SIGTERM' : 'SIGKILL' },
        ];
      });
    for (const worker of this.workers) worker.setTraps(trapsOf('kill-worker', 'stop-worker'));
    for (const operator of this.operators) operator.setTraps(trapsOf('kill-operator'));
  }

  /** A child died at a failpoint: nobody else dies of the same fault. */
  sprung(fault: number, faults: readonly Fault[]): void {
    this.done.add(fault);
    this.setTraps(faults);
  }

  private async after(offsetMs: number, { number, harm }: Fault): Promise<void> {
    await sleep(offsetMs);
    if (await this.doHarm(harm)) this.done.add(number);
  }

  /** Resolves when the harm is over; false: there was nothing to harm. */
  private async doHarm(harm: Harm): Promise<boolean> {
    const proxy =
      'target' in harm && harm.target === 'temporal' ? this.servers.proxies.temporal : this.servers.proxies.postgres;
    switch (harm.kind) {
      case 'kill-worker':
      case 'stop-worker':
        return this.killWorker(harm);
      case 'crash-postgres':
        await this.servers.crashPostgres(harm.signal, harm.downMs);
        return true;
      case 'kill-temporal':
        await this.servers.killTemporal(harm.downMs);
        return true;
      case 'cut':
        proxy.cut();
        await sleep(harm.forMs);
        proxy.heal('cut');
        return true;
      case 'reset':
        return (await this.until(() => proxy.connections > 0)) && proxy.reset() > 0;
      case 'half-close':
        return (await this.until(() => proxy.connections > 0)) && proxy.halfClose(harm.towards) > 0;
      case 'delay':
        proxy.delay(harm.ms);
        await sleep(harm.forMs);
        proxy.heal('delay');
        return true;
      case 'throttle':
        proxy.throttle(harm.bytesPerSecond);
        await sleep(harm.forMs);
        proxy.heal('throttle');
        return true;
      case 'drop-commit-answer':
        return proxy.dropAnswerToCommit();
      default:
        throw new Error(`${harm.kind} is done by the work of the round`);
    }
  }

  private async killWorker(harm: Extract<Harm, { kind: 'kill-worker' | 'stop-worker' }>): Promise<boolean> {
    const worker = this.workers[harm.target === 'worker-1' ? 0 : 1]!;
    await this.until(() => worker.pid !== null);
    return worker.signal(harm.kind === 'stop-worker' ? 'SIGTERM' : 'SIGKILL');
  }

  /** Another fault may have taken away what this one is for: it waits until that is back, or the round is over. */
  private async until(holds: () => boolean): Promise<boolean> {
    while (!holds() && !this.over) await sleep(20);
    return holds();
  }

  /** Ends every harm: what was down comes up, what was slow is fast, and nothing waits to spring. */
  async end(faults: readonly Fault[]): Promise<void> {
    const last = Math.max(0, ...faults.map(({ at }) => ('offsetMs' in at ? at.offsetMs : 0)));
    await sleep(Math.max(0, this.begun + last + A_MOMENT_MS - Date.now()));
    await Promise.all([...this.workers, ...this.operators].map((child) => child.up()));
    this.over = true;
    for (const child of [...this.workers, ...this.operators]) child.setTraps([]);
    // What waits for a COMMIT that nobody makes any more is over with this, too.
    this.servers.proxies.postgres.heal();
    await Promise.all(this.underWay.splice(0));
    this.servers.proxies.temporal.heal();
    await this.servers.up();
    await Promise.all([...this.workers, ...this.operators].map((child) => child.up()));
  }
}

/** Whether it is done to processes and connections; else the operators do it at their work. */
function isOfTheNetwork({ kind }: Harm): boolean {
  return kind !== 'duplicate-start' && kind !== 'two-operators' && kind !== 'poison-batch';
}
