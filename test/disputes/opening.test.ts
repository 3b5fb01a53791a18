import type { Activities } from '../../activities';
import { importBundle } from '../../src/commands/import-bundle';
import { recordDisputeDecision } from '../../src/commands/run-dispute';
import { countCorrections, listCorrections } from '../../src/store/corrections';
import { freshDatabase, type TestDatabase } from '../harness/databases';
import { activitiesOn, settleAllInProcess } from '../harness/in-process';
import { bundleTexts, makeNetwork, withBundleFolder } from '../harness/networks';
import {
  approved,
  approver,
  type CorrectionFiles,
  computed,
  corrected,
  type DisputeKnobs,
  opened,
  rows,
  withdrawn,
} from './disputing';

let database: TestDatabase;
let activities: Activities;
let network: string;

beforeAll(async () => {
  database = await freshDatabase();
  activities = await activitiesOn(database.worker);
  network = await settled();
});
afterAll(() => database.close());

async function settled(knobs: Parameters<typeof makeNetwork>[1] = {}): Promise<string> {
  const made = await makeNetwork({ pool: database.superuser, actor: 'olivia' }, knobs);
  await settleAllInProcess(activities, made);
  return made;
}

const open = (files: CorrectionFiles | null, knobs: DisputeKnobs = {}) => opened(database, network, 1, files, knobs);
const lines = (message: string) =>
  message
    .split('\n')
    .slice(1, -2)
    .map((line) => line.trim());

async function refusal(files: CorrectionFiles | null, knobs: DisputeKnobs = {}): Promise<string> {
  const before = await disputes();
  const error = await open(files, knobs).then(
    () => null,
    (caught: Error) => caught,
  );
  if (error === null) throw new Error('the dispute was opened');
  expect(await disputes()).toBe(before);
  return error.message;
}

async function disputes(): Promise<number> {
  const found = await database.superuser.query<{ n: number }>(
    `select (select count(*) from settle.dispute) + (select count(*) from settle.correction)
       + (select count(*) from settle.request) as n`,
  );
  return found.rows[0]!.n;
}

test('rows that break a rule are refused with file, line and reason, all of them, and nothing is recorded', async () => {
  const message = await refusal(
    {
      ...rows('capacity', '1,p0,gpu,10,9', '2,p0,gpu,10,9', '1,nobody,gpu,1,1', '1,p0,tpu,1,1'),
      ...withdrawn('performance', '1,p9', '1,p0'),
      ...rows('performance', '1,p0,1,1,0,5'),
    },
    {},
  );
  expect(lines(message)).toEqual([
    'capacity.csv:3: epoch 2 is not the disputed epoch, 1; correct or remove the row',
    'withdraw/performance.csv:3: performance 1,p0 stands in performance.csv:2 already, and says something else; correct or remove the row',
  ]);
  expect(lines(await refusal(withdrawn('performance', '1,p9')))).toEqual([
    'withdraw/performance.csv:2: epoch 1 has no performance row 1,p9 to withdraw; correct or remove the row',
  ]);
  const across = rows('capacity', '1,p0,gpu,10,9', '1,nobody,gpu,1,1', '1,p0,tpu,1,1');
  expect(lines(await refusal(across))).toEqual([
    'capacity.csv:3: provider nobody is not in the registry as it was sealed: add its row to providers.csv; correct or remove the row',
    'capacity.csv:4: market tpu is not in the policy of the disputed revision; correct or remove the row',
  ]);
});

test('cells are checked as in a bundle, in all files at once', async () => {
  const message = await refusal({
    ...rows('capacity', '1,p0,gpu,10,11'),
    ...rows('performance', '1,p0,1.2,,,'),
    ...withdrawn('capacity', '1,p0'),
  });
  expect(message).toMatch(/capacity\.csv:2: served "11" is more than offered/);
  expect(message).toMatch(/performance\.csv:2: uptime "1\.2"/);
  expect(message).toMatch(/withdraw\/capacity\.csv:2: "1,p0" has 2 cells where the header has 3/);
});

