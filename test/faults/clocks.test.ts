import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loopAnswer, startLoop } from '../../src/commands/run-epochs';
import { freshDatabase, type TestDatabase } from '../harness/databases';
import { activitiesOn, settleAllInProcess } from '../harness/in-process';
import { inLanes } from '../harness/lanes';
import { bundleTexts, makeNetwork, makeNetworkOf, type NetworkKnobs } from '../harness/networks';
import { freshOrchestrator } from '../harness/orchestrators';
import { policyDocument } from '../harness/policy';
import { testServers } from '../harness/servers';
import { type SettledState, settledState } from '../harness/settled-state';
import { publishedEpochs, until } from '../harness/worlds';
import { killWorkersLeft, startWorkerProcess } from './processes';

const NETWORK = 'swarm';

/** Epochs of an hour over a leap day's midnight, and those of New York's spring, when an hour is missing there. */
const LEAP: NetworkKnobs = { epochs: 3, providers: 5, pool: '10', genesis: '2024-02-28T22:30:00Z' };
const SPRING: NetworkKnobs = { ...LEAP, genesis: '2024-03-10T05:30:00Z' };

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'settle-test-clocks-'));
});
afterAll(async () => {
  await killWorkersLeft();
  await rm(folder, { recursive: true });
});

const operatorOf = (database: TestDatabase) => ({ pool: database.operator, actor: 'olivia' });

async function undisturbed(knobs: NetworkKnobs): Promise<SettledState> {
  const database = await freshDatabase();
  try {
    await makeNetwork(operatorOf(database), knobs, NETWORK);
    await settleAllInProcess(await activitiesOn(database.worker), NETWORK);
    return await settledState(database, NETWORK);
  } finally {
    await database.close();
  }
}

/** Settles a network by a worker in a process of its own, with a clock and a zone of its own. */
async function settledWith(knobs: NetworkKnobs, zone: string, clockAheadMs: number): Promise<SettledState> {
  const [database, orchestrator] = await Promise.all([freshDatabase(), freshOrchestrator()]);
  try {
    const context = { ...operatorOf(database), temporal: orchestrator.client };
    await makeNetwork(context, knobs, NETWORK);
    const { address, namespace } = orchestrator;
    const heads = join(folder, `${database.name}.log`);
    const { workflows } = testServers();
    const orders = { url: database.url, address, namespace, workflows, heads, diesAt: null, clockAheadMs, zone };
    const worker = await startWorkerProcess(orders);
    const loop = await startLoop(context, { network: NETWORK, range: null, askedBy: 'olivia' });
    expect(await loopAnswer(loop)).toEqual({ reason: 'finished', closed: 3, epoch: null });
    await worker.end('SIGTERM');
    return await settledState(database, NETWORK);
  } finally {
    await orchestrator.close();
    await database.close();
  }
}

const MINUTES = 60_000;
const CASES = [
  ['Asia/Kathmandu', 10 * MINUTES, 'a leap day', LEAP],
  ['America/New_York', -10 * MINUTES, 'the night of the missing hour', SPRING],
] as const;

let outcomes: ReadonlyMap<string, Promise<SettledState>>;
beforeAll(() => {
  outcomes = inLanes(
    2,
    CASES.map(([zone, ahead, , knobs]) => [zone, () => settledWith(knobs, zone, ahead)]),
  );
});

test.each(CASES)(
  'F23: a worker in %s whose clock is %i ms ahead settles %s to the same digests',
  async (zone, _ahead, _night, knobs) => {
    const expected = undisturbed(knobs);
    expect(await outcomes.get(zone)).toEqual(await expected);
  },
);

