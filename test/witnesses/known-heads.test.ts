import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Activities } from '../../activities';
import { headsAfter } from '../../src/store/witness-cursors';
import { openWitnesses } from '../../src/worker/witnesses';
import { type HeadsLog, headsLog } from '../../src/worker/witnesses/heads-log';
import { approved, computed, opened, rows } from '../disputes/disputing';
import { freshDatabase, type TestDatabase } from '../harness/databases';
import { activitiesOn, settleAllInProcess, settleEpochInProcess, walkToCheck } from '../harness/in-process';
import { makeNetwork, type NetworkKnobs } from '../harness/networks';
import { count, publishedEpochs, until } from '../harness/worlds';

const folder = mkdtempSync(join(tmpdir(), 'settle-known-heads-'));
const LOST = 'a'.repeat(64);

let database: TestDatabase;
let path: string;
let log: HeadsLog;
let files = 0;

beforeAll(async () => {
  database = await freshDatabase();
});
afterAll(async () => {
  await database?.close();
  rmSync(folder, { recursive: true });
});
beforeEach(() => {
  files += 1;
  path = join(folder, `${files}.log`);
  log = headsLog(path, database.worker);
});

const network = (knobs: NetworkKnobs = {}) => makeNetwork({ pool: database.operator, actor: 'olivia' }, knobs);
const witnessed = () => activitiesOn(database.worker, { witness: log });
const compared = (db: { query: unknown } = database.worker) => log.compare(db as TestDatabase['worker']);

/** A network whose epochs are settled, each with its line in the file. */
async function settled(epochs: number): Promise<string> {
  const name = await network({ epochs });
  await settleAllInProcess(await witnessed(), name);
  return name;
}

/** The lines of a network's chain, without their ends. */
async function linesOf(name: string): Promise<readonly string[]> {
  const heads = await headsAfter(database.viewer, name, 0, 100);
  return heads.map(({ epoch, revision, head }) => `${epoch} ${revision} ${head}`);
}

/** The end of a chain is gone, as in a backup that was taken before. */
const loses = (name: string, epoch: number) =>
  database.tamper('delete from settle.chain_entry where network = $1 and epoch >= $2', [name, epoch]);

const behind = (line: number, epoch: number) => ({
  name: 'DatabaseBehind',
  message: expect.stringMatching(
    new RegExp(`^line ${line} of ${path} has head [0-9a-f]{64} of epoch ${epoch} revision 1`),
  ),
});

describe('S6: heads.log agrees with the database', () => {
  test('while there is no file, and while it is empty', async () => {
    await compared();
    writeFileSync(path, '');
    await compared();
  });

  test('with the lines of several networks, old ones late, and one that was cut short', async () => {
    const [one, other] = [await settled(3), await settled(2)];
    const [first = '', second = '', third = ''] = await linesOf(one);
    const [late = '', last = ''] = await linesOf(other);
    writeFileSync(path, [third, last, first, `1 1 ${LOST.slice(1)}`, late, second, ''].join('\n'));
    await compared();
    await headsLog(path, database.worker).compare(database.worker);
  });

  test('where the last line is whole but for its end, and where it goes on', async () => {
    const lines = await linesOf(await settled(2));
    writeFileSync(path, lines.join('\n'));
    await compared();
    appendFileSync(path, '\n');
    await compared();
  });
});

describe('S6: heads.log has a head that the database lost', () => {
  test.each([
    ['at its end', (lines: readonly string[]) => [...lines, `7 1 ${LOST}`], 3, 7],
    ['before lines that were caught up', (lines: readonly string[]) => [`9 1 ${LOST}`, ...lines], 1, 9],
    ['after one that was cut short', (lines: readonly string[]) => [...lines, '2 1 ab', `2 1 ${LOST}`], 4, 2],
    ['without the end of its line', (lines: readonly string[]) => [...lines, `2 1 ${LOST}`, 'end'], 3, 2],
  ])('%s: it is named by its line', async (_where, file, line, epoch) => {
    const text = file(await linesOf(await settled(2)))
      .map((one) => `${one}\n`)
      .join('');
    writeFileSync(path, text.replace(/\nend\n$/, ''));
    await expect(compared()).rejects.toMatchObject(behind(line, epoch));
    // Asked again it is the same.
    await expect(compared()).rejects.toMatchObject(behind(line, epoch));
  });

  test('also where it was found there before, in whichever network', async () => {
    const [one, other] = [await settled(2), await settled(3)];
    await compared();
    await loses(other, 1);
    await expect(compared()).rejects.toMatchObject(behind(4, 1));
    await expect(compared()).rejects.toThrow(/the first of 2 such lines/);
    expect(await linesOf(one)).toHaveLength(2);
  });

  test('and a line that another worker appended since', async () => {
    await settled(1);
    await compared();
    appendFileSync(path, `1 1 ${LOST}\n`);
    await expect(compared()).rejects.toMatchObject(behind(2, 1));
  });

  test('and a head that stands for another epoch', async () => {
    const [first = ''] = await linesOf(await settled(1));
    writeFileSync(path, `5${first.slice(1)}\n`);
    await expect(compared()).rejects.toMatchObject(behind(1, 5));
  });

  test('in a file of more than a megabyte, by its number', async () => {
    const [first] = await linesOf(await settled(1));
    writeFileSync(path, `${`${first}\n`.repeat(33_333)}8 1 ${LOST}\n${`${first}\n`.repeat(7)}`);
    await expect(compared()).rejects.toMatchObject(behind(33_334, 8));
  });

  test('until another file takes its place', async () => {
    const lines = await linesOf(await settled(2));
    await compared();
    writeFileSync(path, `1 1 ${LOST}\n${lines.join('\n')}\n${lines.join('\n')}\n`);
    await expect(compared()).rejects.toMatchObject(behind(1, 1));
    rmSync(path);
    await compared();
  });
});

