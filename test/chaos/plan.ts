import { type Random, seededRandom } from '../generate/random';
import { COMMAND_POINTS, WORKER_POINTS } from './failpoints';

/** What can be done to the system, each survived alike. */
export const KINDS = [
  'kill-worker',
  'stop-worker',
  'kill-operator',
  'crash-postgres',
  'kill-temporal',
  'cut',
  'reset',
  'half-close',
  'delay',
  'throttle',
  'drop-commit-answer',
  'duplicate-start',
  'two-operators',
  'poison-batch',
] as const;
export type Kind = (typeof KINDS)[number];

export type Server = 'postgres' | 'temporal';

/** What is done, and all that it takes. */
export type Harm =
  | { readonly kind: 'kill-worker' | 'stop-worker'; readonly target: 'worker-1' | 'worker-2' | 'whoever comes' }
  | { readonly kind: 'kill-operator'; readonly target: 'whoever comes' }
  | {
      readonly kind: 'crash-postgres';
      readonly target: 'postgres';
      readonly signal: 'SIGKILL' | 'SIGQUIT';
      readonly downMs: number;
    }
  | { readonly kind: 'kill-temporal'; readonly target: 'temporal'; readonly downMs: number }
  | { readonly kind: 'cut'; readonly target: Server; readonly forMs: number }
  | { readonly kind: 'reset'; readonly target: Server }
  | { readonly kind: 'half-close'; readonly target: Server; readonly towards: 'client' | 'server' }
  | { readonly kind: 'delay'; readonly target: Server; readonly ms: number; readonly forMs: number }
  | { readonly kind: 'throttle'; readonly target: Server; readonly bytesPerSecond: number; readonly forMs: number }
  | { readonly kind: 'drop-commit-answer'; readonly target: 'postgres' }
  | { readonly kind: 'duplicate-start'; readonly target: 'loop'; readonly starts: number }
  | { readonly kind: 'two-operators'; readonly target: 'hold' | 'dispute' | 'batch' | 'approval of a batch' }
  | { readonly kind: 'poison-batch'; readonly target: 'import' | 'corrections' };

/** When: as soon as somebody reaches a failpoint, or so long after the round began. */
export type Moment = { readonly failpoint: string } | { readonly offsetMs: number };

export interface Fault {
  /** From 1, over the whole plan; `--only` names faults by it. */
  readonly number: number;
  readonly round: number;
  readonly at: Moment;
  readonly harm: Harm;
}

/** What is at work while the faults of a round happen; the same whichever of them are played. */
export interface Round {
  readonly number: number;
  /** Providers and epochs of the network that is settled in this round. */
  readonly providers: number;
  readonly epochs: number;
  readonly heldEpoch: number;
  /** Of the network that was settled in the round before. */
  readonly disputedEpoch: number;
  readonly derive: 'pinned' | 'full';
  readonly faults: readonly Fault[];
}

/** Faults of one round: half of all kinds, so that two rounds have each kind once. */
const FAULTS_A_ROUND = KINDS.length / 2;
/** Of the points of workers, and of those of commands. */
const SWEPT_A_ROUND = 4;
/** More than a fast machine plays: the time ends a run, never the list. */
const ROUNDS_A_MINUTE = 8;
/** Offsets lie within what a round takes while nothing disturbs it. */
const LAST_OFFSET_MS = 5_000;

/** The whole plan as data: equal seeds and minutes give equal plans, on every machine. */
export function planOf(seed: number, minutes: number): readonly Round[] {
  const random = seededRandom(seed);
  const kinds = dealt(random);
  const workerPoints = dealer(random, WORKER_POINTS);
  const commandPoints = dealer(random, COMMAND_POINTS);
  return rounds(random, Math.ceil(minutes * ROUNDS_A_MINUTE), () =>
    Array.from({ length: FAULTS_A_ROUND }, () => faultOf(kinds(), random, workerPoints, commandPoints)),
  );
}

/** SIGKILL at every failpoint once, a few in each round. */
export function sweepOf(seed: number): readonly Round[] {
  const random = seededRandom(seed);
  const kill = (kind: 'kill-worker' | 'kill-operator') => (failpoint: string) =>
    ({ at: { failpoint }, harm: { kind, target: 'whoever comes' } }) as const;
  // Points of workers and of commands in turn, so that a round kills both.
  const workers = random.shuffled(WORKER_POINTS).map(kill('kill-worker'));
  const operators = random.shuffled(COMMAND_POINTS).map(kill('kill-operator'));
  const count = Math.ceil(Math.max(workers.length, operators.length) / SWEPT_A_ROUND);
  return rounds(random, count, () => [...workers.splice(0, SWEPT_A_ROUND), ...operators.splice(0, SWEPT_A_ROUND)]);
}