test('F23: a worker whose clock is an hour ahead settles no epoch before it is over', async () => {
  const [database, orchestrator] = await Promise.all([freshDatabase(), freshOrchestrator()]);
  try {
    const context = { ...operatorOf(database), temporal: orchestrator.client };
    // Epoch 0 ended a minute ago, epoch 1 ends in a minute.
    const genesis = new Date(Date.now() - 180_000).toISOString().replace(/\.\d+Z/, 'Z');
    await makeNetwork(context, { epochs: 3, genesis, lengthSeconds: 120 }, NETWORK);
    const { address, namespace } = orchestrator;
    const orders = { url: database.url, address, namespace, workflows: testServers().workflows };
    const heads = join(folder, 'ahead.log');
    const worker = await startWorkerProcess({ ...orders, heads, diesAt: null, clockAheadMs: 60 * MINUTES });
    const loop = await startLoop(context, { network: NETWORK, range: null, askedBy: 'olivia' });
    expect(await loopAnswer(loop)).toEqual({ reason: 'not-yet', closed: 1, epoch: 1 });
    await worker.end('SIGTERM');
    expect((await publishedEpochs(database, NETWORK)).map(({ epoch }) => epoch)).toEqual([0]);
  } finally {
    await orchestrator.close();
    await database.close();
  }
});

test('F5: SIGTERM in the middle of an epoch: the process ends by itself, and another goes on to the same digests', async () => {
  const knobs: NetworkKnobs = { epochs: 6, providers: 5, pool: '10' };
  const [database, orchestrator] = await Promise.all([freshDatabase(), freshOrchestrator()]);
  try {
    const context = { ...operatorOf(database), temporal: orchestrator.client };
    await makeNetwork(context, knobs, NETWORK);
    const { address, namespace } = orchestrator;
    const orders = { url: database.url, address, namespace, workflows: testServers().workflows };
    const worker = await startWorkerProcess({ ...orders, heads: join(folder, 'told.log'), diesAt: null });
    const loop = await startLoop(context, { network: NETWORK, range: null, askedBy: 'olivia' });
    await until('an epoch is published', async () => (await publishedEpochs(database, NETWORK)).length > 0);
    const begun = Date.now();
    // By no signal, but by its own end.
    expect(await worker.end('SIGTERM')).toBeNull();
    expect(Date.now() - begun).toBeLessThan(25_000);
    expect((await publishedEpochs(database, NETWORK)).length).toBeLessThan(6);
    const answer = await orchestrator.withWorker({ pool: database.worker, chunkProviders: 2 }, () => loopAnswer(loop));
    expect(answer).toMatchObject({ reason: 'finished' });
    expect(await settledState(database, NETWORK)).toEqual(await undisturbed(knobs));
  } finally {
    await orchestrator.close();
    await database.close();
  }
});

test('F44: three workers, chunks of one provider and the rows in another order give the same digests', async () => {
  const knobs: NetworkKnobs = { epochs: 2, providers: 7, pool: '10' };
  const [database, orchestrator] = await Promise.all([freshDatabase(), freshOrchestrator()]);
  try {
    const context = { ...operatorOf(database), temporal: orchestrator.client };
    const reversed = Object.fromEntries(
      Object.entries(bundleTexts(knobs)).map(([table, text]) => {
        const [header, ...lines] = text.trimEnd().split('\n');
        return [table, [header, ...lines.reverse(), ''].join('\n')];
      }),
    ) as ReturnType<typeof bundleTexts>;
    const calendar = { first: 0, last: 1, holds: 'wait' } as const;
    await makeNetworkOf(context, reversed, JSON.stringify(policyDocument(knobs)), calendar, NETWORK);
    const { address, namespace } = orchestrator;
    const orders = { url: database.url, address, namespace, workflows: testServers().workflows, diesAt: null };
    const workers = await Promise.all(
      ['one', 'two', 'three'].map((name) =>
        startWorkerProcess({ ...orders, heads: join(folder, `${name}.log`), chunkProviders: 1 }),
      ),
    );
    const loop = await startLoop(context, { network: NETWORK, range: null, askedBy: 'olivia' });
    expect(await loopAnswer(loop)).toMatchObject({ reason: 'finished', closed: 2 });
    await Promise.all(workers.map((worker) => worker.end('SIGTERM')));
    expect(await settledState(database, NETWORK)).toEqual(await undisturbed(knobs));
  } finally {
    await orchestrator.close();
    await database.close();
  }
});
