import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client, Connection } from '@temporalio/client';
import { bundleWorkflows } from '../../src/worker/bundle-workflows';
import { freshCalm } from './calm';
import { COMMAND_POINTS, WORKER_POINTS } from './failpoints';
import { Harms } from './harms';
import { type Answer, checkInvariants, type Evidence, type Violation } from './invariants';
import type { Fault, Round } from './plan';
import { Child } from './processes';
import { Servers } from './servers';
import { type Crowding, Work } from './work';

/** I15: a round whose work is not done so long after everything is whole again is stuck. */
const QUIET_LIMIT_MS = 120_000;
/** The first has nothing to dispute yet. */
const CALM_ROUNDS = 3;
const CALM: Crowding = { starts: 1, twice: new Set() };

/** What became of a round. */
export interface Played {
  readonly round: Round;
  readonly happened: readonly Fault[];
  /** Faults whose failpoint nobody came to, or that found nothing to harm. */
  readonly missed: readonly Fault[];
  readonly violations: readonly Violation[];
  /** false: the time of the run was over before it was quiet, which says nothing. */
  readonly judged: boolean;
  readonly seconds: number;
}

/** Two workers and two operators on servers behind proxies, and what they have been told so far. */
export class Campaign {
  private readonly evidence: Omit<Evidence, 'rows' | 'heads'> & { readonly answers: Answer[] } = {
    seen: new Map(),
    answers: [],
    openSeconds: 0,
  };
  private faults: readonly Fault[] = [];
  private before = '';
  private closed: Promise<void> | null = null;

  private constructor(
    private readonly seed: number,
    private readonly servers: Servers,
    private readonly workers: readonly Child[],
    private readonly operators: readonly Child[],
    private readonly harms: Harms,
    private readonly heads: string,
    private readonly temporal: Connection,
  ) {}

  /** Starts everything. What fails on the way leaves nothing running. */
  static async open(seed: number): Promise<Campaign> {
    const bundling = bundleWorkflows();
    bundling.catch(() => undefined);
    const servers = await Servers.open();
    const children: Child[] = [];
    try {
      const heads = servers.file('heads.log');
      const workflows = servers.file('workflows.js');
      const scratch = servers.file('scratch');
      await mkdir(scratch);
      await writeFile(heads, '');
      await writeFile(workflows, (await bundling).code);
      const { databaseUrl, temporalAddress } = servers;
      const orders = { databaseUrl, temporalAddress, workflows, heads };
      let sprung: (fault: number) => void = () => undefined;
      const child = (name: string, script: 'worker.cjs' | 'operator.cjs') => {
        const log = join(servers.logs, `${name}.log`);
        const made = new Child(name, script, orders, log, scratch, (fault) => sprung(fault));
        children.push(made);
        return made;
      };
      const workers = [child('worker-1', 'worker.cjs'), child('worker-2', 'worker.cjs')];
      const operators = [child('operator-1', 'operator.cjs'), child('operator-2', 'operator.cjs')];
      await Promise.all(children.map((one) => one.start()));
      const harms = new Harms(servers, workers, operators);
      const temporal = await Connection.connect({ address: servers.directTemporalAddress });
      const campaign = new Campaign(seed, servers, workers, operators, harms, heads, temporal);
      sprung = (fault) => harms.sprung(fault, campaign.faults);
      return campaign;
    } catch (error) {
      await Promise.allSettled(children.map((one) => one.close()));
      await servers.close(async () => undefined);
      throw error;
    }
  }

  get logs(): string {
    return this.servers.logs;
  }

  /**
   * Whole rounds without a fault, until there was something to dispute and to pay and every failpoint was come to; who
   * is first where a run and a command look at the same rows, differs. `nobodyAt`: failpoints that are left.
   */
  async calmRound(round: Round): Promise<{ readonly played: Played; readonly nobodyAt: readonly string[] }> {
    for (let calm = 1; ; calm += 1) {
      const played = await this.play({ ...round, faults: [] }, `calm-${calm}`, null);
      for (const child of [...this.workers, ...this.operators]) await child.askPoints();
      const visited = new Set([...this.workers, ...this.operators].flatMap((child) => [...child.visited]));
      const nobodyAt = [...WORKER_POINTS, ...COMMAND_POINTS].filter((point) => !visited.has(point));
      if (played.violations.length > 0 || nobodyAt.length === 0 || calm === CALM_ROUNDS) return { played, nobodyAt };
    }
  }