test('a registry row counts with the rest: joined later, or no part of the epoch', async () => {
  expect(lines(await refusal(rows('providers', 'p0,2,active,')))).toEqual([
    'providers.csv:2: epoch 1 is before provider p0 joined, in epoch 2; correct or remove the row',
  ]);
  expect(lines(await refusal(rows('providers', 'p7,0,active,')))).toEqual([
    'providers.csv:2: provider p7 has no capacity row in epoch 1, so its registry row is no part of it; correct or remove the row',
  ]);
  expect(await refusal({ 'withdraw/providers.csv': 'provider\np0\n' })).toMatch(
    /leaves an epoch with its capacity rows/,
  );
});

test('an epoch keeps at least one capacity row', async () => {
  const all = ['p0', 'p1', 'p2'].flatMap((provider) => [`1,${provider},gpu`, `1,${provider},disk`]);
  expect(await refusal(withdrawn('capacity', ...all))).toMatch(/leaves epoch 1 without a capacity row/);
});

test('a pinned dispute corrects providers, capacity and performance; for other tables it says what to ask for', async () => {
  for (const files of [rows('demand', '1,gpu,99'), withdrawn('macro', '1'), rows('quotes', '1,gpu,d,2')]) {
    expect(await refusal(files)).toMatch(/pinned dispute .* --derive full/);
  }
  await open(rows('demand', '1,gpu,99'), { derive: 'full' });
});

test('a full derivation needs a token price', async () => {
  const end = '2020-05-01T01:59:59Z';
  const gone = withdrawn('token', `1,x,${end}`);
  expect(await refusal(gone, { derive: 'full' })).toMatch(/without a usable token price: it takes 2 sources/);
});

test('a dispute that changes nothing is refused in words', async () => {
  expect(await refusal(rows('capacity', '1,p0,gpu,10.0,5'))).toMatch(
    /change nothing in revision 1 of epoch 1: all 1 rows are so already/,
  );
  expect(await refusal(null)).toMatch(/a dispute needs rows/);
  expect(await refusal(null, { late: true })).toMatch(/change nothing .* there is no such row/);
  expect(await refusal({})).toMatch(/has no corrections: none of providers\.csv/);
});

test('an epoch that is not published cannot be disputed, and the message says what to do instead', async () => {
  const failed = await settled({ missing: { 1: 'token' } });
  await expect(opened(database, failed, 1, rows('capacity', '1,p0,gpu,10,9'))).rejects.toMatchObject({
    name: 'DisputeRefused',
    message: expect.stringMatching(/failed\(incomplete-inputs\).*epoch run 1 --again/),
  });
  const waiting = await makeNetwork({ pool: database.superuser, actor: 'olivia' });
  await expect(opened(database, waiting, 1, rows('capacity', '1,p0,gpu,10,9'))).rejects.toThrow(/is not published/);
});

test('a superseded revision cannot be disputed, nor one that is not there', async () => {
  const own = await settled();
  await corrected(database, activities, own, 1, rows('capacity', '1,p0,gpu,10,9'));
  const again = rows('capacity', '1,p0,gpu,10,8');
  await expect(opened(database, own, 1, again, { revision: 1 })).rejects.toThrow(/superseded by revision 2/);
  await expect(opened(database, own, 1, again, { revision: 3 })).rejects.toThrow(/no revision 3: the newest is 2/);
  await opened(database, own, 1, again, { revision: 2 });
});

test('F26: the same request gives the first answer, and another body under its id is a conflict', async () => {
  const files = rows('capacity', '1,p1,gpu,10,9');
  const first = await open(files, { requestId: 'dispute-1' });
  const second = await open(files, { requestId: 'dispute-1' });
  expect(second).toMatchObject({ already: true, key: expect.objectContaining({ dispute: first.key.dispute }) });
  await expect(open(rows('capacity', '1,p1,gpu,10,8'), { requestId: 'dispute-1' })).rejects.toMatchObject({
    name: 'RequestConflict',
  });
  await expect(open(files, { requestId: 'dispute-1', reason: 'another' })).rejects.toThrow(/used before/);
});

