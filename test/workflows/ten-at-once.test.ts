import { failureOf } from '../../src/cli/errors';
import type { WorkflowContext } from '../../src/commands/context';
import { decideHold } from '../../src/commands/decide-hold';
import { importBundle } from '../../src/commands/import-bundle';
import { recordDispute } from '../../src/commands/open-dispute';
import { computeDispute, decideOnDispute } from '../../src/commands/run-dispute';
import { loopAnswer, startLoop } from '../../src/commands/run-epochs';
import { settleAgain } from '../../src/commands/settle-again';
import type { DisputeKey } from '../../src/store/disputes';
import { approver, rows, withCorrections } from '../disputes/disputing';
import { pauseAt } from '../harness/gates';
import { bundleTexts, withBundleFolder } from '../harness/networks';
import { count, freshWorld, publishedEpochs, until, type World } from '../harness/worlds';

let world: World;
beforeAll(async () => {
  world = await freshWorld();
});
afterAll(() => world.close());

const PEOPLE = Array.from({ length: 10 }, (_, index) => `operator${index}`);

/** Ten people do the same at once: what the one got, and what the nine were told. */
async function tenAtOnce<T>(work: (context: WorkflowContext) => Promise<T>) {
  const ends = await Promise.allSettled(
    PEOPLE.map((actor) => work({ ...world.as(actor), pool: approver(world.database) })),
  );
  const done = ends.flatMap((end, index) =>
    end.status === 'fulfilled' ? [{ actor: PEOPLE[index]!, value: end.value }] : [],
  );
  const told = ends.flatMap((end) => (end.status === 'rejected' ? [failureOf(end.reason)] : []));
  expect(done).toHaveLength(1);
  expect(told).toHaveLength(9);
  return { ...done[0]!, told };
}

/** Exit code 3, by whom and since when. */
function expectTold(told: readonly ReturnType<typeof failureOf>[], actor: string): void {
  for (const { exit, message } of told) {
    expect(message).toMatch(new RegExp(`by ${actor}\\b.*20\\d\\d-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d`));
    expect(exit).toBe(3);
  }
}

test('F20, F24: ten operators run the same epochs at once: one does, nine are told who and since when', async () => {
  const network = await world.makeNetwork({ epochs: 2 });
  const gate = pauseAt('seal:frozen');
  await world.withWorker({ reached: gate.reached }, async () => {
    const { actor, value, told } = await tenAtOnce((context) =>
      startLoop({ ...context, pool: world.database.operator }, { network, range: null, askedBy: context.actor }),
    );
    expectTold(told, actor);
    gate.release();
    expect(await loopAnswer(value)).toEqual({ reason: 'finished', closed: 2, epoch: null });
  });
  expect((await publishedEpochs(world.database, network)).map(({ epoch }) => epoch)).toEqual([0, 1]);
  expect(await count(world.database, 'computation', network)).toBe(2);
});

test('F24: ten operators dispute the same rows at once, and ten decide: one of each, nine are told who and since when', async () => {
  const network = await world.makeNetwork({ epochs: 2 });
  const wanted = { network, epoch: 1, derive: 'pinned', revision: null, reason: 'x', late: false } as const;
  await world.withWorker({}, async () => {
    await world.settle(network);
    const opened = await withCorrections(rows('capacity', '1,p0,gpu,10,9'), (corrections) =>
      tenAtOnce((context) =>
        recordDispute({ ...context, pool: world.database.operator }, { ...wanted, corrections, requestId: null }),
      ),
    );
    expectTold(opened.told, opened.actor);
    expect(await count(world.database, 'dispute', network)).toBe(1);
    const key: DisputeKey = opened.value.key;
    await computeDispute(world.as('anybody'), key);
    const decision = { ...key, outcome: 'approved', reason: 'x', contentDigest: null } as const;
    const others = { ...decision, network: key.network, epoch: key.epoch, dispute: key.dispute };
    const decided = await tenAtOnce((context) =>
      decideOnDispute({ ...context, actor: `not-${context.actor}` }, others),
    );
    expectTold(decided.told, `not-${decided.actor}`);
  });
  expect((await publishedEpochs(world.database, network)).map(({ epoch, revision }) => [epoch, revision])).toEqual([
    [0, 1],
    [1, 1],
    [1, 2],
  ]);
});

test('F24: ten approvers decide the same hold at once: one does, nine are told who and since when', async () => {
  const network = await world.makeNetwork({ epochs: 2, held: [1] });
  await world.withWorker({}, async () => {
    await world.settle(network);
    const { actor, told } = await tenAtOnce((context) =>
      decideHold(context, { network, epoch: 1, outcome: 'approved', reason: 'x', contentDigest: null }),
    );
    expectTold(told, actor);
  });
  expect((await publishedEpochs(world.database, network)).map(({ epoch }) => epoch)).toEqual([0, 1]);
});

test('F24: ten operators settle a failed epoch again at once: one does, nine are told who and since when', async () => {
  const network = await world.makeNetwork({ epochs: 2, missing: { 1: 'token' } });
  await world.withWorker({}, () => world.settle(network));
  await withBundleFolder(bundleTexts({ epochs: 2 }), (folder) =>
    importBundle(world.context, folder, { network, dryRun: false, outsideCalendar: 'refuse' }),
  );
  const gate = pauseAt('check:computed');
  await world.withWorker({ reached: gate.reached }, async () => {
    const all = tenAtOnce((context) =>
      settleAgain({ ...context, pool: world.database.operator }, { network, epoch: 1, reason: 'x', requestId: null }),
    );
    await gate.arrived;
    // All ten have asked, and the nine have a moment to be told while the one is at work.
    await until('all have asked', async () => (await againRequests(network)) === 10);
    await new Promise((resolve) => setTimeout(resolve, 2_000));
    gate.release();
    const { actor, told } = await all;
    expectTold(told, actor);
  });
  expect((await publishedEpochs(world.database, network)).map(({ epoch }) => epoch)).toEqual([0, 1]);
});

async function againRequests(network: string): Promise<number> {
  const found = await world.database.superuser.query<{ n: number }>(
    `select count(*) as n from settle.request where network = $1 and action = 'epoch-again'`,
    [network],
  );
  return found.rows[0]!.n;
}