  /** Plays a round: its work, its faults, its quiet point, and the invariants. */
  async play(round: Round, name = `round-${round.number}`, limitMs: number | null = null): Promise<Played> {
    const begun = Date.now();
    this.faults = round.faults;
    const stop = new AbortController();
    const work = new Work(this.operators, this.servers.direct, this.evidence.answers, stop.signal);
    const working = this.work(work, round, name);
    working.catch(() => undefined);
    this.harms.begin(round.faults);
    const limit = Math.min(limitMs ?? QUIET_LIMIT_MS, QUIET_LIMIT_MS);
    const open = await this.quiet(working, round, limit);
    stop.abort();
    // A call that hangs is not waited for: the run ends here.
    if (open !== null) await Promise.race([working.catch(() => undefined), sleep(1_000)]);
    const seconds = (Date.now() - begun) / 1000;
    if (open !== null && limit < QUIET_LIMIT_MS) {
      return { round, happened: [], missed: [], violations: [], judged: false, seconds };
    }
    const happened = round.faults.filter(
      (fault) => this.harms.done.has(fault.number) || (open === null && isOfTheWork(fault)),
    );
    const violations = open === null ? await this.judge(name, round) : [stuck(open)];
    if (work.unexpected.length > 0) violations.push(refused(work.unexpected));
    const missed = round.faults.filter((fault) => !happened.includes(fault));
    return { round, happened, missed, violations, judged: true, seconds };
  }

  private async work(work: Work, round: Round, name: string): Promise<void> {
    const network = `chaos-${this.seed}-${name}`;
    const crowding = crowdingOf(round.faults);
    const poisons = round.faults.flatMap(({ at, harm }) =>
      harm.kind === 'poison-batch' && 'offsetMs' in at ? [{ what: harm.target, ms: at.offsetMs }] : [],
    );
    const settled = this.before;
    const all = [work.settle(network, round, crowding)];
    if (settled !== '') {
      all.push(work.dispute(settled, round, `dispute-${name}`, crowding.twice.has('dispute')));
      all.push(work.pay(settled, `pay-${name}`, crowding));
      all.push(...poisons.map(({ what, ms }) => sleep(ms).then(() => work.poison(settled, what))));
    }
    await Promise.all(all);
    this.before = network;
  }

  /** Waits until the work is done and nothing runs any more; returns what did not come to an end in time, or null. */
  private async quiet(working: Promise<void>, round: Round, limitMs: number): Promise<string | null> {
    const late = Symbol('late');
    const first = await Promise.race([working, sleep(limitMs, late, { ref: false })]);
    await this.harms.end(round.faults);
    if (first === late) return 'the work of the round is not done';
    for (const until = Date.now() + limitMs; Date.now() < until; await sleep(100)) {
      if ((await this.running()) === 0) return null;
    }
    return 'a workflow still runs that has nothing to do';
  }

  private async running(): Promise<number> {
    try {
      const client = new Client({ connection: this.temporal });
      return (await client.workflow.count(`ExecutionStatus = 'Running'`)).count;
    } catch {
      // It was killed and is coming back.
      return Number.NaN;
    }
  }

  private async judge(name: string, round: Round): Promise<Violation[]> {
    const heads = await readFile(this.heads, 'utf8');
    const found = [...(await checkInvariants(this.servers.direct, { ...this.evidence, heads }))];
    const network = `chaos-${this.seed}-${name}`;
    const other = await freshCalm(this.servers, network, round);
    if (other.length > 0)
      found.push({ id: 'I13', says: 'a disturbed network is settled as an undisturbed one', found: other });
    return found;
  }

  /** Ends everything that was started and removes it; once, however often it is asked for. */
  close(keepLogs: (logs: string) => Promise<void>): Promise<void> {
    this.closed ??= this.end(keepLogs);
    return this.closed;
  }

  private async end(keepLogs: (logs: string) => Promise<void>): Promise<void> {
    await Promise.allSettled([...this.workers, ...this.operators].map((child) => child.close()));
    await this.temporal.close().catch(() => undefined);
    await this.servers.close(keepLogs);
  }
}

/** Done by the operators as part of their work, and over with it. */
const isOfTheWork = ({ harm }: Fault): boolean =>
  harm.kind === 'duplicate-start' || harm.kind === 'two-operators' || harm.kind === 'poison-batch';

function crowdingOf(faults: readonly Fault[]): Crowding {
  const starts = faults.map(({ harm }) => (harm.kind === 'duplicate-start' ? harm.starts : 1));
  const twice = faults.flatMap(({ harm }) => (harm.kind === 'two-operators' ? [harm.target] : []));
  return { starts: Math.max(CALM.starts, ...starts), twice: new Set(twice) };
}

const refused = (found: readonly string[]): Violation => ({
  id: 'refused',
  says: 'nobody is refused what the rules allow',
  found,
});

const stuck = (what: string): Violation => ({
  id: 'I15',
  says: 'what was asked for is done in time once everything is whole',
  found: [what],
});
