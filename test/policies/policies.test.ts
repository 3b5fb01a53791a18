import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Activities } from '../../activities';
import { importBundle } from '../../src/commands/import-bundle';
import { decidePolicy, diffPolicies, proposePolicy } from '../../src/commands/policies';
import { networkStatus } from '../../src/queries/network-status';
import { instantText } from '../../src/rulesets/1/calendar';
import { listEffectivePolicies } from '../../src/store/policies';
import type { PolicyProposal } from '../../src/store/policy-proposals';
import { contentOf, corrected, rows } from '../disputes/disputing';
import { freshDatabase, type TestDatabase } from '../harness/databases';
import { activitiesOn, settleEpochInProcess } from '../harness/in-process';
import { bundleTexts, makeNetworkOf, withBundleFolder } from '../harness/networks';
import { LENGTH_SECONDS, policyDocument } from '../harness/policy';

let database: TestDatabase;
let activities: Activities;
let network: string;
let folder: string;

beforeAll(async () => {
  database = await freshDatabase();
  activities = await activitiesOn(database.worker);
  folder = await mkdtemp(join(tmpdir(), 'settle-test-policies-'));
});
afterAll(async () => {
  await rm(folder, { recursive: true });
  await database.close();
});
// Four epochs of rows in a network without an end.
beforeEach(async () => {
  const calendar = { first: 0, last: null, holds: 'wait' as const };
  const texts = bundleTexts({ epochs: 4 });
  network = await makeNetworkOf(as('olivia'), texts, JSON.stringify(policyDocument()), calendar);
});

const as = (actor: string) => ({ pool: database.viewer, actor });
const settle = (epoch: number) => settleEpochInProcess(activities, { network, epoch });

let files = 0;
type Document = ReturnType<typeof policyDocument>;
async function fileOf(change: (document: Document) => unknown): Promise<string> {
  const document = policyDocument();
  change(document);
  files += 1;
  const file = join(folder, `policy-${files}.yaml`);
  await writeFile(file, JSON.stringify(document));
  return file;
}

async function proposed(fromEpoch: number, change: (document: Document) => unknown, actor = 'petra') {
  const policyFile = await fileOf(change);
  return proposePolicy(as(actor), { network, policyFile, fromEpoch, reason: 'the pool is halved', requestId: null });
}

const decided = ({ proposal }: PolicyProposal, outcome: 'approved' | 'rejected' = 'approved', actor = 'paul') =>
  decidePolicy(as(actor), { network, proposal: String(proposal), outcome, reason: 'agreed', requestId: null });

const decidedAs = (proposal: string, fromEpoch: number | null, requestId: string | null = null) =>
  decidePolicy(as('paul'), { network, proposal, fromEpoch, outcome: 'approved', reason: 'agreed', requestId });

const halve = (document: Document) => {
  document.pool.perEpoch = '500';
};

const poolOf = async (epoch: number, revision = 1) => (await contentOf(database, network, epoch, revision)).pool;

test('F41: a policy settles from its epoch on; what is settled keeps its own, and so does every later revision of it', async () => {
  await settle(0);
  const change = await proposed(2, halve);
  await settle(1);
  await decided(change);
  await settle(2);
  expect([await poolOf(0), await poolOf(1), await poolOf(2)]).toEqual(['1000000000', '1000000000', '500000000']);
  const hashes = await Promise.all(
    [0, 1, 2].map(async (epoch) => (await contentOf(database, network, epoch, 1)).policyHash),
  );
  expect(hashes[0]).toBe(hashes[1]);
  expect(hashes[2]).toBe(change.policyHash);
  await corrected(database, activities, network, 1, rows('capacity', '1,p0,gpu,10,10'));
  expect(await poolOf(1, 2)).toBe('1000000000');
});

test('F41: an epoch that is sealed in the middle of a change keeps the policy of its seal', async () => {
  const change = await proposed(0, halve);
  await activities.gather({ network, epoch: 0 }, 'test');
  await activities.seal({ network, epoch: 0 });
  await expect(decided(change)).rejects.toMatchObject({ id: 'EpochSealed' });
  await expect(decided(change)).rejects.toThrow('a new one can begin with epoch 1 at the earliest, not with 0');
  await settle(0);
  expect(await poolOf(0)).toBe('1000000000');
});

test('F41: a policy that asks for more than was found complete is approved just before the seal: nothing is sealed', async () => {
  const found = await activities.gather({ network, epoch: 0 }, 'test');
  if (found.kind !== 'ready') throw new Error(found.kind);
  await decided(
    await proposed(0, (document) => {
      document.tokenPrice.minSources = '9';
    }),
  );
  const sealing = activities.seal({ network, epoch: 0 }, found.inputs);
  await expect(sealing).rejects.toMatchObject({
    type: 'InputsChanged',
    message: expect.stringContaining('token-price'),
  });
  // The deadline passed long ago.
  expect(await activities.gather({ network, epoch: 0 }, 'test')).toMatchObject({
    kind: 'incomplete',
    missing: ['token-price'],
  });
});

