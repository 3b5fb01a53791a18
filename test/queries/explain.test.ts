import type { Pool } from 'pg';
import { explanationAddsUp } from '../../src/explain/adds-up';
import { ExplainError } from '../../src/explain/errors';
import { type ExplainedPayout, standingDiscrepancy } from '../../src/explain/payout-standing';
import { nodeHashes } from '../../src/hashing/node-hashes';
import { verifyClaim } from '../../src/proofs/claims-tree';
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
      expect(standingDiscrepancy(explanation)).toBeNull();
      expect(explanation.prices.map(({ market }) => market)).toEqual(explanation.lines.map(({ market }) => market));
      expect(explanation.source.state).toBe(epoch === EPOCHS.held ? 'held' : 'published');
    }
  }
});

test('an explanation says where in the claims tree the payee stands, with a proof that holds', async () => {
  const { keccak256 } = await nodeHashes();
  const { claim, source } = await explainProviderPayout(viewer, network, 3, 'p0');
  expect(claim).toMatchObject({ root: source.claimsRoot, command: expect.stringMatching(/^settle claims proof 0x/) });
  expect(claim!.leafIndex).toBeGreaterThanOrEqual(0);
  expect(verifyClaim(claim!.root, claim!.payee, claim!.cumulative!.baseUnits, claim!.proof!, keccak256)).toBe(true);
  // Of older epochs the rows of the tree are not kept: there is the command that derives them.
  const older = (await explainProviderPayout(viewer, network, 0, 'p0')).claim;
  expect(older).toMatchObject({ leafIndex: null, proof: null, payees: claim!.payees });
  // p2 has no payee, and what is on hold has no claims yet.
  expect((await explainProviderPayout(viewer, network, 3, 'p2')).claim).toBeNull();
  expect((await explainProviderPayout(viewer, network, EPOCHS.held, 'p0')).claim).toBeNull();
});

test.each([
  [
    'adjustments',
    (found: ExplainedPayout) => ({ revisions: found.revisions.map((one) => ({ ...one, adjustment: one.amount })) }),
  ],
  [
    'revisions',
    (found: ExplainedPayout) => ({
      revisions: found.revisions.map((one) => ({ ...one, amount: plusOne(one.amount) })),
    }),
  ],
  ['account', (found: ExplainedPayout) => ({ account: { ...found.account, due: plusOne(found.account.due) } })],
  [
    'amounts in tokens',
    (found: ExplainedPayout) => ({ account: { ...found.account, paid: { baseUnits: '0', tokens: '1' } } }),
  ],
  ['prices of the lines', () => ({ prices: [] })],
  [
    'price of disk',
    (found: ExplainedPayout) => ({ prices: found.prices.map((one) => ({ ...one, price: '0.000000000001' })) }),
  ],
] as const)('a standing whose %s were changed does not add up', async (words, change) => {
  const found = await explainProviderPayout(viewer, network, 3, 'p0');
  expect(standingDiscrepancy({ ...found, ...change(found) })).toBe(words);
});

const plusOne = ({ tokens, baseUnits }: { tokens: string; baseUnits: string }) => ({
  tokens,
  baseUnits: String(BigInt(baseUnits) + 1n),
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
