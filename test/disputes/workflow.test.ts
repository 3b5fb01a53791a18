import type { WorkflowContext } from '../../src/commands/context';
import { decideHold } from '../../src/commands/decide-hold';
import { importBundle } from '../../src/commands/import-bundle';
import { recordDispute } from '../../src/commands/open-dispute';
import { computeDispute, decideOnDispute, disputeWorkflowId, openDispute } from '../../src/commands/run-dispute';
import { epochWorkflowId, isRunning, startLoop } from '../../src/commands/run-epochs';
import { settleAgain } from '../../src/commands/settle-again';
import { newestRevision } from '../../src/store/chain';
import { findProposal } from '../../src/store/disputes';
import { holdsOf } from '../../src/store/holds';
import { bundleTexts, makeNetwork, type NetworkKnobs, withBundleFolder } from '../harness/networks';
import { failedEpochs, freshWorld, publishedEpochs, until, type World } from '../harness/worlds';
import { approver, type CorrectionFiles, rows, withCorrections } from './disputing';

let world: World;
let anton: WorkflowContext;

beforeAll(async () => {
  world = await freshWorld();
  anton = { ...world.context, actor: 'anton', pool: approver(world.database) };
});
afterAll(() => world.close());

const create = (knobs: NetworkKnobs = {}) => makeNetwork({ pool: world.database.superuser, actor: 'olivia' }, knobs);
const working = <T>(work: () => Promise<T>) => world.withWorker({}, work);

function open(network: string, epoch: number, files: CorrectionFiles, derive: 'pinned' | 'full' = 'pinned') {
  return withCorrections(files, (corrections) =>
    openDispute(world.context, {
      network,
      epoch,
      corrections,
      derive,
      revision: null,
      reason: 'a recording error',
      late: false,
      requestId: null,
    }),
  );
}

const decide = (key: { network: string; epoch: number; dispute: number }, outcome: 'approved' | 'rejected') =>
  decideOnDispute(anton, {
    network: key.network,
    epoch: key.epoch,
    dispute: key.dispute,
    outcome,
    reason: 'looked at it',
    contentDigest: null,
  });

const newest = (network: string, epoch: number) => newestRevision(world.database.viewer, network, epoch);

test('a dispute waits for the second person, is published by their approval, and its run ends', async () => {
  const network = await create();
  await working(async () => {
    await world.settle(network);
    const { key, dispute } = await open(network, 1, rows('capacity', '1,p0,gpu,10,9'));
    expect(dispute.state).toBe('open');
    expect(await newest(network, 1)).toMatchObject({ revision: 1 });
    expect(await decide(key, 'approved')).toMatchObject({ state: 'published', revision: 2, decidedBy: 'anton' });
    expect(await newest(network, 1)).toMatchObject({ revision: 2 });
    expect(await isRunning(world.context.temporal, disputeWorkflowId(key))).toBe(false);
  });
});

test('a rejected dispute ends its run and publishes nothing', async () => {
  const network = await create();
  await working(async () => {
    await world.settle(network);
    const { key } = await open(network, 1, rows('capacity', '1,p0,gpu,10,9'));
    expect(await decide(key, 'rejected')).toMatchObject({ state: 'rejected' });
    await until('the run ended', async () => !(await isRunning(world.context.temporal, disputeWorkflowId(key))));
    expect(await newest(network, 1)).toMatchObject({ revision: 1 });
  });
});

test('a run that was terminated in review is not missed: the approval starts another, which finds its rows', async () => {
  const network = await create();
  const { key } = await working(async () => {
    await world.settle(network);
    return open(network, 1, rows('capacity', '1,p0,gpu,10,9'));
  });
  const { wouldTrip, ...proposal } = (await findProposal(world.database.viewer, key))!;
  expect(wouldTrip).toEqual([]);
  await world.context.temporal.workflow.getHandle(disputeWorkflowId(key)).terminate('wiped');
  await working(async () => {
    expect(await decide(key, 'approved')).toMatchObject({ state: 'published' });
    expect(await newest(network, 1)).toMatchObject({ ...proposal, revision: 2 });
  });
});