test('F41: a policy with a longer grace is approved just before the seal: the epoch is not due any more', async () => {
  const found = await activities.gather({ network, epoch: 0 }, 'test');
  if (found.kind !== 'ready') throw new Error(found.kind);
  await decided(
    await proposed(0, (document) => {
      document.epoch.graceSeconds = '1000000000';
      document.epoch.inputDeadlineSeconds = '1000000000';
    }),
  );
  await expect(activities.seal({ network, epoch: 0 }, found.inputs)).rejects.toMatchObject({ type: 'EpochNotDue' });
});

test('approving and sealing at once: whichever is first, the seal names the policy that was in force', async () => {
  for (const epoch of [0, 1, 2]) {
    const change = await proposed(epoch, (document) => {
      document.pool.perEpoch = String(900 - epoch);
    });
    const [approval] = await Promise.allSettled([decided(change), settle(epoch)]);
    const expected = approval!.status === 'fulfilled' ? `${900 - epoch}000000` : undefined;
    if (expected !== undefined) expect(await poolOf(epoch)).toBe(expected);
    else expect((approval as PromiseRejectedResult).reason).toMatchObject({ id: 'EpochSealed' });
    const effective = await listEffectivePolicies(database.viewer, network);
    const inForce = effective.filter((one) => one.fromEpoch <= epoch).at(-1)!.policyHash;
    expect((await contentOf(database, network, epoch, 1)).policyHash).toBe(inForce);
  }
});

test('a hash that several open proposals have is refused, until it is said from which epoch on', async () => {
  const wanted = await proposed(3, halve);
  const hash = wanted.policyHash.slice(0, 12);
  // The same file again from an earlier epoch on: whoever looked at the first one does not mean it.
  const earlier = await proposed(1, halve);
  await expect(decidedAs(hash, null)).rejects.toMatchObject({
    id: 'ProposalAmbiguous',
    message: expect.stringContaining('2 from epoch 1, by petra; 1 from epoch 3, by petra'),
  });
  await expect(decidedAs(hash, 2)).rejects.toMatchObject({ id: 'ProposalUnknown' });
  await expect(decidedAs(String(wanted.proposal), 1)).rejects.toMatchObject({ id: 'ProposalUnknown' });
  const first = await decidedAs(hash, 3, `${network}-1`);
  expect(first).toMatchObject({ proposal: wanted.proposal, decision: 'approved' });
  expect((await listEffectivePolicies(database.viewer, network)).map(({ fromEpoch }) => fromEpoch)).toEqual([0, 3]);
  // One is open now, so the hash names it; the request that was answered still means the other.
  expect(await decidedAs(hash, null)).toMatchObject({ proposal: earlier.proposal, decision: 'approved' });
  expect(await decidedAs(hash, 3, `${network}-1`)).toEqual(first);
  expect(await decidedAs(hash, null, `${network}-1`)).toEqual(first);
});

test('F41: an epoch is due by the grace of the policy that settles it, and a run of it that somebody starts before is refused', async () => {
  // Epoch 0 ended ten minutes ago.
  const nowSeconds = Math.floor(Date.now() / 1000);
  const genesis = instantText(nowSeconds - LENGTH_SECONDS - 600);
  const calendar = { first: 0, last: null, holds: 'wait' as const };
  const texts = bundleTexts({ epochs: 2, genesis });
  network = await makeNetworkOf(as('olivia'), texts, JSON.stringify(policyDocument({ genesis })), calendar);
  const graced = (from: number, graceSeconds: number) =>
    proposed(from, ({ epoch }) => {
      epoch.genesis = genesis;
      epoch.graceSeconds = String(graceSeconds);
      epoch.inputDeadlineSeconds = '7200';
    });
  const next = () => activities.nextDue({ network, upTo: null, stopWhenSilent: true });
  // That of a later epoch changes nothing for this one.
  await decided(await graced(1, 1200));
  expect(await next()).toEqual({ kind: 'due', epoch: 0, held: false });
  await decided(await graced(0, 3600));
  const atSeconds = nowSeconds - 600 + 3600;
  expect(await next()).toEqual({ kind: 'not-yet', epoch: 0, atSeconds });
  await expect(activities.gather({ network, epoch: 0 }, 'test')).rejects.toThrow(/is not to be settled now/);
  const status = await networkStatus(database.viewer, network);
  expect(status).toMatchObject({ next: { dueAt: instantText(atSeconds) }, calendar: { graceSeconds: 3600 } });
  await decided(await graced(0, 60));
  expect(await next()).toEqual({ kind: 'due', epoch: 0, held: false });
  const { lateness } = await networkStatus(database.viewer, network);
  expect(lateness?.epochs).toBe(1);
  expect(Math.abs((lateness?.seconds ?? 0) - 540)).toBeLessThan(60);
});