test('late rows enter through a dispute; the folder decides where they disagree', async () => {
  const own = await settled();
  const late = async (served: number) => {
    const capacity = `epoch,provider,market,offered,served\n1,p0,gpu,10,${served}\n`;
    await withBundleFolder({ ...bundleTexts(), capacity }, (folder) =>
      importBundle({ pool: database.operator, actor: 'olivia' }, folder, {
        network: own,
        dryRun: false,
        outsideCalendar: 'refuse',
      }),
    );
  };
  await late(7);
  const one = await opened(database, own, 1, null, { late: true });
  expect(one.late).toEqual({ taken: 1, leftOut: 0 });
  expect(await listCorrections(database.viewer, one.key, 0, 10)).toEqual([
    { table: 'capacity', key: '1,p0,gpu', before: '1,p0,gpu,10,5', after: '1,p0,gpu,10,7', origin: 'late' },
  ]);
  await late(8);
  await expect(opened(database, own, 1, null, { late: true })).rejects.toThrow(/came late more than once/);
  const both = await opened(database, own, 1, rows('capacity', '1,p0,gpu,10,6'), { late: true });
  expect(await countCorrections(database.viewer, both.key)).toEqual([{ table: 'capacity', rows: 1, withdrawn: 0 }]);
});

test('the opener cannot decide, in the command or in the database, and the attempt is on record', async () => {
  const { key } = await open(rows('capacity', '1,p2,gpu,10,9'));
  await expect(approved(database, key)).rejects.toMatchObject({ name: 'DisputeUncomputed' });
  const made = await computed(activities, key);
  await expect(approved(database, key, 'olivia')).rejects.toMatchObject({ name: 'SelfApproval' });
  const insert = (actor: string, digest: string) =>
    approver(database).query(
      `insert into dispute_decision (network, epoch, dispute, decision_no, decision, content_digest, actor, reason)
       values ($1, $2, $3, 1, 'approved', $4, $5, '')`,
      [key.network, key.epoch, key.dispute, digest, actor],
    );
  await expect(insert('olivia', made.checked.contentDigest)).rejects.toThrow(/olivia cannot decide/);
  await expect(insert('anton', 'f'.repeat(64))).rejects.toThrow(/was not computed for this dispute/);
  const record = await database.superuser.query<{ actor: string; outcome: string; detail: { id: string } }>(
    `select actor, outcome, detail from settle.audit_log where network = $1 and action = 'dispute-approved'
     and subject = $2 order by entry`,
    [network, `epoch 1 dispute ${key.dispute}`],
  );
  expect(record.rows).toEqual([
    { actor: 'anton', outcome: 'refused', detail: { id: 'DisputeUncomputed' } },
    { actor: 'olivia', outcome: 'refused', detail: { id: 'SelfApproval' } },
  ]);
});

test('an approval is bound to the digest that was looked at, and a decided dispute stays decided', async () => {
  const { key } = await open(rows('capacity', '1,p2,gpu,10,8'));
  const made = await computed(activities, key);
  const anton = { pool: approver(database), actor: 'anton' };
  const decide = (outcome: 'approved' | 'rejected', contentDigest: string | null) =>
    recordDisputeDecision(anton, { ...key, outcome, reason: 'looked at it', contentDigest });
  await expect(decide('approved', 'f'.repeat(64))).rejects.toMatchObject({ name: 'DisputeMismatch' });
  await decide('rejected', made.checked.contentDigest);
  await expect(decide('approved', null)).rejects.toMatchObject({ name: 'DisputeClosed' });
  await expect(activities.publishDispute(key, made.key, made.checked.contentDigest)).rejects.toThrow(/nobody approved/);
  expect(await activities.readDispute(key, made.key)).toEqual({ state: 'rejected' });
});

test('corrections are append-only, and closed once their dispute is opened', async () => {
  const { key } = await open(rows('capacity', '1,p2,gpu,10,10'));
  const values = [key.network, key.epoch, key.dispute];
  await expect(
    database.operator.query(
      `insert into correction values ($1, $2, $3, 'capacity', '1,p0,gpu', '1,p0,gpu,10,1', 'given')`,
      values,
    ),
  ).rejects.toThrow(/can no longer be added to/);
  await expect(database.operator.query('delete from correction where network = $1', [key.network])).rejects.toThrow(
    /permission denied/,
  );
  await expect(database.superuser.query('delete from settle.correction')).rejects.toThrow(/append-only/);
  await expect(
    database.operator.query(
      `insert into correction values ($1, $2, $3, 'capacity', '1,p1,gpu', '1,p0,gpu,10,1', 'given')`,
      values,
    ),
  ).rejects.toThrow(/check constraint|can no longer/);
});
