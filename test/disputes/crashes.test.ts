import type { Activities } from '../../activities';
import { freshDatabase, type TestDatabase } from '../harness/databases';
import { activitiesOn, settleAllInProcess } from '../harness/in-process';
import { makeNetwork } from '../harness/networks';
import { publishedEpochs } from '../harness/worlds';
import { approved, computed, contentOf, opened, published, rows } from './disputing';

const POINTS = [
  'correct:read',
  'reward:computed',
  'reward:copied',
  'check:computed',
  'publish-dispute:before-commit',
  'publish-dispute:committed',
  'prove:before-commit',
  'prove:committed',
] as const;

let database: TestDatabase;
let calm: Activities;

beforeAll(async () => {
  database = await freshDatabase();
  calm = await activitiesOn(database.worker);
});
afterAll(() => database.close());

/** Activities that die once at a point, as a process would that is killed there. */
async function dyingAt(point: string): Promise<{ readonly activities: Activities; readonly died: () => boolean }> {
  let died = false;
  const reached = (now: string) => {
    if (died || now !== point) return;
    died = true;
    throw new Error('connection terminated: killed by the test');
  };
  return { activities: await activitiesOn(database.worker, { reached }), died: () => died };
}

/** Repeats a step that failed, as Temporal would. */
async function retried<T>(step: () => Promise<T>): Promise<T> {
  try {
    return await step();
  } catch (error) {
    if (!(error instanceof Error) || !error.message.includes('killed by the test')) throw error;
    return step();
  }
}

const corrections = rows('capacity', '1,p0,gpu,10,9');

test.each(POINTS)(
  'F1, F2: killed at %s: one revision, balanced, with the content of an undisturbed run',
  async (point) => {
    const network = await makeNetwork({ pool: database.superuser, actor: 'olivia' });
    await settleAllInProcess(calm, network);
    const { key } = await opened(database, network, 1, corrections);
    const { activities, died } = await dyingAt(point);
    const made = await retried(() => computed(activities, key));
    await approved(database, key);
    const answer = await retried(() => published(activities, key, made));
    expect(died()).toBe(true);
    expect(answer).toMatchObject({ kind: 'published', contentDigest: made.checked.contentDigest });
    expect((await publishedEpochs(database, network)).map(({ epoch, revision }) => [epoch, revision])).toEqual([
      [0, 1],
      [1, 1],
      [2, 1],
      [1, 2],
    ]);
    const entries = await database.viewer.query<{ kind: string }>(
      'select kind from chain_entry where network = $1 and epoch = 1 and revision = 2 order by position',
      [network],
    );
    expect(entries.rows.map(({ kind }) => kind)).toEqual(['revision', 'claims']);
    const journal = await database.viewer.query<{ postings: number; sum: string }>(
      `select count(*) as postings, sum(amount)::text as sum from ledger_posting
     where network = $1 and journal = 'publication/1/2'`,
      [network],
    );
    expect(journal.rows).toEqual([{ postings: 2, sum: '0' }]);
    const { network: _, ...content } = await contentOf(database, network, 1, 2);
    undisturbed ??= await undisturbedContent();
    expect(content).toEqual(undisturbed);
  },
);

let undisturbed: Record<string, unknown> | null = null;

async function undisturbedContent(): Promise<Record<string, unknown>> {
  const network = await makeNetwork({ pool: database.superuser, actor: 'olivia' });
  await settleAllInProcess(calm, network);
  const { key } = await opened(database, network, 1, corrections);
  const made = await computed(calm, key);
  await approved(database, key);
  await published(calm, key, made);
  const { network: _, ...content } = await contentOf(database, network, 1, 2);
  return content;
}

test('F8: published, the answer lost, a dispute of another epoch published: the retry gives the first head', async () => {
  const network = await makeNetwork({ pool: database.superuser, actor: 'olivia' });
  await settleAllInProcess(calm, network);
  const { key } = await opened(database, network, 1, corrections);
  const made = await computed(calm, key);
  await approved(database, key);
  const first = await calm.publishDispute(key, made.key, made.checked.contentDigest);
  const other = await opened(database, network, 2, rows('capacity', '2,p0,gpu,10,9'));
  const otherMade = await computed(calm, other.key);
  await approved(database, other.key);
  await published(calm, other.key, otherMade);
  const again = await calm.publishDispute(key, made.key, made.checked.contentDigest);
  if (first.kind !== 'published' || again.kind !== 'published') throw new Error('not published');
  expect(again).toMatchObject({ already: true, head: first.head });
  // Whoever published next made the claims of this one; proving it again finds them.
  expect(await calm.prove(made.key, 'test')).toMatchObject({ payees: 1 });
});
