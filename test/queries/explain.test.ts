import type { Pool } from 'pg';
import { explanationAddsUp } from '../../src/explain/adds-up';
import { ExplainError } from '../../src/explain/errors';
import { QueryError } from '../../src/queries/errors';
import { explainProviderPayout } from '../../src/queries/explain-payout';
import { allPayouts } from '../../src/queries/payouts';
import { EPOCHS, type SettledNetwork, settledNetwork } from './settled-network';

let settled: SettledNetwork;
let network: string;
let viewer: Pool;

beforeEach(async () => {
  settled = await settledNetwork();
  network = settled.network;
  viewer = settled.database.viewer;
});
afterEach(() => settled?.close());

test('every payout of every epoch is explained from its rows, to the base unit', async () => {
  for (const epoch of [...EPOCHS.published, EPOCHS.held]) {
    for (const { provider, amount } of (await allPayouts(viewer, network, epoch)).payouts) {
      const explanation = await explainProviderPayout(viewer, network, epoch, provider);
      expect(explanation.amount.baseUnits).toBe(amount);
      expect(explanationAddsUp(explanation)).toBe(true);
      expect(explanation.source.state).toBe(epoch === EPOCHS.held ? 'held' : 'published');
    }
  }
});

test('an explanation names the revision: policy, digests, head and root', async () => {
  const { source } = await explainProviderPayout(viewer, network, 3, 'p0');
  expect(source).toMatchObject({ ruleset: 1, policy: { name: 'test' }, growthPhase: 'maturity', activeProviders: 3 });
  expect(source.head).toMatch(/^[0-9a-f]{64}$/);
  expect(source.claimsRoot).toMatch(/^0x[0-9a-f]{64}$/);
});

test('a payout that was rewritten in the database is refused', async () => {
  const { database } = settled;
  await database.tamper(
    `update settle.payout set amount = amount + 1, gross = gross + 1 where network = $1 and epoch = 3
    and provider = 'p0'`,
    [network],
  );
  await expect(explainProviderPayout(viewer, network, 3, 'p0')).rejects.toThrow(ExplainError);
});

test('sealed capacity that was rewritten is refused', async () => {
  const { database } = settled;
  await database.tamper(
    `update settle.capacity set served = served - 1 where network = $1 and epoch = 3 and provider = 'p1'`,
    [network],
  );
  await expect(explainProviderPayout(viewer, network, 3, 'p1')).rejects.toThrow(/payout-mismatch|The stored gross/);
});

test('a price that was rewritten is refused', async () => {
  const { database } = settled;
  await database.tamper(`update settle.price set m_network = m_network * 2 where network = $1 and epoch = 3`, [
    network,
  ]);
  await expect(explainProviderPayout(viewer, network, 3, 'p1')).rejects.toThrow(/The stored rate of/);
});

test('a provider that is not registered, or had no capacity, is told apart', async () => {
  const { database } = settled;
  await expect(explainProviderPayout(viewer, network, 3, 'nobody')).rejects.toThrow(
    /no provider nobody in the registry/,
  );
  await database.tamper(`delete from settle.payout where network = $1 and epoch = 1 and provider = 'p2'`, [network]);
  const error = await explainProviderPayout(viewer, network, 1, 'p2').catch((caught: unknown) => caught);
  expect(error).toBeInstanceOf(QueryError);
  expect((error as QueryError).what).toMatch(/it has payouts in 2 published epochs, the first 0, the last 3/);
});
