import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { decidePolicy, proposePolicy } from '../../src/commands/policies';
import { loopId, startLoop } from '../../src/commands/run-epochs';
import { applySchedule, scheduleId, scheduleStanding } from '../../src/commands/schedule';
import { Decimal } from '../../src/numbers/decimal';
import { instantText } from '../../src/rulesets/1/calendar';
import { priceRows } from '../../src/store/computations';
import { pauseAt } from '../harness/gates';
import { bundleTexts, makeNetworkOf, networkName } from '../harness/networks';
import { policyDocument } from '../harness/policy';
import { count, freshWorld, publishedEpochs, until, type World } from '../harness/worlds';

let world: World;
beforeAll(async () => {
  world = await freshWorld();
});
afterAll(() => world.close());

const epochs = async (network: string) => (await publishedEpochs(world.database, network)).map(({ epoch }) => epoch);
const scheduled = (network: string) => world.context.temporal.schedule.getHandle(scheduleId(network));

/** Ends the ticks of a network: its calendar goes on, and nobody looks any more. */
async function unschedule(network: string): Promise<void> {
  await scheduled(network).delete();
}

/** Epochs of two seconds that began so many epochs ago, with all of their rows; the calendar ends with them. */
async function shortEpochs(ended: number, ahead: number): Promise<string> {
  const begin = Date.now() - ended * 2_000;
  const genesis = new Date(begin).toISOString().replace(/\.\d+Z/, 'Z');
  const knobs = { epochs: ended + ahead, genesis, lengthSeconds: 2 };
  return world.makeNetwork(knobs, networkName());
}

test('F4: no worker is up over many ticks: the first one that is settles all that is due, in order, once', async () => {
  const network = await shortEpochs(2, 3);
  await applySchedule(world.context, network);
  // Ticks come and go, and nobody hears them.
  await until('the calendar has ended', async () => {
    const { info } = await scheduled(network).describe();
    return info.numActionsTaken > 0 && (await count(world.database, 'capacity', network)) > 0;
  });
  await new Promise((resolve) => setTimeout(resolve, 7_000));
  expect(await epochs(network)).toEqual([]);
  await world.withWorker({}, () => until('all of them are closed', async () => (await epochs(network)).length === 5));
  await unschedule(network);
  expect(await epochs(network)).toEqual([0, 1, 2, 3, 4]);
});

test('F20, F21, F22: ticks that are triggered at once while an epoch is under way start nothing beside it', async () => {
  const network = await world.makeNetwork({ epochs: 3 });
  await applySchedule(world.context, network);
  const gate = pauseAt('seal:frozen');
  await world.withWorker({ reached: gate.reached }, async () => {
    await Promise.all([1, 2, 3].map(() => scheduled(network).trigger()));
    await gate.arrived;
    await Promise.all([1, 2, 3].map(() => scheduled(network).trigger()));
    // Whoever asks by hand is told.
    await expect(startLoop(world.context, { network, range: null, askedBy: 'paul' })).rejects.toMatchObject({
      id: 'AlreadyRunning',
    });
    expect(await epochs(network)).toEqual([]);
    gate.release();
    await until('all are published', async () => (await epochs(network)).length === 3);
    await world.context.temporal.workflow.getHandle(loopId(network)).result();
  });
  await unschedule(network);
  expect(await epochs(network)).toEqual([0, 1, 2]);
  expect(await count(world.database, 'computation', network)).toBe(3);
  expect(await count(world.database, 'seal', network)).toBe(3);
});

test('F41: a policy with another grace: a tick for each, and one that is too early for its epoch settles nothing', async () => {
  const LENGTH = 6;
  const genesis = instantText(Math.floor(Date.now() / 1000));
  const knobs = { epochs: 3, genesis, lengthSeconds: LENGTH };
  const network = await world.makeNetwork(knobs, networkName());
  await applySchedule(world.context, network);
  const offset = Number(Date.parse(genesis) / 1000) % LENGTH;
  const { found } = await scheduleStanding(world.context, network);
  expect(found?.offsetsSeconds).toEqual([offset]);

  await approvedFrom(network, 1, ({ epoch }) => {
    Object.assign(epoch, { genesis, lengthSeconds: String(LENGTH), graceSeconds: '3', inputDeadlineSeconds: '3' });
  });
  const { differs } = await scheduleStanding(world.context, network);
  expect(differs).toEqual(['it does not fire at the end of the grace']);
  expect(await applySchedule(world.context, network)).toBe('changed');
  const { found: now } = await scheduleStanding(world.context, network);
  expect(now?.offsetsSeconds).toEqual([offset, (offset + 3) % LENGTH].sort((a, b) => a - b));

  await world.withWorker({}, () => until('all of them are closed', async () => (await epochs(network)).length === 3));
  const standing = await scheduleStanding(world.context, network);
  await unschedule(network);
  expect(standing.differs).toEqual(['it has other times']);
  const published = await world.database.viewer.query<{ grace: number }>(
    `select floor(extract(epoch from published_at))::bigint - $2 - (epoch + 1) * $3 as grace
     from chain_entry where network = $1 and kind = 'revision' order by epoch`,
    [network, Date.parse(genesis) / 1000, LENGTH],
  );
  const graces = published.rows.map(({ grace }) => grace);
  expect(graces[1]).toBeGreaterThanOrEqual(3);
  expect(graces[2]).toBeGreaterThanOrEqual(3);
});

/** A policy that two people made effective from an epoch on. */
async function approvedFrom(
  network: string,
  fromEpoch: number,
  change: (document: ReturnType<typeof policyDocument>) => unknown,
): Promise<void> {
  const document = policyDocument();
  change(document);
  const folder = await mkdtemp(join(tmpdir(), 'settle-test-ticks-'));
  const policyFile = join(folder, 'policy.yaml');
  await writeFile(policyFile, JSON.stringify(document));
  const admin = (actor: string) => ({ pool: world.database.viewer, actor });
  const words = { network, reason: 'the sources are slower', requestId: null };
  const { proposal } = await proposePolicy(admin('petra'), { ...words, policyFile, fromEpoch });
  await decidePolicy(admin('paul'), { ...words, proposal: String(proposal), outcome: 'approved' });
  await rm(folder, { recursive: true });
}

test('F42: after a gap each epoch moves a price by one step at most, however far the market went meanwhile', async () => {
  const texts = bundleTexts({ epochs: 12 });
  // From the sixth epoch on ten times as much is asked for as there is.
  const demand = texts.demand.replaceAll(/^(\d+),gpu,(\d+)$/gm, (line, epoch: string) =>
    Number(epoch) < 6 ? line : `${epoch},gpu,1000`,
  );
  const calendar = { first: 0, last: 11, holds: 'release' } as const;
  const policy = policyDocument();
  const network = await makeNetworkOf(world.context, { ...texts, demand }, JSON.stringify(policy), calendar);
  await world.withWorker({}, () => world.settle(network));
  expect(await epochs(network)).toEqual(Array.from({ length: 12 }, (_, epoch) => epoch));
  let moved = 0;
  for (let epoch = 1; epoch < 12; epoch += 1) {
    const [, gpu] = await priceRows(world.database.viewer, { network, epoch, revision: 1, computation: 1 });
    const step = new Decimal(gpu!.base).minus(gpu!.prev).abs().div(gpu!.prev);
    expect(step.lessThanOrEqualTo(policy.pricing.maxStep)).toBe(true);
    if (step.greaterThan('0.05')) moved += 1;
  }
  // The bound is what was met, and not a market that stood still.
  expect(moved).toBeGreaterThan(2);
});
