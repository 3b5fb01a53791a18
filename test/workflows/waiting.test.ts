import { importBundle } from '../../src/commands/import-bundle';
import { epochWorkflowId } from '../../src/commands/run-epochs';
import { epochStatus } from '../../workflows/messages';
import { bundleTexts, type NetworkKnobs, withBundleFolder } from '../harness/networks';
import { failedEpochs, freshWorld, publishedEpochs, type World } from '../harness/worlds';

let world: World;
beforeAll(async () => {
  world = await freshWorld();
});
afterAll(() => world.close());

/** Epoch 0 ended a second ago without a token price; its deadline is so many seconds ahead. */
function waitingKnobs(deadlineSeconds: number): NetworkKnobs {
  const genesis = new Date(Date.now() - 2000).toISOString().replace(/\.\d+Z/, 'Z');
  const missing = { 0: 'token' } as const;
  return { epochs: 1, genesis, lengthSeconds: 1, inputDeadlineSeconds: deadlineSeconds + 1, missing };
}

const run = (network: string) => world.orchestrator.client.workflow.getHandle(epochWorkflowId(network, 0));

test('F39: an epoch waits for what is missing; when it arrived before the deadline, it is published', async () => {
  const knobs = waitingKnobs(12);
  const network = await world.makeNetwork(knobs);
  await world.withWorker({}, async () => {
    expect(await world.settle(network)).toEqual({ reason: 'waiting', closed: 0, epoch: 0 });
    expect(await run(network).query(epochStatus)).toEqual({
      epoch: 0,
      phase: 'gather',
      detail: 'waiting for token-price',
    });
    const { missing: _, ...complete } = knobs;
    await withBundleFolder(bundleTexts(complete), (folder) =>
      importBundle(world.context, folder, { network, dryRun: false, outsideCalendar: 'refuse' }),
    );
    expect(await run(network).result()).toMatchObject({ kind: 'published', epoch: 0 });
  });
  expect(await publishedEpochs(world.database, network)).toHaveLength(1);
});

test('F39: an epoch whose inputs are not complete at the deadline is failed by that name, saying what is missing', async () => {
  const network = await world.makeNetwork(waitingKnobs(8));
  await world.withWorker({}, async () => {
    expect(await world.settle(network)).toEqual({ reason: 'waiting', closed: 0, epoch: 0 });
    expect(await failedEpochs(world.database, network)).toEqual([]);
    expect(await run(network).result()).toEqual({ kind: 'failed', epoch: 0, failure: 'incomplete-inputs' });
  });
  const found = await world.database.viewer.query('select detail from epoch_failure where network = $1', [network]);
  expect(found.rows).toEqual([{ detail: { missing: ['token-price'] } }]);
});

test('a waiting epoch is not waited for by the next loop either', async () => {
  const network = await world.makeNetwork(waitingKnobs(3600));
  await world.withWorker({}, async () => {
    expect(await world.settle(network)).toMatchObject({ reason: 'waiting' });
    await run(network).terminate('a run that is gone');
    expect(await world.settle(network)).toEqual({ reason: 'waiting', closed: 0, epoch: 0 });
    await run(network).terminate('done');
  });
});
