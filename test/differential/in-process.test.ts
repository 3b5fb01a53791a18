import { generateBundle } from '../generate/bundle';
import { freshDatabase, type TestDatabase } from '../harness/databases';
import { activitiesOn, settleAllInProcess } from '../harness/in-process';
import { makeNetworkOf, networkName } from '../harness/networks';
import { differences, exported, settledBySecond, spanOf } from './compare';

/** `SEEDS=100..200` or `SEEDS=7,8,9` settles others, by hand. */
function seeds(): readonly number[] {
  const asked = process.env.SEEDS ?? '1..8';
  const range = /^(\d+)\.\.(\d+)$/.exec(asked);
  if (range === null) return asked.split(',').map(Number);
  const [first, last] = [Number(range[1]), Number(range[2])];
  return Array.from({ length: last - first + 1 }, (_, index) => first + index);
}

let database: TestDatabase;
beforeAll(async () => {
  database = await freshDatabase();
});
afterAll(() => database.close());

/** Settled by the activities, in chunks of so many providers. */
async function settledHere(seed: number, network: string, chunkProviders: number) {
  const bundle = generateBundle(seed);
  const context = { pool: database.operator, actor: 'operator' };
  await makeNetworkOf(context, bundle.files, bundle.policyYaml, { ...spanOf(bundle), holds: 'release' }, network);
  await settleAllInProcess(await activitiesOn(database.worker, { chunkProviders }), network);
  return { ours: await exported(context, network), theirs: await settledBySecond(bundle, network) };
}

test.each(seeds())('bundle %i is settled to the same bytes as by the second implementation', async (seed) => {
  // Odd seeds in chunks of three providers, so that both roads of the reward step are compared.
  const { ours, theirs } = await settledHere(seed, networkName(), seed % 2 === 1 ? 3 : 20_000);
  expect(differences(ours, theirs)).toEqual([]);
});
