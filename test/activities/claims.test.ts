import { StandardMerkleTree } from '@openzeppelin/merkle-tree';
import { importBundle } from '../../src/commands/import-bundle';
import { freshDatabase, type TestDatabase } from '../harness/databases';
import { activitiesOn, settleEpochInProcess } from '../harness/in-process';
import { bundleTexts, makeNetwork, withBundleFolder } from '../harness/networks';

let database: TestDatabase;
beforeEach(async () => {
  database = await freshDatabase();
});
afterEach(() => database.close());

const operator = () => ({ pool: database.operator, actor: 'olivia' });

interface Claims {
  readonly root: string;
  readonly total: string;
  readonly payees: number;
}

async function claimsOf(network: string, epoch: number): Promise<Claims> {
  const found = await database.viewer.query<{ entry: string }>(
    `select entry from chain_entry where network = $1 and epoch = $2 and kind = 'claims'`,
    [network, epoch],
  );
  return JSON.parse(found.rows[0]!.entry) as Claims;
}

/** What each payee may have claimed, folded here from the published payouts and the payees given. */
async function cumulative(
  network: string,
  payeeOf: (provider: string, epoch: number) => string | null,
): Promise<Map<string, bigint>> {
  const found = await database.viewer.query<{ epoch: number; provider: string; amount: string }>(
    'select epoch, provider, amount::text from payout where network = $1',
    [network],
  );
  const sums = new Map<string, bigint>();
  for (const { epoch, provider, amount } of found.rows) {
    const payee = payeeOf(provider, epoch);
    if (payee !== null) sums.set(payee, (sums.get(payee) ?? 0n) + BigInt(amount));
  }
  return sums;
}

function openZeppelinRoot(sums: ReadonlyMap<string, bigint>): string {
  return StandardMerkleTree.of(
    [...sums].map(([payee, amount]) => [payee, amount.toString()]),
    ['address', 'uint256'],
  ).root;
}

const SHARED = '0x00000000000000000000000000000000000000a1';
const address = (provider: string) => `0x${(0xb00 + Number(provider.slice(1))).toString(16).padStart(40, '0')}`;
/** As harness/networks.ts gives them. */
function payees(provider: string): string | null {
  if (provider === 'p2') return null;
  return provider === 'p0' || provider === 'p1' ? SHARED : address(provider);
}

test('claims are cumulative, shared payees are summed, and the root is that of OpenZeppelin', async () => {
  const network = await makeNetwork(operator(), { providers: 6, epochs: 3 });
  const activities = await activitiesOn(database.worker);
  for (const epoch of [0, 1, 2]) {
    await settleEpochInProcess(activities, { network, epoch });
    const sums = await cumulative(network, payees);
    const claims = await claimsOf(network, epoch);
    expect(sums.size).toBe(4);
    expect(claims).toMatchObject({
      payees: 4,
      total: [...sums.values()].reduce((a, b) => a + b).toString(),
      root: openZeppelinRoot(sums),
    });
  }
});

test('what was booked to a payee stays there when the provider names another', async () => {
  const network = await makeNetwork(operator(), { providers: 6, epochs: 2 });
  const activities = await activitiesOn(database.worker);
  await settleEpochInProcess(activities, { network, epoch: 0 });
  const moved = '0x00000000000000000000000000000000000000ff';
  const providers = bundleTexts({ providers: 6, epochs: 2 }).providers.replace(address('p3'), moved);
  const empty = bundleTexts({ epochs: 0 });
  await withBundleFolder({ ...empty, providers }, (folder) =>
    importBundle(operator(), folder, { network, dryRun: false, outsideCalendar: 'refuse' }),
  );
  await settleEpochInProcess(activities, { network, epoch: 1 });
  const sums = await cumulative(network, (provider, epoch) =>
    provider === 'p3' && epoch === 1 ? moved : payees(provider),
  );
  expect(sums.get(address('p3'))).toBeGreaterThan(0n);
  expect(sums.get(moved)).toBeGreaterThan(0n);
  expect((await claimsOf(network, 1)).root).toBe(openZeppelinRoot(sums));
});

test('a network that owes nobody anything has the empty root', async () => {
  const network = await makeNetwork(operator(), { pool: '0' });
  await settleEpochInProcess(await activitiesOn(database.worker), { network, epoch: 0 });
  expect(await claimsOf(network, 0)).toMatchObject({ payees: 0, total: '0', root: `0x${'0'.repeat(64)}` });
});
