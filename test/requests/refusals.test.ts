import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { attachArchive } from '../../src/commands/attach-archive';
import { createNetwork } from '../../src/commands/create-network';
import { importBundle } from '../../src/commands/import-bundle';
import { recordDispute } from '../../src/commands/open-dispute';
import { createBatch } from '../../src/commands/payments';
import { proposePolicy } from '../../src/commands/policies';
import type { Amount } from '../../src/numbers/units';
import { freshDatabase, type TestDatabase } from '../harness/databases';
import { bundleTexts, makeNetwork, networkName, withBundleFolder } from '../harness/networks';
import { policyDocument } from '../harness/policy';

let database: TestDatabase;
let network: string;
let folder: string;
let goodPolicy: string;
let badPolicy: string;
beforeAll(async () => {
  database = await freshDatabase();
  folder = await mkdtemp(join(tmpdir(), 'settle-test-refusals-'));
  network = await makeNetwork({ pool: database.operator, actor: 'olivia' });
  goodPolicy = await file('good.yaml', JSON.stringify(policyDocument()));
  badPolicy = await file('bad.yaml', JSON.stringify({ ...policyDocument(), name: 1 }));
});
afterAll(async () => {
  await rm(folder, { recursive: true });
  await database.close();
});

const olivia = () => ({ pool: database.viewer, actor: 'olivia' });
const load = (path: string) =>
  importBundle(olivia(), path, { network, dryRun: false, outsideCalendar: 'refuse' as const });

async function file(name: string, text: string): Promise<string> {
  await writeFile(join(folder, name), text);
  return join(folder, name);
}

/** The newest row of the audit log. */
async function newest() {
  const found = await database.superuser.query<{ action: string; outcome: string; id: string; reason: string }>(
    `select action, outcome, detail ->> 'id' as id, reason, request_id as "requestId" from settle.audit_log
     order by entry desc limit 1`,
  );
  return found.rows[0]!;
}

const created = (policyFile: string, firstEpoch: number) =>
  createNetwork(olivia(), { network: networkName(), policyFile, firstEpoch, lastEpoch: null, holds: 'wait' });
const words = { reason: 'a test', requestId: 'given-1' };
const unknown = { network: 'nowhere', ...words };

describe('what was handed in is refused: the attempt is on record with the reason', () => {
  test.each<[string, () => Promise<unknown>, Readonly<Record<string, unknown>>]>([
    ['a bundle that is not there', () => load(join(folder, 'none')), { action: 'import', id: 'bundle-not-found' }],
    [
      'a bundle with a row that is wrong by itself',
      () => withBundleFolder({ ...bundleTexts(), demand: 'epoch,market,requested\n1,gpu,-7\n' }, load),
      { action: 'import', id: 'bundle-rows-refused', reason: expect.stringContaining('demand.csv:2: requested') },
    ],
    [
      'a bundle with a row that contradicts one that was loaded',
      () => withBundleFolder({ ...bundleTexts(), demand: 'epoch,market,requested\n1,gpu,7\n' }, load),
      {
        action: 'import',
        id: 'bundle-rows-refused',
        reason: expect.stringContaining('loaded before with other values'),
      },
    ],
    [
      'a policy with a mistake, for a network',
      () => created(badPolicy, 0),
      { action: 'network-create', id: 'invalid-policy-file', reason: expect.stringContaining('name: ') },
    ],
    [
      'a calendar that ends after the year 9999',
      () => created(goodPolicy, 2_000_000_000),
      { action: 'network-create', id: 'epoch-out-of-calendar' },
    ],
    [
      'a policy with a mistake, as a proposal',
      () => proposePolicy(olivia(), { network, policyFile: badPolicy, fromEpoch: 1, ...words }),
      { action: 'policy-propose', id: 'invalid-policy-file', requestId: 'given-1' },
    ],
    [
      'a proposal for a network that nobody knows',
      () => proposePolicy(olivia(), { ...unknown, policyFile: goodPolicy, fromEpoch: 1 }),
      { action: 'policy-propose', id: 'NetworkUnknown', requestId: 'given-1' },
    ],
    [
      'a dispute of a network that nobody knows',
      () =>
        recordDispute(olivia(), {
          ...unknown,
          epoch: 0,
          revision: null,
          corrections: null,
          late: true,
          derive: 'pinned',
        }),
      { action: 'dispute-open', id: 'NetworkUnknown', requestId: 'given-1' },
    ],
    [
      'a batch of a network that nobody knows',
      () => createBatch(olivia(), { network: 'nowhere', minimum: 1n as Amount, requestId: 'given-1' }),
      { action: 'payment-create', id: 'NetworkUnknown', requestId: 'given-1' },
    ],
    [
      'an archive that is none',
      () => attachArchive(olivia(), { folder, ...words }),
      { action: 'partition-return', id: 'archive-missing', requestId: 'given-1' },
    ],
  ])('%s', async (_, attempt, row) => {
    await expect(attempt()).rejects.toBeInstanceOf(Error);
    expect(await newest()).toMatchObject({ outcome: 'refused', ...row });
  });
});
