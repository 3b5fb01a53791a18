import { startLoop } from '../../src/commands/run-epochs';
import { failedEpochs, freshWorld, publishedEpochs, type World } from '../harness/worlds';

let world: World;
beforeAll(async () => {
  world = await freshWorld();
});
afterAll(() => world.close());

test('the epochs of a network are published one after the other, and the loop says that it is finished', async () => {
  const network = await world.makeNetwork({ epochs: 3 });
  await world.withWorker({}, async () => {
    expect(await world.settle(network)).toEqual({ reason: 'finished', closed: 3, epoch: null });
    // Nothing is left to do: a second start does nothing.
    expect(await world.settle(network)).toEqual({ reason: 'finished', closed: 0, epoch: null });
  });
  expect((await publishedEpochs(world.database, network)).map((row) => [row.epoch, row.revision])).toEqual([
    [0, 1],
    [1, 1],
    [2, 1],
  ]);
});
