import { historyToJSON } from '@temporalio/common/lib/proto-utils';
import { freshWorld, type World } from '../harness/worlds';

let world: World;
beforeAll(async () => {
  world = await freshWorld();
});
afterAll(() => world.close());

interface Size {
  readonly events: number;
  readonly bytes: number;
  /** Of the largest payload. */
  readonly largest: number;
}

/** The history of one epoch of so many providers in chunks of two, with a pool that binds: two rounds of rewards. */
async function sizeOf(providers: number): Promise<Size> {
  const network = await world.makeNetwork({ epochs: 1, providers, pool: '10' });
  await world.withWorker({ chunkProviders: 2 }, () => world.settle(network));
  const history = await world.context.temporal.workflow.getHandle(`settle/${network}/0`).fetchHistory();
  const json = historyToJSON(history);
  const payloads = [...json.matchAll(/"data": ?"([^"]*)"/g)].map(([, data]) => Buffer.from(data!, 'base64').length);
  return { events: history.events!.length, bytes: json.length, largest: Math.max(...payloads) };
}

test('F37: a million providers, in as many chunks, keep a history far from its end, and no payload grows with them', async () => {
  // 50 chunks: in a worker's usual chunks of 20,000, a million providers.
  const [few, many] = [await sizeOf(2), await sizeOf(100)];
  const chunks = 49;
  // Two rounds of a chunk are 6 events of their activities and at most 6 of the workflow tasks between them.
  expect((many.events - few.events) / chunks).toBeLessThanOrEqual(12);
  expect(many.events).toBeLessThan(700);
  expect(many.bytes).toBeLessThan(1_000_000);
  // References, counts and the records of two markets, whatever the number of providers.
  expect(many.largest).toBeLessThan(8_192);
  expect(many.largest).toBeLessThan(few.largest + 1_024);
});