test('what was found is not asked for again: one query for the newest heads, one for what was appended', async () => {
  const name = await network({ epochs: 4 });
  const activities = await witnessed();
  for (const epoch of [0, 1, 2]) await settleEpochInProcess(activities, { network: name, epoch });
  await settled(2);
  await compared();
  const asked: (readonly string[])[] = [];
  const counting = {
    query: (text: string, values: [readonly string[]]) => {
      asked.push(values[0]);
      return database.worker.query(text, values);
    },
  };
  await compared(counting);
  expect(asked.map((heads) => heads.length)).toEqual([2]);
  await settleEpochInProcess(await activitiesOn(database.worker), { network: name, epoch: 3 });
  appendFileSync(path, `${(await linesOf(name))[3]}\n`);
  await compared(counting);
  expect(asked.map((heads) => heads.length)).toEqual([2, 2, 1]);
});

describe('F12, S6: on a database that lacks a head of heads.log', () => {
  const refused = { type: 'DatabaseBehind', nonRetryable: true };
  let activities: Activities;
  beforeEach(async () => {
    activities = await witnessed();
  });
  const lose = () => appendFileSync(path, `3 1 ${LOST}\n`);

  test('no epoch is begun', async () => {
    const name = await network();
    lose();
    await expect(activities.gather({ network: name, epoch: 0 }, 'test')).rejects.toMatchObject(refused);
    expect(await count(database, 'seal', name)).toBe(0);
  });

  test('an epoch that was checked is not published; once the file was moved aside it is', async () => {
    const name = await network();
    const { derived, checked } = await walkToCheck(activities, { network: name, epoch: 0 });
    lose();
    const publish = () => activities.publish(derived.key, checked.contentDigest, 'test');
    await expect(publish()).rejects.toMatchObject(refused);
    expect(await count(database, 'chain_entry', name)).toBe(0);
    rmSync(path);
    expect(await publish()).toMatchObject({ kind: 'published', already: false });
  });

  test('a revision gets no claims', async () => {
    const name = await network();
    const { derived, checked } = await walkToCheck(activities, { network: name, epoch: 0 });
    await activities.publish(derived.key, checked.contentDigest, 'test');
    lose();
    await expect(activities.prove(derived.key, 'test')).rejects.toMatchObject(refused);
    expect(await count(database, 'chain_entry', name)).toBe(1);
  });

  test('no epoch is closed as failed', async () => {
    const name = await network();
    lose();
    const close = activities.closeAsFailed({ network: name, epoch: 0 }, 'incomplete-inputs', {}, 'test');
    await expect(close).rejects.toMatchObject(refused);
    expect(await count(database, 'epoch_failure', name)).toBe(0);
  });

  test('no hold expires', async () => {
    const name = await network({ held: [1], holdSeconds: 1 });
    await settleEpochInProcess(activities, { network: name, epoch: 0 });
    const { derived } = await walkToCheck(activities, { network: name, epoch: 1 });
    lose();
    const read = () => activities.readHold(derived.key).catch((error: Error) => error);
    await until('it is overdue', async () => (await read()) !== 'open', 20);
    expect(await read()).toMatchObject(refused);
    expect(await count(database, 'hold_decision', name)).toBe(0);
  });

  test('no dispute is computed, none is published, none is closed', async () => {
    const name = await settled(1);
    const { key } = await opened(database, name, 0, rows('capacity', '0,p0,gpu,10,10'));
    const whole = await computed(activities, key);
    await approved(database, key);
    lose();
    for (const refusal of [
      activities.correctSnapshot(key),
      activities.publishDispute(key, whole.key, whole.checked.contentDigest),
      activities.failDispute(key, 'payees', {}, 'test'),
    ]) {
      await expect(refusal).rejects.toMatchObject(refused);
    }
    expect(await publishedEpochs(database, name)).toHaveLength(1);
    expect(await activities.readDispute(key, null)).toEqual({ state: 'approved' });
  });

  test('a worker that starts adds nothing: on the right database the file would be refused for it', async () => {
    await settleAllInProcess(await activitiesOn(database.worker), await network({ epochs: 1 }));
    lose();
    const said: string[] = [];
    const options = { pool: database.worker, headsLog: path, outside: [], log: (line: string) => said.push(line) };
    await openWitnesses(options).close();
    expect(readFileSync(path, 'utf8')).toBe(`3 1 ${LOST}\n`);
    expect(said).toEqual([expect.stringMatching(/^heads\.log: DatabaseBehind: line 1 of/)]);
  });

  test('a catch-up adds lines and takes none away', async () => {
    const name = await settled(2);
    const before = readFileSync(path, 'utf8');
    await loses(name, 1);
    const again = headsLog(path, database.worker);
    await again.catchUp(name);
    expect(readFileSync(path, 'utf8')).toBe(before);
    await expect(again.compare(database.worker)).rejects.toMatchObject(behind(2, 1));
  });
});
