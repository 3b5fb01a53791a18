import type { Activities } from '../../activities';
import { importBundle } from '../../src/commands/import-bundle';
import { recordDisputeDecision } from '../../src/commands/run-dispute';
import { freshDatabase, type TestDatabase } from '../harness/databases';
import { activitiesOn, settleAllInProcess } from '../harness/in-process';
import { bundleTexts, makeNetwork, withBundleFolder } from '../harness/networks';
import { approved, approver, computed, opened, published, rows } from './disputing';

let database: TestDatabase;
let activities: Activities;
let network: string;
beforeAll(async () => {
  database = await freshDatabase();
  activities = await activitiesOn(database.worker);
});
afterAll(() => database.close());
beforeEach(async () => {
  network = await makeNetwork({ pool: database.superuser, actor: 'olivia' });
  await settleAllInProcess(activities, network);
});

const FILES = rows('capacity', '1,p0,gpu,10,9');
const oskar = { actor: 'oskar' };

test('the same rows again are told who asks for them already, and nothing of the second is kept', async () => {
  await opened(database, network, 1, FILES);
  await expect(opened(database, network, 1, FILES, { ...oskar, reason: 'another' })).rejects.toMatchObject({
    name: 'DisputeOpen',
    message: expect.stringMatching(
      /^dispute 1 of epoch 1 asks for the same, opened by olivia at 20\S+Z; it is open: see `settle dispute preview 1 1`$/,
    ),
  });
  const left = await database.superuser.query(
    `select (select count(*) from settle.dispute where network = $1)::int as disputes,
       (select count(*) from settle.request where network = $1 and action = 'dispute-open')::int as requests,
       (select count(*) from settle.correction where network = $1)::int as rows`,
    [network],
  );
  expect(left.rows).toEqual([{ disputes: 1, requests: 1, rows: 1 }]);
  const refused = await database.superuser.query(
    `select actor, detail from settle.audit_log where network = $1 and outcome = 'refused'`,
    [network],
  );
  expect(refused.rows).toEqual([{ actor: 'oskar', detail: { id: 'DisputeOpen' } }]);
});

test('other rows, another way to derive, another epoch and other late rows are another dispute', async () => {
  const numbers = async (epoch: number, files: Parameters<typeof opened>[3], knobs: Parameters<typeof opened>[4]) =>
    (await opened(database, network, epoch, files, knobs)).key.dispute;
  await opened(database, network, 1, FILES);
  expect(await numbers(1, rows('capacity', '1,p0,gpu,10,8'), oskar)).toBe(2);
  expect(await numbers(1, FILES, { ...oskar, derive: 'full' })).toBe(3);
  expect(await numbers(0, rows('capacity', '0,p0,gpu,10,9'), oskar)).toBe(1);
  const late = (provider: string) =>
    withBundleFolder(
      { ...bundleTexts(), capacity: `epoch,provider,market,offered,served\n1,${provider},gpu,10,7\n` },
      (folder) =>
        importBundle({ pool: database.operator, actor: 'olivia' }, folder, {
          network,
          dryRun: false,
          outsideCalendar: 'refuse',
        }),
    );
  await late('p1');
  expect(await numbers(1, null, { late: true })).toBe(4);
  await expect(opened(database, network, 1, null, { ...oskar, late: true })).rejects.toThrow(/^dispute 4 .* the same/);
  // The same words, and more rows behind them.
  await late('p2');
  expect(await numbers(1, null, { ...oskar, late: true })).toBe(5);
});

test('an approved dispute counts until it is published; after a rejection the same may be asked for again', async () => {
  const first = await opened(database, network, 1, FILES);
  const made = await computed(activities, first.key);
  const anton = { pool: approver(database), actor: 'anton' };
  const { contentDigest } = made.checked;
  await recordDisputeDecision(anton, { ...first.key, outcome: 'rejected', reason: 'not shown', contentDigest });
  const second = await opened(database, network, 1, FILES, oskar);
  const again = await computed(activities, second.key);
  await approved(database, second.key);
  await expect(opened(database, network, 1, FILES)).rejects.toThrow(/opened by oskar at 20\S+Z; it is approved/);
  await published(activities, second.key, again);
  await expect(opened(database, network, 1, FILES)).rejects.toMatchObject({ name: 'DisputeEmpty' });
});
