import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { FromChild, ToChild, Trap } from './dying';
import type { Call, CommandName, Commands, Reply, Said } from './operator';

/** A call that got no answer: its process died, or time ran out. What it did or did not do, the rows say. */
export class Unanswered extends Error {
  override readonly name = 'Unanswered';
}

/** A call that ended with an error: a rule refused it, or something broke on the way. */
export class Refused extends Error {
  readonly id: string;
  readonly rule: boolean;
  constructor({ id, message, rule }: Said) {
    super(`${id}: ${message}`);
    this.id = id;
    this.rule = rule;
  }
}

const ANSWER_LIMIT_MS = 45_000;
/** As an init system waits: what cannot start while a server is down is not started in a circle. */
const RESTART_MS = 300;

/** A worker or operator in a process of its own, started again whenever it ends. */
export class Child {
  private child: ChildProcess | null = null;
  private traps: readonly Trap[] = [];
  private calls = 0;
  private closing = false;
  private starting: Promise<void> = Promise.resolve();
  private readonly waiting = new Map<number, (reply: Reply | null) => void>();
  /** Points that processes of this name came to, as far as they were asked. */
  readonly visited = new Set<string>();
  starts = 0;

  constructor(
    readonly name: string,
    private readonly script: 'worker.cjs' | 'operator.cjs',
    private readonly orders: object,
    private readonly log: string,
    private readonly scratch: string,
    private readonly sprung: (fault: number) => void,
  ) {}

  get pid(): number | null {
    return this.child?.pid ?? null;
  }

  /** Resolves when the process is ready for work. */
  start(afterMs = 0): Promise<void> {
    this.starting = sleep(afterMs).then(() => this.launch());
    this.starting.catch(() => undefined);
    return this.starting;
  }

  private async launch(): Promise<void> {
    if (this.closing) return;
    this.starts += 1;
    const output = openSync(this.log, 'a');
    const child = fork(join(__dirname, this.script), [JSON.stringify(this.orders)], {
      stdio: ['ignore', output, output, 'ipc'],
      // What a process that dies leaves half done is thrown away with the rest.
      env: { ...process.env, TMPDIR: this.scratch },
    });
    closeSync(output);
    this.child = child;
    // A message to a process that dies in this moment fails; its end tells the rest.
    child.on('error', () => undefined);
    const ready = new Promise<void>((resolve) => {
      child.on('message', (message: FromChild | Reply) => {
        if ('reply' in message) this.waiting.get(message.reply)?.(message);
        else if (message.said === 'ready') resolve();
        else if (message.said === 'sprung') this.trapSprung(message.fault);
        else for (const point of message.points) this.visited.add(point);
      });
    });
    const ended = once(child, 'exit');
    void ended.then(() => this.ended(child));
    child.send({ order: 'set traps', traps: this.traps } satisfies ToChild);
    await Promise.race([ready, ended]);
  }

  private ended(child: ChildProcess): void {
    if (this.child === child) this.child = null;
    for (const answer of this.waiting.values()) answer(null);
    this.waiting.clear();
    if (!this.closing) void this.start(RESTART_MS);
  }

  private trapSprung(fault: number): void {
    this.traps = this.traps.filter((trap) => trap.fault !== fault);
    this.sprung(fault);
  }

  setTraps(traps: readonly Trap[]): void {
    this.traps = traps;
    this.send({ order: 'set traps', traps });
  }

  /** Sends a signal; the process that follows is started at once. */
  signal(signal: NodeJS.Signals): boolean {
    return this.child?.kill(signal) ?? false;
  }

  /** Waits until a process runs and is ready, however often it has to be started. */
  async up(): Promise<void> {
    for (let current: Promise<void> | null = null; current !== this.starting; ) {
      current = this.starting;
      await current;
    }
  }

  /** Asks the process that runs for the points that it came to. */
  async askPoints(): Promise<void> {
    this.send({ order: 'say points' });
    await new Promise((resolve) => setTimeout(resolve, 200));
  }

  /** One command. @throws Unanswered; Refused */
  async call<C extends CommandName>(command: C, actor: string, given: Commands[C]): Promise<unknown> {
    await this.up();
    this.calls += 1;
    const call: Call = { call: this.calls, command, actor, with: given };
    let timer: NodeJS.Timeout | undefined;
    const reply = await new Promise<Reply | null>((resolve) => {
      this.waiting.set(call.call, resolve);
      timer = setTimeout(() => resolve(null), ANSWER_LIMIT_MS);
      if (!this.send(call)) resolve(null);
    });
    clearTimeout(timer);
    this.waiting.delete(call.call);
    if (reply === null) throw new Unanswered(`${this.name} got no answer to ${command}`);
    if ('error' in reply) throw new Refused(reply.error);
    return reply.answer;
  }

  private send(message: object): boolean {
    if (!this.child?.connected) return false;
    // A process that dies in this moment is told of by its end.
    this.child.send(message, () => undefined);
    return true;
  }

  /** Ends it for good, at once: nothing of it is needed any more. */
  async close(): Promise<void> {
    this.closing = true;
    await this.starting.catch(() => undefined);
    const child = this.child;
    if (child === null || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
  }
}
