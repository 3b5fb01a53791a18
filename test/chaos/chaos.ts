/**
 * `npm run chaos -- --seed N --minutes M [--only 17,18]`: real workers, operators, PostgreSQL and Temporal, and what can
 * happen to them, from a list that the seed gives; with `--sweep`, a SIGKILL at every failpoint once. After every quiet
 * point all invariants are checked from the rows.
 * Exit codes: 0 all survived; 1 an invariant is violated, a sweep is not whole, or the run itself broke; 2 it was asked
 * for wrongly; 130 interrupted. A failure keeps the logs; else nothing is left.
 */
import { cp, mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { quietRuntime } from '../../src/worker/replay';
import { Campaign, type Played } from './campaign';
import { faultText, onlyFaults, planOf, type Round, sweepOf } from './plan';
import { failureText, roundText, survivedText } from './report';

const MOST_MINUTES = 120;
/** A round that begins has this long at least; with less, the minutes are over. */
const LEAST_ROUND_MS = 30_000;
/** After the minutes: what is left of the last round, and the end of everything. */
const OVERTIME_MS = 40_000;
const HARD_END_MS = 58_000;

const say = (line: string) => process.stdout.write(`${line}\n`);

class Usage extends Error {}

interface Wanted {
  readonly seed: number;
  readonly minutes: number;
  readonly only: ReadonlySet<number> | null;
  /** Every failpoint once, instead of what the seed draws. */
  readonly sweep: boolean;
}

function wantedBy(args: readonly string[]): Wanted {
  const text = { type: 'string' } as const;
  const options = { seed: text, minutes: text, only: text, sweep: { type: 'boolean', default: false } } as const;
  try {
    const { values } = parseArgs({ args: [...args], options });
    const minutes = whole('minutes', values.minutes ?? (values.sweep ? '20' : '10'));
    if (minutes > MOST_MINUTES) throw new Usage(`--minutes is at most ${MOST_MINUTES}`);
    const numbers = values.only?.split(',').map((text) => whole('only', text));
    const only = numbers === undefined ? null : new Set(numbers);
    return { seed: whole('seed', values.seed ?? '1'), minutes, only, sweep: values.sweep };
  } catch (error) {
    if (error instanceof Usage) throw error;
    throw new Usage((error as Error).message);
  }
}

function whole(name: string, text: string): number {
  if (/^[1-9][0-9]{0,8}$/.test(text)) return Number(text);
  throw new Usage(`--${name} takes whole numbers from 1, like ${name === 'only' ? '17,18' : '10'}; it is ${text}`);
}

function planWanted({ seed, minutes, only, sweep }: Wanted): readonly Round[] {
  const plan = sweep ? sweepOf(seed) : planOf(seed, minutes);
  if (only === null) return plan;
  const part = onlyFaults(plan, only);
  const known = new Set(part.flatMap(({ faults }) => faults.map(({ number }) => number)));
  const unknown = [...only].filter((number) => !known.has(number));
  if (unknown.length === 0) return part;
  throw new Usage(`this plan of seed ${seed} has no fault ${unknown.join(', ')}`);
}

/** Plays rounds until the plan or the time is over, or an invariant is violated. */
async function play(
  campaign: Campaign,
  plan: readonly Round[],
  wanted: Wanted,
  end: number,
): Promise<readonly Played[]> {
  const calm = await campaign.calmRound(plan[0]!);
  const played = [calm.played];
  say(`calm rounds first: ${roundText(calm.played)}`);
  // The product changed since: the list stays what it is, and these find nothing to harm.
  for (const point of calm.nobodyAt) say(`nobody comes to the failpoint "${point}": correct test/chaos/failpoints.ts`);
  for (const round of plan) {
    if (played.at(-1)!.violations.length > 0) return played;
    if (wanted.only === null && Date.now() + LEAST_ROUND_MS > end) return played;
    for (const fault of round.faults) say(`  ${faultText(fault)}`);
    const one = await campaign.play(round, undefined, wanted.only === null ? end + OVERTIME_MS - Date.now() : null);
    say(roundText(one));
    played.push(one);
  }
  return played;
}

async function keptLogs(logs: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'settle-chaos-logs-'));
  await cp(logs, folder, { recursive: true });
  return folder;
}

async function main(): Promise<number> {
  const wanted = wantedBy(process.argv.slice(2));
  const plan = planWanted(wanted);
  quietRuntime();
  const begun = Date.now();
  const end = begun + wanted.minutes * 60_000;
  const campaign = await Campaign.open(wanted.seed);
  let interrupted = false;
  process.once('SIGINT', () => {
    interrupted = true;
    void campaign.close(async () => undefined).then(() => process.exit(130));
  });
  let logs = '';
  let played: readonly Played[] = [];
  let broken: Error | null = null;
  const hard = setTimeout(() => void ended(campaign), end + HARD_END_MS - Date.now());
  if (wanted.only !== null) clearTimeout(hard);
  try {
    played = await play(campaign, plan, wanted, end);
  } catch (error) {
    broken = error as Error;
  }
  const failed = played.find(({ violations }) => violations.length > 0) ?? null;
  await campaign.close(async (folder) => {
    if (!interrupted && (failed !== null || broken !== null)) logs = await keptLogs(folder);
  });
  clearTimeout(hard);
  if (interrupted) return 130;
  if (failed !== null) say(failureText(failed, played, wanted, logs));
  if (broken !== null) say(`the run broke, which is no verdict: ${broken.stack}\nLogs: ${logs}`);
  const left = wanted.sweep ? notReached(plan, played) : [];
  if (left.length > 0) say(`nobody came to ${left.length} failpoints in these minutes:\n${left.join('\n')}`);
  say(survivedText(played, (Date.now() - begun) / 1000));
  return failed === null && broken === null && left.length === 0 ? 0 : 1;
}

/** A sweep is whole or it is none. */
function notReached(plan: readonly Round[], played: readonly Played[]): readonly string[] {
  const happened = new Set(played.flatMap((one) => one.happened.map(({ number }) => number)));
  return plan.flatMap(({ faults }) => faults.filter(({ number }) => !happened.has(number)).map(faultText));
}

/** It ends, whatever hangs: what was started is ended without waiting for it. */
async function ended(campaign: Campaign): Promise<never> {
  say('not at an end a minute after its minutes: everything is ended');
  setTimeout(() => process.exit(1), 10_000);
  await campaign.close(async () => undefined);
  process.exit(1);
}

main().then(
  (code) => process.exit(code),
  (error: Error) => {
    process.stderr.write(`${error instanceof Usage ? error.message : error.stack}\n`);
    process.exit(error instanceof Usage ? 2 : 1);
  },
);