test.each<[string, number, (document: Document) => unknown, string]>([
  ['another genesis', 1, (d) => (d.epoch.genesis = '2021-05-01T00:00:00Z'), 'epoch.genesis is 2021-05-01T00:00:00Z'],
  ['another length', 1, (d) => (d.epoch.lengthSeconds = '7200'), 'epoch.lengthSeconds is 7200'],
  ['other decimals', 1, (d) => (d.token.decimals = 18), 'token.decimals is 6 and may not become 18'],
  ['no change', 1, () => undefined, 'settles epoch 1 already: nothing would change'],
])('%s is refused', async (_, from, change, words) => {
  const attempt = proposed(from, change);
  await expect(attempt).rejects.toMatchObject({ id: 'PolicyRefused' });
  await expect(attempt).rejects.toThrow(words);
});

test('an epoch that is closed is refused by name', async () => {
  await settle(0);
  await settle(1);
  await expect(proposed(1, halve)).rejects.toThrow('a new one can begin with epoch 2 at the earliest, not with 1');
});

test('a policy that drops a market of loaded rows is refused with the rows, and may begin behind them', async () => {
  const drop = (document: Document) => {
    delete (document.market as Partial<Document['market']>).disk;
  };
  const attempt = decided(await proposed(2, drop));
  await expect(attempt).rejects.toMatchObject({ id: 'PolicyRefused' });
  await expect(attempt).rejects.toThrow(
    '6 of capacity.csv name disk, epochs 2 to 3; 2 of demand.csv name disk, epochs 2 to 3. Keep the markets, or propose it from epoch 4 on',
  );
  await decided(await proposed(4, drop));
  // From there on a row of that market is refused like any unknown one.
  const late = withBundleFolder({ ...bundleTexts({ epochs: 5 }), providers: PROVIDERS }, (dir) =>
    importBundle(as('olivia'), dir, { network, dryRun: false, outsideCalendar: 'refuse' }),
  );
  await expect(late).rejects.toThrow('market disk is not in the policy that settles epoch 4');
});

test('a second person approves; the attempt is on record, and the rows refuse it by themselves', async () => {
  const change = await proposed(1, halve);
  await expect(decided(change, 'approved', 'petra')).rejects.toMatchObject({ id: 'SelfApproval' });
  const admin = database.open('settle_policy_admin');
  await expect(
    admin.query(
      `insert into policy_effective (network, from_epoch, policy_hash, approved_by, reason, proposal)
       values ($1, 1, $2, 'petra', 'mine', $3)`,
      [network, change.policyHash, change.proposal],
    ),
  ).rejects.toThrow('no second person approved this policy');
  const found = await database
    .open('settle_auditor')
    .query(`select actor, detail ->> 'id' as id from audit_log where network = $1 and outcome = 'refused'`, [network]);
  expect(found.rows).toEqual([{ actor: 'petra', id: 'SelfApproval' }]);
});

test('a decision is final, a rejected policy settles nothing, and the same request again is told the same', async () => {
  const change = await proposed(1, halve);
  expect(await decided(change, 'rejected')).toMatchObject({ decision: 'rejected', decidedBy: 'paul' });
  await expect(decided(change)).rejects.toMatchObject({ id: 'ProposalClosed' });
  expect(await listEffectivePolicies(database.viewer, network)).toHaveLength(1);
  const wanted = { network, policyFile: await fileOf(halve), fromEpoch: 3, reason: 'again', requestId: `${network}-p` };
  const first = await proposePolicy(as('petra'), wanted);
  expect(await proposePolicy(as('petra'), wanted)).toEqual(first);
  await expect(proposePolicy(as('petra'), { ...wanted, fromEpoch: 2 })).rejects.toMatchObject({
    id: 'RequestConflict',
  });
});

test('a difference is told by key path, lists by place', async () => {
  const before = await fileOf(() => undefined);
  const after = await fileOf((document) => {
    document.pool.perEpoch = '500';
    document.rewards.growthPhases[0]!.multiplier = '2';
    delete (document.market as Partial<Document['market']>).disk;
  });
  const changes = await diffPolicies({ pool: database.viewer }, before, after);
  expect(changes.filter((change) => !change.path.startsWith('market.disk'))).toEqual([
    { path: 'pool.perEpoch', before: '1000', after: '500' },
    { path: 'rewards.growthPhases.0.multiplier', before: '1.5', after: '2' },
  ]);
  expect(changes).toContainEqual({ path: 'market.disk.basePrice', before: '0.01', after: null });
  const change = await proposed(1, halve);
  expect(await diffPolicies({ pool: database.viewer }, before, change.policyHash.slice(0, 12))).toEqual([
    { path: 'pool.perEpoch', before: '1000', after: '500' },
  ]);
});

const PROVIDERS = bundleTexts().providers;
