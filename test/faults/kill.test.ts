import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loopAnswer, startLoop } from '../../src/commands/run-epochs';
import { headsLog } from '../../src/worker/witnesses/heads-log';
import type { LoopAnswer } from '../../workflows/messages';
import { freshDatabase } from '../harness/databases';
import { activitiesOn, settleAllInProcess } from '../harness/in-process';
import { inLanes } from '../harness/lanes';
import { makeNetwork, type NetworkKnobs } from '../harness/networks';
import { freshOrchestrator } from '../harness/orchestrators';
import { testServers } from '../harness/servers';
import { type SettledState, settledState } from '../harness/settled-state';
import { killWorkersLeft, startWorkerProcess } from './processes';

/** The same name in every database, since contents bear it: states can then be compared whole. */
const NETWORK = 'swarm';

/** Five providers in chunks of two, a pool that binds (so two rounds of rewards), and one epoch that fails by name. */
const KNOBS: NetworkKnobs = { epochs: 2, providers: 5, pool: '10', missing: { 1: 'token' } };

/** Every point between two effects. `<activity>:done`: committed, and Temporal does not know it yet. */
const POINTS = [
  ['nextDue:done', 'before the epoch starts'],
  ['gather:done', 'after the inputs were found complete'],
  ['seal:frozen', 'F1: between freezing the rows and reading them'],
  ['seal:read', 'between reading the rows and keeping their digest'],
  ['seal:done', 'F2: after the seal, before Temporal knows'],
  ['derive:before-commit', 'F1: before the prices are committed'],
  ['derive:done', 'F2: after the prices, before Temporal knows'],
  ['reward:computed', 'F3: after a chunk was computed, before it is written'],
  ['reward:copied', 'F1: after COPY, before COMMIT'],
  ['reward:done', 'F2: after a chunk was committed, before Temporal knows'],
  ['check:computed', 'before the result is kept'],
  ['check:done', 'F2: after the result was kept, before Temporal knows'],
  ['publish:before-commit', 'F1: before the publication is committed'],
  ['publish:committed', 'F2: after the publication, before Temporal knows'],
  ['prove:before-commit', 'F1: before the claims are committed'],
  ['prove:committed', 'after the claims, before their head is witnessed'],
  ['prove:done', 'F2: after the head was witnessed, before Temporal knows'],
  ['close:before-commit', 'F1: before a failed epoch is closed'],
  ['closeAsFailed:done', 'F2: after a failed epoch was closed, before Temporal knows'],
] as const;

/** Killed workers are noticed by their heartbeats, which is waiting and no work: several points at a time. */
const LANES = 10;

interface Outcome {
  readonly endedBy: NodeJS.Signals | null;
  readonly answer: LoopAnswer;
  readonly state: SettledState;
  readonly heads: string;
}

let folder: string;
let undisturbed: SettledState;
let outcomes: ReadonlyMap<string, Promise<Outcome>>;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'settle-test-kill-'));
  const database = await freshDatabase();
  await makeNetwork({ pool: database.operator, actor: 'olivia' }, KNOBS, NETWORK);
  await settleAllInProcess(await activitiesOn(database.worker), NETWORK);
  undisturbed = await settledState(database, NETWORK);
  await database.close();
  outcomes = inLanes(
    LANES,
    POINTS.map(([point]) => [point, () => killedAt(point)]),
  );
});

afterAll(async () => {
  await Promise.allSettled(outcomes?.values() ?? []);
  await killWorkersLeft();
  await rm(folder, { recursive: true });
});

/** A worker dies at the point in the middle of an epoch; a fresh one goes on with the same runs. */
async function killedAt(point: string): Promise<Outcome> {
  const [database, orchestrator] = await Promise.all([freshDatabase(), freshOrchestrator()]);
  try {
    const context = { pool: database.operator, actor: 'olivia', temporal: orchestrator.client };
    await makeNetwork(context, KNOBS, NETWORK);
    const heads = join(folder, `${point}.log`);
    const { address, namespace } = orchestrator;
    const { workflows } = testServers();
    const dying = await startWorkerProcess({ url: database.url, address, namespace, workflows, heads, diesAt: point });
    const loop = await startLoop(context, { network: NETWORK, range: null, askedBy: 'olivia' });
    const endedBy = await dying.ended;
    const fresh = { pool: database.worker, witness: headsLog(heads, database.worker), chunkProviders: 2 };
    const answer = await orchestrator.withWorker(fresh, () => loopAnswer(loop));
    return { endedBy, answer, state: await settledState(database, NETWORK), heads: await readFile(heads, 'utf8') };
  } finally {
    await orchestrator.close();
    await database.close();
  }
}

test.each(POINTS)(
  'a worker killed -9 at %s (%s): a fresh one ends with the same content digests, once',
  async (point) => {
    const { endedBy, answer, state, heads } = await (outcomes.get(point) as Promise<Outcome>);
    expect(endedBy).toBe('SIGKILL');
    expect(answer).toEqual({ reason: 'finished', closed: 2, epoch: null });
    expect(state).toEqual(undisturbed);
    expect(heads).toBe(`0 1 ${undisturbed.chain.at(-1)?.head}\n`);
  },
  300_000,
);