type Unnumbered = Pick<Fault, 'at' | 'harm'>;

function rounds(random: Random, count: number, faultsOfOne: () => readonly Unnumbered[]): readonly Round[] {
  let number = 0;
  return Array.from({ length: count }, (_, round) => {
    const epochs = random.integer(3, 4);
    const faults = faultsOfOne().map((fault): Fault => {
      number += 1;
      return { number, round, ...fault };
    });
    return {
      number: round,
      providers: random.integer(4, 7),
      epochs,
      // The first epoch has none before it that its token could have moved from.
      heldEpoch: random.integer(1, epochs - 1),
      disputedEpoch: random.integer(0, 1),
      derive: random.oneIn(3) ? 'full' : 'pinned',
      faults,
    };
  });
}

/** Every kind once, in some order, then every kind again: any part of the plan has as many of each, or one less. */
const dealt = (random: Random): (() => Kind) => dealer(random, KINDS);

function dealer<T>(random: Random, all: readonly T[]): () => T {
  let left: T[] = [];
  return () => {
    if (left.length === 0) left = [...all];
    return left.splice(random.integer(0, left.length - 1), 1)[0]!;
  };
}

const SERVERS: readonly Server[] = ['postgres', 'temporal'];

function faultOf(kind: Kind, random: Random, workerPoint: () => string, commandPoint: () => string): Unnumbered {
  const at = { offsetMs: random.integer(0, LAST_OFFSET_MS) };
  const forMs = random.integer(1_000, 6_000);
  const target = random.pick(SERVERS);
  switch (kind) {
    case 'kill-worker':
    case 'stop-worker':
      // Two in three at a failpoint, the others wherever the worker is then.
      return random.oneIn(3)
        ? { at, harm: { kind, target: random.pick(['worker-1', 'worker-2'] as const) } }
        : { at: { failpoint: workerPoint() }, harm: { kind, target: 'whoever comes' } };
    case 'kill-operator':
      return { at: { failpoint: commandPoint() }, harm: { kind, target: 'whoever comes' } };
    case 'crash-postgres': {
      const signal = random.pick(['SIGKILL', 'SIGQUIT'] as const);
      return { at, harm: { kind, target: 'postgres', signal, downMs: random.integer(0, 3_000) } };
    }
    case 'kill-temporal':
      return { at, harm: { kind, target: 'temporal', downMs: random.integer(0, 3_000) } };
    case 'cut':
      return { at, harm: { kind, target, forMs } };
    case 'reset':
      return { at, harm: { kind, target } };
    case 'half-close':
      return { at, harm: { kind, target, towards: random.pick(['client', 'server'] as const) } };
    case 'delay':
      return { at, harm: { kind, target, ms: random.integer(50, 500), forMs } };
    case 'throttle':
      return { at, harm: { kind, target, bytesPerSecond: random.integer(8_000, 64_000), forMs } };
    case 'drop-commit-answer':
      return { at, harm: { kind, target: 'postgres' } };
    case 'duplicate-start':
      return { at: { offsetMs: 0 }, harm: { kind, target: 'loop', starts: random.integer(2, 10) } };
    case 'two-operators': {
      const what = random.pick(['hold', 'dispute', 'batch', 'approval of a batch'] as const);
      return { at: { offsetMs: 0 }, harm: { kind, target: what } };
    }
    case 'poison-batch':
      return { at, harm: { kind, target: random.pick(['import', 'corrections'] as const) } };
  }
}

/** A fault in one line, as it is printed and as `--only` means it. */
export function faultText({ number, round, at, harm }: Fault): string {
  const { kind, target, ...rest } = harm;
  const when = 'failpoint' in at ? `at "${at.failpoint}"` : `at +${at.offsetMs} ms`;
  const how = Object.entries(rest).map(([name, value]) => ` ${name}=${value}`);
  return `#${number} round ${round} ${kind} ${target} ${when}${how.join('')}`;
}

/** The part of a plan that `--only` names; rounds without such faults fall away. */
export function onlyFaults(plan: readonly Round[], numbers: ReadonlySet<number>): readonly Round[] {
  return plan
    .map((round) => ({ ...round, faults: round.faults.filter(({ number }) => numbers.has(number)) }))
    .filter(({ faults }) => faults.length > 0);
}
