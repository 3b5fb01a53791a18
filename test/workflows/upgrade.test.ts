import { decideHold } from '../../src/commands/decide-hold';
import { decideOnDispute, disputeWorkflowId, openDispute } from '../../src/commands/run-dispute';
import { epochWorkflowId } from '../../src/commands/run-epochs';
import { findProposal } from '../../src/store/disputes';
import { openHolds } from '../../src/store/holds';
import { approver, rows, withCorrections } from '../disputes/disputing';
import { testBundle } from '../harness/orchestrators';
import { count, freshWorld, publishedEpochs, type World } from '../harness/worlds';

let world: World;
beforeAll(async () => {
  world = await freshWorld();
});
afterAll(() => world.close());

/** The workflows of another release: both take their first step twice, which no old history has. */
function otherRelease() {
  const firstSteps = [
    /const found = (await this\.gather\(\);)/,
    /const found = (await [^;]*readDispute\(this\.ref, null\);)/,
  ];
  let { code } = testBundle();
  for (const step of firstSteps) {
    const changed = code.replace(step, (line, call: string) => `${call} ${line}`);
    expect(changed).not.toBe(code);
    code = changed;
  }
  return { code, sourceMap: '' };
}

test('F16: what waits for a person outlives a worker of another release: one approval publishes exactly what was looked at', async () => {
  const [held, disputed] = [await world.makeNetwork({ epochs: 3, held: [1] }), await world.makeNetwork({ epochs: 2 })];
  const anton = { ...world.context, actor: 'anton', pool: approver(world.database) };
  const { key } = await world.withWorker({}, async () => {
    await world.settle(held);
    await world.settle(disputed);
    const wanted = { network: disputed, epoch: 1, derive: 'pinned', revision: null, reason: 'x', late: false } as const;
    return withCorrections(rows('capacity', '1,p0,gpu,10,9'), (corrections) =>
      openDispute(world.context, { ...wanted, corrections, requestId: null }),
    );
  });
  const [hold] = await openHolds(world.database.viewer, held);
  const proposal = await findProposal(world.database.viewer, key);
  const runs = [epochWorkflowId(held, 1), disputeWorkflowId(key)].map((id) =>
    world.context.temporal.workflow.getHandle(id),
  );
  const before = await Promise.all(runs.map((run) => run.describe()));
  const bundle = otherRelease();
  const decision = { outcome: 'approved', reason: 'looked at it', contentDigest: null } as const;
  await world.withWorker({ bundle }, () =>
    Promise.all([
      decideHold(anton, { network: held, epoch: 1, ...decision }),
      decideOnDispute(anton, { network: disputed, epoch: 1, dispute: key.dispute, ...decision }),
    ]),
  );
  // They could not go on, and were ended by name; others found their rows.
  for (const { workflowId, runId } of before) {
    const old = await world.context.temporal.workflow.getHandle(workflowId, runId).describe();
    expect(old.status.name).toBe('TERMINATED');
  }
  const published = await publishedEpochs(world.database, held);
  expect(published.map(({ epoch }) => epoch)).toEqual([0, 1, 2]);
  expect(published[1]?.contentDigest).toBe(hold?.contentDigest);
  expect(await count(world.database, 'computation', held)).toBe(3);
  expect((await publishedEpochs(world.database, disputed)).at(-1)).toMatchObject({
    epoch: 1,
    revision: 2,
    contentDigest: proposal?.contentDigest,
  });
});
