import type { Pool } from 'pg';
import { epochDetail, lastPublishedEpoch, listEpochs } from '../../src/queries/epochs';
import { QueryError } from '../../src/queries/errors';
import { marketOverview } from '../../src/queries/market-overview';
import { networkStatus } from '../../src/queries/network-status';
import { allPayouts, payoutPage, providerPayouts, topPayouts } from '../../src/queries/payouts';
import { priceRecord } from '../../src/queries/price-record';
import { freshDatabase } from '../harness/databases';
import { makeNetwork } from '../harness/networks';
import { EPOCHS, type SettledNetwork, settledNetwork } from './settled-network';

let settled: SettledNetwork;
let network: string;
/** All of them must do with the rights of those who only look. */
let viewer: Pool;

beforeAll(async () => {
  settled = await settledNetwork();
  network = settled.network;
  viewer = settled.database.viewer;
});
afterAll(() => settled?.close());

const all = { first: null, last: null, states: null, newest: null };

/** The error of a question about something that is not there. */
async function refusal(question: Promise<unknown>): Promise<QueryError> {
  const error = await question.then(
    () => new Error('it was answered'),
    (caught: unknown) => caught,
  );
  if (error instanceof QueryError) return error;
  throw error;
}

describe('status', () => {
  test('a held epoch is what the network waits for, and a tick passes', async () => {
    const status = await networkStatus(viewer, network);
    expect(status).toMatchObject({ lastClosed: 3, lastPublished: 3, counts: { published: 3, failed: 1, held: 1 } });
    expect(status.next).toMatchObject({ kind: 'held', epoch: EPOCHS.held, missing: [], sealed: true });
    expect(status.next.schedule).toMatch(/waits for a person/);
    expect(status.holds).toMatchObject([{ epoch: EPOCHS.held, askedBy: 'system', overdue: false }]);
    expect(status.holds[0]?.breakers.map(({ id }) => id)).toEqual(['tokenMove']);
  });

  test('epochs that are due and not closed are counted from the first of them', async () => {
    const { lateness, calendar } = await networkStatus(viewer, network);
    expect(calendar).toMatchObject({ firstEpoch: 0, lastEpoch: 5 });
    expect(lateness?.epochs).toBe(2);
  });

  test('the chain ends with the claims of the last published epoch', async () => {
    const { chain } = await networkStatus(viewer, network);
    expect(chain).toMatchObject({ position: 6, epoch: 3 });
    expect(chain?.head).toMatch(/^[0-9a-f]{64}$/);
  });

  test('inputs that are missing are named, with the deadline', async () => {
    const database = await freshDatabase();
    try {
      const genesis = new Date(Date.now() - 7_200_000).toISOString().replace(/\.\d+Z$/, 'Z');
      const knobs = { genesis, inputDeadlineSeconds: 86_400, epochs: 1, missing: { 0: 'token' as const } };
      const waiting = await makeNetwork({ pool: database.operator, actor: 'olivia' }, knobs);
      const { next } = await networkStatus(database.viewer, waiting);
      expect(next).toMatchObject({ kind: 'due', epoch: 0, missing: ['token-price'], sealed: false });
      expect(next.inputDeadline).not.toBeNull();
      expect(next.schedule).toMatch(/looks at the inputs/);
    } finally {
      await database.close();
    }
  });

  test('an epoch that is not over is not late', async () => {
    const database = await freshDatabase();
    try {
      const genesis = new Date(Date.now() - 1_000).toISOString().replace(/\.\d+Z$/, 'Z');
      const young = await makeNetwork({ pool: database.operator, actor: 'olivia' }, { genesis });
      const status = await networkStatus(database.viewer, young);
      expect(status.next).toMatchObject({ kind: 'not-yet', epoch: 0 });
      expect(status).toMatchObject({ lateness: null, lastClosed: null, lastPublished: null, chain: null });
    } finally {
      await database.close();
    }
  });
});

describe('epochs', () => {
  test('each stands as it was closed, and what nobody looked at is not listed', async () => {
    const found = await listEpochs(viewer, network, all);
    expect(found.map(({ epoch, state }) => [epoch, state])).toEqual([
      [0, 'published'],
      [1, 'published'],
      [2, 'failed'],
      [3, 'published'],
      [4, 'held'],
    ]);
    expect(found[2]).toMatchObject({ failure: 'incomplete-inputs', revision: null, sum: null });
    expect(found[4]).toMatchObject({ revision: 1, head: null, holdOverdue: false });
    expect(found[4]?.breakers).toHaveLength(1);
  });

  test('a list can be cut to a range, to states and to the newest', async () => {
    const epochs = async (selection: Partial<typeof all> | object) =>
      (await listEpochs(viewer, network, { ...all, ...selection })).map(({ epoch }) => epoch);
    expect(await epochs({ first: 1, last: 2 })).toEqual([1, 2]);
    expect(await epochs({ states: ['published'], newest: 2 })).toEqual([1, 3]);
    expect(await epochs({ newest: 2 })).toEqual([3, 4]);
    expect(await epochs({ first: 9 })).toEqual([]);
  });

  test('what was paid and what was not is the pool', async () => {
    for (const { pool, sum, unallocated } of await listEpochs(viewer, network, { ...all, states: ['published'] })) {
      expect(BigInt(sum ?? 0) + BigInt(unallocated ?? 0)).toBe(BigInt(pool ?? -1));
    }
  });

  test('an epoch is shown with the policy that settled it and the heads that name it', async () => {
    const detail = await epochDetail(viewer, network, 3);
    expect(detail.policy?.name).toBe('test');
    expect(detail.claims?.root).toBe(detail.summary.claimsRoot);
    expect(detail.summary.head).toBe((await networkStatus(viewer, network)).chain?.head);
  });

  test('a failed epoch has no content, and says who closed it for what', async () => {
    const detail = await epochDetail(viewer, network, EPOCHS.failed);
    expect(detail).toMatchObject({ content: null, claims: null, summary: { failure: 'incomplete-inputs' } });
  });

  test('questions about epochs that are not there say what is', async () => {
    const beyond = await refusal(epochDetail(viewer, network, 99));
    expect(beyond).toMatchObject({ id: 'epoch-unknown' });
    expect(beyond.what).toMatch(/calendar, which has the epochs 0 to 5; the epochs 0 to 4 have records/);
    expect((await refusal(epochDetail(viewer, network, EPOCHS.untouched))).what).toMatch(
      /Nothing is recorded of epoch 5/,
    );
    const failed = await refusal(topPayouts(viewer, network, EPOCHS.failed, 3));
    expect(failed).toMatchObject({ id: 'epoch-without-results' });
    expect(failed.what).toMatch(/failed with incomplete-inputs/);
  });

  test('an unknown network is told with those that are known', async () => {
    await expect(networkStatus(viewer, 'nowhere')).rejects.toThrow(network);
    await expect(listEpochs(viewer, 'nowhere', all)).rejects.toThrow(network);
  });

  test('the last published epoch is not the held one', async () => {
    expect(await lastPublishedEpoch(viewer, network)).toBe(3);
  });
});

