import { generateBundle } from '../generate/bundle';
import { makeNetworkOf, networkName } from '../harness/networks';
import { freshWorld, type World } from '../harness/worlds';
import { differences, exported, settledBySecond, spanOf } from './compare';

let world: World;
beforeAll(async () => {
  world = await freshWorld();
});
afterAll(() => world.close());

test.each([301, 302])(
  'bundle %i, settled by the loop on Temporal, has the same bytes as by the second implementation',
  async (seed) => {
    const bundle = generateBundle(seed, { epochs: 20 });
    const network = networkName();
    const calendar = { ...spanOf(bundle), holds: 'release' } as const;
    await makeNetworkOf(world.context, bundle.files, bundle.policyYaml, calendar, network);
    // Silent epochs are what these bundles are made of, so they are asked for by their range.
    await world.withWorker({ chunkProviders: 4, limitSeconds: 80 }, () => world.settle(network, 'olivia', calendar));
    expect(differences(await exported(world.context, network), await settledBySecond(bundle, network))).toEqual([]);
  },
);
