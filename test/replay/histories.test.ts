import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { historyFromJSON } from '@temporalio/common/lib/proto-utils';
import { Worker } from '@temporalio/worker';
import { testBundle } from '../harness/orchestrators';

const FOLDER = join(__dirname, '..', 'histories');
const NAMES = readdirSync(FOLDER).map((file) => file.replace(/\.json$/, ''));

const text = (name: string) => readFileSync(join(FOLDER, `${name}.json`), 'utf8');

const replay = (history: string) =>
  Worker.runReplayHistory({ workflowBundle: testBundle() }, historyFromJSON(JSON.parse(history)));

test('every kind of end has its history', () => {
  expect(NAMES.sort()).toEqual([
    ...['dispute-published', 'dispute-stale'],
    ...['epoch-failed', 'epoch-held-approved', 'epoch-held-rejected', 'epoch-in-chunks', 'epoch-published'],
    ...['loop-finished', 'loop-held'],
  ]);
});

test.each(NAMES)('F16: the history %s is replayed by the workflows as they are', async (name) => {
  await replay(text(name));
});

test.each([
  ['epoch-published', '"name": "seal"', '"name": "derive"'],
  ['loop-finished', '"name": "nextDue"', '"name": "gather"'],
  ['dispute-published', '"name": "deriveDispute"', '"name": "derive"'],
])('F16: the history %s with one step changed is not', async (name, step, another) => {
  const history = text(name);
  const changed = history.replace(step, another);
  expect(changed).not.toBe(history);
  await expect(replay(changed)).rejects.toMatchObject({ name: 'DeterminismViolationError' });
});