test('a dispute whose run never started is computed by whoever looks at it', async () => {
  const network = await create();
  await working(async () => {
    await world.settle(network);
    const { key } = await withCorrections(rows('capacity', '1,p0,gpu,10,9'), (corrections) =>
      recordDispute(world.context, {
        network,
        epoch: 1,
        corrections,
        derive: 'pinned',
        revision: null,
        reason: 'x',
        late: false,
        requestId: null,
      }),
    );
    expect(await findProposal(world.database.viewer, key)).toBeNull();
    await computeDispute(anton, key);
    expect(await findProposal(world.database.viewer, key)).not.toBeNull();
  });
});

test('two disputes in review: the approval of one ends the run of the other as stale', async () => {
  const network = await create();
  await working(async () => {
    await world.settle(network);
    const one = await open(network, 1, rows('capacity', '1,p0,gpu,10,9'));
    const two = await open(network, 1, rows('capacity', '1,p1,gpu,11,9'));
    await decide(two.key, 'approved');
    const first = world.context.temporal.workflow.getHandle(disputeWorkflowId(one.key));
    expect(await first.result()).toEqual({ kind: 'stale' });
    await expect(decide(one.key, 'approved')).rejects.toMatchObject({ name: 'DisputeStale' });
  });
});

test('F25: a dispute below a held epoch: its run computes again and is held again by other figures', async () => {
  const network = await create({ held: [1] });
  await working(async () => {
    const loop = await startLoop(world.context, { network, range: null, askedBy: 'olivia' });
    expect(await loop.result()).toMatchObject({ reason: 'held', epoch: 1 });
    const before = (await holdsOf(world.database.viewer, network, 1))[0]!;
    const { key } = await open(network, 0, rows('demand', '0,gpu,99'), 'full');
    await decide(key, 'approved');
    const holds = () => holdsOf(world.database.viewer, network, 1);
    await until('epoch 1 is held again', async () => (await holds()).length === 2);
    const [now, then] = await holds();
    expect(then).toMatchObject({ contentDigest: before.contentDigest, decision: 'superseded' });
    expect(now).toMatchObject({ decision: null });
    expect(now!.contentDigest).not.toBe(before.contentDigest);
    const hold = (contentDigest: string) =>
      decideHold(anton, { network, epoch: 1, outcome: 'approved', reason: 'ok', contentDigest });
    await expect(hold(before.contentDigest)).rejects.toMatchObject({ name: 'HoldMismatch' });
    await hold(now!.contentDigest);
    expect((await publishedEpochs(world.database, network)).map(({ epoch, revision }) => [epoch, revision])).toEqual([
      [0, 1],
      [0, 2],
      [1, 1],
      [2, 1],
    ]);
  });
});

test('a failed epoch that is held when settled again is published by an approval, also after its run was lost', async () => {
  const network = await create({ missing: { 1: 'token' } });
  await working(async () => {
    await world.settle(network);
    expect(await failedEpochs(world.database, network)).toHaveLength(1);
    // The price that comes late is ten times that of epoch 0: breaker tokenMove trips.
    const late = bundleTexts();
    const token = late.token.replaceAll(/^(1,.*,.*),0\.5,1000$/gm, '$1,5,1000');
    await withBundleFolder({ ...late, token }, (folder) =>
      importBundle(world.context, folder, { network, dryRun: false, outsideCalendar: 'refuse' }),
    );
    const answer = await settleAgain(world.context, { network, epoch: 1, reason: 'prices came', requestId: null });
    expect(answer).toMatchObject({ kind: 'held' });
    await expect(
      decideHold(
        { ...anton, actor: 'olivia' },
        { network, epoch: 1, outcome: 'approved', reason: 'ok', contentDigest: null },
      ),
    ).rejects.toMatchObject({ name: 'SelfApproval' });
    await world.context.temporal.workflow.getHandle(epochWorkflowId(network, 1)).terminate('wiped');
    await decideHold(anton, { network, epoch: 1, outcome: 'approved', reason: 'ok', contentDigest: null });
    expect(await newest(network, 1)).toMatchObject({ revision: 1 });
  });
});