describe('markets and prices', () => {
  test('the change of a price is against the last published epoch, the failed one left out', async () => {
    const [before, now] = [await marketOverview(viewer, network, 1, 10), await marketOverview(viewer, network, 3, 10)];
    const gpu = now.markets.find(({ market }) => market === 'gpu');
    expect(gpu?.previousPrice).toBe(before.markets.find(({ market }) => market === 'gpu')?.price);
    expect(gpu?.series.map(({ epoch }) => epoch)).toEqual([0, 1, 3]);
    expect(gpu?.series.at(-1)?.price).toBe(gpu?.price);
  });

  test('the first epoch has nothing to compare with', async () => {
    const { markets } = await marketOverview(viewer, network, 0, 10);
    expect(markets.map(({ market, change }) => [market, change])).toEqual([
      ['disk', null],
      ['gpu', null],
    ]);
  });

  test('what moved a price comes largest first', async () => {
    const { markets } = await marketOverview(viewer, network, 3, 10);
    for (const { factors } of markets) {
      const sizes = factors.map(({ amount }) => Math.abs(Number(amount)));
      expect(sizes).toEqual([...sizes].sort((left, right) => right - left));
      expect(sizes).not.toContain(0);
    }
  });

  test('a price record starts from the epoch before, and its series ends with it', async () => {
    const record = await priceRecord(viewer, network, 3, 'gpu', 2);
    expect(record.explanation.previous.epoch).toBe(1);
    expect(record.series.map(({ epoch }) => epoch)).toEqual([1, 3]);
    expect(record.explanation.lines[0]?.amount).toBe(record.series[0]?.base);
  });

  test('a held epoch has its price record, too, marked as held', async () => {
    const record = await priceRecord(viewer, network, EPOCHS.held, 'gpu', 9);
    expect(record.state).toBe('held');
    expect(record.series.at(-1)?.epoch).toBe(EPOCHS.held);
  });

  test('an unknown market is told with those of the epoch and the nearest', async () => {
    const error = await refusal(priceRecord(viewer, network, 3, 'gpus', 2));
    expect(error).toMatchObject({ id: 'market-unknown' });
    expect(error.what).toMatch(/Did you mean gpu\?/);
    expect(error.todo).toMatch(/disk, gpu/);
  });
});

describe('payouts', () => {
  test('the largest come first, and all together are what the epoch paid', async () => {
    const { payouts, totals, settled: epoch } = await topPayouts(viewer, network, 3, 10);
    const amounts = payouts.map(({ amount }) => BigInt(amount));
    expect(amounts).toEqual([...amounts].sort((left, right) => (left < right ? 1 : -1)));
    expect(amounts.reduce((sum, amount) => sum + amount, 0n).toString()).toBe(epoch.content.sum);
    expect(totals).toMatchObject({ providers: 3, amount: epoch.content.sum, reasons: { paid: 3 } });
  });

  test('pages follow each other by provider without gap and without end', async () => {
    const first = await payoutPage(viewer, network, 3, '', 2);
    expect([first.payouts.map(({ provider }) => provider), first.next]).toEqual([['p0', 'p1'], 'p1']);
    const second = await payoutPage(viewer, network, 3, first.next ?? '', 2);
    expect([second.payouts.map(({ provider }) => provider), second.next]).toEqual([['p2'], null]);
    const whole = await allPayouts(viewer, network, 3);
    expect(whole.payouts).toEqual([...first.payouts, ...second.payouts]);
  });

  test('a provider has its payouts over the published epochs, newest first', async () => {
    const { payouts } = await providerPayouts(viewer, network, 'p1', { first: 0, last: 5 }, 10);
    expect(payouts.map(({ epoch }) => epoch)).toEqual([3, 1, 0]);
  });

  test('an unknown provider is told with those of a similar id', async () => {
    const error = await refusal(providerPayouts(viewer, network, 'P1', { first: 0, last: 5 }, 10));
    expect(error).toMatchObject({ id: 'provider-unknown' });
    expect(error.what).toMatch(/Did you mean p1/);
  });
});
